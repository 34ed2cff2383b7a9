//! Who may do what to people: invitations, roles, the end of an access. Each operation is one transaction with its
//! line in the audit log, and looks again at the rights of who asks: they may have changed since the page was shown.

mod error;
#[cfg(test)]
mod tests;

pub use error::PeopleError;

use super::{DeskError, password, token};
use crate::model::{Agent, AgentId, Role, Timestamp};
use crate::store::{AgentWithHash, Invitation, Person, Store, StoreError, Tx};
use serde_json::json;
use std::time::Duration;

/// How long a link can be used, once.
pub const LINK: Duration = Duration::from_secs(72 * 3600);

/// What the inviter says of someone.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Empty: not told.
    pub email: String,
    pub role: Role,
    /// A guest's access ends then.
    pub until: Option<Timestamp>,
}

/// A login: what a person signs in with.
pub fn check_login(login: &str) -> Result<(), PeopleError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    if login.is_empty() || login.len() > 64 || !login.chars().all(allowed) {
        return Err(PeopleError::BadLogin);
    }
    Ok(())
}

/// What colleagues read, trimmed. No control characters: they could turn a line around or break it.
pub fn check_name(name: &str) -> Result<&str, PeopleError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(PeopleError::BadName);
    }
    Ok(name)
}

fn check_email(email: &str) -> Result<Option<String>, PeopleError> {
    let email = email.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let halves = email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
    let plain = email.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"',;".contains(c));
    if !halves || !plain || email.len() > 254 {
        return Err(PeopleError::BadEmail);
    }
    Ok(Some(email.to_owned()))
}

/// The token of a one-time link for a new person. A manager invites agents, an admin anyone.
pub async fn invite(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    wanted: &Wanted,
) -> Result<String, PeopleError> {
    let email = check_email(&wanted.email)?;
    if wanted.until.is_some_and(|until| until <= now) {
        return Err(PeopleError::PastDate);
    }
    let mut tx = store.begin().await?;
    let by = acting(&mut tx, now, by, Role::Manager).await?;
    if wanted.role > Role::Agent && by.role < Role::Admin {
        return Err(PeopleError::NotAllowed);
    }
    let token = token::random();
    let invitation = Invitation {
        token_hash: token::digest(&token),
        agent: None,
        email,
        role: wanted.role,
        access_until: wanted.until,
        expires_at: now.plus(LINK),
    };
    tx.insert_invitation(&invitation, by.id, now).await?;
    let data = json!({ "role": wanted.role, "until": wanted.until.map(|until| until.to_string()) });
    let target = invitation.email.as_deref().unwrap_or_default();
    tx.audit(now, Some(by.id), "person.invited", target, &data).await?;
    tx.commit().await?;
    Ok(token)
}

/// Nobody can use the link any more.
pub async fn withdraw(store: &Store, now: Timestamp, by: &Agent, hash: &str) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let by = acting(&mut tx, now, by, Role::Manager).await?;
    let Some(invitation) = tx.invitation(hash, now).await? else {
        return Err(PeopleError::Gone);
    };
    let for_more = invitation.role > Role::Agent || invitation.agent.is_some();
    if for_more && by.role < Role::Admin {
        return Err(PeopleError::NotAllowed);
    }
    tx.close_invitation(hash, now).await?;
    let target = invitation.email.as_deref().unwrap_or_default();
    tx.audit(now, Some(by.id), "invitation.withdrawn", target, &json!({})).await?;
    Ok(tx.commit().await?)
}

/// What the invited person chose; the password is hashed by the caller, where blocking is allowed.
pub struct Chosen<'a> {
    pub login: &'a str,
    pub name: &'a str,
    pub password_hash: String,
}

