//! The inputs of credentials, held to what an entry declares.

use serde_json::json;

use super::field_schema::FieldSchema;
use crate::{
    domain::secret::SecretMap,
    validation::{input::read, issue::Issue},
};

/// Refuses inputs of an import that `schemas` do not declare, and the lack of those that they do. What is in
/// `preset`, which comes from the integration, is asked of nobody.
pub fn check_inputs(
    schemas: &[FieldSchema],
    inputs: &SecretMap,
    preset: &SecretMap,
) -> Result<(), Vec<Issue>> {
    let is_needed = |schema: &FieldSchema| {
        !schema.is_optional
            && !schema.is_automated
            && schema.default_value.is_none()
            && !preset.has_text(&schema.name)
    };
    let import = json!({ "credentials": inputs.expose() });
    read(Some(&import), |import| {
        let object = import.object()?.field("credentials").object()?;
        for (name, value) in object.rest() {
            if preset.has_text(name) {
                value.refuse("custom", "The integration brings this input");
            } else if schemas.iter().all(|schema| schema.name != name) {
                value.refuse("unrecognized_keys", "The provider asks for no such input");
            }
        }
        for schema in schemas.iter().filter(|schema| is_needed(schema)) {
            let input = object.input(&schema.name);
            if input.value().is_none() {
                input.refuse_type("string");
            }
        }
        Some(())
    })
}
