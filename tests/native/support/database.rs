//! D1 as `SQLite` in memory: the same migrations, the same statements, D1's limits.

use std::fs;

use holdfast::storage::database::{DatabaseError, Parameter, Statement};
use rusqlite::{Connection, limits::Limit, types::Value};

pub(crate) struct SqliteDatabase(Connection);

/// What D1 says of itself.
const LIMITS: [(Limit, i32); 5] = [
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
];

impl SqliteDatabase {
    /// An empty database with every migration applied.
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("pragma foreign_keys = on")
            .unwrap();
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value).unwrap();
        }
        let mut files: Vec<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        connection
            .execute_batch("create table d1_migrations (id integer primary key, name text)")
            .unwrap();
        for file in files {
            connection
                .execute_batch(&fs::read_to_string(&file).unwrap())
                .unwrap();
            let name = file.file_name().unwrap().to_str().unwrap();
            connection
                .execute("insert into d1_migrations (name) values (?1)", [name])
                .unwrap();
        }
        Self(connection)
    }

    /// Runs statements as D1 does: in one transaction, all or none.
    pub(crate) fn batch(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<Vec<String>>, DatabaseError> {
        let transaction = self.0.unchecked_transaction().unwrap();
        let answers: Result<Vec<_>, _> = statements
            .iter()
            .map(|statement| rows(&transaction, statement))
            .collect();
        let answers = answers.map_err(|error| DatabaseError::Failed(error.to_string()))?;
        transaction
            .commit()
            .map_err(|error| DatabaseError::Failed(error.to_string()))?;
        Ok(answers)
    }

    /// The texts in the first column of what `sql` gives.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let mut prepared = self.0.prepare(sql).unwrap();
        let rows = prepared.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The one value that `sql` selects, as text.
    pub(crate) fn text(&self, sql: &str) -> String {
        let value: Value = self.0.query_row(sql, [], |row| row.get(0)).unwrap();
        match value {
            Value::Null => "null".to_owned(),
            Value::Integer(integer) => integer.to_string(),
            Value::Real(real) => real.to_string(),
            Value::Text(text) => text,
            Value::Blob(_) => "blob".to_owned(),
        }
    }

    /// Every row of every table as text, but those of the search index, which follows the rest.
    pub(crate) fn dump(&self) -> Vec<String> {
        let tables =
            self.column("select name from sqlite_master where type = 'table' order by name");
        let is_ours = |table: &&String| {
            !table.starts_with("sqlite_") && !table.starts_with("connection_search")
        };
        tables
            .iter()
            .filter(is_ours)
            .flat_map(|table| self.rows_of(table, "1"))
            .collect()
    }

    /// Every row that belongs to an environment.
    pub(crate) fn dump_environment(&self, id: i64) -> Vec<String> {
        let of_it = format!("environment_id = {id}");
        let mut dump = self.rows_of("environment", &format!("id = {id}"));
        for table in ["api_key", "connection", "connection_tag", "integration"] {
            dump.extend(self.rows_of(table, &of_it));
        }
        let of_its_connections = format!("connection in (select id from connection where {of_it})");
        dump.extend(self.rows_of("refresh_log", &of_its_connections));
        dump
    }

    fn rows_of(&self, table: &str, condition: &str) -> Vec<String> {
        let columns = self.column(&format!("select name from pragma_table_info('{table}')"));
        let order = columns.join(", ");
        let texts: Vec<_> = columns.iter().map(|it| format!("quote({it})")).collect();
        let row = texts.join(" || ', ' || ");
        let sql = format!("select {row} from {table} where {condition} order by {order}");
        self.column(&sql)
            .into_iter()
            .map(|row| format!("{table} {row}"))
            .collect()
    }

    fn column(&self, sql: &str) -> Vec<String> {
        let mut prepared = self.0.prepare(sql).unwrap();
        let rows = prepared.query_map([], |row| row.get(0)).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    /// Runs `sql` behind the service's back.
    pub(crate) fn execute(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    /// How `SQLite` would run a statement, one step a line.
    pub(crate) fn query_plan(&self, statement: &Statement) -> Vec<String> {
        let sql = format!("explain query plan {}", statement.sql);
        let mut prepared = self.0.prepare(&sql).unwrap();
        bind(&mut prepared, statement);
        let mut steps = Vec::new();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(3).unwrap());
        }
        steps
    }
}

fn rows(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<String>> {
    let mut prepared = connection.prepare(&statement.sql)?;
    bind(&mut prepared, statement);
    let mut texts = Vec::new();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        texts.push(row.get(0)?);
    }
    Ok(texts)
}

fn bind(prepared: &mut rusqlite::Statement<'_>, statement: &Statement) {
    // D1 refuses more values than the statement has parameters, and fewer.
    let (given, taken) = (statement.parameters.len(), prepared.parameter_count());
    assert_eq!(given, taken, "the number of parameters: {}", statement.sql);
    for (at, parameter) in statement.parameters.iter().enumerate() {
        let value = match parameter {
            // D1 gets numbers from JavaScript, where they are floats.
            Parameter::Integer(integer) => Value::Real(exact_float(*integer)),
            Parameter::Null => Value::Null,
            Parameter::Text(text) => Value::Text(text.clone()),
        };
        prepared.raw_bind_parameter(at + 1, value).unwrap();
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "checked to be exact"
)]
fn exact_float(integer: i64) -> f64 {
    assert!(
        integer.unsigned_abs() <= 1 << 53,
        "JavaScript would round {integer}"
    );
    integer as f64
}
