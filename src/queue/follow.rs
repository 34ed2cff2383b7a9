//! What is asked before something is promised to be followed: whether the contact may follow more, and whether the
//! planner knows it.

use super::Worker;
use super::effects::widened;
use crate::answers::followable;
use crate::engine::{Decision, Following};
use crate::model::{ContactId, Lang, Timestamp};
use crate::store::StoreError;

impl Worker {
    /// Two messages at the same instant may both find the last place free; the limit guards against abuse, and one more
    /// breaks nothing.
    pub(super) async fn follow(
        &self,
        contact: ContactId,
        following: Following,
        lang: Lang,
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        let most = self.mind.notices.watches_per_contact.max(1);
        let mut running = self.store.read().await?.watches_of(contact, now).await?;
        running.retain(|w| following.corrects.as_ref().is_none_or(|wrong| !w.what.is_same(wrong)));
        if running.len() >= most && widened(&running, &following.new).is_none() {
            return Ok(following.refuse(most));
        }
        let known = followable(&*self.mind.planner, &following.new, lang, now).await;
        Ok(following.decide(known))
    }
}
