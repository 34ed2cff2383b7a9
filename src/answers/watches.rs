//! `watches.list`: what the contact has asked to be told about.

use super::dates::day_words;
use super::{AnswerSource, Lookup, Query, Samples};
use crate::model::{Timestamp, Watched};
use crate::store::{Store, StoreError, Watch};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Variables: `watches`, a list of {type, name, from, to, begins, until}: `type` is `line`, `pair`, `station` or
/// `train`; `name` the line's, station's or train's, null for a pair; `from` and `to` the pair's, else null; `begins` a
/// day in words, null when it has begun; `until` the last day in words, null for today. Without a database (`guichet
/// check`) it knows nothing.
pub struct Watches {
    store: Option<Store>,
    zone: TimeZone,
}

impl Watches {
    pub fn new(store: Option<Store>, zone: TimeZone) -> Self {
        Self { store, zone }
    }

    async fn of_contact(&self, query: &Query) -> Result<Option<Vec<Watch>>, StoreError> {
        let Some(store) = &self.store else { return Ok(None) };
        store.read().await?.watches_of(query.contact, query.now).await.map(Some)
    }

    fn item(&self, watch: &Watch, query: &Query) -> Value {
        let day = |at: Timestamp| at.to_jiff().to_zoned_datetime(self.zone.clone()).date();
        let today = day(query.now);
        // `until` is the first moment at which it does not hold any more.
        let last = day(Timestamp(watch.until.0.saturating_sub(1)));
        let begins =
            (watch.from > query.now).then(|| day_words(day(watch.from), today, query.lang)).flatten();
        let mut item = watched(&watch.what);
        if let Some(item) = item.as_object_mut() {
            item.insert("begins".into(), json!(begins));
            item.insert("until".into(), json!(day_words(last, today, query.lang)));
        }
        item
    }
}

/// What is watched as templates read it: {type, name, from, to}.
pub fn watched(what: &Watched) -> Value {
    let (kind, name, ends) = match what {
        Watched::Line { name } => ("line", Some(name), None),
        Watched::Pair { from, to } => ("pair", None, Some((&from.name, &to.name))),
        Watched::Station { station } => ("station", Some(&station.name), None),
        Watched::Train { number } => ("train", Some(number), None),
    };
    json!({ "type": kind, "name": name, "from": ends.map(|(from, _)| from), "to": ends.map(|(_, to)| to) })
}

#[async_trait]
impl AnswerSource for Watches {
    fn name(&self) -> &'static str {
        "watches.list"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        match self.of_contact(query).await {
            Ok(Some(watches)) => {
                let items: Vec<Value> = watches.iter().map(|watch| self.item(watch, query)).collect();
                let data = json!({ "watches": items });
                let facts = Vec::new();
                if items.is_empty() { Lookup::Nothing { data, facts } } else { Lookup::Found { data, facts } }
            }
            Ok(None) => Lookup::NoData { why: "there is no database".to_owned() },
            Err(error) => Lookup::NoData { why: error.to_string() },
        }
    }

    fn samples(&self) -> Samples {
        let line =
            json!({ "type": "line", "name": "J", "from": null, "to": null, "begins": null, "until": null });
        let pair = json!({ "type": "pair", "name": null, "from": "Rennes", "to": "Saint-Pierre-des-Corps",
            "begins": "demain", "until": "samedi 20 décembre" });
        let train = json!({ "type": "train", "name": "8745", "from": null, "to": null, "begins": "demain", "until": "demain" });
        let station = json!({ "type": "station", "name": "Vitré", "from": null, "to": null, "begins": null,
            "until": "samedi 20 décembre" });
        Samples {
            found: vec![json!({ "watches": [line, pair, train, station] }), json!({ "watches": [train] })],
            nothing: vec![json!({ "watches": [] })],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lang, NewWatch};
    use crate::store::Ingest;
    use std::time::Duration;

    /// 2026-12-18 in Paris.
    fn at(day_and_time: &str) -> Timestamp {
        let local: jiff::civil::DateTime = format!("2026-12-{day_and_time}").parse().unwrap();
        Timestamp::from_jiff(
            local.to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).unwrap().timestamp(),
        )
    }

    #[tokio::test]
    async fn what_is_followed_and_until_when() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/g.db", folder.path().display()), 2).await.unwrap();
        let now = at("18T12:00");
        let mut tx = store.begin().await.unwrap();
        let inbound =
            Ingest { channel: "web", address: "a", provider_id: "1", text: "x", ..Ingest::default() };
        let id = tx.ingest(inbound, now, Duration::ZERO).await.unwrap().conversation_id;
        let contact = tx.conversation(id).await.unwrap().unwrap().contact_id;
        tx.commit().await.unwrap();
        let query = Query {
            intent: "watches.list".into(),
            text: "mes alertes".into(),
            cues: Default::default(),
            contact,
            slots: Default::default(),
            url: None,
            lang: Lang::FR,
            now,
        };
        let source = Watches::new(Some(store.clone()), TimeZone::get("Europe/Paris").unwrap());
        let empty = Lookup::Nothing { data: json!({ "watches": [] }), facts: Vec::new() };
        assert_eq!(source.look_up(&query).await, empty);
        let mut tx = store.begin().await.unwrap();
        for (what, from, until) in [
            (Watched::Line { name: "J".into() }, now, at("19T00:00")),
            (Watched::Train { number: "8745".into() }, at("19T00:00"), at("20T00:00")),
        ] {
            tx.insert_watch(contact, id, &NewWatch { what, from, until }, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        let watches = json!([
            { "type": "line", "name": "J", "from": null, "to": null, "begins": null, "until": null },
            { "type": "train", "name": "8745", "from": null, "to": null, "begins": "demain", "until": "demain" },
        ]);
        let both = Lookup::Found { data: json!({ "watches": watches }), facts: Vec::new() };
        assert_eq!(source.look_up(&query).await, both);
        let none = Watches::new(None, TimeZone::UTC).look_up(&query).await;
        assert!(matches!(none, Lookup::NoData { .. }), "{none:?}");
    }
}
