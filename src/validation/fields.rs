//! The fields of an object, each of which is read by its name. Not here: what a field may hold.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::{input::Input, wording::unrecognized_keys};

/// The fields of an object. Reading a field marks it as known; [`Fields::finish`] refuses the
/// others.
#[derive(Debug)]
pub struct Fields<'a> {
    object: Input<'a>,
    map: &'a Map<String, Value>,
    read: RefCell<Vec<&'a str>>,
}

impl<'a> Fields<'a> {
    /// The fields of `map`, which is at the place of `object`.
    pub(super) fn new(object: Input<'a>, map: &'a Map<String, Value>) -> Self {
        Self {
            object,
            map,
            read: RefCell::default(),
        }
    }

    /// The field `name`, which may be absent.
    #[must_use]
    pub fn field(&self, name: &'static str) -> Input<'a> {
        self.read.borrow_mut().push(name);
        self.input(name)
    }

    /// The place of the field `name`, whether it is there or not.
    #[must_use]
    pub fn input(&self, name: &str) -> Input<'a> {
        self.object.at(name, self.map.get(name))
    }

    /// The field `name`, or `None` if it is absent.
    #[must_use]
    pub fn optional(&self, name: &'static str) -> Option<Input<'a>> {
        let input = self.field(name);
        input.value().is_some().then_some(input)
    }

    /// The fields that were not read yet.
    pub fn rest(&self) -> Vec<(&'a str, Input<'a>)> {
        let mut read = self.read.borrow_mut();
        let mut rest = self.map.keys().map(String::as_str).collect::<Vec<_>>();
        rest.retain(|name| !read.contains(name));
        read.extend(&rest);
        rest.iter().map(|name| (*name, self.input(name))).collect()
    }

    /// The whole object.
    #[must_use]
    pub fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    /// Refuses every field that was not read.
    pub fn finish(self) {
        let unknown = self.rest();
        if let Some(message) = unrecognized_keys(unknown.iter().map(|(name, _)| *name)) {
            self.object.refuse("unrecognized_keys", message);
        }
    }
}
