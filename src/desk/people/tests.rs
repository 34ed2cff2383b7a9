use super::*;
use crate::model::ConversationState;
use crate::store::{AuditFilter, Ingest, NewSession};

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

struct Desk {
    store: Store,
    admin: Agent,
    manager: Agent,
    agent: Agent,
    _folder: tempfile::TempDir,
}

async fn person(store: &Store, login: &str, role: Role) -> Agent {
    let agent = Agent { id: AgentId::new(), login: login.into(), name: login.to_uppercase(), role };
    let row = AgentWithHash { agent: agent.clone(), password_hash: "$old".into() };
    let mut tx = store.begin().await.unwrap();
    assert!(tx.insert_agent(&row, NOW).await.unwrap());
    tx.commit().await.unwrap();
    agent
}

async fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/g.db", folder.path().display());
    let store = Store::open(&url, 2).await.unwrap();
    Desk {
        admin: person(&store, "alix", Role::Admin).await,
        manager: person(&store, "maud", Role::Manager).await,
        agent: person(&store, "camille", Role::Agent).await,
        store,
        _folder: folder,
    }
}

fn wanted(role: Role) -> Wanted {
    Wanted { email: "nour@example.org".into(), role, until: None }
}

fn code<T>(done: Result<T, PeopleError>) -> &'static str {
    done.err().map_or("done", |error| error.code())
}

impl Desk {
    async fn known(&self, id: AgentId) -> Person {
        self.store.read().await.unwrap().account(id).await.unwrap().unwrap().person
    }