/// The invited becomes a person of the desk. The link is used once, whoever comes at the same moment.
pub async fn accept(
    store: &Store,
    now: Timestamp,
    token: &str,
    chosen: Chosen<'_>,
) -> Result<Agent, PeopleError> {
    let Chosen { login, name, password_hash } = chosen;
    check_login(login)?;
    let name = check_name(name)?.to_owned();
    let mut tx = store.begin().await?;
    let invitation = take_link(&mut tx, now, token).await?;
    if invitation.agent.is_some() {
        return Err(PeopleError::Gone);
    }
    let agent = Agent { id: AgentId::new(), login: login.to_owned(), name, role: invitation.role };
    let row = AgentWithHash { agent: agent.clone(), password_hash };
    if !tx.insert_agent(&row, now).await? {
        return Err(PeopleError::LoginTaken);
    }
    tx.set_invited(agent.id, invitation.email.as_deref(), invitation.access_until).await?;
    let data = json!({ "role": agent.role });
    tx.audit(now, Some(agent.id), "person.joined", login, &data).await?;
    tx.commit().await?;
    Ok(agent)
}

/// The token of a one-time link to a new password.
pub async fn reset_link(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    id: AgentId,
) -> Result<String, PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, .. } = asked(&mut tx, now, by, id).await?;
    let token = token::random();
    let link = Invitation {
        token_hash: token::digest(&token),
        agent: Some(id),
        email: None,
        role: person.agent.role,
        access_until: None,
        expires_at: now.plus(LINK),
    };
    tx.insert_invitation(&link, by.id, now).await?;
    audit(&mut tx, now, &by, "password.link_made", &person, json!({})).await?;
    tx.commit().await?;
    Ok(token)
}

/// A new password by a one-time link: ends every session and every token, and unlocks the account. A second step stays
/// asked for.
pub async fn choose_password(
    store: &Store,
    now: Timestamp,
    token: &str,
    hash: &str,
) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let id = take_link(&mut tx, now, token).await?.agent.ok_or(PeopleError::Gone)?;
    let person = tx.lock_person(id).await?.filter(|p| p.may_enter(now)).ok_or(PeopleError::Gone)?;
    tx.set_password_of(id, hash).await?;
    tx.end_sessions(id).await?;
    // Whoever had the account may have made some.
    tx.revoke_tokens(id, now).await?;
    tx.unlock(id).await?;
    tx.close_links_of(id, now).await?;
    audit(&mut tx, now, &person.agent, "password.chosen", &person, json!({})).await?;
    Ok(tx.commit().await?)
}

/// Ends the person's sessions: whoever gets other rights signs in anew.
pub async fn set_role(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    id: AgentId,
    role: Role,
) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, admins } = asked(&mut tx, now, by, id).await?;
    if person.agent.role == role {
        return Ok(());
    }
    not_yourself(&by, id)?;
    not_the_last(&admins, id)?;
    tx.set_role(id, role).await?;
    tx.end_sessions(id).await?;
    // What they gave while they were more.
    tx.close_invitations_of(id, now).await?;
    let data = json!({ "from": person.agent.role, "to": role });
    audit(&mut tx, now, &by, "person.role_changed", &person, data).await?;
    Ok(tx.commit().await?)
}

/// Ends the access: sessions, tokens, links, and what they were in charge of returns to the queue.
pub async fn disable(store: &Store, now: Timestamp, by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, admins } = asked(&mut tx, now, by, id).await?;
    if person.disabled_at.is_some() {
        return Ok(());
    }
    not_yourself(&by, id)?;
    not_the_last(&admins, id)?;
    tx.set_disabled(id, Some(now)).await?;
    tx.end_sessions(id).await?;
    tx.revoke_tokens(id, now).await?;
    tx.close_invitations_of(id, now).await?;
    audit(&mut tx, now, &by, "person.disabled", &person, json!({})).await?;
    tx.commit().await?;
    give_back(store, now, &by, id).await?;
    Ok(())
}

pub async fn enable(store: &Store, now: Timestamp, by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, .. } = asked(&mut tx, now, by, id).await?;
    tx.set_disabled(id, None).await?;
    audit(&mut tx, now, &by, "person.enabled", &person, json!({})).await?;
    Ok(tx.commit().await?)
}

/// When the access ends by itself; none: never.
pub async fn set_until(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    id: AgentId,
    until: Option<Timestamp>,
) -> Result<(), PeopleError> {
    if until.is_some_and(|until| until <= now) {
        return Err(PeopleError::PastDate);
    }
    let mut tx = store.begin().await?;
    let Asked { by, person, admins } = asked(&mut tx, now, by, id).await?;
    if until.is_some() {
        not_yourself(&by, id)?;
        not_the_last(&admins, id)?;
    }
    tx.set_expiry(id, until).await?;
    let data = json!({ "until": until.map(|until| until.to_string()) });
    audit(&mut tx, now, &by, "person.access_changed", &person, data).await?;
    Ok(tx.commit().await?)
}

