//! Statements as values, and the port that runs them.

use std::{borrow::Cow, marker::PhantomData};

use serde::de::DeserializeOwned;

/// Runs statements.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Database {
    /// Runs `statements` in order, in one transaction and one round trip. Each gives the texts in
    /// the first column of its rows.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<String>>, DatabaseError>;
}

/// Why the database gave no answer, or not the expected one. For the log, never for a caller.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The answer does not have the shape that its statement promises. Only the place is kept:
    /// serde's own words repeat the value, which is a caller's.
    #[error("the database's answer has an unexpected shape at column {column}")]
    Malformed {
        /// Where in the row.
        column: usize,
    },
    /// A statement failed.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl From<serde_json::Error> for DatabaseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed {
            column: error.column(),
        }
    }
}

/// SQL text with numbered parameters. A statement that returns rows returns one column, named
/// `row`, of JSON text: a row then crosses into the module as one string.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The text, with parameters `?1`, `?2`, ….
    pub sql: Cow<'static, str>,
    /// The values of the parameters, at most 100.
    pub parameters: Vec<Parameter>,
}

/// The value of a parameter.
#[derive(Clone)]
pub enum Parameter {
    /// A signed integer of at most 53 bits.
    Integer(i64),
    /// `null`.
    Null,
    /// A text.
    Text(String),
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Parameter(…)")
    }
}

impl From<i64> for Parameter {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Parameter {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

/// A statement whose rows are read as `T`.
#[derive(Debug)]
pub struct Query<T> {
    statement: Statement,
    row: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Query<T> {
    /// The statement `sql`, whose rows are JSON of `T`.
    pub fn new(sql: impl Into<Cow<'static, str>>, parameters: Vec<Parameter>) -> Self {
        Self {
            statement: Statement {
                sql: sql.into(),
                parameters,
            },
            row: PhantomData,
        }
    }

    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    fn read(rows: Option<Vec<String>>) -> Result<Vec<T>, DatabaseError> {
        let rows = rows.unwrap_or_default();
        rows.iter()
            .map(|row| Ok(serde_json::from_str(row)?))
            .collect()
    }
}

/// Runs `query` in one round trip.
pub async fn fetch<T: DeserializeOwned>(
    database: &impl Database,
    query: Query<T>,
) -> Result<Vec<T>, DatabaseError> {
    let mut answers = database.batch(vec![query.statement]).await?.into_iter();
    Query::<T>::read(answers.next())
}

/// Runs `query`, which gives one row at most, in one round trip.
pub async fn fetch_one<T: DeserializeOwned>(
    database: &impl Database,
    query: Query<T>,
) -> Result<Option<T>, DatabaseError> {
    Ok(fetch(database, query).await?.into_iter().next())
}

/// Runs both queries in one transaction and one round trip.
pub async fn fetch_both<A: DeserializeOwned, B: DeserializeOwned>(
    database: &impl Database,
    first: Query<A>,
    second: Query<B>,
) -> Result<(Vec<A>, Vec<B>), DatabaseError> {
    let mut answers = database
        .batch(vec![first.statement, second.statement])
        .await?
        .into_iter();
    Ok((
        Query::<A>::read(answers.next())?,
        Query::<B>::read(answers.next())?,
    ))
}

/// Runs `query`, which gives one row at most, and then `writes`, in one transaction and one round
/// trip.
pub async fn fetch_one_and<T: DeserializeOwned>(
    database: &impl Database,
    query: Query<T>,
    writes: impl IntoIterator<Item = Query<()>>,
) -> Result<Option<T>, DatabaseError> {
    let writes = writes.into_iter().map(|write| write.statement);
    let statements = std::iter::once(query.statement).chain(writes).collect();
    let mut answers = database.batch(statements).await?.into_iter();
    Ok(Query::<T>::read(answers.next())?.into_iter().next())
}
