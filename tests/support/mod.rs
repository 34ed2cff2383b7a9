//! What the integration tests share: a fresh database of either dialect, and a way past the store into it.

#![allow(dead_code)] // each test binary uses its part

use futures::FutureExt as _;
use guichet::store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Once};
use uuid::Uuid;

/// Where a Postgres server for tests is: databases are created on it, and dropped again.
pub const POSTGRES: &str = "GUICHET_TEST_POSTGRES";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A database of its own for one case.
pub struct TestDb {
    pub dialect: Dialect,
    pub url: String,
    pub store: Store,
    place: Place,
}

enum Place {
    Folder(tempfile::TempDir),
    /// On the server at `admin`.
    Database {
        admin: String,
        name: String,
    },
}

impl TestDb {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/guichet.db", folder.path().display());
        let store = Store::open(&url, 10).await.unwrap();
        Self { dialect: Dialect::Sqlite, url, store, place: Place::Folder(folder) }
    }

    /// None when there is no server; said loudly, and an error under `CI=true`.
    pub async fn postgres() -> Option<Self> {
        let admin = postgres_server()?;
        let name = format!("guichet_test_{}", Uuid::now_v7().simple());
        postgres_admin(&admin, format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&admin).unwrap();
        url.set_path(&name);
        let store = Store::open(url.as_str(), 10).await.unwrap();
        Some(Self {
            dialect: Dialect::Postgres,
            url: url.into(),
            store,
            place: Place::Database { admin, name },
        })
    }

    /// A connection that knows nothing of the store's rules.
    pub async fn raw(&self) -> Raw {
        match self.dialect {
            Dialect::Sqlite => Raw::Sqlite(SqliteConnection::connect(&self.url).await.unwrap()),
            Dialect::Postgres => Raw::Postgres(PgConnection::connect(&self.url).await.unwrap()),
        }
    }

    pub async fn remove(&self) {
        self.store.close().await;
        if let Place::Database { admin, name } = &self.place {
            postgres_admin(admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// The server for tests, or a loud notice that there is none.
pub fn postgres_server() -> Option<String> {
    static SAID: Once = Once::new();
    let server = std::env::var(POSTGRES).ok().filter(|url| !url.is_empty());
    if server.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "under CI=true nothing is skipped, and {POSTGRES} is not set. Cure: make test"
        );
        SAID.call_once(|| {
            // Not `eprintln!`: the test harness would swallow it.
            let _ = writeln!(
                std::io::stderr(),
                "NOT RUN: every case on Postgres ({POSTGRES} is not set). Cure: make test"
            );
        });
    }
    server
}

async fn postgres_admin(admin: &str, sql: String) {
    let mut connection = PgConnection::connect(admin).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub async fn execute(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Raw::Sqlite(c) => c.execute(sql).await?.rows_affected(),
            Raw::Postgres(c) => c.execute(sql).await?.rows_affected(),
        })
    }

    /// The first column of every row.
    pub async fn texts(&mut self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Raw::Sqlite(c) => c.fetch_all(sql).await.unwrap().iter().map(|r| r.get(0)).collect(),
            Raw::Postgres(c) => c.fetch_all(sql).await.unwrap().iter().map(|r| r.get(0)).collect(),
        }
    }

    pub async fn count(&mut self, table_and_condition: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table_and_condition}"));
        match self {
            Raw::Sqlite(c) => c.fetch_one(sql).await.unwrap().get(0),
            Raw::Postgres(c) => c.fetch_one(sql).await.unwrap().get(0),
        }
    }
}

/// Runs a case, then removes its database, also when the case failed.
pub async fn run<C, F>(db: TestDb, case: C)
where
    C: FnOnce(Arc<TestDb>) -> F,
    F: Future<Output = ()>,
{
    let db = Arc::new(db);
    let ended = AssertUnwindSafe(case(db.clone())).catch_unwind().await;
    db.remove().await;
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}