pub async fn unlock(store: &Store, now: Timestamp, by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, .. } = asked(&mut tx, now, by, id).await?;
    if tx.unlock(id).await? {
        audit(&mut tx, now, &by, "person.unlocked", &person, json!({})).await?;
    }
    Ok(tx.commit().await?)
}

/// For who lost the authenticator and the recovery codes: the password is enough until they enrol again.
pub async fn reset_totp(store: &Store, now: Timestamp, by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    let mut tx = store.begin().await?;
    let Asked { by, person, .. } = asked(&mut tx, now, by, id).await?;
    tx.remove_totp(id).await?;
    tx.end_sessions(id).await?;
    audit(&mut tx, now, &by, "totp.reset", &person, json!({})).await?;
    Ok(tx.commit().await?)
}

/// What those who may not enter any more were in charge of returns to the queue: guests whose time is over, and
/// what a process that was killed had left. How many people.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<usize, PeopleError> {
    let gone = store.read().await?.people_gone(now).await?;
    for id in &gone {
        let person = store.read().await?.agent(*id).await?;
        if let Some(person) = person {
            give_back(store, now, &person, *id).await?;
            let mut tx = store.begin().await?;
            tx.audit(now, None, "person.access_ended", &person.login, &json!({})).await?;
            tx.commit().await?;
        }
    }
    Ok(gone.len())
}

async fn give_back(store: &Store, now: Timestamp, by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    let held = store.read().await?.in_charge_of(id).await?;
    for conversation in held {
        // Refused otherwise, it ended or is someone else's since.
        if let Err(DeskError::Store(error)) = super::release(store, now, by, conversation).await {
            return Err(error.into());
        }
    }
    Ok(())
}

/// Who asks, as they are now; refused when they are no longer that much.
async fn acting(tx: &mut Tx, now: Timestamp, by: &Agent, least: Role) -> Result<Agent, PeopleError> {
    let known = tx.lock_person(by.id).await?.filter(|person| person.may_enter(now));
    known.map(|person| person.agent).filter(|agent| agent.role >= least).ok_or(PeopleError::NotAllowed)
}

/// An admin's wish about a person.
struct Asked {
    by: Agent,
    person: Person,
    /// Those whose access has no end.
    admins: Vec<AgentId>,
}

/// Locks the admins first, so that two of them who act on each other wait here and not for each other.
async fn asked(tx: &mut Tx, now: Timestamp, by: &Agent, id: AgentId) -> Result<Asked, PeopleError> {
    let admins = tx.lock_admins().await?;
    let by = acting(tx, now, by, Role::Admin).await?;
    let person = tx.lock_person(id).await?.ok_or(PeopleError::NotFound)?;
    Ok(Asked { by, person, admins })
}

fn not_yourself(by: &Agent, id: AgentId) -> Result<(), PeopleError> {
    if by.id == id { Err(PeopleError::Yourself) } else { Ok(()) }
}

/// Refuses to touch the only admin whose access has no end.
fn not_the_last(admins: &[AgentId], id: AgentId) -> Result<(), PeopleError> {
    if admins == [id] { Err(PeopleError::LastAdmin) } else { Ok(()) }
}

async fn take_link(tx: &mut Tx, now: Timestamp, token: &str) -> Result<Invitation, PeopleError> {
    let hash = token::digest(token);
    let link = tx.invitation(&hash, now).await?.ok_or(PeopleError::Gone)?;
    if !tx.close_invitation(&hash, now).await? {
        return Err(PeopleError::Gone);
    }
    Ok(link)
}

async fn audit(
    tx: &mut Tx,
    now: Timestamp,
    by: &Agent,
    action: &str,
    person: &Person,
    data: serde_json::Value,
) -> Result<(), StoreError> {
    tx.audit(now, Some(by.id), action, &person.agent.login, &data).await
}

/// Refuses a password with the reason; quick, before it is hashed.
pub fn check_password(password: &str, known: &[&str]) -> Result<(), PeopleError> {
    password::check(password, known).map_err(PeopleError::Password)
}
