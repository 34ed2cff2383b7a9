//! Receivers that answer, that do not, that come back; servers that die, and two servers at once.

use super::*;
use crate::channels::testing::{Answer, Provider, json};
use crate::clock::ManualClock;
use crate::config::Span;
use crate::desk::{self, tests::Desk};
use crate::model::{Agent, AgentId, Role};
use crate::store::AuditFilter;
use serde_json::Value;

const NOW: Timestamp = desk::tests::NOW;
const ALL: &[HookKind] = HookKind::ALL;

struct Told {
    clock: Arc<ManualClock>,
    desk: Desk,
    provider: Provider,
    admin: Agent,
    hook: Uuid,
    secret: Secret,
}

fn config(url: &str) -> HooksConfig {
    HooksConfig {
        allow: vec![url.trim_start_matches("http://").to_owned()],
        allow_private: true,
        timeout: Span::seconds(1),
        retry: vec![Span::seconds(60), Span::seconds(600)],
        ..HooksConfig::default()
    }
}

/// A desk with a conversation that waits, and a hook for `kinds` at a receiver that gives `answers`.
async fn told(kinds: &[HookKind], answers: Vec<Answer>) -> Told {
    let (desk, provider) = (desk::tests::desk().await, Provider::start(answers).await);
    let admin = Agent { id: AgentId::new(), login: "a".into(), name: "A".into(), role: Role::Admin };
    let url = format!("{}/in?key=of-the-receiver", provider.url);
    let (hook, secret) =
        manage::add(&desk.store, &config(&provider.url), NOW, &admin, &url, kinds).await.unwrap();
    Told { clock: Arc::new(ManualClock::at(NOW)), desk, provider, admin, hook, secret }
}

impl Told {
    fn server(&self) -> Deliverer {
        let (store, clock) = (self.desk.store.clone(), self.clock.clone());
        Deliverer::new(store, clock, config(&self.provider.url), "https://g.example".into()).unwrap()
    }

    /// A look, after `seconds`.
    async fn look(&self, server: &Deliverer, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        server.pass(&CancellationToken::new()).await.unwrap();
    }

    async fn take_and_release(&self) {
        let Desk { store, camille, conversation, .. } = &self.desk;
        desk::take(store, NOW, camille, *conversation).await.unwrap();
        desk::release(store, NOW, camille, *conversation).await.unwrap();
    }

    /// What came, once its signature is right.
    fn bodies(&self) -> Vec<Value> {
        let header = |head: &str, name: &str| {
            let value = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            value.unwrap_or_else(|| panic!("{name} in {head}")).to_owned()
        };
        let one = |request: &String| {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /in?key=of-the-receiver "), "{head}");
            let at = Timestamp(header(head, TIMESTAMP).parse::<i64>().unwrap() * 1_000_000);
            let signed = sign(&self.secret, at, body.as_bytes()).unwrap();
            assert_eq!((header(head, TIMESTAMP), header(head, SIGNATURE)), signed);
            serde_json::from_str(body).unwrap()
        };
        self.provider.requests().iter().map(one).collect()
    }

    fn types(&self) -> Vec<String> {
        let bodies = self.bodies();
        bodies
            .iter()
            .map(|b| b["type"].as_str().unwrap().trim_start_matches("conversation.").to_owned())
            .collect()
    }

    async fn hook(&self) -> Hook {
        let hooks = self.desk.store.read().await.unwrap().hooks().await.unwrap();
        hooks.into_iter().find(|hook| hook.id == self.hook).unwrap()
    }

    async fn answers(&self) -> Vec<(i64, String)> {
        let mut tx = self.desk.store.read().await.unwrap();
        let all = tx.deliveries_of_hook(self.hook, 100).await.unwrap();
        all.into_iter().rev().map(|(d, ..)| (d.attempts, d.answer.unwrap_or_default())).collect()
    }
}

fn ok() -> Answer {
    json(200, "{}")
}

#[tokio::test]
async fn what_happens_is_told_once_in_order_and_without_words() {
    let told = told(ALL, vec![ok()]).await;
    let server = told.server();
    told.look(&server, 0).await;
    let Desk { store, camille, conversation, .. } = &told.desk;
    desk::take(store, NOW, camille, *conversation).await.unwrap();
    desk::hand::snooze(store, NOW, camille, *conversation, NOW.plus(Duration::from_secs(60))).await.unwrap();
    desk::resolve(store, NOW, camille, *conversation, 9).await.unwrap();
    told.look(&server, 1).await;
    told.look(&server, 1).await;
    assert_eq!(told.types(), ["taken", "resolved"]);
    let bodies = told.bodies();
    let first = &bodies[0];
    assert_eq!(first["conversation"]["id"], conversation.to_string());
    assert_eq!(
        first["conversation"]["url"],
        format!("https://g.example/console/conversations/{conversation}")
    );
    assert_eq!((&first["agent"]["name"], &first["actor"]), (&"Camille".into(), &"agent".into()));
    assert_ne!(first["id"], bodies[1]["id"]);
    assert!(first["seq"].as_i64() < bodies[1]["seq"].as_i64());
    assert!(!told.provider.requests().concat().contains("hello"), "no text of a message");
    // The log names the host of an address, and no secret.
    let mut tx = store.read().await.unwrap();
    let lines = tx.audit_lines(&AuditFilter::default(), i64::MAX, 9).await.unwrap();
    assert_eq!((lines[0].action.as_str(), lines[0].target.as_str()), ("hook.added", "127.0.0.1"));
    assert!(!lines[0].data.to_string().contains("ghk_"));
}

