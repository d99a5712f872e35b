//! Bodies with something spoiled, as chance has it.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Map, Value, json};

/// A value that no field expects, or that one expects at its very limit.
fn hostile_value() -> impl Strategy<Value = Value> {
    let nested = (1..126).fold(json!(1), |inner, _| json!([inner]));
    let many: Map<_, _> = (0..1100).map(|at| (format!("k{at}"), json!("v"))).collect();
    let fixed = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(-1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("\0"),
        json!("user-1"),
        json!("github"),
        json!("x".repeat(255)),
        json!("x".repeat(256)),
        json!("x".repeat(20_000)),
        json!("\u{10ffff}\u{202e}ü"),
        json!("https://127.0.0.1/x"),
        json!("https://a.example"),
        json!("9999-12-31T23:59:59.999Z"),
        json!("+262142-12-31"),
        json!("0000-01-01"),
        json!([]),
        json!({}),
        json!(["user-1", "user-1"]),
        json!([[]]),
        json!({"a": null}),
        json!({"": ""}),
        json!({"type": "OAUTH2"}),
        json!({"type": "APP"}),
        json!({"type": "NONE"}),
        nested,
        Value::Object(many),
    ];
    prop_oneof![
        4 => select(fixed),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => vec(any::<i32>(), 0..200).prop_map(Value::from),
    ]
}

/// Something done to a body: the value at a place replaced, removed or joined by another one.
#[derive(Clone, Debug)]
pub(crate) struct Spoiling {
    steps: Vec<Index>,
    kind: Kind,
    value: Value,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Add,
    Remove,
    Replace,
}

/// Something to do to a body.
pub(crate) fn spoiling() -> impl Strategy<Value = Spoiling> {
    let steps = vec(any::<Index>(), 1..4);
    let kind = select(&[Kind::Add, Kind::Remove, Kind::Replace, Kind::Replace]);
    (steps, kind, hostile_value()).prop_map(|(steps, kind, value)| Spoiling { steps, kind, value })
}

impl Spoiling {
    pub(crate) fn apply(&self, body: &mut Value) {
        self.apply_at(body, &self.steps);
    }

    fn apply_at(&self, place: &mut Value, steps: &[Index]) {
        let (Value::Object(map), Some((step, rest))) = (&mut *place, steps.split_first()) else {
            *place = self.value.clone();
            return;
        };
        let key = match map.len() {
            0 => "extra".to_owned(),
            len => map.keys().nth(step.index(len)).unwrap().clone(),
        };
        match self.kind {
            Kind::Add => drop(map.insert("extra".to_owned(), self.value.clone())),
            Kind::Remove if rest.is_empty() => drop(map.remove(&key)),
            Kind::Remove | Kind::Replace => {
                self.apply_at(map.entry(key).or_insert(Value::Null), rest);
            }
        }
    }
}
