//! From a message to a decision: understanding, the facts that it needs, the dialogue rules.

use super::{Mind, Worker};
use crate::answers::{Cues, Lookup, Query};
use crate::content::Live;
use crate::engine::{Decision, Escalation, Line, Part, Plan, Planned, Rules, Several, Situation};
use crate::model::{
    ContactId, Conversation, ConversationState, EscalationReason, Lang, Media, Message, MessageKind,
    Priority, Timestamp, Understanding,
};
use crate::nlu;
use crate::store::StoreError;
use crate::transit::Nearby;
use serde_json::json;

/// What a decision is taken on, beside the understanding.
pub(super) struct Scene<'a> {
    pub message: &'a Message,
    pub conversation: &'a Conversation,
    pub live: &'a Live,
    pub sms: bool,
    /// The contact has opted out, and only commands count.
    pub silent: bool,
    /// The stations around the place that was shared.
    pub near: Option<&'a [Nearby]>,
    pub now: Timestamp,
}

impl<'a> Scene<'a> {
    fn situation(
        &self,
        conversation: &'a Conversation,
        understanding: &'a Understanding,
        rules: &'a Rules,
    ) -> Situation<'a> {
        Situation {
            text: &self.message.text,
            understanding,
            conversation,
            intents: &self.live.intents,
            phrases: &self.live.phrases,
            rules,
            opted_out: self.silent,
            sms: self.sms,
            near: self.near,
            now: self.now,
        }
    }
}

/// Without having understood anything.
pub(super) fn hand_over(conversation: &Conversation) -> Decision {
    let escalation = Escalation { reason: EscalationReason::LowConfidence, priority: Priority::Normal };
    let waiting = conversation.state == ConversationState::Bot;
    let line = Line { response: "system.escalated".into(), part: Part::Text, data: json!({}) };
    Decision {
        lines: waiting.then_some(line).into_iter().collect(),
        kind: Some(MessageKind::Notice),
        escalation: waiting.then_some(escalation),
        dialogue: conversation.dialogue.clone(),
        ..Decision::default()
    }
}

impl Worker {
    /// The stations around the place that came instead of words. None: no place came, or no timetable is loaded.
    pub(super) fn near(&self, message: &Message) -> Option<Vec<Nearby>> {
        let place = message.media.iter().find_map(Media::as_position);
        let (latitude, longitude) = place.filter(|_| message.text.trim().is_empty())?;
        Some(self.mind.timetable.get()?.nearest(latitude, longitude))
    }

    /// Decides on the message: on each of its questions in turn, where there are several; then on what had waited.
    pub(super) async fn decide(
        &self,
        scene: &Scene<'_>,
        understanding: &Understanding,
    ) -> Result<Decision, StoreError> {
        let rules = &self.mind.rules;
        let whole = scene.situation(scene.conversation, understanding, rules);
        let mut decision = if understanding.questions.is_empty() {
            self.settle(scene, understanding.lang, whole.plan()).await?
        } else {
            let mut several = Several::default();
            for question in understanding.apart() {
                let dialogue = several.dialogue().unwrap_or(&scene.conversation.dialogue).clone();
                let meanwhile = Conversation { dialogue, ..scene.conversation.clone() };
                let plan = scene.situation(&meanwhile, &question, rules).plan();
                several.add(self.settle(scene, understanding.lang, plan).await?);
            }
            several.finish()
        };
        while let Some(plan) = whole.take_up(&mut decision) {
            let next = self.settle(scene, understanding.lang, plan).await?;
            decision = decision.then(next);
        }
        Ok(decision)
    }

    /// Looks up what a plan waits for.
    async fn settle(&self, scene: &Scene<'_>, lang: Lang, plan: Plan) -> Result<Decision, StoreError> {
        let planned = match plan {
            Plan::Decided(decision) => return Ok(*decision),
            Plan::Follow(following) => {
                return self.follow(scene.conversation.contact_id, *following, lang, scene.now).await;
            }
            Plan::LookUp(planned) => planned,
        };
        let contact = scene.conversation.contact_id;
        let found = self.mind.look_up(&planned, contact, lang, scene.live, scene.now).await;
        Ok(planned.decide(found))
    }
}

impl Mind {
    pub(super) async fn understand(
        &self,
        message: &Message,
        conversation: &Conversation,
        live: &Live,
        now: Timestamp,
    ) -> Result<Understanding, StoreError> {
        let dialogue = &conversation.dialogue;
        let fresh = dialogue.is_fresh(now, self.rules.forget_after);
        let expected = dialogue.asked.as_ref().filter(|_| fresh).and_then(|asked| {
            let spec = live.intents.get(dialogue.intent.as_deref()?)?;
            let slot = spec.slots.iter().find(|slot| &slot.name == asked)?;
            let train =
                slot.entity == "train"
                    || spec.enough.iter().flatten().any(|name| {
                        spec.slots.iter().any(|slot| &slot.name == name && slot.entity == "train")
                    });
            Some(nlu::Expected { kind: slot.entity.clone(), role: slot.name.clone(), train })
        });
        // "Et demain ?" goes on with no "bonjour", and with nothing that the bot has forgotten.
        let about = |name: &String| fresh && live.intents.get(name).is_some_and(|spec| !spec.courtesy);
        // An open question counts more than what was answered meanwhile.
        let latest = conversation.intent.clone().filter(|_| dialogue.asked.is_none());
        let context = nlu::Context {
            // A first "ok super" that is of no language is taken to be of the operator's.
            conversation_lang: conversation.lang.or(Some(self.operator.lang)),
            now,
            expected,
            patient: false,
            previous: latest.filter(about).or_else(|| dialogue.intent.clone().filter(about)),
        };
        let (nlu, text) = (self.nlu.clone(), message.text.clone());
        let started = std::time::Instant::now();
        // The encoder blocks for some milliseconds.
        let understood = tokio::task::spawn_blocking(move || nlu.understand(&text, &context)).await;
        metrics::histogram!("guichet_understand_seconds").record(started.elapsed().as_secs_f64());
        understood.map_err(|_| StoreError::Open("understanding panicked; the job is tried again".into()))
    }

    /// What the plan waits for; none: there is no such source.
    pub async fn look_up(
        &self,
        planned: &Planned,
        contact: ContactId,
        lang: Lang,
        live: &Live,
        now: Timestamp,
    ) -> Option<Lookup> {
        let query = Query {
            intent: planned.intent().to_owned(),
            cues: Cues::read(&planned.text, &live.phrases),
            text: planned.text.clone(),
            contact,
            slots: planned.slots.clone(),
            url: planned.url().cloned(),
            lang,
            now,
        };
        let found = self.sources.get(&planned.source)?.look_up(&query).await;
        Some(live.responses.sayable(planned.intent(), lang, found))
    }
}
