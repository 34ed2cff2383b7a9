//! What the words before one station say of it.

use super::lists::{
    ARRIVING, AT, BEING, BEING_DUE, BOARDING, BOUND, CHANGING, EVENTS, FROM, GOING, LEAVING, NOT, OVER,
    PLACES, SEEING, SKIPPED, STOPPING, TO, TRAINS, VIA,
};
use crate::nlu::entities::Mention;
use crate::nlu::normalise::{Normalised, Sep};

/// How many words before a station are looked at.
const REACH: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    From,
    To,
    Via,
    At,
    /// "je suis à", "I'm in": where one is.
    Here,
    /// "arriving in", "coming into": an end of the way, unless the message goes on from there.
    Arrive,
    /// As `At`, but a place that is asked about rather than where one is: it does not become where one leaves.
    Stop,
    /// French "à" where only the rest of the message tells.
    Towards,
    /// French "de" behind a word of leaving, or behind nothing that it could belong to.
    Of,
    /// "le train de Rennes": where that train is from, or bound for when one leaves from elsewhere.
    OfTrain,
    /// "la borne de Triel": "de" that links a noun to a name.
    OfPlace,
    /// "entre A et B".
    Between,
    /// "et", "and", "ou": as the station before.
    And,
    /// "billet Rouen": where to, unless another station follows.
    Bound,
    /// "puis", "then", or "to" directly behind a station: the next step of a way.
    Step,
}

/// The words of the same clause before a station, nearest first, back to the station before.
struct Behind<'t> {
    text: &'t Normalised,
    floor: usize,
    start: usize,
}

impl<'t> Behind<'t> {
    fn new(text: &'t Normalised, stations: &[Mention], which: usize) -> Self {
        let floor = which.checked_sub(1).map_or(0, |before| stations[before].tokens.end);
        Self { text, floor, start: stations[which].tokens.start }
    }

    /// The `back`-th word before the station: 1 is the nearest; empty beyond the clause.
    fn word(&self, back: usize) -> &'t str {
        let Some(at) = self.start.checked_sub(back).filter(|&at| at >= self.floor) else { return "" };
        let ended = (at + 1..=self.start)
            .any(|next| self.text.tokens.get(next).is_none_or(|token| token.before == Sep::Stop));
        if ended { "" } else { self.text.word(at) }
    }

    fn any(&self, from: usize, list: &[&str]) -> bool {
        (from..=REACH).any(|back| list.contains(&self.word(back)))
    }
}

pub(super) fn cue(text: &Normalised, stations: &[Mention], which: usize) -> Option<Cue> {
    let mention = stations.get(which)?;
    let start = mention.tokens.start;
    let behind = Behind::new(text, stations, which);
    if text.tokens.get(start).is_some_and(|token| token.before == Sep::Arrow) {
        return Some(if which > 0 { Cue::Step } else { Cue::To });
    }
    let mut back = 1;
    let mut place = false;
    while back <= REACH {
        let word = behind.word(back);
        let further = behind.word(back + 1);
        match word {
            "gare" | "gares" | "station" | "stations" => place = true,
            "de" | "d" | "du" | "of" if matches!(further, "gare" | "gares" | "station") => {}
            _ if SKIPPED.contains(&word) && (word != "d" || further.is_empty()) => {}
            _ => break,
        }
        back += 1;
    }
    let alone = which > 0
        && (back + 1..=REACH).all(|more| {
            let word = behind.word(more);
            word.is_empty()
                || matches!(word, "up" | "down" | "back" | "over" | "on" | "again" | "all" | "way")
        });
    let found = lead(&behind, back, place, alone, is_french(text));
    let after = after(text, mention);
    match (found, after) {
        // "off the Brest train", "on the Malesherbes run"
        (_, Some(Cue::To)) if matches!(behind.word(back), "off" | "from") => Some(Cue::From),
        (None | Some(Cue::At), Some(Cue::To)) => after,
        _ => found.or_else(|| place.then_some(Cue::At)).or(after),
    }
}

