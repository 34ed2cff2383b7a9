use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{AuditFilter, Invitation, NewSession, NewStep, Tx};
use std::sync::Arc;
use tokio::task::JoinSet;

async fn session(tx: &mut Tx, token_hash: &str, agent: AgentId, from: Timestamp, until: Timestamp) {
    let new = NewSession {
        token_hash,
        agent,
        csrf: "csrf",
        expires_at: until,
        browser: "Firefox, Linux",
        address: "2001:db8::1",
        by_provider: false,
    };
    tx.insert_session(&new, from).await.unwrap();
}

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
    session(&mut tx, "hash", elise.agent.id, at(0), at(10)).await;
    session(&mut tx, "other", elise.agent.id, at(0), at(20)).await;
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
        session(&mut tx, token, person.agent.id, at(0), at(10)).await;
    }
    assert!(tx.set_password("elise", "$new").await.unwrap());
    assert!(!tx.set_password("nobody", "$new").await.unwrap());
    assert!(tx.session("e", at(1)).await.unwrap().is_none());
    assert!(tx.session("h", at(1)).await.unwrap().is_some());
    assert_eq!(tx.agent_by_login("elise").await.unwrap().unwrap().password_hash, "$new");
    tx.commit().await.unwrap();
}

pub async fn an_access_ends_with_its_sessions(db: Arc<TestDb>) {
    let (guest, left) = (agent("guest"), agent("left"));
    let mut tx = db.store.begin().await.unwrap();
    for (person, token) in [(&guest, "g"), (&left, "l")] {
        tx.insert_agent(person, at(0)).await.unwrap();
        session(&mut tx, token, person.agent.id, at(0), at(100)).await;
    }
    tx.set_expiry(guest.agent.id, Some(at(10))).await.unwrap();
    assert!(tx.session("g", at(9)).await.unwrap().is_some());
    assert!(tx.session("g", at(10)).await.unwrap().is_none());
    tx.set_disabled(left.agent.id, Some(at(1))).await.unwrap();
    assert!(tx.session("l", at(2)).await.unwrap().is_none());
    tx.commit().await.unwrap();

    // Who is gone and in charge of something is found.
    let c = conversation(&db, "+1").await;
    changed(&db, c.id, |c| {
        c.state = ConversationState::InCharge;
        c.agent_id = Some(guest.agent.id);
    })
    .await;
    let mut tx = db.store.read().await.unwrap();
    assert!(tx.people_gone(at(9)).await.unwrap().is_empty());
    assert_eq!(tx.people_gone(at(10)).await.unwrap(), [guest.agent.id]);
    assert_eq!(tx.in_charge_of(guest.agent.id).await.unwrap(), [c.id]);
    let account = tx.account_by_login("guest").await.unwrap().unwrap();
    assert!(account.person.may_enter(at(9)) && !account.person.may_enter(at(10)));
    assert!(!tx.account(left.agent.id).await.unwrap().unwrap().person.may_enter(at(1)));
}

