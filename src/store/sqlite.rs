//! SQLite: one writer, many readers, and commits gathered under load.
//!
//! `synchronous = FULL` makes an acknowledged commit survive a power cut, at the price of one fsync. Under load
//! that price is shared: each write transaction is a savepoint inside an outer transaction, and whoever reaches
//! the writer after the others have queued commits for all of them. The queue is the writer's fair mutex:
//! a transaction that is done queues for it again, so everyone who was waiting before joins the batch.
//!
//! A request can be cancelled at any await. What changes the state of the connection (BEGIN, SAVEPOINT, RELEASE,
//! COMMIT) therefore runs in tasks of its own, which nobody cancels ([`whole`]), and a transaction that is
//! dropped is rolled back and its batch ended by such a task: the file is never left locked.

use super::StoreError;
use super::driver::{Driver, DriverTx, Row, Statement, Value};
use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments as _, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _, Sqlite};
use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub struct SqliteDriver {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
}

struct Writer {
    connection: Option<SqliteConnection>,
    /// The outer transaction, when one is open.
    batch: Option<Arc<Batch>>,
    /// A savepoint was dropped without commit: the next holder rolls it back first.
    abandoned: bool,
}

/// How the outer transaction ended; all who took part read it here.
#[derive(Default)]
struct Batch {
    outcome: OnceLock<Result<(), String>>,
}

impl SqliteDriver {
    /// Opens or creates the file at `url` (`sqlite://path`) and migrates it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10))
            .optimize_on_close(true, None);
        if let Some(folder) = options.get_filename().parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| StoreError::Open(format!("cannot create {}: {e}", folder.display())))?;
        }
        let mut connection = options.connect().await?;
        sqlx::migrate!("migrations/sqlite").run(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true).create_if_missing(false).optimize_on_close(false, None))
            .await?;
        let writer = Writer { connection: Some(connection), batch: None, abandoned: false };
        Ok(Self { writer: Arc::new(Mutex::new(writer)), readers })
    }
}

#[async_trait]
impl Driver for SqliteDriver {
    async fn begin(&self) -> Result<Box<dyn DriverTx>, StoreError> {
        let writer = self.writer.clone();
        let mut guard = writer.clone().lock_owned().await;
        whole(async move {
            let batch = guard.join_batch().await?;
            let opened = guard.open_savepoint().await;
            let tx = WriteTx { writer, guard: Some(guard), batch };
            // On failure `tx` is dropped here, which ends the batch.
            opened.map(|()| Box::new(tx) as Box<dyn DriverTx>)
        })
        .await
    }

    async fn read(&self) -> Result<Box<dyn DriverTx>, StoreError> {
        Ok(Box::new(ReadTx(self.readers.begin().await?)))
    }

    fn notify(&self) -> Option<&'static Statement> {
        None
    }

    fn single_instance(&self) -> bool {
        true
    }

    async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError> {
        self.readers.acquire().await?.prepare(statement.sqlite.into_sql_str()).await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        let mut guard = self.writer.lock().await;
        guard.settle().await;
        if let Some(connection) = guard.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "closing the database");
        }
    }
}

