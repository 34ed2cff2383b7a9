//! Which person of the desk a verified token stands for.

use super::OidcError;
use super::provider::Claims;
use crate::config::OidcConfig;
use crate::desk::people;
use crate::model::{Agent, AgentId, Role, Timestamp};
use crate::store::{AgentWithHash, Person, Tx};
use serde_json::json;

/// Known by the subject; else by the verified address, once; else new, when that is configured.
pub async fn person(
    tx: &mut Tx,
    now: Timestamp,
    config: &OidcConfig,
    claims: &Claims,
) -> Result<Person, OidcError> {
    if !domain_allowed(config, claims.email.as_deref()) {
        return Err(OidcError::Stranger("the address's domain"));
    }
    // Another provider's subjects are other people.
    let subject = format!("{} {}", config.issuer, claims.subject);
    let known = tx.person_by_subject(&subject).await?;
    let known = match (known, &claims.email) {
        (None, Some(email)) => link(tx, now, email, &subject).await?,
        (known, _) => known,
    };
    let role = role(config, claims);
    let mut person = match known {
        Some(person) => person,
        None if config.create => create(tx, now, claims, &subject, role.unwrap_or(Role::Agent)).await?,
        None => return Err(OidcError::Stranger("no account")),
    };
    // Not the lock: it is for passwords, and whoever guesses at one must not shut this door too.
    if !person.may_enter(now) {
        return Err(OidcError::Stranger("the access has ended"));
    }
    if let Some(role) = role.filter(|role| *role != person.agent.role) {
        change_role(tx, now, &mut person, role).await?;
    }
    Ok(person)
}

fn domain_allowed(config: &OidcConfig, email: Option<&str>) -> bool {
    let domain = email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    config.allowed_domains.is_empty()
        || config.allowed_domains.iter().any(|d| domain.is_some_and(|domain| d.eq_ignore_ascii_case(domain)))
}

/// The highest role that the claim gives; none: it says nothing, and the role is given in the console.
fn role(config: &OidcConfig, claims: &Claims) -> Option<Role> {
    claims.roles.iter().filter_map(|value| config.roles.get(value)).max().copied()
}

async fn link(tx: &mut Tx, now: Timestamp, email: &str, subject: &str) -> Result<Option<Person>, OidcError> {
    let Some(person) = tx.person_by_email(email).await? else {
        return Ok(None);
    };
    let id = person.agent.id;
    if !tx.set_subject(id, subject).await? {
        return Err(OidcError::Stranger("the address belongs to another subject"));
    }
    tx.audit(now, Some(id), "person.linked", &person.agent.login, &json!({ "by": "oidc" })).await?;
    Ok(Some(person))
}

async fn create(
    tx: &mut Tx,
    now: Timestamp,
    claims: &Claims,
    subject: &str,
    role: Role,
) -> Result<Person, OidcError> {
    let email = claims.email.as_deref().ok_or(OidcError::Stranger("no verified address"))?;
    people::check_login(email).map_err(|_| OidcError::Stranger("the address is no login"))?;
    let name = claims.name.as_deref().unwrap_or(email);
    let name = people::check_name(name).unwrap_or(email);
    let name: String = name.chars().take(80).collect();
    let agent = Agent { id: AgentId::new(), login: email.to_owned(), name, role };
    // No password: nothing verifies against it.
    let row = AgentWithHash { agent: agent.clone(), password_hash: "-".to_owned() };
    if !tx.insert_agent(&row, now).await? {
        return Err(OidcError::Stranger("the login is taken"));
    }
    tx.set_invited(agent.id, Some(email), None).await?;
    tx.set_subject(agent.id, subject).await?;
    let data = json!({ "role": role, "by": "oidc" });
    tx.audit(now, Some(agent.id), "person.joined", &agent.login, &data).await?;
    let account = tx.account(agent.id).await?;
    account.map(|account| account.person).ok_or(OidcError::Stranger("no account"))
}

