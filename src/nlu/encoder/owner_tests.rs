use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use super::*;

/// In these tests, requests of so few texts are ones that somebody waits for.
const LIVE_TEXTS: usize = 4;

/// Gives each text the direction of its length, and notes the batches. Special words make it misbehave.
#[derive(Default)]
struct Fake {
    batches: RefCell<Vec<Vec<String>>>,
}

impl Model for Fake {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let batch = texts.iter().map(|text| (*text).to_owned()).collect();
        self.batches.borrow_mut().push(batch);
        if texts.contains(&"panic") {
            panic!("the model tripped over {}", texts.len());
        }
        if texts.contains(&"refuse") {
            return Err("no such text".to_owned());
        }
        let give = |text: &&str| {
            if *text == "nowhere" { vec![0.0; 2] } else { vector(text) }
        };
        Ok(texts.iter().map(give).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let angle = text.chars().count() as f32 / 1000.0;
    vec![angle.cos(), angle.sin()]
}

fn start() -> Owner {
    let starting = Owner::start("model".into(), || Ok(Fake::default())).expect("starts");
    let (owner, dimensions) = starting.finish().expect("loads");
    assert_eq!(dimensions, 2);
    owner
}

fn close(left: &[f32], right: &[f32]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn vectors_come_in_the_order_of_the_texts_whatever_their_length() {
    let owner = start();
    let texts: Vec<String> = (0..100).map(|i| "1".repeat((i * 37) % 90 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = owner.encode(&texts, true).expect("encodes");
    assert!(texts.iter().zip(&vectors).all(|(text, found)| close(found, &vector(text))));
    assert_eq!(owner.encode(&[], true).expect("nothing to do"), Vec::<Vec<f32>>::new());
    assert_eq!(owner.encode(&[""], true).expect("an empty text is a text").len(), 1);
}

type Answer = Result<Vec<Vec<f32>>, EncoderError>;

/// Answers and batches when all these requests wait before the model starts on the first.
fn served(requests: &[Vec<String>]) -> (Vec<Answer>, Vec<Vec<String>>) {
    let (send, waiting) = sync_channel(QUEUE);
    let answers: Vec<_> = requests
        .iter()
        .map(|texts| {
            let (reply, answer) = sync_channel(1);
            let texts = texts.clone();
            send.send(Request { live: texts.len() <= LIVE_TEXTS, texts, reply }).expect("there is room");
            answer
        })
        .collect();
    drop(send);
    let model = Fake::default();
    serve(&model, &waiting);
    let answers = answers.iter().map(|answer| answer.try_recv().expect("answered")).collect();
    (answers, model.batches.into_inner())
}

fn requests(texts: &[&str]) -> Vec<Vec<String>> {
    texts.iter().map(|text| vec![(*text).to_owned()]).collect()
}

#[test]
fn batches_keep_to_their_bounds_and_leave_no_text_out() {
    let import: Vec<String> = (0..200).map(|i| "x".repeat(1 + (i * 13) % 500)).collect();
    let (answers, batches) = served(&[import]);
    assert_eq!(answers[0].as_ref().expect("encodes").len(), 200);
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 200);
    for batch in batches {
        let longest = batch.iter().map(String::len).max().expect("not empty");
        assert!(batch.len() == 1 || batch.len() * longest <= BULK_BATCH && batch.len() <= BATCH_TEXTS);
    }
}

#[test]
fn waiting_messages_share_batches_and_overtake_an_import() {
    let import: Vec<String> = (0..64).map(|i| format!("import {i:02}")).collect();
    let mut waiting = vec![import];
    waiting.extend((0..20).map(|i| vec![format!("message {i:02}")]));
    let (answers, batches) = served(&waiting);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 84);
    assert_eq!((batches[0].len(), batches[1].len()), (BATCH_TEXTS, 20 - BATCH_TEXTS));
    let first = batches[..2].iter().flatten();
    assert!(first.into_iter().all(|text| text.starts_with("message")));
}

#[test]
fn an_import_is_not_starved_by_messages() {
    let long = "x".repeat(400);
    let mut waiting: Vec<Vec<String>> = (0..30).map(|i| vec![format!("{i}{long}")]).collect();
    waiting.push(["a", "b", "c", "d", "e"].map(str::to_owned).into());
    let (_, batches) = served(&waiting);
    assert_eq!(batches.len(), 31);
    let import = batches.iter().position(|batch| batch.len() == 5);
    assert_eq!(import, Some(LIVE_RUN as usize));
}

#[test]
fn a_bad_text_fails_its_own_request_only() {
    let texts = ["bien", "panic", "refuse", "nowhere", "bon"];
    let (answers, _) = served(&requests(&texts));
    for (text, answer) in texts.into_iter().zip(answers) {
        match (text, answer) {
            ("bien" | "bon", Ok(vectors)) => assert!(close(&vectors[0], &vector(text))),
            ("panic", Err(EncoderError::Refused(reason))) => assert_eq!(reason, "the model tripped over 1"),
            ("refuse", Err(EncoderError::Refused(reason))) => assert_eq!(reason, "no such text"),
            ("nowhere", Err(EncoderError::Refused(reason))) => assert!(reason.contains("without direction")),
            (text, other) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn the_thread_outlives_a_panic_of_the_model() {
    let owner = start();
    assert!(matches!(owner.encode(&["panic"], true), Err(EncoderError::Refused(_))));
    let long = "z".repeat(700);
    let vectors = owner.encode(&[&long], true).expect("encodes");
    assert!(close(&vectors[0], &vector(&prepare(&long))));
}

#[test]
fn a_failed_or_panicking_load_is_an_error_with_the_folder() {
    let failing = || Err::<Fake, _>(EncoderError::Load { folder: "here".into(), reason: "too big".into() });
    let error = Owner::start("here".into(), failing).expect("starts").finish().err().expect("fails");
    assert_eq!(error.to_string(), "the encoder in here cannot be loaded: too big");

    let panicking = || -> Result<Fake, EncoderError> { panic!("bad configuration") };
    let error = Owner::start("here".into(), panicking).expect("starts").finish().err().expect("fails");
    assert_eq!(error.to_string(), "the encoder in here cannot be loaded: bad configuration");
}

#[test]
fn many_callers_at_once_each_get_their_own_vectors() {
    let owner = Arc::new(start());
    let together = Arc::new(Barrier::new(8));
    let right = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (owner, together, right) = (Arc::clone(&owner), Arc::clone(&together), Arc::clone(&right));
            std::thread::spawn(move || {
                together.wait();
                for round in 0..200 {
                    let text = "1".repeat(1 + (caller * 200 + round) % 300);
                    let vectors = owner.encode(&[&text], true).expect("encodes");
                    right.fetch_add(usize::from(close(&vectors[0], &vector(&text))), Ordering::SeqCst);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no panic");
    }
    assert_eq!(right.load(Ordering::SeqCst), 1600);
}
