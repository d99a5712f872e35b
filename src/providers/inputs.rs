//! The inputs of credentials: which an entry may declare, and imports held to what it declares.

use serde_json::{Value, json};

use super::{entry::Entry, field_schema::FieldSchema, step_request::credentials};
use crate::{
    domain::{credentials::Exchanged, secret::SecretMap},
    validation::{fields::Fields, input::read, issue::Issue},
};

/// Refuses inputs of an import that `entry` does not declare, and the lack of those that it does.
/// What is in `preset`, which comes from the integration, is asked of nobody.
pub fn check_inputs(
    entry: &Entry,
    imported: &Exchanged,
    preset: &SecretMap,
) -> Result<(), Vec<Issue>> {
    let Exchanged { inputs, issued, .. } = imported;
    let all = credentials(entry, inputs, preset);
    let has_assertion = [inputs, issued].iter().any(|it| it.has_text("assertion"));
    let spared = entry.assertion.iter().filter(|_| has_assertion);
    let spared: Vec<_> = spared.flat_map(|assertion| &assertion.options).collect();
    let is_lacking = |schema: &&FieldSchema| {
        !schema.is_optional
            && !schema.is_automated
            && !all.expose().contains_key(&schema.name)
            && !spared.contains(&&schema.name)
            && schema.is_visible(all.expose())
    };
    let import = json!({ "credentials": inputs.expose() });
    read(Some(&import), |import| {
        let object = import.object()?.field("credentials").object()?;
        for (name, value) in object.rest() {
            if preset.has_text(name) {
                value.refuse("custom", "The integration brings this input");
            } else if entry.credentials.iter().all(|schema| schema.name != name) {
                value.refuse("unrecognized_keys", "The provider asks for no such input");
            }
        }
        for schema in entry.credentials.iter().filter(is_lacking) {
            object.input(&schema.name).refuse_type("string");
        }
        Some(())
    })
}

/// Refuses the declaration of inputs that no import could bring, because it has something else
/// under their names.
pub(super) fn check_names(entry: &Fields<'_>) {
    for declaration in ["credentials", "assertion_option"] {
        let declaration = entry.input(declaration);
        // What is no object was told already.
        let is_object = declaration.value().is_some_and(Value::is_object);
        let declared = is_object.then(|| declaration.object()).flatten();
        for input in declared
            .iter()
            .flat_map(|it| RESERVED.map(|name| it.input(name)))
        {
            if input.value().is_some() {
                input.refuse("custom", "Imports have something else under this name");
            }
        }
    }
}

/// Members of imported credentials that are no inputs.
const RESERVED: [&str; 5] = ["expires_at", "raw", "refresh_token", "token", "type"];