/// As the provider says, except that the last admin stays one.
async fn change_role(tx: &mut Tx, now: Timestamp, person: &mut Person, role: Role) -> Result<(), OidcError> {
    let id = person.agent.id;
    if tx.lock_admins().await? == [id] {
        tracing::warn!("the provider gives the last admin another role; it is kept");
        return Ok(());
    }
    let data = json!({ "from": person.agent.role, "to": role, "by": "oidc" });
    tx.set_role(id, role).await?;
    tx.end_sessions(id).await?;
    tx.close_invitations_of(id, now).await?;
    tx.audit(now, Some(id), "person.role_changed", &person.agent.login, &data).await?;
    person.agent.role = role;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

    fn claims(subject: &str, email: Option<&str>, roles: &[&str]) -> Claims {
        Claims {
            subject: subject.into(),
            email: email.map(str::to_owned),
            name: Some("Nour <b>".into()),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }

    fn config() -> OidcConfig {
        let roles = [("desk-lead".to_owned(), Role::Manager), ("desk-admin".to_owned(), Role::Admin)];
        OidcConfig {
            issuer: "https://id.example.org".into(),
            allowed_domains: vec!["example.org".into()],
            role_claim: "groups".into(),
            roles: roles.into(),
            ..OidcConfig::default()
        }
    }

    async fn store() -> (Store, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/g.db", folder.path().display());
        (Store::open(&url, 2).await.unwrap(), folder)
    }

    async fn enters(store: &Store, config: &OidcConfig, claims: &Claims) -> Result<Person, String> {
        let mut tx = store.begin().await.unwrap();
        let person = person(&mut tx, NOW, config, claims).await.map_err(|error| error.to_string())?;
        tx.commit().await.unwrap();
        Ok(person)
    }

    #[tokio::test]
    async fn strangers_stay_outside_unless_they_may_be_created() {
        let (store, _folder) = store().await;
        let known = claims("1", Some("nour@example.org"), &[]);
        let closed = config();
        assert!(enters(&store, &closed, &known).await.unwrap_err().contains("no account"));
        let open = OidcConfig { create: true, ..config() };
        for email in [None, Some("nour@example.com"), Some("nour@example.org.evil"), Some("example.org")] {
            let error = enters(&store, &open, &claims("1", email, &[])).await.unwrap_err();
            assert!(error.contains("domain"), "{email:?}: {error}");
        }
        let nour = enters(&store, &open, &known).await.unwrap();
        assert_eq!((nour.agent.role, nour.agent.login.as_str()), (Role::Agent, "nour@example.org"));
        assert!(nour.by_provider);
        // Known by the subject from now on, and another subject with the same address is not them.
        assert_eq!(enters(&store, &closed, &known).await.unwrap().agent.id, nour.agent.id);
        let other = claims("2", Some("nour@example.org"), &[]);
        assert!(enters(&store, &open, &other).await.unwrap_err().contains("another subject"));
        let elsewhere = OidcConfig { issuer: "https://other.example".into(), ..open };
        assert!(enters(&store, &elsewhere, &known).await.is_err());
    }

    #[tokio::test]
    async fn the_claim_gives_the_role_and_the_last_admin_stays() {
        let (store, _folder) = store().await;
        let open = OidcConfig { create: true, ..config() };
        let nour = |roles: &[&str]| claims("1", Some("nour@example.org"), roles);
        let role = async |roles: &[&str]| enters(&store, &open, &nour(roles)).await.unwrap().agent.role;
        assert_eq!(role(&["staff", "desk-lead"]).await, Role::Manager);
        assert_eq!(role(&["desk-lead", "desk-admin"]).await, Role::Admin);
        assert_eq!(role(&["desk-lead"]).await, Role::Admin, "the last one");
        assert_eq!(role(&[]).await, Role::Admin);
        let sacha = claims("2", Some("sacha@example.org"), &["desk-admin"]);
        enters(&store, &open, &sacha).await.unwrap();
        assert_eq!(role(&["desk-lead"]).await, Role::Manager);
    }
}
