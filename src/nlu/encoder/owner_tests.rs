use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::*;

/// Gives each text the direction of its length, and notes the batches it was handed. Special words make it misbehave.
#[derive(Default)]
struct Fake {
    batches: Option<Sender<Vec<String>>>,
    /// Waited for before each batch but the first, which is the trial at loading.
    gate: Option<Receiver<()>>,
    tried: AtomicBool,
}

impl Model for Fake {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        if let Some(gate) = &self.gate
            && self.tried.swap(true, Ordering::SeqCst)
        {
            gate.recv_timeout(Duration::from_secs(10))
                .map_err(|error| error.to_string())?;
        }
        if let Some(batches) = &self.batches {
            batches
                .send(texts.iter().map(|text| (*text).to_owned()).collect())
                .map_err(|error| error.to_string())?;
        }
        if texts.contains(&"panic") {
            panic!("the model tripped over {}", texts.len());
        }
        if texts.contains(&"refuse") {
            return Err("no such text".to_owned());
        }
        Ok(texts
            .iter()
            .map(|text| {
                if *text == "nowhere" {
                    vec![0.0; 2]
                } else {
                    vector(text)
                }
            })
            .collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let angle = text.chars().count() as f32 / 1000.0;
    vec![angle.cos(), angle.sin()]
}

fn start(fake: Fake) -> Owner {
    let starting = Owner::start("model".into(), move || Ok(fake)).expect("starts");
    let (owner, dimensions) = starting.finish().expect("loads");
    assert_eq!(dimensions, 2);
    owner
}

fn close(left: &[f32], right: &[f32]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn vectors_come_in_the_order_of_the_texts_whatever_their_length() {
    let owner = start(Fake::default());
    let texts: Vec<String> = (0..100).map(|i| "x".repeat((i * 37) % 90 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = owner.encode(&texts).expect("encodes");
    assert!(
        texts
            .iter()
            .zip(&vectors)
            .all(|(text, found)| close(found, &vector(text)))
    );
    assert_eq!(owner.encode(&[]).expect("nothing to do"), Vec::<Vec<f32>>::new());
    assert_eq!(owner.encode(&[""]).expect("an empty text is a text").len(), 1);
}

#[test]
fn batches_keep_to_their_bounds_and_hold_texts_of_like_length() {
    let (batches, seen) = channel();
    let owner = start(Fake {
        batches: Some(batches),
        ..Fake::default()
    });
    let texts: Vec<String> = (0..200).map(|i| "x".repeat(1 + (i * 13) % MAX)).collect();
    const MAX: usize = 700;
    owner
        .encode(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        .expect("encodes");
    drop(owner);
    let batches: Vec<Vec<String>> = seen.iter().skip(1).collect();
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 200);
    for batch in batches {
        let longest = batch.iter().map(String::len).max().expect("not empty");
        assert!(longest <= super::super::MAX_TEXT_CHARS, "truncated");
        assert!(batch.len() == 1 || batch.len() * longest <= BATCH_CHARS && batch.len() <= BATCH_TEXTS);
    }
}

#[test]
fn waiting_messages_share_a_batch_and_overtake_an_import() {
    let (batches, seen) = channel();
    let (open, gate) = channel();
    let owner = start(Fake {
        batches: Some(batches),
        gate: Some(gate),
        ..Fake::default()
    });
    let import: Vec<String> = (0..64).map(|i| format!("import {i:02}")).collect();
    std::thread::scope(|scope| {
        let import = scope.spawn(|| {
            owner
                .encode(&import.iter().map(String::as_str).collect::<Vec<_>>())
                .map(|v| v.len())
        });
        let messages: Vec<_> = ["un", "deux", "trois"]
            .map(|text| {
                let owner = &owner;
                scope.spawn(move || {
                    owner
                        .encode(&[text])
                        .map(|vectors| close(&vectors[0], &vector(text)))
                })
            })
            .into();
        // All four wait in the channel or at the gate before the model is let on.
        std::thread::sleep(Duration::from_millis(200));
        for _ in 0..20 {
            open.send(()).expect("the model waits");
        }
        assert_eq!(import.join().expect("no panic").expect("encodes"), 64);
        assert!(
            messages
                .into_iter()
                .all(|message| message.join().expect("no panic").expect("encodes"))
        );
    });
    drop(owner);
    let batches: Vec<Vec<String>> = seen.iter().skip(1).collect();
    let last_message = batches
        .iter()
        .rposition(|batch| batch.iter().any(|text| !text.starts_with("import")));
    // The first batch may be whatever came first; from then on messages go in turns with the import.
    assert!(last_message.expect("messages went through") <= 3, "{batches:?}");
    assert!(
        batches
            .iter()
            .any(|batch| batch.len() >= 2 && !batch[0].starts_with("import")),
        "{batches:?}"
    );
}

#[test]
fn a_bad_text_fails_its_own_request_only_and_the_thread_goes_on() {
    let (open, gate) = channel();
    let owner = start(Fake {
        gate: Some(gate),
        ..Fake::default()
    });
    std::thread::scope(|scope| {
        let asked = ["bien", "panic", "refuse", "nowhere", "bon"].map(|text| {
            let owner = &owner;
            (text, scope.spawn(move || owner.encode(&[text])))
        });
        std::thread::sleep(Duration::from_millis(200));
        drop((0..40).try_for_each(|_| open.send(())));
        for (text, answer) in asked {
            match (text, answer.join().expect("no panic here")) {
                ("bien" | "bon", Ok(vectors)) => assert!(close(&vectors[0], &vector(text))),
                ("panic", Err(EncoderError::Refused(reason))) => {
                    assert_eq!(reason, "the model tripped over 1")
                }
                ("refuse", Err(EncoderError::Refused(reason))) => assert_eq!(reason, "no such text"),
                ("nowhere", Err(EncoderError::Refused(reason))) => {
                    assert!(reason.contains("without direction"))
                }
                (text, other) => panic!("{text}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_failed_or_panicking_load_is_an_error_with_the_folder() {
    let failing = || {
        Err::<Fake, _>(EncoderError::Load {
            folder: "here".into(),
            reason: "too big".into(),
        })
    };
    let error = Owner::start("here".into(), failing)
        .expect("starts")
        .finish()
        .err()
        .expect("fails");
    assert_eq!(error.to_string(), "the encoder in here cannot be loaded: too big");

    let panicking = || -> Result<Fake, EncoderError> { panic!("bad configuration") };
    let error = Owner::start("here".into(), panicking)
        .expect("starts")
        .finish()
        .err()
        .expect("fails");
    assert_eq!(
        error.to_string(),
        "the encoder in here cannot be loaded: bad configuration"
    );
}

#[test]
fn many_callers_at_once_each_get_their_own_vectors() {
    let owner = Arc::new(start(Fake::default()));
    let together = Arc::new(Barrier::new(8));
    let right = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (owner, together, right) = (Arc::clone(&owner), Arc::clone(&together), Arc::clone(&right));
            std::thread::spawn(move || {
                together.wait();
                for round in 0..200 {
                    let text = "y".repeat(1 + (caller * 200 + round) % 300);
                    let vectors = owner.encode(&[&text]).expect("encodes");
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
