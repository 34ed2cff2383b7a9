use crate::support::{Raw, TestDb};
use guichet::store::Store;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub async fn every_statement_prepares(db: Arc<TestDb>) {
    db.store.prepare_all().await.unwrap();
}

pub async fn migrating_again_changes_nothing(db: Arc<TestDb>) {
    let mut raw = db.raw().await;
    let migrations = raw.count("_sqlx_migrations").await;
    Store::open(&db.url, 2).await.unwrap().close().await;
    assert_eq!(raw.count("_sqlx_migrations").await, migrations);
}

#[test]
fn both_migration_folders_hold_the_same_versions() {
    let files = |dialect: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(files("sqlite"), files("postgres"));
    assert!(!files("sqlite").is_empty());
}

/// Tables, columns with type and nullability, foreign keys, and named indexes, in words common to both.
async fn shape(raw: &mut Raw) -> BTreeSet<String> {
    let queries = match raw {
        Raw::Sqlite(_) => [
            "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'BLOB' THEN 'uuid' WHEN 'INTEGER' THEN 'bigint' \
             ELSE lower(c.type) END || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> '_sqlx_migrations'",
            "SELECT m.name || '.' || f.\"from\" || ' references ' || f.\"table\" FROM sqlite_master m \
             JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
            "SELECT 'index ' || name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'",
        ],
        Raw::Postgres(_) => [
            "SELECT table_name || '.' || column_name || ' ' || data_type || \
             CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
            "SELECT c.conrelid::regclass || '.' || a.attname || ' references ' || c.confrelid::regclass \
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) \
             WHERE c.contype = 'f'",
            "SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public' \
             AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'",
        ],
    };
    let mut all = BTreeSet::new();
    for query in queries {
        let lines = raw.texts(query).await;
        assert!(!lines.is_empty(), "{query}");
        all.extend(lines);
    }
    all
}

#[tokio::test]
async fn both_databases_have_the_same_shape() {
    let Some(postgres) = TestDb::postgres().await else {
        return;
    };
    let sqlite = TestDb::sqlite().await;
    let shapes = (shape(&mut sqlite.raw().await).await, shape(&mut postgres.raw().await).await);
    postgres.remove().await;
    let difference: Vec<_> = shapes.0.symmetric_difference(&shapes.1).collect();
    assert!(difference.is_empty(), "only in one of the two: {difference:#?}");
}