#[tokio::test]
async fn a_hook_is_told_what_it_asked_for_and_what_happens_after_it_was_made() {
    let told = told(&[HookKind::Resolved], vec![ok()]).await;
    let server = told.server();
    told.take_and_release().await;
    told.look(&server, 1).await;
    assert_eq!(told.types(), [""; 0]);
    let seen = told.hook().await.seen_seq;
    let url = told.hook().await.url;
    let late = manage::add(&told.desk.store, &config(&told.provider.url), NOW, &told.admin, &url, ALL).await;
    let Desk { store, camille, conversation, .. } = &told.desk;
    desk::take(store, NOW, camille, *conversation).await.unwrap();
    desk::resolve(store, NOW, camille, *conversation, 9).await.unwrap();
    let removed = manage::remove(&told.desk.store, NOW, &told.admin, late.unwrap().0).await;
    removed.unwrap();
    told.look(&server, 1).await;
    assert_eq!(told.types(), ["resolved"]);
    assert!(told.hook().await.seen_seq > seen);
}

#[tokio::test]
async fn a_receiver_that_fails_is_tried_again_and_what_follows_waits() {
    let told = told(ALL, vec![json(500, ""), Answer::Reset, ok()]).await;
    let server = told.server();
    told.take_and_release().await;
    told.take_and_release().await;
    told.look(&server, 0).await;
    told.look(&server, 59).await;
    assert_eq!(told.provider.requests().len(), 1, "it waits, and the second behind it");
    told.look(&server, 1).await;
    assert_eq!(told.answers().await, [(2, "unreachable".into()), (0, String::new())]);
    told.look(&server, 600).await;
    assert_eq!(told.answers().await, [(3, "200".into()), (1, "200".into())]);
    let bodies = told.bodies();
    assert!(bodies[..3].iter().all(|body| *body == bodies[0]), "the same at every try");
    assert_ne!(bodies[3]["id"], bodies[0]["id"]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_switches_the_hook_off_and_loses_nothing() {
    let redirect = Answer::Http(302, "location: /elsewhere\r\n", String::new());
    let told = told(ALL, vec![json(410, ""), redirect, json(503, ""), ok()]).await;
    let server = told.server();
    told.take_and_release().await;
    for wait in [0, 60, 600] {
        told.look(&server, wait).await;
    }
    assert_eq!(told.answers().await, [(3, "503".into())]);
    assert_eq!(told.hook().await.disabled_at, Some(told.clock.now()));
    told.take_and_release().await;
    told.look(&server, 86_400).await;
    assert_eq!(told.provider.requests().len(), 3, "it is off");
    let nobody = manage::switch_on(&told.desk.store, NOW, &told.desk.camille, told.hook).await;
    assert_eq!(nobody.unwrap_err().code(), "not_allowed");
    manage::switch_on(&told.desk.store, told.clock.now(), &told.admin, told.hook).await.unwrap();
    told.look(&server, 0).await;
    let bodies = told.bodies();
    assert_eq!(bodies.len(), 5);
    assert_eq!(bodies[3], bodies[0], "the one that was given up comes first");
    assert_eq!(told.hook().await.disabled_at, None);
    // Again, because someone asked for it: under the same id.
    let mut tx = told.desk.store.read().await.unwrap();
    let (delivery, ..) = tx.deliveries_of_hook(told.hook, 1).await.unwrap().remove(0);
    drop(tx);
    let again = manage::send_again(&told.desk.store, told.clock.now(), &told.admin, told.hook, delivery.id);
    again.await.unwrap();
    told.look(&server, 0).await;
    assert_eq!(told.bodies()[5], bodies[4]);
}

#[tokio::test]
async fn a_configuration_that_forbids_it_now_is_obeyed() {
    let told = told(ALL, vec![ok()]).await;
    told.take_and_release().await;
    let (store, clock) = (told.desk.store.clone(), told.clock.clone());
    let strict = HooksConfig { allow_private: false, ..config(&told.provider.url) };
    let server = Deliverer::new(store, clock, strict, String::new()).unwrap();
    told.look(&server, 0).await;
    assert_eq!(told.answers().await, [(1, "refused".into())]);
    assert!(told.provider.requests().is_empty());
}

#[tokio::test]
async fn two_servers_do_not_tell_the_same_thing_at_once() {
    let told = told(ALL, vec![ok()]).await;
    for _ in 0..5 {
        told.take_and_release().await;
    }
    let (one, other) = (told.server(), told.server());
    let stop = CancellationToken::new();
    for _ in 0..3 {
        let (first, second) = tokio::join!(one.pass(&stop), other.pass(&stop));
        first.and(second).unwrap();
    }
    let mut ids: Vec<String> = told.bodies().iter().map(|body| body["id"].to_string()).collect();
    assert_eq!(ids.len(), 5);
    let in_order = ids.clone();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each once: {in_order:?}");
}

#[tokio::test]
async fn a_server_that_dies_after_posting_leaves_it_to_another_under_the_same_id() {
    let told = told(ALL, vec![Answer::Silence, ok()]).await;
    told.take_and_release().await;
    let dying = told.server();
    let stop = CancellationToken::new();
    let arrived = async {
        while told.provider.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    // Dropped in the middle of its try, as a killed process is: its lease stays.
    tokio::select! {
        _ = dying.pass(&stop) => panic!("nobody answers"),
        () = arrived => {}
    }
    let other = told.server();
    told.look(&other, 1).await;
    assert_eq!(told.provider.requests().len(), 1, "the lease runs");
    told.look(&other, 31).await;
    let bodies = told.bodies();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));
}
