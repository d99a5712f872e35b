//! The configuration, read from the bindings once in the life of an isolate.

use std::{cell::OnceCell, rc::Rc};

use wasm_bindgen::JsCast;
use worker::{
    Env,
    js_sys::{Array, Object},
};

use crate::service::settings::{Settings, SettingsError};

thread_local! {
    static SETTINGS: OnceCell<Result<Rc<Settings>, SettingsError>> = const { OnceCell::new() };
}

/// The configuration, or why it is none.
pub(super) fn settings(env: &Env) -> Result<Rc<Settings>, SettingsError> {
    SETTINGS.with(|settings| settings.get_or_init(|| read(env)).clone())
}

/// Variables and secrets are the bindings that are strings.
fn read(env: &Env) -> Result<Rc<Settings>, SettingsError> {
    let bindings = Object::entries(env.unchecked_ref());
    let strings = bindings.iter().filter_map(|binding| {
        let binding: Array = binding.unchecked_into();
        Some((binding.get(0).as_string()?, binding.get(1).as_string()?))
    });
    Settings::parse(strings).map(Rc::new)
}