pub async fn sessions_are_listed_and_ended(db: Arc<TestDb>) {
    let (elise, hugo) = (agent("elise"), agent("hugo"));
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    tx.insert_agent(&hugo, at(0)).await.unwrap();
    for (token, seconds) in [("a", 1), ("b", 2), ("c", 3)] {
        session(&mut tx, token, elise.agent.id, at(seconds), at(100)).await;
    }
    tx.touch_session("a", elise.agent.id, "192.0.2.1", at(50)).await.unwrap();
    let open = tx.sessions_of(elise.agent.id, at(60)).await.unwrap();
    let tokens: Vec<&str> = open.iter().map(|s| s.token_hash.as_str()).collect();
    assert_eq!(tokens, ["a", "c", "b"]);
    assert_eq!((open[0].address.as_str(), open[0].browser.as_str()), ("192.0.2.1", "Firefox, Linux"));
    assert_eq!((open[0].created_at, open[0].last_seen_at), (at(1), at(50)));
    let seen = tx.account(elise.agent.id).await.unwrap().unwrap().person.last_seen_at;
    assert_eq!(seen, Some(at(50)));
    assert!(!tx.end_session(hugo.agent.id, open[1].id).await.unwrap(), "another's");
    assert!(tx.end_session(elise.agent.id, open[1].id).await.unwrap());
    assert!(!tx.end_session(elise.agent.id, open[1].id).await.unwrap());
    assert_eq!(tx.end_other_sessions(elise.agent.id, "a").await.unwrap(), 1);
    assert!(tx.session("a", at(60)).await.unwrap().is_some());
    assert!(tx.sessions_of(elise.agent.id, at(100)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

pub async fn failures_are_counted_until_the_lock(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    let id = elise.agent.id;
    assert_eq!(tx.count_failure("nobody", at(0)).await.unwrap(), None);
    assert_eq!(tx.count_failure("elise", at(0)).await.unwrap(), Some((id, 1)));
    assert_eq!(tx.count_failure("elise", at(0)).await.unwrap(), Some((id, 2)));
    tx.lock_out(id, at(60)).await.unwrap();
    assert_eq!(tx.count_failure("elise", at(59)).await.unwrap(), None);
    let person = tx.account(id).await.unwrap().unwrap().person;
    assert!(person.locked(at(59)) && !person.locked(at(60)) && person.failures == 2);
    assert_eq!(tx.count_failure("elise", at(60)).await.unwrap(), Some((id, 3)));
    assert!(tx.unlock(id).await.unwrap());
    assert!(!tx.unlock(id).await.unwrap());
    assert_eq!(tx.count_failure("elise", at(0)).await.unwrap(), Some((id, 1)));
    tx.commit().await.unwrap();
}

pub async fn codes_are_used_once(db: Arc<TestDb>) {
    let elise = agent("elise");
    let id = elise.agent.id;
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    assert!(!tx.enrol_totp(id, 7).await.unwrap(), "nothing was offered");
    tx.offer_totp(id, Some("ABC")).await.unwrap();
    assert!(!tx.account(id).await.unwrap().unwrap().person.has_totp);
    assert!(tx.enrol_totp(id, 7).await.unwrap());
    assert!(!tx.enrol_totp(id, 8).await.unwrap(), "nor twice");
    let account = tx.account(id).await.unwrap().unwrap();
    assert_eq!((account.totp_secret.as_deref(), account.totp_pending), (Some("ABC"), None));
    for (step, fresh) in [(7, false), (6, false), (8, true), (8, false)] {
        assert_eq!(tx.use_totp_step(id, step).await.unwrap(), fresh, "{step}");
    }
    tx.set_recovery_codes(id, &["x".to_owned(), "y".to_owned()]).await.unwrap();
    assert!(tx.use_recovery_code(id, "x", at(1)).await.unwrap());
    assert!(!tx.use_recovery_code(id, "x", at(2)).await.unwrap());
    assert!(!tx.use_recovery_code(id, "z", at(2)).await.unwrap());
    assert_eq!(tx.recovery_codes_left(id).await.unwrap(), 1);
    tx.remove_totp(id).await.unwrap();
    assert_eq!(tx.recovery_codes_left(id).await.unwrap(), 0);
    assert!(!tx.account(id).await.unwrap().unwrap().person.has_totp);
    tx.commit().await.unwrap();
}

pub async fn a_step_is_tried_so_often_and_in_time(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    let provider = Some(("nonce", "verifier"));
    let new = NewStep {
        token_hash: "s",
        agent: Some(elise.agent.id),
        provider,
        next: "/console",
        expires_at: at(10),
    };
    tx.insert_step(&new).await.unwrap();
    assert!(tx.try_step("s", at(10), 2).await.unwrap().is_none());
    for _ in 0..2 {
        let step = tx.try_step("s", at(9), 2).await.unwrap().unwrap();
        assert_eq!((step.agent, step.next.as_str()), (Some(elise.agent.id), "/console"));
        assert_eq!(step.provider, Some(("nonce".to_owned(), "verifier".to_owned())));
    }
    assert!(tx.try_step("s", at(9), 2).await.unwrap().is_none());
    tx.insert_step(&NewStep { token_hash: "t", provider: None, ..new }).await.unwrap();
    tx.end_sessions(elise.agent.id).await.unwrap();
    assert!(tx.try_step("t", at(0), 2).await.unwrap().is_none());
    tx.commit().await.unwrap();
}

fn invitation(token_hash: &str) -> Invitation {
    Invitation {
        token_hash: token_hash.into(),
        agent: None,
        email: Some("nour@example.org".into()),
        role: Role::Manager,
        access_until: Some(at(1000)),
        expires_at: at(72),
    }
}

pub async fn an_invitation_is_used_once(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    tx.insert_invitation(&invitation("i"), elise.agent.id, at(0)).await.unwrap();
    tx.insert_invitation(&invitation("late"), elise.agent.id, at(0)).await.unwrap();
    let reset = Invitation { agent: Some(elise.agent.id), ..invitation("reset") };
    tx.insert_invitation(&reset, elise.agent.id, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let db = db.clone();
        tasks.spawn(async move {
            let mut tx = db.store.begin().await.unwrap();
            let mine = tx.close_invitation("i", at(1)).await.unwrap();
            tx.commit().await.unwrap();
            mine
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|mine| *mine).count(), 1);
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.invitation("i", at(1)).await.unwrap().is_none());
    assert_eq!(tx.invitation("late", at(71)).await.unwrap().unwrap(), invitation("late"));
    assert!(tx.invitation("late", at(72)).await.unwrap().is_none());
    let open = tx.open_invitations(at(2)).await.unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!(open[0].by.as_deref(), Some("Élise Ñandú"));
    assert_eq!(open[1].login.as_deref(), Some("elise"));
    tx.close_links_of(elise.agent.id, at(3)).await.unwrap();
    assert_eq!(tx.open_invitations(at(3)).await.unwrap().len(), 1);
    tx.close_invitations_of(elise.agent.id, at(3)).await.unwrap();
    assert!(tx.open_invitations(at(3)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

pub async fn people_are_found_by_what_they_have(db: Arc<TestDb>) {
    let (elise, hugo) = (agent("elise"), agent("hugo"));
    let mut tx = db.store.begin().await.unwrap();
    for person in [&elise, &hugo] {
        tx.insert_agent(person, at(0)).await.unwrap();
    }
    tx.set_invited(elise.agent.id, Some("Elise@example.org"), None).await.unwrap();
    let found = tx.person_by_email("elise@EXAMPLE.org").await.unwrap().unwrap();
    assert_eq!(found.agent, elise.agent);
    assert!(tx.set_subject(elise.agent.id, "issuer 1").await.unwrap());
    assert!(!tx.set_subject(elise.agent.id, "issuer 2").await.unwrap(), "it is not changed");
    assert_eq!(tx.person_by_subject("issuer 1").await.unwrap().unwrap().agent, elise.agent);
    assert!(tx.person_by_subject("issuer 2").await.unwrap().is_none());
    tx.set_invited(hugo.agent.id, Some("elise@example.org"), Some(at(9))).await.unwrap();
    assert!(tx.person_by_email("elise@example.org").await.unwrap().is_none(), "it is two people's");
    assert!(tx.lock_admins().await.unwrap().is_empty());
    tx.set_role(elise.agent.id, Role::Admin).await.unwrap();
    tx.set_role(hugo.agent.id, Role::Admin).await.unwrap();
    assert_eq!(tx.lock_admins().await.unwrap(), [elise.agent.id], "a guest does not count");
    assert_eq!(tx.lock_person(hugo.agent.id).await.unwrap().unwrap().agent.role, Role::Admin);
    tx.set_disabled(elise.agent.id, Some(at(1))).await.unwrap();
    let order: Vec<String> = tx.people().await.unwrap().into_iter().map(|p| p.agent.login).collect();
    assert_eq!(order, ["hugo", "elise"]);
    assert!(tx.teams_of_people(at(0)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

pub async fn the_audit_log_is_filtered_and_paged(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    for n in 0..3 {
        let by = (n > 0).then_some(elise.agent.id);
        let action = if n == 2 { "sign_out" } else { "sign_in" };
        tx.audit(at(n), by, action, "hugo", &serde_json::json!({ "n": n })).await.unwrap();
    }
    tx.audit(at(9), None, "person.joined", "elise", &serde_json::json!({})).await.unwrap();
    let all = tx.audit_lines(&AuditFilter::default(), i64::MAX, 9).await.unwrap();
    assert_eq!(all.iter().map(|l| l.at).collect::<Vec<_>>(), [at(9), at(2), at(1), at(0)]);
    assert_eq!((all[1].agent_name.as_deref(), all[1].data["n"].as_i64()), (Some("Élise Ñandú"), Some(2)));
    let filter = AuditFilter { action: "sign_in", login: "" };
    let first = tx.audit_lines(&filter, i64::MAX, 1).await.unwrap();
    let rest = tx.audit_lines(&filter, first[0].seq, 9).await.unwrap();
    assert_eq!((first[0].at, rest.len(), rest[0].at), (at(1), 1, at(0)));
    let filter = AuditFilter { action: "", login: "elise" };
    assert_eq!(tx.audit_lines(&filter, i64::MAX, 9).await.unwrap().len(), 3, "by her, and to her");
    assert_eq!(tx.audit_actions().await.unwrap(), ["person.joined", "sign_in", "sign_out"]);
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
