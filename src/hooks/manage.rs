//! Who says where other systems are told: admins, within what the configuration allows. Each operation is one transaction with
//! its line in the audit log. An address may hold a secret in its path: the log names its host only.

use super::{HookKind, new_secret};
use crate::answers::http::check_literal;
use crate::config::{HooksConfig, Secret};
use crate::model::{Agent, Role, Timestamp};
use crate::store::{Hook, Store, StoreError, Tx};
use serde_json::json;
use url::Url;
use uuid::Uuid;

/// Hooks at most.
const MOST: usize = 20;
/// Bytes of an address.
const LONGEST: usize = 2_000;

#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("your role does not allow this")]
    NotAllowed,
    #[error("there is no such hook or delivery")]
    NotFound,
    #[error("this is no address: write https://host/path, without a name or password")]
    NoUrl,
    #[error("this host is not on the list hooks.allow of guichet.toml")]
    NotListed,
    #[error("the address must begin with https://, unless hooks.allow_private is true")]
    NotEncrypted,
    #[error("the address is inside the network; hooks.allow_private would allow it")]
    Inside,
    #[error("name what it is to be told")]
    NoKind,
    #[error("there are 20 hooks already: remove one first")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HookError {
    /// The key of its text in the console's language files.
    pub fn code(&self) -> &'static str {
        match self {
            HookError::NotAllowed => "not_allowed",
            HookError::NotFound => "not_found",
            HookError::NoUrl => "no_url",
            HookError::NotListed => "not_listed",
            HookError::NotEncrypted => "not_encrypted",
            HookError::Inside => "inside",
            HookError::NoKind => "no_kind",
            HookError::TooMany => "too_many",
            HookError::Store(_) => "store",
        }
    }
}

/// The address, if it may be told. Names are resolved, and what they lead to is checked, when it is posted to.
pub fn check_url(config: &HooksConfig, url: &str) -> Result<Url, HookError> {
    let parsed = Url::parse(url.trim()).ok().filter(|_| url.len() <= LONGEST);
    let parsed = parsed.filter(|u| matches!(u.scheme(), "http" | "https") && u.fragment().is_none());
    let url = parsed
        .filter(|u| u.has_host() && u.username().is_empty() && u.password().is_none())
        .ok_or(HookError::NoUrl)?;
    if !config.allows(&url) {
        return Err(HookError::NotListed);
    }
    if url.scheme() != "https" && !config.allow_private {
        return Err(HookError::NotEncrypted);
    }
    check_literal(&url, config.allow_private).map_err(|_| HookError::Inside)?;
    Ok(url)
}

/// A new hook and its secret, shown now and never again. It is told what happens from now on.
pub async fn add(
    store: &Store,
    config: &HooksConfig,
    now: Timestamp,
    by: &Agent,
    url: &str,
    kinds: &[HookKind],
) -> Result<(Uuid, Secret), HookError> {
    admin(by)?;
    let url = check_url(config, url)?;
    let kinds: Vec<String> =
        HookKind::ALL.iter().filter(|kind| kinds.contains(kind)).map(ToString::to_string).collect();
    if kinds.is_empty() {
        return Err(HookError::NoKind);
    }
    let secret = new_secret();
    let mut tx = store.begin().await?;
    if tx.hooks().await?.len() >= MOST {
        return Err(HookError::TooMany);
    }
    let id = tx.insert_hook(url.as_str(), &secret, &kinds, now).await?;
    note(&mut tx, by, now, "hook.added", url.as_str(), json!({ "id": id, "kinds": kinds })).await?;
    tx.commit().await?;
    Ok((id, secret))
}

/// With everything that waited for it.
pub async fn remove(store: &Store, now: Timestamp, by: &Agent, id: Uuid) -> Result<(), HookError> {
    let (mut tx, hook) = held(store, by, id).await?;
    tx.delete_hook(id).await?;
    note(&mut tx, by, now, "hook.removed", &hook.url, json!({ "id": id })).await?;
    Ok(tx.commit().await?)
}

/// What was given up, what waited and what happened since is posted again, in its order.
pub async fn switch_on(store: &Store, now: Timestamp, by: &Agent, id: Uuid) -> Result<(), HookError> {
    let (mut tx, hook) = held(store, by, id).await?;
    tx.deliveries_again(id, now).await?;
    tx.set_hook_disabled(id, None).await?;
    note(&mut tx, by, now, "hook.switched_on", &hook.url, json!({ "id": id })).await?;
    Ok(tx.commit().await?)
}

/// Posts one again, under the same id, whether it arrived or not.
pub async fn send_again(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    id: Uuid,
    delivery: Uuid,
) -> Result<(), HookError> {
    let (mut tx, hook) = held(store, by, id).await?;
    if !tx.delivery_again(id, delivery, now).await? {
        return Err(HookError::NotFound);
    }
    note(&mut tx, by, now, "hook.sent_again", &hook.url, json!({ "id": id, "delivery": delivery })).await?;
    Ok(tx.commit().await?)
}

async fn held(store: &Store, by: &Agent, id: Uuid) -> Result<(Tx, Hook), HookError> {
    admin(by)?;
    let mut tx = store.begin().await?;
    let hook = tx.lock_hook(id).await?.ok_or(HookError::NotFound)?;
    Ok((tx, hook))
}

fn admin(by: &Agent) -> Result<(), HookError> {
    if by.role >= Role::Admin { Ok(()) } else { Err(HookError::NotAllowed) }
}

async fn note(
    tx: &mut Tx,
    by: &Agent,
    now: Timestamp,
    action: &str,
    url: &str,
    data: serde_json::Value,
) -> Result<(), StoreError> {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    tx.audit(now, Some(by.id), action, &host.unwrap_or_default(), &data).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed_is_told() {
        let config = |private| HooksConfig {
            allow: vec!["ops.example.com".into(), "127.0.0.1:99".into(), "169.254.169.254".into()],
            allow_private: private,
            ..HooksConfig::default()
        };
        let code = |url: &str, private| check_url(&config(private), url).map_or_else(|e| e.code(), |_| "ok");
        for (url, open, inside) in [
            ("https://ops.example.com/in?x=1", "ok", "ok"),
            (" https://ops.example.com ", "ok", "ok"),
            ("http://ops.example.com/", "not_encrypted", "ok"),
            ("https://ops.example.com:8443/", "not_listed", "not_listed"),
            ("https://evil.example/", "not_listed", "not_listed"),
            ("https://127.0.0.1:99/", "inside", "ok"),
            ("https://2130706433:99/", "inside", "ok"),
            ("https://169.254.169.254/", "inside", "inside"),
            ("https://a:b@ops.example.com/", "no_url", "no_url"),
            ("https://ops.example.com/#x", "no_url", "no_url"),
            ("file:///etc/passwd", "no_url", "no_url"),
            ("javascript:alert(1)", "no_url", "no_url"),
            ("", "no_url", "no_url"),
        ] {
            assert_eq!((code(url, false), code(url, true)), (open, inside), "{url}");
        }
        assert_eq!(code(&format!("https://ops.example.com/{}", "x".repeat(LONGEST)), false), "no_url");
        assert_eq!(
            check_url(&HooksConfig::default(), "https://ops.example.com/").unwrap_err().code(),
            "not_listed"
        );
    }
}