/// "Marseille station", "the Avignon train".
fn after(text: &Normalised, mention: &Mention) -> Option<Cue> {
    let end = mention.tokens.end;
    if text.tokens.get(end).is_none_or(|token| token.before >= Sep::Comma) {
        return None;
    }
    match text.word(end) {
        "station" | "stn" | "airport" | "platform" => Some(Cue::At),
        word if BOUND.contains(&word) => Some(Cue::To),
        // "bourg st maurice ski train"
        _ if text.word(end + 1) == "train" && text.tokens[end + 1].before == Sep::Space => Some(Cue::To),
        _ => None,
    }
}

/// What the word `back` words before the station says. `alone`: nothing but it stands between two stations.
fn lead(behind: &Behind, back: usize, place: bool, alone: bool, french: bool) -> Option<Cue> {
    let word = behind.word(back);
    let before = behind.word(back + 1);
    match word {
        "" => None,
        "to" | "too" | "2" | ">" if alone && (word != "2" || !french) => Some(Cue::Step),
        "puis" | "then" => Some(Cue::Step),
        "et" | "and" | "adn" | "nad" | "ou" | "or" | "n" | "e" if alone => Some(Cue::And),
        "et" | "and" => None,
        "2" if !french => (!before.is_empty() || behind.start == 1).then_some(Cue::To),
        "de" | "d" | "du" | "of" | "des" | "2" => Some(of(behind, back)),
        "entre" | "between" | "btw" | "ent" | "entr" | "betwen" => Some(Cue::Between),
        "to" if matches!(before, "close" | "next" | "near" | "nearest") => Some(Cue::Stop),
        "through" | "thru" | "par" | "by" if behind.any(back + 1, &["goes", "serve", "stop"]) => {
            Some(Cue::Via)
        }
        "by" if alone => Some(Cue::Via),
        "a" | "au" | "aux" | "ai" | "o" | "at" | "in" | "en" | "sur" | "@" => Some(at(behind, back, place)),
        _ if FROM.contains(&word) => Some(Cue::From),
        _ if VIA.contains(&word) => Some(Cue::Via),
        "for" | "pour" | "to" if matches!(before, "board" | "boards" | "screen" | "panneau" | "ecran") => {
            Some(Cue::Stop)
        }
        "vers" | "ver" | "towards" if BEING.contains(&before) || before == "est" => Some(Cue::At),
        "into" | "arrivee" => Some(Cue::Arrive),
        _ if TO.contains(&word) => Some(Cue::To),
        _ if STOPPING.contains(&word) => Some(Cue::Stop),
        _ if AT.contains(&word) => Some(Cue::At),
        // "billet Rouen", "next train Orly".
        _ if BOUND.contains(&word) && !alone && !place => Some(Cue::Bound),
        _ => None,
    }
}

/// "de", "du", "2", "of".
fn of(behind: &Behind, back: usize) -> Cue {
    let before = behind.word(back + 1);
    let further = behind.word(back + 2);
    match before {
        "destination" | "direction" | "dir" => Cue::To,
        "gare" | "gares" | "station" => Cue::At,
        "out" => Cue::From,
        _ if TRAINS.contains(&before) => Cue::OfTrain,
        "instead" | "way" => Cue::Via,
        "cause" => Cue::Stop,
        _ if PLACES.contains(&before) && further != "depart" => Cue::OfPlace,
        _ if before.is_empty() || LEAVING.contains(&before) => Cue::Of,
        _ if before.bytes().any(|b| b.is_ascii_digit()) => Cue::Of,
        _ if behind.any(back + 1, LEAVING) && behind.word(back) != "of" => Cue::Of,
        _ => Cue::OfPlace,
    }
}

