use crate::given::*;
use crate::support::TestDb;
use std::sync::Arc;
use tokio::task::JoinSet;

pub async fn a_login_is_taken_once(db: Arc<TestDb>) {
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let db = db.clone();
        tasks.spawn(async move {
            let mut tx = db.store.begin().await.unwrap();
            let mine = tx.insert_agent(&agent("elise"), at(0)).await.unwrap();
            tx.commit().await.unwrap();
            mine
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|mine| *mine).count(), 1);
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.count_agents().await.unwrap(), 1);
    let found = tx.agent_by_login("elise").await.unwrap().unwrap();
    assert_eq!(found.password_hash, agent("elise").password_hash);
    assert_eq!(tx.agent(found.agent.id).await.unwrap().unwrap(), found.agent);
    assert!(tx.agent_by_login("Elise").await.unwrap().is_none());
}

pub async fn a_session_ends(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    tx.insert_session("hash", elise.agent.id, "csrf", at(0), at(10)).await.unwrap();
    tx.insert_session("other", elise.agent.id, "csrf", at(0), at(20)).await.unwrap();
    let open = tx.session("hash", at(9)).await.unwrap().unwrap();
    assert_eq!((open.agent, open.csrf.as_str(), open.expires_at), (elise.agent.clone(), "csrf", at(10)));
    assert!(tx.session("hash", at(10)).await.unwrap().is_none());
    assert!(tx.session("unknown", at(0)).await.unwrap().is_none());
    assert_eq!(tx.expire_sessions(at(10)).await.unwrap(), 1);
    tx.delete_session("other").await.unwrap();
    assert!(tx.session("other", at(0)).await.unwrap().is_none());
    tx.commit().await.unwrap();
}

pub async fn a_new_password_ends_every_session(db: Arc<TestDb>) {
    let (elise, hugo) = (agent("elise"), agent("hugo"));
    let mut tx = db.store.begin().await.unwrap();
    for (person, token) in [(&elise, "e"), (&hugo, "h")] {
        tx.insert_agent(person, at(0)).await.unwrap();
        tx.insert_session(token, person.agent.id, "csrf", at(0), at(10)).await.unwrap();
    }
    assert!(tx.set_password("elise", "$new").await.unwrap());
    assert!(!tx.set_password("nobody", "$new").await.unwrap());
    assert!(tx.session("e", at(1)).await.unwrap().is_none());
    assert!(tx.session("h", at(1)).await.unwrap().is_some());
    assert_eq!(tx.agent_by_login("elise").await.unwrap().unwrap().password_hash, "$new");
    tx.commit().await.unwrap();
}

pub async fn a_nonce_is_used_once(db: Arc<TestDb>) {
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let db = db.clone();
        tasks.spawn(async move {
            let mut tx = db.store.begin().await.unwrap();
            let fresh = tx.use_nonce("http", "signature", at(300)).await.unwrap();
            tx.commit().await.unwrap();
            fresh
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|fresh| *fresh).count(), 1);
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.use_nonce("other", "signature", at(300)).await.unwrap(), "a channel of its own");
    assert_eq!(tx.expire_nonces(at(299)).await.unwrap(), 0);
    assert_eq!(tx.expire_nonces(at(300)).await.unwrap(), 2);
    assert!(tx.use_nonce("http", "signature", at(600)).await.unwrap());
    tx.commit().await.unwrap();
}
