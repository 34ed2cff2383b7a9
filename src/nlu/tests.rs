use super::encoder::Encoder;
use super::evaluate::{TestCase, as_pack};
use super::*;
use crate::model::{OUT_OF_SCOPE, StationRef};

/// Says which of a few words a text holds; refuses when told to.
struct Words {
    broken: AtomicBool,
}

impl Encoder for Words {
    fn id(&self) -> &str {
        "words"
    }

    fn dimensions(&self) -> usize {
        4
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(EncoderError::Stopped);
        }
        let has = |text: &str, words: &[&str]| f32::from(words.iter().any(|word| text.contains(word)));
        let vector = |text: &&str| {
            vec![
                has(text, &["train", "rail"]),
                has(text, &["sac", "bag", "valise"]),
                has(text, &["joke"]),
                0.1,
            ]
        };
        Ok(texts.iter().map(vector).collect())
    }
}

fn pack() -> IntentPack {
    let lines = [
        ("prochain train pour Rennes", "fr", "s.next"),
        ("quand part le train", "fr", "s.next"),
        ("when is the next train", "en", "s.next"),
        ("perdu mon sac", "fr", "s.lost"),
        ("sac oublié à bord", "fr", "s.lost"),
        ("i lost my bag", "en", "s.lost"),
        ("tell me a joke", "en", "out_of_scope"),
        ("another joke please", "en", "out_of_scope"),
    ];
    let case = |(text, lang, intent)| -> TestCase {
        serde_json::from_value(serde_json::json!({"text": text, "lang": lang, "intent": intent})).unwrap()
    };
    IntentPack { hash: "test".into(), ..as_pack(&lines.map(case), "test") }
}

fn nlu(encoder: Option<Arc<Words>>) -> Nlu {
    let station = StationRef { id: "1".into(), name: "Rennes".into() };
    let gazetteer = Gazetteer::new(vec![station], &[], &[]);
    let embedder = encoder.map(|encoder| Embedder { encoder, cache: None });
    Nlu::train(pack(), gazetteer, Means { embedder, ..Means::default() })
}

#[test]
fn a_keyword_counts_as_a_whole_message_only() {
    let mut pack = pack();
    pack.specs.iter_mut().filter(|s| s.name == "s.lost").for_each(|s| s.keywords = vec!["conseiller".into()]);
    let nlu = Nlu::train(pack, Gazetteer::new(Vec::new(), &[], &[]), Means::default());
    let best = |text: &str| nlu.understand(text, &Context::default()).intents.remove(0);
    for text in ["CONSEILLER", " Conseiller !", "conseillér"] {
        assert_eq!((best(text).intent.as_str(), best(text).confidence), ("s.lost", 1.0), "{text}");
    }
    assert!(best("le conseiller du train pour Rennes").confidence < 1.0);
}

#[test]
fn understands_with_ngrams_alone() {
    let got = nlu(None).understand("le prochain train part quand pour Rennes", &Context::default());
    assert_eq!(got.best().unwrap().intent, "s.next");
    assert_eq!(got.model, "ngram");
    assert_eq!(got.lang, Lang::FR);
    assert_eq!(got.entities[0].role, "to");
    assert!(got.intents.iter().any(|score| score.intent == OUT_OF_SCOPE));
}

#[test]
fn the_same_pack_gives_the_same_answers() {
    let ask = || nlu(None).understand("où est mon sac", &Context::default());
    assert_eq!(ask(), ask());
}

