//! Repositories over SQLite and Postgres. A repository *is* a transaction: [`Tx`] has the methods, and nothing
//! of it lasts until [`Tx::commit`] returns. The SQL is written once, in [`sql`]; see [`driver`] for the seam.

mod agents;
mod alerts;
mod audit;
mod channels;
mod composer;
mod conversations;
pub mod driver;
mod events;
mod handover;
mod history;
mod hooks;
mod jobs;
mod manners;
mod messages;
mod notes;
mod notices;
mod people;
mod persons;
mod postgres;
mod proposals;
mod sessions;
pub mod sql;
mod sqlite;
mod surveys;
mod teams;
mod tokens;
mod told;
mod views;
mod watches;

pub use agents::AgentWithHash;
pub use alerts::{Alert, InDanger, NewAlert, ToldPromise};
pub use audit::{AuditFilter, AuditLine};
pub use composer::{ProposedReply, Withdrawn};
pub use handover::{ContentVersion, FileChange, OpenWatch, WrittenNote};
pub use hooks::{Hook, HookDelivery, HookEvent};
pub use jobs::{ClaimedJob, JobCounts, JobKind, NewJob};
pub use messages::{Ingest, Ingested};
pub use notes::{Draft, Mention, Note};
pub use people::{Account, Invitation, OpenInvitation, Person};
pub use persons::Earlier;
pub use proposals::Proposal;
pub use sessions::{NewSession, NewStep, OpenSession, Session, Step};
pub use surveys::{OfPeriod, Survey, Wanted};
pub use teams::{Member, Promised};
pub use tokens::{AccessToken, NewToken, TokenHolder};
pub use told::Told;
pub use views::{Deliveries, QueueEntry, SavedView, TimedEvent};
pub use watches::Watch;

use crate::model::{ConversationId, UnknownName};
use driver::{Driver, DriverTx, Row, Statement, Value};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Longest text that we look things up by, in bytes of UTF-8: addresses, provider ids, nonces. Postgres's B-trees
/// take some 2,700 bytes an entry; no provider's ids come near.
pub const MAX_KEY_BYTES: usize = 512;

fn check_key(what: &'static str, key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyTooLong { what });
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("database migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("database: {0}")]
    Open(String),
    /// The commit shared with other transactions failed: nothing of ours is stored.
    #[error("database: the batch did not commit: {0}")]
    Batch(String),
    #[error("database: an earlier statement of this transaction did not succeed, so it cannot go on")]
    Broken,
    /// Both databases refuse it, so that Postgres's limit on index entries is no surprise.
    #[error("{what} is longer than {MAX_KEY_BYTES} bytes")]
    KeyTooLong { what: &'static str },
    #[error("database: {0}")]
    UnknownName(#[from] UnknownName),
    #[error("database: bad JSON in a column: {0}")]
    Json(#[from] serde_json::Error),
}

/// Tells that something changed, never what: whoever cares reads it again, so that a lost or repeated hint does
/// no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// There may be a job to do.
    Jobs,
    /// A conversation, or its place in the queue, changed.
    Conversation(ConversationId),
    /// Who is at the desk changed.
    Desk,
    /// What an agent is writing in a conversation changed; only who looks at it cares.
    Draft(ConversationId),
}

impl Hint {
    fn to_text(self) -> String {
        match self {
            Hint::Jobs => "jobs".to_owned(),
            Hint::Desk => "desk".to_owned(),
            Hint::Conversation(id) => format!("conversation {id}"),
            Hint::Draft(id) => format!("draft {id}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "jobs" => Some(Hint::Jobs),
            None if text == "desk" => Some(Hint::Desk),
            Some(("conversation", id)) => id.parse().ok().map(Hint::Conversation),
            Some(("draft", id)) => id.parse().ok().map(Hint::Draft),
            _ => None,
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    driver: Arc<dyn Driver>,
    hints: broadcast::Sender<Hint>,
}

impl Store {
    /// Opens and migrates the database that the scheme of `url` selects: `sqlite://path` or `postgres://…`.
    /// `connections` bounds the Postgres pool.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        let (hints, _) = broadcast::channel(1024);
        let driver: Arc<dyn Driver> = if url.starts_with("sqlite:") {
            Arc::new(sqlite::SqliteDriver::open(url).await?)
        } else {
            let driver = postgres::PostgresDriver::open(url, connections).await?;
            driver.listen(hints.clone());
            Arc::new(driver)
        };
        Ok(Self { driver, hints })
    }

    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx { driver: self.driver.begin().await?, hints: Vec::new(), broken: false, store: self.clone() })
    }

    /// A transaction for reading only: it sees the database as it is at its first statement, and writing in it
    /// fails.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx { driver: self.driver.read().await?, hints: Vec::new(), broken: false, store: self.clone() })
    }

    /// Hints of this instance and, with Postgres, of the others.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    pub fn single_instance(&self) -> bool {
        self.driver.single_instance()
    }

    /// Prepares every statement; the test that replaces compile-time checked queries.
    pub async fn prepare_all(&self) -> Result<(), (&'static str, StoreError)> {
        for statement in sql::all() {
            self.driver.prepare(statement).await.map_err(|e| (statement.name, e))?;
        }
        Ok(())
    }

    pub async fn close(&self) {
        self.driver.close().await;
    }
}

/// An open transaction; dropped without commit, nothing of it remains.
///
/// Rows are locked in one order, or Postgres kills one of two that meet: contact, conversation, message, job.
/// [`Tx::ingest`] and [`Tx::lock_conversation`] begin with the contact.
pub struct Tx {
    driver: Box<dyn DriverTx>,
    hints: Vec<Hint>,
    /// A statement failed, or was dropped before its end: what it did is uncertain. Postgres would answer COMMIT
    /// with a quiet rollback, SQLite would commit the other statements; here it is an error on both.
    broken: bool,
    store: Store,
}

impl Tx {
    /// Returns once everything is on disk; then tells of it.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::Broken);
        }
        if let Some(notify) = self.store.driver.notify() {
            for hint in self.hints.clone() {
                self.fetch(notify, driver::values![hint.to_text()]).await?;
            }
        }
        self.driver.commit().await?;
        for hint in self.hints {
            // No receiver: nobody is interested.
            let _ = self.store.hints.send(hint);
        }
        Ok(())
    }

    /// Told to everyone once the transaction has committed.
    fn hint(&mut self, hint: Hint) {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(StoreError::Broken);
        }
        let rows = self.driver.fetch(statement, values).await?;
        self.broken = false;
        Ok(rows)
    }

    async fn fetch_one(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(statement, values).await?.into_iter().next())
    }

    async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(StoreError::Broken);
        }
        let changed = self.driver.execute(statement, values).await?;
        self.broken = false;
        Ok(changed)
    }
}
