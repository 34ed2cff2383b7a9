//! People of the desk as accounts: who may enter until when, how they prove it, and invitations.

use super::driver::{Row, values};
use super::sql::people as sql;
use super::{StoreError, Tx, agents};
use crate::model::{Agent, AgentId, Role, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// A person with what colleagues who manage people may see.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub agent: Agent,
    pub email: Option<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    /// A guest's access ends then.
    pub expires_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    /// Failed sign-ins since the last good one.
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
    pub has_totp: bool,
    /// Known to the provider of OpenID Connect.
    pub by_provider: bool,
}

impl Person {
    /// Neither disabled, nor a guest whose time is over.
    pub fn may_enter(&self, now: Timestamp) -> bool {
        self.disabled_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }

    pub fn locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }
}

/// A person with their secrets, for sign-in; no `Debug`, so that they reach no log.
pub struct Account {
    pub person: Person,
    /// PHC string of argon2; `-`: they sign in by the provider only.
    pub password_hash: String,
    /// Base32.
    pub totp_secret: Option<String>,
    /// Offered and not confirmed yet.
    pub totp_pending: Option<String>,
}

/// A link that was given to someone and not used yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// SHA-256 of the link's token.
    pub token_hash: String,
    /// Set: to choose a new password; else to become a person of the desk.
    pub agent: Option<AgentId>,
    pub email: Option<String>,
    pub role: Role,
    /// The guest's access ends then.
    pub access_until: Option<Timestamp>,
    pub expires_at: Timestamp,
}

/// An invitation as the page of people shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenInvitation {
    pub invitation: Invitation,
    /// Who gave it.
    pub by: Option<String>,
    /// Whose password it is for.
    pub login: Option<String>,
}

impl Tx {
    /// Everyone, with those whose access has been ended last.
    pub async fn people(&mut self) -> Result<Vec<Person>, StoreError> {
        let rows = self.fetch(&sql::PEOPLE, Vec::new()).await?;
        rows.iter().map(person).collect()
    }

    /// The names of the teams of each person.
    pub async fn teams_of_people(
        &mut self,
        now: Timestamp,
    ) -> Result<HashMap<AgentId, Vec<String>>, StoreError> {
        let mut teams: HashMap<AgentId, Vec<String>> = HashMap::new();
        for row in self.fetch(&sql::TEAMS_OF_PEOPLE, values![now]).await? {
            teams.entry(AgentId(row.get::<Uuid>("agent_id")?)).or_default().push(row.get("name")?);
        }
        Ok(teams)
    }

    pub async fn account(&mut self, id: AgentId) -> Result<Option<Account>, StoreError> {
        self.fetch_one(&sql::PERSON_BY_ID, values![id]).await?.as_ref().map(account).transpose()
    }

    pub async fn account_by_login(&mut self, login: &str) -> Result<Option<Account>, StoreError> {
        self.fetch_one(&sql::PERSON_BY_LOGIN, values![login]).await?.as_ref().map(account).transpose()
    }

    /// `subject`: issuer and subject of the provider, in one text.
    pub async fn person_by_subject(&mut self, subject: &str) -> Result<Option<Person>, StoreError> {
        self.fetch_one(&sql::PERSON_BY_SUBJECT, values![subject]).await?.as_ref().map(person).transpose()
    }

    /// The one person with this address; none when several have it.
    pub async fn person_by_email(&mut self, email: &str) -> Result<Option<Person>, StoreError> {
        match self.fetch(&sql::PEOPLE_BY_EMAIL, values![email]).await?.as_slice() {
            [one] => person(one).map(Some),
            _ => Ok(None),
        }
    }

    /// The person, to be changed: others wait until this transaction ends.
    pub async fn lock_person(&mut self, id: AgentId) -> Result<Option<Person>, StoreError> {
        self.fetch_one(&sql::PERSON_LOCK, values![id]).await?.as_ref().map(person).transpose()
    }

    /// The admins whose access has no end. Lock them before a person, so that two who demote each other meet here.
    pub async fn lock_admins(&mut self) -> Result<Vec<AgentId>, StoreError> {
        let rows = self.fetch(&sql::ADMINS_LOCK, Vec::new()).await?;
        rows.iter().map(|row| row.get("id").map(AgentId)).collect()
    }

    /// Who may not enter any more and still is in charge of something.
    pub async fn people_gone(&mut self, now: Timestamp) -> Result<Vec<AgentId>, StoreError> {
        let rows = self.fetch(&sql::PEOPLE_GONE, values![now]).await?;
        rows.iter().map(|row| row.get("id").map(AgentId)).collect()
    }

