//! Changes into words, in the contact's language and the channel's variant.

use super::Notifier;
use super::change::Change;
use crate::answers::dates::day_words;
use crate::answers::responses::Variant;
use crate::answers::sms::short_name;
use crate::config::OperatorConfig;
use crate::model::{Contact, Conversation, Fact, Lang, StationRef, Timestamp};
use crate::transit::planner::Provenance;
use serde_json::{Value, json};

/// To whom something is said, and by which data.
pub(super) struct Scene<'a> {
    channel: &'a str,
    lang: Lang,
    provenance: &'a Provenance,
    as_of: Timestamp,
    now: Timestamp,
}

impl<'a> Scene<'a> {
    pub fn new(
        operator: &OperatorConfig,
        contact: &Contact,
        conversation: &'a Conversation,
        provenance: &'a Provenance,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Self {
        let lang = conversation.lang.or(contact.lang).unwrap_or(operator.lang);
        Self { channel: &conversation.channel, lang, provenance, as_of, now }
    }

    pub fn lang(&self) -> Lang {
        self.lang
    }
}

impl Notifier {
    /// None when there is nothing to say, or a template fails, which its check at start excludes.
    pub(super) fn correction_text(&self, changes: &[&Change], scene: &Scene<'_>) -> Option<String> {
        let lines = self.lines(changes, scene);
        if lines.is_empty() {
            return None;
        }
        self.say("notices.correction", json!({ "changes": lines }), scene)
    }

    /// `watched` and `alerts` as the template of `notices.watch` reads them; `more` changes are not listed.
    pub(super) fn watch_text(
        &self,
        watched: &Value,
        alerts: &[String],
        (changes, more): (&[&Change], usize),
        scene: &Scene<'_>,
    ) -> Option<String> {
        let lines = self.lines(changes, scene);
        let data = json!({ "watched": watched, "alerts": alerts, "changes": lines, "more": more });
        self.say("notices.watch", data, scene)
    }

    /// Each change in a sentence.
    fn lines(&self, changes: &[&Change], scene: &Scene<'_>) -> Vec<String> {
        changes
            .iter()
            .filter_map(|change| {
                self.render("notices.change", self.variant(scene), self.item(change, scene), scene)
            })
            .collect()
    }

    fn item(&self, change: &Change, scene: &Scene<'_>) -> Value {
        let local = |at: Timestamp| at.to_jiff().to_zoned_datetime(self.planner.zone());
        let clock = |at: Timestamp| local(at).strftime("%H:%M").to_string();
        let place =
            |station: &StationRef| json!({ "name": station.name, "short": short_name(&station.name) });
        let (told, now) = (&change.told, &change.now);
        let moved = now.platform.as_ref().filter(|platform| told.platform.as_ref() != Some(platform));
        json!({
            "kind": change.kind,
            "train": change.label,
            "from": place(&told.from),
            "to": told.to.as_ref().map(place),
            "day": day_words(local(told.departs).date(), local(scene.now).date(), scene.lang),
            "told": clock(told.departs),
            "time": clock(now.departs),
            "arrival": now.arrives.map(clock),
            "late": change.late().as_secs().div_ceil(60),
            "platform": moved,
            "told_platform": moved.and(told.platform.as_ref()),
        })
    }

    fn variant(&self, scene: &Scene<'_>) -> Variant<'static> {
        if self.channels.is_sms(scene.channel) { Variant::Sms } else { Variant::Text }
    }

    /// The whole message, as the channel carries it.
    fn say(&self, response: &str, data: Value, scene: &Scene<'_>) -> Option<String> {
        let variant = self.variant(scene);
        let shorter = (variant == Variant::Sms).then_some(Variant::SmsShort);
        let variants = std::iter::once(variant).chain(shorter);
        let wordings = variants.filter_map(|variant| self.render(response, variant, data.clone(), scene));
        self.channels.worded(scene.channel, response, wordings.collect())
    }

    fn render(
        &self,
        response: &str,
        variant: Variant<'_>,
        mut data: Value,
        scene: &Scene<'_>,
    ) -> Option<String> {
        let as_of = scene.as_of.to_jiff().to_zoned_datetime(self.planner.zone());
        if let Some(data) = data.as_object_mut() {
            data.insert("operator".into(), json!(self.operator.name));
            data.insert("help_url".into(), json!(self.operator.help_url));
            data.insert("hours".into(), json!(self.calendar.hours_text(scene.now, scene.lang)));
            data.insert("as_of".into(), json!(as_of.strftime("%H:%M").to_string()));
            data.insert("network".into(), json!(scene.provenance.label));
            data.insert("invented".into(), json!(scene.provenance.invented));
        }
        let text = self.content.live().responses.render(response, variant, scene.lang, &data);
        text.inspect_err(|error| tracing::error!(%error, "a notice could not be said")).ok()
    }
}

/// What is now told of trains, with its source and age.
pub(super) fn facts(changes: &[&Change], provenance: &Provenance, as_of: Timestamp) -> Vec<Fact> {
    let fact = |change: &&Change| Fact {
        value: format!("{} {} {} {}", change.kind, change.label, change.now.from.name, change.now.departs),
        source: format!("live: {}", provenance.label),
        as_of,
        ride: Some(change.now.clone()),
    };
    changes.iter().map(fact).collect()
}
