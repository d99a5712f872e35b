//! The database, as D1 offers it.

use std::cell::Cell;

use wasm_bindgen::{JsCast, JsValue};
use worker::{
    Env,
    js_sys::{Array, Reflect, futures::JsFuture},
    worker_sys::types::{D1Database, D1PreparedStatement, D1Result},
};

use crate::storage::database::{Database, DatabaseError, Parameter, Statement};

/// D1, with a count of the round trips made to it.
#[derive(Debug)]
pub(super) struct D1 {
    env: Env,
    round_trips: Cell<u32>,
}

impl D1 {
    /// The database bound as `DB`. Whether there is one shows when it is used.
    pub(super) fn new(env: Env) -> Self {
        Self {
            env,
            round_trips: Cell::new(0),
        }
    }

    /// How many batches were sent so far.
    pub(super) fn round_trips(&self) -> u32 {
        self.round_trips.get()
    }

    async fn run(&self, statements: &[Statement]) -> worker::Result<Vec<Vec<String>>> {
        let database: D1Database = JsValue::from(self.env.d1("DB")?).unchecked_into();
        let prepared: Result<Array, JsValue> = statements
            .iter()
            .map(|statement| prepare(&database, statement))
            .collect();
        let results: Array = JsFuture::from(database.batch(prepared?)?)
            .await?
            .dyn_into()?;
        let column = JsValue::from_str("row");
        results
            .iter()
            .map(|result| rows(result.unchecked_ref(), &column))
            .collect()
    }
}

// A batch of one statement takes as long as a lone one, by measurement, so there is one way only.
impl Database for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<String>>, DatabaseError> {
        self.round_trips.update(|count| count + 1);
        self.run(&statements)
            .await
            .map_err(|error| DatabaseError::Failed(error.to_string()))
    }
}

fn prepare(database: &D1Database, statement: &Statement) -> Result<D1PreparedStatement, JsValue> {
    let parameters = statement.parameters.iter().map(value).collect::<Array>();
    database.prepare(&statement.sql)?.bind(parameters)
}

fn value(parameter: &Parameter) -> JsValue {
    match parameter {
        // `typeof(?1)` is therefore `real`: a column that is an integer takes it as one, but put
        // into JSON as it is it would get a fraction.
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "D1 takes integers as floats, and a parameter has 53 bits at most"
        )]
        Parameter::Integer(integer) => JsValue::from_f64(*integer as f64),
        Parameter::Null => JsValue::NULL,
        Parameter::Text(text) => JsValue::from_str(text),
    }
}

/// One crossing for the row and one for its text, and no object is walked through.
fn rows(result: &D1Result, column: &JsValue) -> worker::Result<Vec<String>> {
    let rows = result.results()?.unwrap_or_default();
    let text = |row| {
        Reflect::get(&row, column)?
            .as_string()
            .ok_or_else(|| "a row is no text".into())
    };
    rows.iter().map(text).collect()
}
