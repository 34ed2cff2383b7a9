//! What is said without being asked, and the variables of each; `responses/<language>/notices.yaml` words them.

use crate::model::RideChange;
use serde_json::{Value, json};

/// `notices.change`: one change of one train, in a sentence. `notices.correction`: it was told otherwise.
/// `notices.watch`: it is watched. `survey`, in a file of its own: what is asked after the end.
pub(super) const MESSAGES: [&str; 6] =
    ["notices.change", "notices.correction", "notices.watch", "survey.ask", "survey.thanks", "survey.noted"];

/// The variables of a notice, in each shape; none: the key is no notice's.
pub(super) fn samples(key: &str) -> Option<Vec<Value>> {
    let own = match key {
        "notices.change" => changes(),
        "notices.correction" => {
            vec![json!({ "changes": ["Une phrase."] }), json!({ "changes": ["Une phrase.", "Une autre."] })]
        }
        "notices.watch" => watches(),
        "survey.ask" => return Some(vec![asked(true), asked(false)]),
        "survey.thanks" => {
            let shapes = (1..=5).flat_map(|score| [(score, true), (score, false)]);
            let thanks = shapes
                .map(|(score, comment)| json!({ "operator": "Guichet", "score": score, "comment": comment }));
            return Some(thanks.collect());
        }
        "survey.noted" => return Some(vec![json!({ "operator": "Guichet" })]),
        _ => return None,
    };
    let scene = |(own, invented): (Value, bool)| {
        let mut all = json!({ "as_of": "12:04", "network": "Réseau Breton", "invented": invented });
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own);
        }
        all
    };
    let shapes = own.iter().flat_map(|own| [(own.clone(), false), (own.clone(), true)]);
    Some(shapes.map(scene).collect())
}

fn asked(buttons: bool) -> Value {
    json!({ "operator": "Guichet", "buttons": buttons, "options": [{ "n": 1, "name": "1" }, { "n": 5, "name": "5" }] })
}

fn changes() -> Vec<Value> {
    let kinds = RideChange::ALL.iter();
    let place = |name: &str| json!({ "name": name, "short": name });
    let whole = kinds.clone().map(|kind| json!({ "kind": kind, "train": "TGV INOUI 8745", "from": place("Rennes"),
        "to": place("Paris Montparnasse"), "day": "demain", "told": "18:04", "time": "18:24", "arrival": "20:05",
        "late": 20, "platform": "5", "told_platform": "3" }));
    let bare = kinds.map(|kind| json!({ "kind": kind, "train": "8745", "from": place("Rennes"), "to": null, "day": null,
        "told": "18:04", "time": "18:24", "arrival": null, "late": 20, "platform": null, "told_platform": null }));
    whole.chain(bare).collect()
}

fn watches() -> Vec<Value> {
    let watched = |kind: &str, name: Value, from: Value, to: Value| json!({ "type": kind, "name": name, "from": from, "to": to });
    let (none, line) = (Value::Null, "Une phrase.");
    let news = |watched: Value, alerts: &[&str], changes: &[&str], more: usize| {
        json!({ "watched": watched, "alerts": alerts,
        "changes": changes, "more": more })
    };
    vec![
        news(watched("line", json!("J"), none.clone(), none.clone()), &["Trafic ralenti."], &[line, line], 7),
        news(watched("pair", none.clone(), json!("Rennes"), json!("Vitré")), &["Trafic ralenti."], &[], 0),
        news(watched("station", json!("Rennes"), none.clone(), none.clone()), &[], &[line], 1),
        news(watched("train", json!("8745"), none.clone(), none), &[], &[line], 0),
    ]
}
