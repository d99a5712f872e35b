//! Texts and headers of an entry's requests, filled in for one connection. Not here: URLs, and
//! which request has what.

use super::{
    entry::{Entry, Parameters},
    field_schema::FieldSchema,
    template::{self, TemplateError, Values},
};
use crate::{domain::secret::Secret, oauth2::http::is_header_value};

/// The inputs that an entry declares, some of which may be left empty.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) connection_config: &'a [FieldSchema],
    pub(super) credentials: &'a [FieldSchema],
}

impl<'a> Declared<'a> {
    /// No input, so that nothing may be lacking but scopes.
    pub(super) const NONE: Self = Declared {
        connection_config: &[],
        credentials: &[],
    };

    /// Those of the connection's configuration, so that no credentials may be lacking.
    pub(super) fn of_configuration(entry: &'a Entry) -> Self {
        Self {
            connection_config: &entry.connection_config,
            credentials: &[],
        }
    }

    pub(super) fn all(entry: &'a Entry) -> Self {
        Self {
            connection_config: &entry.connection_config,
            credentials: &entry.credentials,
        }
    }

    /// Fills in `template`; none where it lacks the value of an optional input.
    pub(super) fn text(
        self,
        template: &str,
        values: &Values<'_>,
    ) -> Result<Option<String>, TemplateError> {
        match template::text(template, values) {
            Err(TemplateError::Missing(input)) if self.is_optional(&input) => Ok(None),
            filled => filled.map(Some),
        }
    }

    /// Fills in `templates`, and leaves out those that lack the value of an optional input.
    pub(super) fn texts(
        self,
        templates: &Parameters,
        values: &Values<'_>,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let texts = templates.iter().map(|(name, template)| {
            let text = self.text(template, values)?;
            Ok(text.map(|text| (name.clone(), text)))
        });
        texts.filter_map(Result::transpose).collect()
    }

    /// The same for headers.
    pub(super) fn headers(
        self,
        templates: &Parameters,
        values: &Values<'_>,
    ) -> Result<Vec<(String, Secret)>, TemplateError> {
        let texts = self.texts(templates, values)?.into_iter();
        texts
            .map(|(name, value)| {
                if is_header_value(&value) {
                    Ok((name, Secret::new(value)))
                } else {
                    Err(TemplateError::Unfit(format!("the header {name}")))
                }
            })
            .collect()
    }

    /// Whether `placeholder` stands for what there need not be: an input that may be left empty,
    /// or the scopes of an integration.
    fn is_optional(self, placeholder: &str) -> bool {
        let of_config = placeholder.strip_prefix("connectionConfig.");
        let of_credentials = template::own_part(placeholder);
        let is_optional = |inputs: &[FieldSchema], name: Option<&str>| {
            let name = name.unwrap_or(placeholder);
            let mut inputs = inputs.iter();
            inputs.any(|field| field.name == name && field.is_optional)
        };
        placeholder == "scopes"
            || of_credentials.is_none() && is_optional(self.connection_config, of_config)
            || of_config.is_none() && is_optional(self.credentials, of_credentials)
    }
}
