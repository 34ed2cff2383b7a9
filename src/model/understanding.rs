use super::{Timestamp, named_enum};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The result that says "none of our intents". A result, not an error.
pub const OUT_OF_SCOPE: &str = "out_of_scope";

/// A language by its ISO 639-1 code. Which ones exist is decided by the intent and response files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lang([u8; 2]);

impl Lang {
    pub const FR: Lang = Lang(*b"fr");
    pub const EN: Lang = Lang(*b"en");

    /// Two lower-case ASCII letters, or nothing.
    pub fn new(code: &str) -> Option<Self> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Some(Self([*a, *b])),
            _ => None,
        }
    }

    pub fn as_str(&self) -> &str {
        // Two ASCII letters by construction.
        std::str::from_utf8(&self.0).unwrap_or("fr")
    }
}

impl std::fmt::Display for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Lang {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Lang {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Lang::new(&code).ok_or_else(|| {
            serde::de::Error::custom(format!("'{code}' is not a language: write two letters such as fr"))
        })
    }
}

named_enum!(
    /// How a message feels.
    Tone { Positive = "positive", Neutral = "neutral", Negative = "negative" }
);

/// A station of the gazetteer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StationRef {
    /// Id of the station in the timetable (`stop_id` of the parent station), or `alias:<name>` when only the
    /// alias file knows it: recognised, but not served by the loaded timetable.
    pub id: String,
    pub name: String,
}

/// What the surface text stands for, once resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntityValue {
    Station {
        station: StationRef,
    },
    /// Several stations fit equally: kept, and asked about.
    Ambiguous {
        options: Vec<StationRef>,
    },
    /// From `start` to before `end`; a point in time has `start == end`.
    Time {
        start: Timestamp,
        end: Timestamp,
    },
    Train {
        number: String,
    },
    Line {
        name: String,
    },
    /// A booking, by its six letters and figures in capitals.
    Reference {
        code: String,
    },
    /// Figures only, with the `+` that the customer wrote.
    Phone {
        number: String,
    },
    Email {
        address: String,
    },
}

impl EntityValue {
    /// Whether it points to one customer. Such values are neither logged nor counted by content.
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Reference { .. } | Self::Phone { .. } | Self::Email { .. })
    }
}

/// A thing found in the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// `from, to, via, at, when, train, line, ref, phone, email`. A station of which the words only say that the
    /// message is about it is `at`; `station` where another kind of answer was asked for.
    pub role: String,
    /// As written by the customer.
    pub surface: String,
    /// Byte range in the original text.
    pub span: Range<usize>,
    pub value: EntityValue,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentScore {
    /// `domain.name`, or `out_of_scope`.
    pub intent: String,
    /// Calibrated probability, 0 to 1.
    pub confidence: f32,
}

/// One of several questions in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub intent: String,
    /// Calibrated probability, 0 to 1, of this part read alone.
    pub confidence: f32,
    /// Byte range in the original text.
    pub span: Range<usize>,
}

/// What Guichet makes of one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    pub lang: Lang,
    /// Best first, never empty; `out_of_scope` is one of them.
    pub intents: Vec<IntentScore>,
    pub entities: Vec<Entity>,
    /// In their order, where the message asks several things; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    pub tone: Tone,
    /// Which model spoke: `ngram` or `encoder`.
    pub model: String,
}

impl Understanding {
    /// The understanding of each question apart: its intent, and the entities that stand in it or in no question.
    pub fn apart(&self) -> Vec<Understanding> {
        let inside = |entity: &Entity, question: &Question| {
            question.span.start <= entity.span.start && entity.span.end <= question.span.end
        };
        let one = |question: &Question| {
            let first = IntentScore { intent: question.intent.clone(), confidence: question.confidence };
            let rest = self.intents.iter().filter(|score| score.intent != question.intent).cloned();
            let shared =
                |entity: &&Entity| !self.questions.iter().any(|q| q != question && inside(entity, q));
            Understanding {
                intents: std::iter::once(first).chain(rest).collect(),
                entities: self.entities.iter().filter(shared).cloned().collect(),
                questions: Vec::new(),
                ..self.clone()
            }
        };
        self.questions.iter().map(one).collect()
    }

    pub fn best(&self) -> Option<&IntentScore> {
        self.intents.first()
    }
}
