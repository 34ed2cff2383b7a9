//! The narrow seam between one set of SQL statements and two databases.
//!
//! Everything above this file is written once. What differs between the dialects is three things, and each is
//! said where it happens: row locks ([`Statement`]), how a write transaction begins and commits
//! ([`super::sqlite`]), and how other instances hear of a commit ([`super::postgres`]).

use super::StoreError;
use async_trait::async_trait;
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

/// One SQL statement in both dialects. They differ only in row locks: SQLite has one writer at a time, so it
/// needs none (this stops being true should SQLite ever get concurrent writers).
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// A bound parameter. `None` keeps its type: Postgres refuses an untyped null.
#[derive(Debug, Clone)]
pub enum Value {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<String>),
}

macro_rules! value_from {
    ($($from:ty => |$v:ident| $into:expr),+ $(,)?) => {
        $(impl From<$from> for Value {
            fn from($v: $from) -> Self { $into }
        })+
    };
}
value_from!(
    Uuid => |v| Value::Id(Some(v)),
    Option<Uuid> => |v| Value::Id(v),
    i64 => |v| Value::Int(Some(v)),
    Option<i64> => |v| Value::Int(v),
    String => |v| Value::Text(Some(without_nul(v))),
    &str => |v| Value::Text(Some(without_nul(v.to_owned()))),
    Option<String> => |v| Value::Text(v.map(without_nul)),
    Option<&str> => |v| Value::Text(v.map(|v| without_nul(v.to_owned()))),
    crate::model::Timestamp => |v| Value::Int(Some(v.0)),
    Option<crate::model::Timestamp> => |v| Value::Int(v.map(|t| t.0)),
    crate::model::ContactId => |v| Value::Id(Some(v.0)),
    crate::model::ConversationId => |v| Value::Id(Some(v.0)),
    Option<crate::model::ConversationId> => |v| Value::Id(v.map(|i| i.0)),
    crate::model::MessageId => |v| Value::Id(Some(v.0)),
    Option<crate::model::MessageId> => |v| Value::Id(v.map(|i| i.0)),
    crate::model::AgentId => |v| Value::Id(Some(v.0)),
    Option<crate::model::AgentId> => |v| Value::Id(v.map(|i| i.0)),
    crate::model::TeamId => |v| Value::Id(Some(v.0)),
    Option<crate::model::TeamId> => |v| Value::Id(v.map(|i| i.0)),
    crate::model::JobId => |v| Value::Id(Some(v.0)),
    crate::model::WatchId => |v| Value::Id(Some(v.0)),
);

/// Postgres stores no U+0000 in TEXT and SQLite does: both get U+FFFD instead, in keys as in texts, so that what
/// is looked up is what was stored.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Parameters of a statement, in the order `$1, $2, …`.
macro_rules! values {
    ($($v:expr),* $(,)?) => { vec![$($crate::store::driver::Value::from($v)),*] };
}
pub(super) use values;

/// A row of either database, read by column name.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
        for<'c> &'c str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        Ok(match self {
            Row::Sqlite(row) => row.try_get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A text column that is the name of an enum.
    pub fn name<T: std::str::FromStr<Err = crate::model::UnknownName>>(
        &self,
        column: &str,
    ) -> Result<T, StoreError> {
        Ok(self.get::<String>(column)?.parse()?)
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        Ok(serde_json::from_str(&self.get::<String>(column)?)?)
    }

    pub fn time(&self, column: &str) -> Result<crate::model::Timestamp, StoreError> {
        Ok(crate::model::Timestamp(self.get(column)?))
    }

    pub fn opt_time(&self, column: &str) -> Result<Option<crate::model::Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(column)?.map(crate::model::Timestamp))
    }
}

/// Begins transactions.
#[async_trait]
pub trait Driver: Send + Sync {
    /// A transaction that may write.
    async fn begin(&self) -> Result<Box<dyn DriverTx>, StoreError>;
    /// A transaction that only reads, and never waits for a writer.
    async fn read(&self) -> Result<Box<dyn DriverTx>, StoreError>;
    /// Statement that tells the other instances of a hint within the transaction, when there can be any.
    fn notify(&self) -> Option<&'static Statement>;
    /// Whether this process is the only one on the database: then claims left by a dead process can be
    /// released at start instead of waiting for their end.
    fn single_instance(&self) -> bool;
    /// Prepares a statement without running it: the test that replaces compile-time checked queries.
    async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError>;
    async fn close(&self);
}

/// An open transaction; dropped without `commit`, nothing of it remains.
#[async_trait]
pub trait DriverTx: Send {
    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError>;
    /// Number of rows changed.
    async fn execute(&mut self, statement: &'static Statement, values: Vec<Value>)
    -> Result<u64, StoreError>;
    /// Returns once the changes are on disk.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
