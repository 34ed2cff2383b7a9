//! The server is killed (SIGKILL) at 20 random instants while customers write, on each database; afterwards every
//! acknowledged message has been answered exactly once at the provider, in order per conversation.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests

mod customers;
mod ledger;
mod provider;
mod server;
#[path = "../support/mod.rs"]
mod support;

use provider::Provider;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use server::Server;
use std::sync::Arc;
use std::time::Duration;
use support::TestDb;
use tokio::sync::watch;

const KILLS: u32 = 20;
/// After the last start, on a machine that is busy with other tests.
const QUIET_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_or_doubled_when_the_server_is_killed_on_sqlite() {
    support::run(TestDb::sqlite().await, killed_again_and_again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_or_doubled_when_the_server_is_killed_on_postgres() {
    if let Some(db) = TestDb::postgres().await {
        support::run(db, killed_again_and_again).await;
    }
}

async fn killed_again_and_again(db: Arc<TestDb>) {
    let seed = std::env::var("GUICHET_TEST_SEED").map_or_else(|_| rand::random(), |s| s.parse().unwrap());
    // Shown when the test fails; GUICHET_TEST_SEED repeats its choices, though not the machine's timing.
    println!("GUICHET_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    // The migrated database is the server's alone from here on.
    db.store.close().await;

    let provider = Provider::start(random.random()).await;
    let server = Server::new(&db.url, &provider.url);
    // Customers write in every life of the server: the number of the life says who may.
    let (life, lives) = watch::channel(0);
    let writing = tokio::spawn(customers::write(server.webhook(), lives, random.random()));

    for n in 1..=KILLS {
        let mut running = server.start();
        life.send_replace(n);
        // Half of the kills strike while it works on jobs, the others while it starts and only accepts.
        if random.random_bool(0.5) {
            running.until_it_answers().await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..700))).await;
        } else {
            running.until_it_listens().await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..1500))).await;
        }
        running.kill().await;
    }
    let mut running = server.start();
    life.send_replace(KILLS + 1);
    running.until_it_answers().await;
    let acknowledged = writing.await.unwrap();
    let quiet = ledger::until_no_job_is_left(&db, QUIET_WITHIN).await;
    running.stop().await;
    assert!(quiet, "jobs are left after {QUIET_WITHIN:?}:\n{}", server.log());

    let problems = ledger::audit(&db.url, &acknowledged, &provider.accepted()).await;
    assert!(problems.is_empty(), "{problems:#?}\n{}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
