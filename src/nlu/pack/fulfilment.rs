//! The keys of an intent that the operator's own service answers: `answer: http`, `url`, `sample`.

use super::reader::Reader;
use crate::model::{IntentSpec, SampleAnswer, UrlTemplate};
use crate::nlu::yaml::{Key, Node};

/// The answer source that asks the operator's service.
const SOURCE: &str = "http";
/// What an address may hold beside slots.
const ALWAYS: [&str; 2] = ["intent", "lang"];
/// Entities that point to one customer go into the signed body only: addresses end up in logs.
const PERSONAL: [&str; 3] = ["reference", "phone", "email"];

impl Reader {
    pub(super) fn read_url(&mut self, key: &Key, node: &Node) -> Option<UrlTemplate> {
        let text = self.text_of(key, node)?;
        match UrlTemplate::parse(&text, (self.file.clone(), node.line)) {
            Ok(template) => Some(template),
            Err((what, cure)) => {
                self.complain(node.line, what, cure);
                None
            }
        }
    }

    pub(super) fn read_sample(&mut self, key: &Key, node: &Node) -> SampleAnswer {
        let fields = self.map_of(key, node);
        self.check_keys(fields, &["found", "nothing"]);
        let mut sample = SampleAnswer::default();
        for (field, value) in fields {
            self.map_of(field, value);
            match field.name.as_str() {
                "found" => sample.found = Some(value.to_json()),
                "nothing" => sample.nothing = Some(value.to_json()),
                _ => {}
            }
        }
        sample
    }

    /// `body`: the keys of the intent, for their lines.
    pub(super) fn check_fulfilment(&mut self, spec: &IntentSpec, body: &[(Key, Node)]) {
        let line = |name: &str| body.iter().find(|(field, _)| field.name == name).map(|(key, _)| key.line);
        let own = spec.answer.as_deref() == Some(SOURCE);
        match (own, line("answer"), line("url")) {
            (true, Some(answer), None) => {
                let cure = "write below it where the operator's service is: `url: https://host/path`";
                self.complain(answer, format!("'{}' is answered by http and has no 'url'", spec.name), cure);
            }
            (false, _, Some(url)) => {
                let cure = "write `answer: http` beside it, or remove it";
                self.complain(url, "'url' is of no use here", cure);
            }
            _ => {}
        }
        if let Some(sample) = line("sample").filter(|_| !own) {
            self.complain(sample, "'sample' is of no use here", "write `answer: http`, or remove it");
        }
        if let Some(url) = &spec.url {
            self.check_names(spec, url);
        }
    }

    fn check_names(&mut self, spec: &IntentSpec, url: &UrlTemplate) {
        let line = url.place.1;
        for name in url.names().filter(|name| !ALWAYS.contains(name)) {
            match spec.slots.iter().find(|slot| slot.name == name) {
                None => {
                    let slots = spec.slots.iter().map(|slot| slot.name.as_str());
                    let known: Vec<&str> = ALWAYS.into_iter().chain(slots).collect();
                    let what = format!("'url' holds {{{name}}}, which is no slot of '{}'", spec.name);
                    self.complain(line, what, format!("use one of: {}", known.join(", ")));
                }
                Some(slot) if PERSONAL.contains(&slot.entity.as_str()) => {
                    let what = format!("'url' holds {{{name}}}, which points to one customer");
                    self.complain(line, what, "leave it out: the body that is posted holds it");
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{IntentPack, PackError};
    use serde_json::json;

    /// `keys` of one intent, from line 5 of the file on.
    fn load(keys: &str) -> Result<IntentPack, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let intents = folder.path().join("intents");
        std::fs::create_dir(&intents).unwrap();
        let keys: String = keys.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!(
            "domain: s\nintents:\n  own:\n    about: x\n{keys}    examples:\n      fr: |\n        - a\n"
        );
        std::fs::write(intents.join("s.yaml"), text).unwrap();
        IntentPack::load(&intents).map_err(|errors| errors.iter().map(PackError::to_string).collect())
    }

    #[test]
    fn an_intent_names_where_it_is_answered_and_how() {
        let pack = load(
            "answer: http\nurl: https://ops.example.com/{intent}?train={train}&lang={lang}\n\
             slots:\n  train: { entity: train, ask: true }\n\
             sample:\n  found: { price: 12, half: 0.5, open: true, rows: [a, null] }\n  nothing: {}\n",
        )
        .unwrap();
        let spec = &pack.specs[0];
        let url = spec.url.as_ref().unwrap();
        assert_eq!(url.place, ("intents/s.yaml".to_owned(), 6));
        assert_eq!(
            url.fill(str::to_uppercase).unwrap().as_str(),
            "https://ops.example.com/INTENT?train=TRAIN&lang=LANG"
        );
        let found = json!({ "price": 12, "half": 0.5, "open": true, "rows": ["a", null] });
        assert_eq!(spec.sample.found, Some(found));
        assert_eq!(spec.sample.nothing, Some(json!({})));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let table = [
            (
                "answer: http",
                "intents/s.yaml:5: 's.own' is answered by http and has no 'url'. Cure: write below it",
            ),
            (
                "url: https://a.example/",
                "intents/s.yaml:5: 'url' is of no use here. Cure: write `answer: http`",
            ),
            (
                "answer: timetable.departures\nsample: { found: {} }",
                "intents/s.yaml:6: 'sample' is of no use here",
            ),
            ("answer: http\nurl: https://{lang}.example/", "intents/s.yaml:6: a value would choose the host"),
            (
                "answer: http\nurl: https://a.example/{to}\nslots:\n  train: { entity: train }",
                "intents/s.yaml:6: 'url' holds {to}, which is no slot of 's.own'. Cure: use one of: intent, lang, train",
            ),
            (
                "answer: http\nurl: https://a.example/{phone}\nslots:\n  phone: { entity: phone }",
                "intents/s.yaml:6: 'url' holds {phone}, which points to one customer",
            ),
            (
                "answer: http\nurl: https://a.example/\nsample:\n  text: {}",
                "intents/s.yaml:8: unknown key 'text'. Cure: use one of: found, nothing",
            ),
            (
                "answer: http\nurl: https://a.example/\nsample:\n  found: twelve",
                "intents/s.yaml:8: 'found' needs keys below it",
            ),
        ];
        for (keys, expected) in table {
            let errors = load(keys).unwrap_err();
            assert!(errors.len() == 1 && errors[0].starts_with(expected), "{keys}\n{errors:#?}");
        }
    }
}