    pub async fn set_role(&mut self, id: AgentId, role: Role) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_SET_ROLE, values![id, role.as_str()]).await?;
        Ok(())
    }

    pub async fn set_disabled(&mut self, id: AgentId, at: Option<Timestamp>) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_SET_DISABLED, values![id, at]).await?;
        Ok(())
    }

    pub async fn set_expiry(&mut self, id: AgentId, at: Option<Timestamp>) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_SET_EXPIRY, values![id, at]).await?;
        Ok(())
    }

    /// What an invitation said of a new person.
    pub async fn set_invited(
        &mut self,
        id: AgentId,
        email: Option<&str>,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_SET_EMAIL, values![id, email, until]).await?;
        Ok(())
    }

    /// Sessions are the caller's business.
    pub async fn set_password_of(&mut self, id: AgentId, hash: &str) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_SET_PASSWORD, values![id, hash]).await?;
        Ok(())
    }

    /// False: the person is known to the provider under another subject.
    pub async fn set_subject(&mut self, id: AgentId, subject: &str) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::PERSON_SET_SUBJECT, values![id, subject]).await? == 1)
    }

    /// Counts a failed sign-in; the number in a row. None: no such login, or it is locked already.
    pub async fn count_failure(
        &mut self,
        login: &str,
        now: Timestamp,
    ) -> Result<Option<(AgentId, i64)>, StoreError> {
        let row = self.fetch_one(&sql::PERSON_FAILED, values![login, now]).await?;
        row.map(|row| Ok((AgentId(row.get("id")?), row.get("failures")?))).transpose()
    }

    pub async fn lock_out(&mut self, id: AgentId, until: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::PERSON_LOCK_OUT, values![id, until]).await?;
        Ok(())
    }

    /// Forgets failed sign-ins. False: there were none.
    pub async fn unlock(&mut self, id: AgentId) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::PERSON_UNLOCK, values![id]).await? == 1)
    }

    pub async fn offer_totp(&mut self, id: AgentId, secret: Option<&str>) -> Result<(), StoreError> {
        self.execute(&sql::TOTP_OFFER, values![id, secret]).await?;
        Ok(())
    }

    /// The offered secret holds from now on; `step` is the one of the code that proved it. False: none was offered.
    pub async fn enrol_totp(&mut self, id: AgentId, step: i64) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::TOTP_ENROL, values![id, step]).await? == 1)
    }

    /// With its recovery codes.
    pub async fn remove_totp(&mut self, id: AgentId) -> Result<(), StoreError> {
        self.execute(&sql::TOTP_REMOVE, values![id]).await?;
        self.execute(&sql::RECOVERY_DELETE, values![id]).await?;
        Ok(())
    }

    /// False: a code of this step or a later one was used already.
    pub async fn use_totp_step(&mut self, id: AgentId, step: i64) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::TOTP_USE_STEP, values![id, step]).await? == 1)
    }

    pub async fn set_recovery_codes(&mut self, id: AgentId, hashes: &[String]) -> Result<(), StoreError> {
        self.execute(&sql::RECOVERY_DELETE, values![id]).await?;
        for hash in hashes {
            self.execute(&sql::RECOVERY_INSERT, values![id, hash.as_str()]).await?;
        }
        Ok(())
    }

    /// False: there is no such code, or it was used.
    pub async fn use_recovery_code(
        &mut self,
        id: AgentId,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::RECOVERY_USE, values![id, hash, now]).await? == 1)
    }

    pub async fn recovery_codes_left(&mut self, id: AgentId) -> Result<i64, StoreError> {
        self.fetch_one(&sql::RECOVERY_LEFT, values![id]).await?.map_or(Ok(0), |row| row.get("n"))
    }

    pub async fn insert_invitation(
        &mut self,
        invitation: &Invitation,
        by: AgentId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Invitation { token_hash, agent, email, role, access_until, expires_at } = invitation;
        let (hash, email) = (token_hash.as_str(), email.as_deref());
        let values = values![hash, *agent, email, role.as_str(), *access_until, by, now, *expires_at];
        self.execute(&sql::INVITATION_INSERT, values).await?;
        Ok(())
    }

    /// The one that can still be used.
    pub async fn invitation(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = self.fetch_one(&sql::INVITATION_OPEN, values![token_hash, now]).await?;
        row.as_ref().map(invitation).transpose()
    }

    /// Those that can still be used, oldest first.
    pub async fn open_invitations(&mut self, now: Timestamp) -> Result<Vec<OpenInvitation>, StoreError> {
        let rows = self.fetch(&sql::INVITATIONS_OPEN, values![now]).await?;
        rows.iter()
            .map(|row| {
                Ok(OpenInvitation {
                    invitation: invitation(row)?,
                    by: row.get("by_name")?,
                    login: row.get("login")?,
                })
            })
            .collect()
    }

    /// Nobody can use it from now on. False: it was used already, or there is none.
    pub async fn close_invitation(&mut self, token_hash: &str, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::INVITATION_CLOSE, values![token_hash, now]).await? == 1)
    }

    /// Every link to a new password of the person.
    pub async fn close_links_of(&mut self, id: AgentId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::LINKS_OF_PERSON_CLOSE, values![id, now]).await?;
        Ok(())
    }

    /// Every link to a new password of the person, and every invitation that they gave.
    pub async fn close_invitations_of(&mut self, id: AgentId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::INVITATIONS_OF_PERSON_CLOSE, values![id, now]).await?;
        Ok(())
    }
}

fn person(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        agent: agents::agent(row)?,
        email: row.get("email")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.opt_time("last_seen_at")?,
        expires_at: row.opt_time("expires_at")?,
        disabled_at: row.opt_time("disabled_at")?,
        failures: row.get("failures")?,
        locked_until: row.opt_time("locked_until")?,
        has_totp: row.get::<Option<String>>("totp_secret")?.is_some(),
        by_provider: row.get::<Option<String>>("oidc_subject")?.is_some(),
    })
}

fn account(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        person: person(row)?,
        password_hash: row.get("password_hash")?,
        totp_secret: row.get("totp_secret")?,
        totp_pending: row.get("totp_pending")?,
    })
}

fn invitation(row: &Row) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        token_hash: row.get("token_hash")?,
        agent: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
        email: row.get("email")?,
        role: row.name("role")?,
        access_until: row.opt_time("access_until")?,
        expires_at: row.time("expires_at")?,
    })
}
