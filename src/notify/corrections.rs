//! What was told of trains that are still ahead, held against what is known now.

use super::change::{Change, Limits, against, event};
use super::words::{Scene, facts};
use super::{LISTED, Notice, Notifier, PAGE, fresh};
use crate::model::{EventKind, MessageId, RideChange as Kind, Timestamp, TrainKey};
use crate::store::{StoreError, Told, Tx};
use crate::transit::planner::{Provenance, Run};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

/// How long the keys of a train's events are kept after its departure.
pub(super) const TRAIN_KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// A telling that is not true any more.
struct Due {
    told: Told,
    change: Change,
}

impl Due {
    /// Being back on time, or running after all, is said once a train; the rest once a telling.
    fn event(&self) -> String {
        let key = &self.told.ride.key;
        match self.change.kind {
            Kind::Earlier | Kind::Running => event(key, &format!("told|{}", self.change.kind)),
            _ => event(key, &format!("told|{}", self.told.revision)),
        }
    }

    /// What a watch of the same contact would say of it.
    fn said_of_watch(&self) -> Option<String> {
        let what = match self.change.kind {
            Kind::Cancelled | Kind::NotFrom | Kind::NotTo => "cancelled",
            Kind::Later => "late|0",
            Kind::Running => "running",
            Kind::Earlier | Kind::Platform => return None,
        };
        Some(event(&self.told.ride.key, what))
    }
}

impl Notifier {
    /// Corrects what is wrong by now: one message a contact. How many that were.
    pub(super) async fn correct(&self, now: Timestamp) -> Result<usize, StoreError> {
        let Ok(provenance) = self.planner.provenance(now) else { return Ok(0) };
        let Some(as_of) = fresh(&provenance) else { return Ok(0) };
        let due = self.due(now).await?;
        let mut said = 0;
        for of_contact in due.chunk_by(|a, b| a.told.contact_id == b.told.contact_id) {
            // The rest follows with the next pass.
            let listed = &of_contact[..of_contact.len().min(LISTED)];
            said += usize::from(self.tell_correction(listed, &provenance, as_of, now).await?);
        }
        Ok(said)
    }

    /// Everything to be corrected now, contact by contact.
    async fn due(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let mut due = Vec::new();
        let mut runs = HashMap::new();
        let mut after: Option<Told> = None;
        loop {
            let page = self.store.read().await?.told_ahead(now, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(due) };
            after = Some(last.clone());
            for told in page {
                let Some(change) = self.change(&told, &mut runs, now).await else { continue };
                let found = Due { told, change };
                if self.may_say(Some(found.change.departs()), now)
                    && !self.store.read().await?.is_said(found.told.contact_id, &found.event()).await?
                {
                    due.push(found);
                }
            }
        }
    }

    async fn change(
        &self,
        told: &Told,
        runs: &mut HashMap<TrainKey, Option<Run>>,
        now: Timestamp,
    ) -> Option<Change> {
        let key = &told.ride.key;
        if !runs.contains_key(key) {
            let run = self.run_of(key, told.ride.number.as_deref(), now).await;
            runs.insert(key.clone(), run);
        }
        against(told, runs.get(key)?.as_ref()?, self.limits(), now)
    }

    /// The run as fresh live data knows it; none: nothing fresh is known, and nothing is said.
    async fn run_of(&self, key: &TrainKey, number: Option<&str>, now: Timestamp) -> Option<Run> {
        match self.planner.run(key, number, now).await {
            Ok(told) => told.value.filter(|_| fresh(&told.provenance).is_some()),
            Err(why) => {
                tracing::debug!(%why, "a told train cannot be looked up");
                None
            }
        }
    }

    pub(super) fn limits(&self) -> Limits {
        let (late_by, late_again_by) = (self.config.late_by.into(), self.config.late_again_by.into());
        Limits { late_by, late_again_by }
    }

    /// One message about trains of one contact. False: another instance was quicker, the contact was told anew or
    /// opted out meanwhile.
    async fn tell_correction(
        &self,
        due: &[Due],
        provenance: &Provenance,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(first) = due.first() else { return Ok(false) };
        let mut tx = self.store.begin().await?;
        let (contact, otherwise) = (first.told.contact_id, first.told.conversation_id);
        let Some((contact, conversation)) = tx.lock_for_notice(contact, otherwise).await? else {
            return Ok(false);
        };
        if contact.opted_out_at.is_some() {
            return Ok(false);
        }
        let due = still_due(&mut tx, due).await?;
        let changes: Vec<&Change> = due.iter().map(|due| &due.change).collect();
        let scene = Scene::new(&self.operator, &contact, &conversation, provenance, as_of, now);
        let Some(text) = self.correction_text(&changes, &scene) else { return Ok(false) };
        let kinds: Vec<Kind> = changes.iter().map(|change| change.kind).collect();
        let notice = Notice {
            text,
            facts: facts(&changes, provenance, as_of),
            event: EventKind::CorrectionQueued,
            data: json!({ "changes": kinds }),
        };
        let Some(message) = self.queue(&mut tx, &contact, &conversation, notice, now).await? else {
            return Ok(false);
        };
        for due in due {
            if !note(&mut tx, due, message, now).await? {
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Those that are as they were found, now that nobody else can change them.
async fn still_due<'a>(tx: &mut Tx, due: &'a [Due]) -> Result<Vec<&'a Due>, StoreError> {
    let mut still = Vec::new();
    for due in due {
        let current = tx.told(due.told.contact_id, &due.told.ride.key).await?;
        let same = current.is_some_and(|current| current.revision == due.told.revision);
        if same && !tx.is_said(due.told.contact_id, &due.event()).await? {
            still.push(due);
        }
    }
    Ok(still)
}

/// From here on the contact has heard of it. False: this must not be committed.
async fn note(tx: &mut Tx, due: &Due, message: MessageId, now: Timestamp) -> Result<bool, StoreError> {
    let Due { told, change } = due;
    let expires = change.told.departs.max(change.now.departs).plus(TRAIN_KEPT);
    let late = change.kind == Kind::Later;
    if !tx.correct_told(told, message, &change.now, late, now).await?
        || !tx.claim_notice(told.contact_id, &due.event(), message, now, expires).await?
    {
        return Ok(false);
    }
    if let Some(event) = due.said_of_watch() {
        // Said for a watch before: then the two just happen to say the same.
        tx.claim_notice(told.contact_id, &event, message, now, expires).await?;
    }
    Ok(true)
}