/// "à", "at", "in", "en", "sur": where one is, or goes, or changes, by the verb before.
fn at(behind: &Behind, back: usize, place: bool) -> Cue {
    let word = behind.word(back);
    for further in back + 1..=REACH {
        let verb = behind.word(further);
        let next = behind.word(further + 1);
        match verb {
            "" => break,
            "quai" | "voie" | "platform" | "toilettes" | "parking" => return Cue::Stop,
            // "can I stop at Sélestat", "je veux m'arrêter à Lorient"
            "stop" | "arrete" | "arreter" if matches!(next, "i" | "we" | "m" | "nous") => return Cue::Via,
            "jusqu" | "jusque" => return Cue::To,
            "depart" if further == back + 1 => return Cue::From,
            "etre" | "be" if BEING_DUE.contains(&next) => return Cue::To,
            _ if CHANGING.contains(&verb) => return Cue::Via,
            "passe" | "passant" | "passer" => return Cue::Via,
            _ if STOPPING.contains(&verb) => return Cue::Stop,
            _ if BOARDING.contains(&verb) => return Cue::From,
            _ if ARRIVING.contains(&verb) => return Cue::Arrive,
            _ if GOING.contains(&verb) || SEEING.contains(&verb) => return Cue::To,
            _ if EVENTS.contains(&verb) && !is_over(behind) => return Cue::To,
            _ if BEING.contains(&verb) && further <= back + 2 => return Cue::Here,
            _ => {}
        }
    }
    match word {
        "a" | "au" | "aux" | "ai" | "o" if !place => Cue::Towards,
        _ => Cue::At,
    }
}

/// "Ma réunion à Vannes s'est terminée": what is over is left.
fn is_over(behind: &Behind) -> bool {
    (behind.start..behind.start + 8).any(|at| OVER.contains(&behind.text.word(at)))
}

/// "pas Montauban", "not Part Dieu", "ne vais plus à Brest", "instead of Bellegarde".
pub(super) fn negated(text: &Normalised, stations: &[Mention], which: usize) -> bool {
    let behind = Behind::new(text, stations, which);
    let back = (1..=3).find(|&back| {
        let word = behind.word(back);
        !SKIPPED.contains(&word)
            && !matches!(word, "a" | "de" | "of" | "to" | "que" | "going" | "than" | "in" | "at" | "au")
            || NOT.contains(&word)
    });
    let Some(back) = back else { return false };
    let (word, before) = (behind.word(back), behind.word(back + 1));
    match word {
        "longer" => before == "no",
        "plus" => behind.any(back + 1, &["ne", "n"]) || behind.word(back - 1) == "a",
        "lieu" => before == "au",
        // "n'est-ce pas à Rennes que": only a bare "pas", or one that "mais" takes up, rules out.
        "pas" => {
            back <= 2
                && (back == 1 || behind.word(back - 1) == "a" || SKIPPED.contains(&behind.word(back - 1)))
                && !behind.any(back + 1, &["ne", "n"])
        }
        "instead" | "rather" => back > 1,
        _ => NOT.contains(&word) && word != "plutot",
    }
}

/// Whether "2" is "de": by the little words around.
fn is_french(text: &Normalised) -> bool {
    const FRENCH: &[&str] = &[
        "le", "la", "les", "l", "de", "du", "d", "pr", "pour", "je", "j", "est", "c", "un", "une", "et", "a",
        "kel", "koi", "dpui", "mon", "svp", "slt", "bjr", "ki", "jsui", "tr1", "ya", "il", "on", "ke",
        "vers", "jai", "trin", "2m1", "pas", "proch1",
    ];
    const ENGLISH: &[&str] = &[
        "the", "da", "to", "is", "my", "me", "and", "i", "u", "plz", "pls", "from", "frm", "for", "4",
        "train", "trn", "nxt", "wen", "hw", "how", "what", "when", "at", "in", "of", "r", "do", "can",
        "need", "it", "on", "are", "wot", "wots", "lol", "tkt",
    ];
    let count = |list: &[&str]| (0..text.tokens.len()).filter(|&at| list.contains(&text.word(at))).count();
    count(FRENCH) > count(ENGLISH)
}