impl Writer {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.connection.as_mut().ok_or_else(|| StoreError::Open("the database is closed".into()))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(self.connection()?).await?;
        Ok(())
    }

    async fn open_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("SAVEPOINT tx").await?;
        // Until `release`: should the task that has it vanish with its runtime, the next holder rolls back.
        self.abandoned = true;
        Ok(())
    }

    async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("RELEASE tx").await?;
        self.abandoned = false;
        Ok(())
    }

    /// Rolls back what a dropped transaction left, then opens the outer transaction if none is.
    async fn join_batch(&mut self) -> Result<Arc<Batch>, StoreError> {
        self.clear_abandoned().await;
        if let Some(batch) = &self.batch {
            return Ok(batch.clone());
        }
        self.run("BEGIN IMMEDIATE").await?;
        let batch = Arc::new(Batch::default());
        self.batch = Some(batch.clone());
        Ok(batch)
    }

    async fn clear_abandoned(&mut self) {
        if !self.abandoned || self.batch.is_none() {
            return;
        }
        let undone = match self.run("ROLLBACK TO tx").await {
            Ok(()) => self.run("RELEASE tx").await,
            failed => failed,
        };
        self.abandoned = false;
        if let Err(error) = undone {
            // A full disk or an I/O error rolls the outer transaction back by itself: nobody in it is committed.
            self.end_batch(Err(error.to_string())).await;
        }
    }

    /// Ends the outer transaction and tells everyone in it how.
    async fn end_batch(&mut self, outcome: Result<(), String>) {
        if outcome.is_err()
            && let Err(error) = self.run("ROLLBACK").await
        {
            // Usual after an error that has already rolled back.
            tracing::debug!(%error, "rolling back a failed batch");
        }
        if let Some(batch) = self.batch.take() {
            // Only the holder of the writer sets it, once, while the batch is open.
            let _ = batch.outcome.set(outcome);
        }
    }

    /// Commits the outer transaction for everyone in it.
    async fn settle(&mut self) {
        self.clear_abandoned().await;
        if self.batch.is_some() {
            let outcome = self.run("COMMIT").await.map_err(|e| e.to_string());
            self.end_batch(outcome).await;
        }
    }
}

/// Sees to it that `batch` ends, and tells how. Whoever queued for the writer before us goes first and joins it.
async fn settle(writer: &Mutex<Writer>, batch: &Batch) -> Result<(), StoreError> {
    let mut guard = writer.lock().await;
    if batch.outcome.get().is_none() {
        guard.settle().await;
    }
    match batch.outcome.get() {
        Some(Err(error)) => Err(StoreError::Batch(error.clone())),
        _ => Ok(()),
    }
}

/// Runs `work` to its end even when the caller is cancelled meanwhile.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::Open(format!("a task of the writer ended: {error}"))))
}

struct WriteTx {
    writer: Arc<Mutex<Writer>>,
    /// Held from `begin` to `commit` or drop; taken by these.
    guard: Option<OwnedMutexGuard<Writer>>,
    batch: Arc<Batch>,
}

impl WriteTx {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.guard.as_mut().ok_or_else(|| StoreError::Open("the transaction is over".into()))?.connection()
    }
}

#[async_trait]
impl DriverTx for WriteTx {
    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        fetch(self.connection()?, statement, values).await
    }

    async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query_with(statement.sqlite, arguments(values)?);
        Ok(query.execute(self.connection()?).await?.rows_affected())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let Some(mut guard) = self.guard.take() else {
            return Err(StoreError::Open("the transaction is over".into()));
        };
        let (writer, batch) = (self.writer.clone(), self.batch.clone());
        whole(async move {
            let released = guard.release_savepoint().await;
            drop(guard);
            let settled = settle(&writer, &batch).await;
            released.and(settled)
        })
        .await
    }
}

impl Drop for WriteTx {
    /// Dropped without commit: rolls back, and ends the batch so that it does not hold the file until someone
    /// else comes.
    fn drop(&mut self) {
        let Some(mut guard) = self.guard.take() else {
            return;
        };
        // Without a runtime the next holder does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (writer, batch) = (self.writer.clone(), self.batch.clone());
            runtime.spawn(async move {
                guard.clear_abandoned().await;
                drop(guard);
                // The others in the batch are told by themselves.
                let _ = settle(&writer, &batch).await;
            });
        }
    }
}

struct ReadTx(sqlx::Transaction<'static, Sqlite>);

#[async_trait]
impl DriverTx for ReadTx {
    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        fetch(&mut self.0, statement, values).await
    }

    async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query_with(statement.sqlite, arguments(values)?);
        Ok(query.execute(&mut *self.0).await?.rows_affected())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

async fn fetch(
    connection: &mut SqliteConnection,
    statement: &'static Statement,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_with(statement.sqlite, arguments(values)?).fetch_all(connection).await?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Id(v) => arguments.add(v),
            Value::Int(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
