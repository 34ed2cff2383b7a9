//! "Is that right?": asked when one reading stands out and is still not sure enough to answer.

use super::words::Words;
use super::{Decision, Plan, Situation, slots, system};
use crate::model::{
    Confirming, Cue, Dialogue, EscalationReason, IntentScore, IntentSpec, MessageKind, OUT_OF_SCOPE,
};
use serde_json::json;

/// The runner-up must be at most this part of the best reading: else the question would be a guess.
const WELL_BEHIND: f32 = 0.5;
/// More words of its own than this after "non" say what is wanted instead.
const MORE: usize = 1;

impl Situation<'_> {
    /// The question whether `spec` is meant; none where it would not help.
    pub(super) fn confirmation(
        &self,
        words: &Words<'_>,
        spec: &IntentSpec,
        score: &IntentScore,
        mut dialogue: Dialogue,
    ) -> Option<Decision> {
        let runner_up = self.understanding.intents.get(1).map_or(0.0, |next| next.confidence);
        let stands_out = runner_up <= score.confidence * WELL_BEHIND;
        if score.confidence < self.rules.confirm_from || !stands_out || spec.courtesy {
            return None;
        }
        let what = self.phrases.confirm.get(&(self.understanding.lang, spec.name.clone()))?;
        let mut meant = Dialogue { slots: Default::default(), ..dialogue.clone() };
        slots::start(&mut meant, spec);
        slots::fill(self, words, spec, &mut meant);
        dialogue.asked = None;
        dialogue.confirm = Some(Confirming {
            intent: spec.name.clone(),
            slots: meant.slots,
            question: words.cut(super::KEPT),
        });
        Some(Decision {
            lines: vec![system("confirm", json!({ "what": what }))],
            kind: Some(MessageKind::Question),
            intent: Some(spec.name.clone()),
            dialogue,
            ..Decision::default()
        })
    }

    /// What the customer makes of our "is that right?"; none: the message says something else.
    pub(super) fn confirmed(&self, words: &Words<'_>, dialogue: &mut Dialogue) -> Option<Plan> {
        let meant = dialogue.confirm.take()?;
        let spec = self.intents.get(&meant.intent)?;
        let refused = words.begins(Cue::Refuse);
        let value = words.telling() == 0 && slots::fits_any(self.understanding, spec);
        if refused.is_none() && (words.begins(Cue::Agree).is_some() || value) {
            slots::start(dialogue, spec);
            dialogue.slots = meant.slots;
            dialogue.question = meant.question;
            dialogue.failures = 0;
            return Some(self.follow(words, spec, dialogue.clone()));
        }
        let of_its_own = words.telling().saturating_sub(refused.unwrap_or(0)) > MORE;
        let best = self.understanding.best();
        let clear = best.is_some_and(|b| b.intent != OUT_OF_SCOPE && b.confidence >= self.rules.answer_from);
        if refused.is_none() || (of_its_own && clear) {
            return None;
        }
        let asked = self.not_understood(dialogue.clone(), "clarify", EscalationReason::LowConfidence);
        Some(Plan::Decided(Box::new(asked)))
    }
}
