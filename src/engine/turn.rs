//! Whether a message goes on with the present question or begins one of its own.

use super::words::Words;
use super::{Decision, Effect, Plan, Situation, answer_by_template, slots, topics};
use crate::model::{
    Cue, Dialogue, Entity, EscalationReason, IntentEffect, IntentScore, IntentSpec, OUT_OF_SCOPE,
};

impl Situation<'_> {
    /// The message goes on with the present question: it answers ours, or follows up.
    pub(super) fn goes_on(&self, words: &Words<'_>, dialogue: &mut Dialogue) -> Option<Plan> {
        let asked = dialogue.asked.is_some();
        let spec = if asked { self.answered(words, dialogue) } else { self.follow_up(words, dialogue) }?;
        dialogue.failures = 0;
        Some(self.follow(words, spec, dialogue.clone()))
    }

    /// The intent whose open question this message answers, or tries to.
    fn answered(&self, words: &Words<'_>, dialogue: &Dialogue) -> Option<&IntentSpec> {
        let spec = self.intents.get(dialogue.intent.as_deref()?)?;
        let best = self.understanding.best();
        let same = best.is_none_or(|score| score.intent == spec.name);
        let unsure = best.is_none_or(|s| s.confidence < self.rules.answer_from || s.intent == OUT_OF_SCOPE);
        // "Je pars de Vitré et je dois y être à 18h": another question of the same kind, or rather our answer.
        let fills = |entity: &Entity| dialogue.asked.as_deref() == Some(&entity.role);
        let domain = |name: &str| name.split_once('.').map(|(domain, _)| domain.to_owned());
        let related = best.is_some_and(|score| domain(&score.intent) == domain(&spec.name))
            && self.understanding.entities.iter().any(fills);
        // "Bon, je pars de Vitré" takes leave of nobody.
        let courteous = best.and_then(|score| self.intents.get(&score.intent)).is_some_and(|s| s.courtesy)
            && self.understanding.entities.iter().any(fills);
        let answers = slots::choice(words, self.understanding, dialogue).is_some()
            || slots::answers(words, self.understanding, spec, dialogue);
        (answers || same || unsure || related || courteous).then_some(spec)
    }

    /// The message begins a question of its own, or is not understood. An open question waits meanwhile.
    pub(super) fn begin(&self, words: &Words<'_>, mut dialogue: Dialogue) -> Plan {
        let decided = |decision| Plan::Decided(Box::new(decision));
        let acknowledged = self.acknowledgement(words, &dialogue);
        let best = acknowledged.as_ref().or(self.understanding.best());
        let name = best.map_or(OUT_OF_SCOPE, |score| &score.intent);
        let Some((spec, score)) = self.intents.get(name).zip(best).filter(|_| name != OUT_OF_SCOPE) else {
            let reason = EscalationReason::RepeatedFailure;
            return decided(self.not_understood(dialogue, OUT_OF_SCOPE, reason));
        };
        if score.confidence < spec.escalate.below.unwrap_or(self.rules.answer_from) {
            let asked = self.confirmation(words, spec, score, dialogue.clone());
            let reason = EscalationReason::LowConfidence;
            return decided(asked.unwrap_or_else(|| self.not_understood(dialogue, "clarify", reason)));
        }
        dialogue.failures = 0;
        let open = dialogue.asked.is_some() || !dialogue.open.is_empty();
        if dialogue.asked.is_some() {
            topics::set_aside(&mut dialogue);
        }
        if spec.slots.is_empty() && spec.answer.is_none() {
            // Small talk and plain answers leave what the conversation is about as it is.
            let mut decision = Decision { intent: Some(spec.name.clone()), dialogue, ..Decision::default() };
            answer_by_template(spec, &mut decision);
            let over = match spec.effect {
                Some(IntentEffect::Close) => true,
                Some(IntentEffect::CloseWhenDone) => !open,
                _ => false,
            };
            decision.effects.extend(over.then_some(Effect::Close));
            return decided(decision);
        }
        self.start(words, spec, &mut dialogue);
        self.follow(words, spec, dialogue)
    }

    /// "D'accord" after an answer says no more than "merci".
    fn acknowledgement(&self, words: &Words<'_>, dialogue: &Dialogue) -> Option<IntentScore> {
        let open = dialogue.asked.is_some() || dialogue.intent.is_none();
        let thanks = |spec: &&IntentSpec| spec.effect == Some(IntentEffect::CloseWhenDone);
        let spec = self.intents.values().find(thanks).filter(|_| !open && words.are(Cue::Agree))?;
        Some(IntentScore { intent: spec.name.clone(), confidence: 1.0 })
    }
}