#[test]
fn the_encoder_takes_over_when_ready_and_ngrams_when_it_fails() {
    let encoder = Arc::new(Words { broken: AtomicBool::new(false) });
    let nlu = nlu(Some(encoder.clone()));
    assert_eq!(nlu.model_name(), "ngram");
    let told = Mutex::new(Vec::new());
    nlu.complete(&|done, of| told.lock().unwrap().push((done, of))).unwrap();
    assert_eq!(told.lock().unwrap().last(), Some(&(8, 8)));
    let got = nlu.understand("valise", &Context::default());
    assert_eq!((got.best().unwrap().intent.as_str(), got.model.as_str()), ("s.lost", "encoder"));
    encoder.broken.store(true, Ordering::Relaxed);
    assert_eq!(nlu.understand("mon sac", &Context::default()).model, "ngram");
    assert!(nlu.degraded());
    encoder.broken.store(false, Ordering::Relaxed);
    assert_eq!(nlu.understand("mon sac", &Context::default()).model, "encoder");
    assert!(!nlu.degraded());
}

#[test]
fn a_broken_folder_leaves_the_model_in_service() {
    let nlu = nlu(None);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.yaml"), "domain: x\n").unwrap();
    assert!(nlu.reload(folder.path(), Gazetteer::default(), &|_, _| {}).is_err());
    assert_eq!(nlu.pack().hash, "test");
    let good = "domain: x\nintents:\n  hello:\n    about: a\n    examples:\n      fr: |\n        - bonjour\n";
    std::fs::write(folder.path().join("x.yaml"), good).unwrap();
    nlu.reload(folder.path(), Gazetteer::default(), &|_, _| {}).unwrap();
    let got = nlu.understand("bonjour", &Context::default());
    assert!(got.intents.iter().any(|score| score.intent == "x.hello"));
}

#[test]
fn a_short_message_keeps_the_language_of_the_conversation() {
    for (text, before, lang) in [("Rennes", Lang::EN, Lang::EN), ("ok", Lang::FR, Lang::FR)] {
        let context = Context { conversation_lang: Some(before), ..Context::default() };
        assert_eq!(nlu(None).understand(text, &context).lang, lang, "{text}");
    }
}

#[test]
fn an_encoder_that_was_away_while_training_is_learned_from_when_it_is_back() {
    let encoder = Arc::new(Words { broken: AtomicBool::new(false) });
    let nlu = nlu(Some(encoder.clone()));
    nlu.complete(&|_, _| {}).unwrap();
    assert!(!nlu.settle(), "nothing to do");
    let folder = tempfile::tempdir().unwrap();
    let file = "domain: s\nintents:\n  next:\n    about: a\n    examples:\n      fr: |\n        - un train\n        - le rail\n  \
                lost:\n    about: b\n    examples:\n      fr: |\n        - un sac\n        - ma valise\n";
    std::fs::write(folder.path().join("s.yaml"), file).unwrap();
    encoder.broken.store(true, Ordering::Relaxed);
    nlu.reload(folder.path(), Gazetteer::default(), &|_, _| {}).unwrap();
    assert_eq!((nlu.model_name(), nlu.degraded()), ("ngram", true));
    encoder.broken.store(false, Ordering::Relaxed);
    assert!(nlu.settle());
    assert_eq!(nlu.model_name(), "encoder");
}

#[test]
fn a_few_words_lean_on_the_conversation_and_hide_no_other_intent() {
    let nlu = nlu(None);
    let confidence = |previous: Option<&str>, text: &str, intent: &str| {
        let context = Context { previous: previous.map(str::to_owned), ..Context::default() };
        let got = nlu.understand(text, &context);
        got.intents.iter().find(|score| score.intent == intent).map_or(0.0, |score| score.confidence)
    };
    assert!(confidence(Some("s.next"), "et demain", "s.next") > confidence(None, "et demain", "s.next"));
    let lost = confidence(None, "mon sac", "s.lost");
    assert!((confidence(Some("s.next"), "mon sac", "s.lost") - lost).abs() < 1e-6);
}

#[test]
fn explains_with_the_nearest_examples_and_the_words_that_decide() {
    let why = nlu(None).explain("où est mon sac rouge", &Context::default());
    assert_eq!(why.understanding.best().unwrap().intent, "s.lost");
    assert_eq!(why.nearest[0].intent, "s.lost");
    assert_eq!(why.words[0].word, "sac");
}
