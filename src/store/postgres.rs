//! Postgres: several instances share one database with no other coordination.

use super::driver::{Driver, DriverTx, Row, Statement, Value};
use super::{Hint, StoreError};
use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgListener, PgPool, PgPoolOptions};
use sqlx::{Arguments as _, Executor as _, Postgres, SqlSafeStr as _};
use std::time::Duration;
use tokio::sync::broadcast;

const NOTIFY: Statement =
    Statement { name: "NOTIFY", sqlite: "SELECT $1", postgres: "SELECT pg_notify('guichet', $1)" };

pub struct PostgresDriver {
    pool: PgPool,
}

impl PostgresDriver {
    /// Connects and migrates; sqlx holds an advisory lock meanwhile, so that instances starting together do not
    /// race. `connections` bounds the pool.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect(url)
            .await?;
        sqlx::migrate!("migrations/postgres").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Passes on the hints of the other instances. A lost connection is taken up again by the listener; what
    /// was missed meanwhile the slow polls make up for.
    pub fn listen(&self, hints: broadcast::Sender<Hint>) {
        let pool = self.pool.clone();
        tokio::spawn(async move {
            while !pool.is_closed() {
                if let Err(error) = forward(&pool, &hints).await
                    && !pool.is_closed()
                {
                    tracing::warn!(%error, "not listening for other instances; trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        });
    }
}

async fn forward(pool: &PgPool, hints: &broadcast::Sender<Hint>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(false);
    listener.listen("guichet").await?;
    loop {
        let notification = listener.recv().await?;
        if let Some(hint) = Hint::parse(notification.payload()) {
            // No receiver: nobody on this instance is interested.
            let _ = hints.send(hint);
        }
    }
}

#[async_trait]
impl Driver for PostgresDriver {
    async fn begin(&self) -> Result<Box<dyn DriverTx>, StoreError> {
        Ok(Box::new(PgTx(self.pool.begin().await?)))
    }

    /// One moment for all statements, and no writing: as SQLite's readers are by nature.
    async fn read(&self) -> Result<Box<dyn DriverTx>, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Box::new(PgTx(self.pool.begin_with(begin).await?)))
    }

    fn notify(&self) -> Option<&'static Statement> {
        Some(&NOTIFY)
    }

    fn single_instance(&self) -> bool {
        false
    }

    async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError> {
        self.pool.acquire().await?.prepare(statement.postgres.into_sql_str()).await?;
        Ok(())
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

struct PgTx(sqlx::Transaction<'static, Postgres>);

#[async_trait]
impl DriverTx for PgTx {
    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_with(statement.postgres, arguments(values)?);
        Ok(query.fetch_all(&mut *self.0).await?.into_iter().map(Row::Postgres).collect())
    }

    async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query_with(statement.postgres, arguments(values)?);
        Ok(query.execute(&mut *self.0).await?.rows_affected())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
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