    async fn session(&self, agent: &Agent) {
        let new = NewSession {
            token_hash: &agent.login,
            agent: agent.id,
            csrf: "",
            expires_at: NOW.plus(DAY),
            browser: "",
            address: "",
            by_provider: false,
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_session(&new, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn is_in(&self, agent: &Agent) -> bool {
        self.store.read().await.unwrap().session(&agent.login, NOW).await.unwrap().is_some()
    }

    async fn audited(&self) -> Vec<String> {
        let mut tx = self.store.read().await.unwrap();
        let lines = tx.audit_lines(&AuditFilter::default(), i64::MAX, 100).await.unwrap();
        lines.into_iter().rev().map(|line| line.action).collect()
    }

    async fn accepts(&self, token: &str, login: &str, now: Timestamp) -> Result<Agent, PeopleError> {
        let chosen = Chosen { login, name: " Nour ", password_hash: "$new".into() };
        accept(&self.store, now, token, chosen).await
    }
}

#[tokio::test]
async fn who_may_invite_whom() {
    let desk = desk().await;
    for (by, role, expected) in [
        (&desk.agent, Role::Agent, "not_allowed"),
        (&desk.manager, Role::Agent, "done"),
        (&desk.manager, Role::Manager, "not_allowed"),
        (&desk.manager, Role::Admin, "not_allowed"),
        (&desk.admin, Role::Agent, "done"),
        (&desk.admin, Role::Admin, "done"),
    ] {
        assert_eq!(code(invite(&desk.store, NOW, by, &wanted(role)).await), expected, "{} {role}", by.login);
    }
    // The rights are those of now, whatever the page was shown to.
    let was = Agent { role: Role::Admin, ..desk.agent.clone() };
    assert_eq!(code(invite(&desk.store, NOW, &was, &wanted(Role::Admin)).await), "not_allowed");
    let past = Wanted { until: Some(NOW), ..wanted(Role::Agent) };
    assert_eq!(code(invite(&desk.store, NOW, &desk.admin, &past).await), "past_date");
    for email in ["nour", "nour@here", "<b>@example.org", "a b@example.org", "@example.org"] {
        let bad = Wanted { email: email.into(), ..wanted(Role::Agent) };
        assert_eq!(code(invite(&desk.store, NOW, &desk.admin, &bad).await), "bad_email", "{email}");
    }
}

#[tokio::test]
async fn an_invitation_makes_one_person_within_three_days() {
    let desk = desk().await;
    let guest = Wanted { until: Some(NOW.plus(7 * DAY)), ..wanted(Role::Agent) };
    let token = invite(&desk.store, NOW, &desk.manager, &guest).await.unwrap();
    assert_eq!(code(desk.accepts("guessed", "nour", NOW).await), "gone");
    assert_eq!(code(desk.accepts(&token, "no ur", NOW).await), "bad_login");
    // Refused with everything that it had begun: the link can still be used.
    assert_eq!(code(desk.accepts(&token, "camille", NOW).await), "login_taken");
    let nour = desk.accepts(&token, "nour", NOW).await.unwrap();
    assert_eq!((nour.name.as_str(), nour.role), ("Nour", Role::Agent));
    let known = desk.known(nour.id).await;
    assert_eq!((known.email.as_deref(), known.expires_at), (Some("nour@example.org"), guest.until));
    assert_eq!(code(desk.accepts(&token, "again", NOW).await), "gone");

    let late = invite(&desk.store, NOW, &desk.manager, &wanted(Role::Agent)).await.unwrap();
    assert_eq!(code(desk.accepts(&late, "late", NOW.plus(LINK)).await), "gone");
    withdraw(&desk.store, NOW, &desk.manager, &token::digest(&late)).await.unwrap();
    assert_eq!(code(desk.accepts(&late, "late", NOW).await), "gone");
    let high = invite(&desk.store, NOW, &desk.admin, &wanted(Role::Admin)).await.unwrap();
    let refused = withdraw(&desk.store, NOW, &desk.manager, &token::digest(&high)).await;
    assert_eq!(code(refused), "not_allowed");
    let said =
        ["person.invited", "person.joined", "person.invited", "invitation.withdrawn", "person.invited"];
    assert_eq!(desk.audited().await, said);
}

#[tokio::test]
async fn only_admins_change_people_and_nobody_themselves() {
    let desk = desk().await;
    let Desk { store, admin, manager, agent, .. } = &desk;
    for by in [agent, manager] {
        let id = agent.id;
        assert_eq!(code(set_role(store, NOW, by, id, Role::Admin).await), "not_allowed");
        assert_eq!(code(disable(store, NOW, by, id).await), "not_allowed");
        assert_eq!(code(enable(store, NOW, by, id).await), "not_allowed");
        assert_eq!(code(unlock(store, NOW, by, id).await), "not_allowed");
        assert_eq!(code(set_until(store, NOW, by, id, None).await), "not_allowed");
        assert_eq!(code(reset_link(store, NOW, by, admin.id).await), "not_allowed");
        assert_eq!(code(reset_totp(store, NOW, by, admin.id).await), "not_allowed");
    }
    assert_eq!(code(set_role(store, NOW, admin, admin.id, Role::Agent).await), "yourself");
    assert_eq!(code(disable(store, NOW, admin, admin.id).await), "yourself");
    assert_eq!(code(disable(store, NOW, admin, AgentId::new()).await), "no_person");

    desk.session(agent).await;
    set_role(store, NOW, admin, agent.id, Role::Manager).await.unwrap();
    assert!(!desk.is_in(agent).await, "other rights need another session");
    assert_eq!(desk.known(agent.id).await.agent.role, Role::Manager);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let desk = desk().await;
    let Desk { store, admin, manager, .. } = &desk;
    set_role(store, NOW, admin, manager.id, Role::Admin).await.unwrap();
    set_until(store, NOW, admin, manager.id, Some(NOW.plus(DAY))).await.unwrap();
    // Maud is an admin for a day: she cannot leave the desk without one.
    assert_eq!(code(set_role(store, NOW, manager, admin.id, Role::Agent).await), "last_admin");
    assert_eq!(code(disable(store, NOW, manager, admin.id).await), "last_admin");
    assert_eq!(code(set_until(store, NOW, manager, admin.id, Some(NOW.plus(DAY))).await), "last_admin");
    let later = NOW.plus(DAY);
    assert_eq!(code(unlock(store, later, manager, admin.id).await), "not_allowed", "her day is over");

    // Two admins demote each other at the same moment: one stays.
    set_until(store, NOW, admin, manager.id, None).await.unwrap();
    let (one, other) = tokio::join!(
        set_role(store, NOW, admin, manager.id, Role::Agent),
        set_role(store, NOW, manager, admin.id, Role::Agent),
    );
    let mut codes = [code(one), code(other)];
    codes.sort_unstable();
    assert_eq!(codes, ["done", "not_allowed"]);
}

#[tokio::test]
async fn who_is_disabled_leaves_nothing_behind() {
    let desk = desk().await;
    let Desk { store, admin, manager, agent, .. } = &desk;
    let mut tx = store.begin().await.unwrap();
    let inbound = Ingest { channel: "web", address: "a", provider_id: "1", text: "x", ..Ingest::default() };
    let conversation = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    tx.commit().await.unwrap();
    crate::desk::take(store, NOW, manager, conversation).await.unwrap();
    desk.session(manager).await;
    let invited = invite(store, NOW, manager, &wanted(Role::Agent)).await.unwrap();
    let reset = reset_link(store, NOW, admin, manager.id).await.unwrap();

    disable(store, NOW, admin, manager.id).await.unwrap();
    assert!(!desk.is_in(manager).await);
    let state = async || {
        let mut tx = store.read().await.unwrap();
        tx.conversation(conversation).await.unwrap().unwrap().state
    };
    assert_eq!(state().await, ConversationState::Queued);
    assert_eq!(code(desk.accepts(&invited, "nour", NOW).await), "gone");
    assert_eq!(code(choose_password(store, NOW, &reset, "$new").await), "gone");
    enable(store, NOW, admin, manager.id).await.unwrap();
    assert!(desk.known(manager.id).await.may_enter(NOW));

    // A guest's time ends with nobody there to say so.
    crate::desk::take(store, NOW, agent, conversation).await.unwrap();
    set_until(store, NOW, admin, agent.id, Some(NOW.plus(DAY))).await.unwrap();
    assert_eq!(sweep(store, NOW).await.unwrap(), 0);
    assert_eq!(state().await, ConversationState::InCharge);
    assert_eq!(sweep(store, NOW.plus(DAY)).await.unwrap(), 1);
    assert_eq!(state().await, ConversationState::Queued);
    assert_eq!(desk.audited().await.last().unwrap(), "person.access_ended");
}

#[tokio::test]
async fn a_password_link_ends_sessions_and_unlocks() {
    let desk = desk().await;
    let Desk { store, admin, agent, .. } = &desk;
    desk.session(agent).await;
    let mut tx = store.begin().await.unwrap();
    tx.count_failure("camille", NOW).await.unwrap();
    tx.lock_out(agent.id, NOW.plus(DAY)).await.unwrap();
    tx.commit().await.unwrap();
    let first = reset_link(store, NOW, admin, agent.id).await.unwrap();
    let token = reset_link(store, NOW, admin, agent.id).await.unwrap();
    assert_eq!(code(desk.accepts(&token, "nour", NOW).await), "gone", "it makes no new person");
    assert!(desk.is_in(agent).await);
    choose_password(store, NOW, &token, "$new").await.unwrap();
    assert!(!desk.is_in(agent).await);
    let account = store.read().await.unwrap().account(agent.id).await.unwrap().unwrap();
    assert_eq!((account.password_hash.as_str(), account.person.locked(NOW)), ("$new", false));
    for used in [first, token] {
        assert_eq!(code(choose_password(store, NOW, &used, "$newer").await), "gone");
    }
}
