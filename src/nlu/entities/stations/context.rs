//! What the words around a name say: that a station is meant, or that none is.

use super::lists::{FIRST_NAMES, GOODS, KIN, NAMING, NOT_BEFORE_NAMES, TITLES, TRAVEL, VESSELS};
use super::scan::Scan;
use crate::nlu::normalise::Sep;
use std::ops::Range;

/// Words that hardly stand before anything but a place.
const LEADS: &[&str] = &[
    "from",
    "frm",
    "vers",
    "ver",
    "direction",
    "dir",
    "via",
    "depuis",
    "dpuis",
    "depui",
    "dps",
    "dep",
    "destination",
    "jusqu",
    "jusque",
    "jusqua",
    "terminus",
    "towards",
    "toward",
    "leaving",
    "departing",
];
/// Words that may.
const MAY_LEAD: &[&str] = &[
    "to",
    "2",
    "pour",
    "pr",
    "por",
    "a",
    "de",
    "d",
    "for",
    "in",
    "at",
    "entre",
    "ent",
    "between",
    "et",
    "and",
    "par",
    "sur",
    "through",
    "of",
    "en",
    "dans",
    "ds",
    "near",
    "avant",
    "apres",
    "before",
    "after",
    "ou",
    "or",
    "au",
    "du",
    "outside",
    "reach",
    "rejoindre",
    "out",
    "dessert",
    "passe",
    "puis",
    "then",
    "form",
    "too",
    "by",
    "near",
    "past",
    "since",
    "nr",
    "tae",
];

/// "is there a monaco", "I have a nice": the English article, not the French preposition.
const ENGLISH_BEFORE_A: &[&str] = &[
    "there", "is", "have", "had", "get", "got", "want", "like", "such", "what", "with", "was", "need", "in",
];

fn tied(sep: Sep) -> bool {
    matches!(sep, Sep::Arrow | Sep::Hyphen | Sep::Dash | Sep::Slash)
}

impl Scan<'_, '_> {
    /// "paris est-ce que": the verb is no part of Paris Est.
    fn ends_in_verb(&self, range: &Range<usize>) -> bool {
        let next = self.text.tokens.get(range.end);
        self.text.word(range.end - 1) == "est"
            && next.is_some_and(|next| next.before == Sep::Hyphen)
            && matches!(self.text.word(range.end), "ce" | "il" | "elle" | "on")
    }

    /// A person, a drink or a word of the language rather than a station.
    pub fn names_something_else(&self, range: &Range<usize>) -> bool {
        let before = |back: usize| range.start.checked_sub(back).map_or("", |at| self.text.word(at));
        let tokens = &self.text.tokens;
        let starts = |at: usize| tokens.get(at).is_none_or(|token| token.before == Sep::Stop);
        if self.ends_in_verb(range) || self.is_title_or_first_name(range) {
            return true;
        }
        if GOODS.contains(&self.text.word(range.end)) && !starts(range.end) {
            return true;
        }
        if starts(range.start) && !TITLES.contains(&before(1)) {
            return self.first_name_after(range);
        }
        let capital = tokens.get(range.start).is_some_and(|token| token.capital);
        // "a" is French "à" too: only English takes it before a name and means one of a kind.
        let shy = |word: &str| {
            NOT_BEFORE_NAMES.contains(&word) && word != "a" && !capital && !self.pair_follows(range.end)
        };
        let linked = matches!(before(1), "de" | "d" | "of" | "in" | "a");
        let single = range.len() == 1;
        (single && shy(before(1)))
            || (TITLES.contains(&before(1)) && (capital || before(1).len() > 2) && before(1) != "pr")
            || (capital && single && KIN.contains(&before(1)))
            || NAMING.contains(&before(1))
            || (linked && (NAMING.contains(&before(2)) || VESSELS.contains(&before(2))))
            || (before(1) == "a" && !capital && ENGLISH_BEFORE_A.contains(&before(2)))
            || self.first_name_before(range)
            || self.first_name_after(range)
    }

    /// "Florence Angers": two capitals side by side, the first a first name that no preposition leads to.
    fn first_name_before(&self, range: &Range<usize>) -> bool {
        let Some(first) = range.start.checked_sub(1) else { return false };
        let tokens = &self.text.tokens;
        tokens[range.start].capital
            && tokens[range.start].before == Sep::Space
            && tokens[first].capital
            && FIRST_NAMES.contains(&self.text.word(first))
            && !first.checked_sub(1).is_some_and(|at| LEADS.contains(&self.text.word(at)))
    }

    /// "Mrs Laval", "can Albert Nantes be added".
    fn is_title_or_first_name(&self, range: &Range<usize>) -> bool {
        let tokens = &self.text.tokens;
        let word = self.text.word(range.start);
        let capitals = tokens[range.start].capital
            && tokens.get(range.end).is_some_and(|next| next.capital && next.before == Sep::Space);
        let name = FIRST_NAMES.contains(&word) && tokens[range.start].before != Sep::Stop;
        range.len() == 1 && capitals && (TITLES.contains(&word) || name)
    }

    /// "Lison Bernard", "Vitré Jean".
    fn first_name_after(&self, range: &Range<usize>) -> bool {
        let tokens = &self.text.tokens;
        range.len() == 1
            && tokens[range.start].capital
            && tokens.get(range.end).is_some_and(|next| next.capital && next.before == Sep::Space)
            && FIRST_NAMES.contains(&self.text.word(range.end))
            && !self.names_station(range.end)
    }

    fn names_station(&self, at: usize) -> bool {
        self.is_sure_station(at)
    }

    /// Another station directly behind: "un Rennes-Brest".
    fn pair_follows(&self, at: usize) -> bool {
        let next = self.text.tokens.get(at).map(|token| token.before);
        next.is_some_and(|sep| (tied(sep) || sep == Sep::Space) && self.is_sure_station(at))
    }

    /// 0: nothing speaks of a station here; 1: something does; 2: it can hardly be anything else.
    pub fn context(&self, range: Range<usize>, beside: bool) -> u8 {
        let tokens = &self.text.tokens;
        let token = &tokens[range.start];
        if (beside && token.before != Sep::Stop)
            || self.pair_follows(range.end)
            || self.way_follows(range.end)
        {
            return 2;
        }
        let shouted = tokens.iter().all(|t| t.capital);
        let capital = token.capital && token.before != Sep::Stop && !shouted;
        let (lead, place) = self.lead(range.start);
        if place || matches!(self.text.word(range.end), "station" | "stn" | "platform" | "airport") {
            return 2;
        }
        let Some(at) = lead else {
            // "Orange c'est bien sur la ligne Avignon - Valence ?"
            if token.capital && !shouted && self.is_subject(range.end) && self.another_station(&range) {
                return 2;
            }
            return u8::from(token.capital && !shouted || tokens.len() <= range.len() + 1);
        };
        let word = self.text.word(at);
        let further = at.checked_sub(1).map_or("", |b| self.text.word(b));
        if LEADS.contains(&word) {
            return 2;
        }
        if MAY_LEAD.contains(&word) {
            let travels = TRAVEL.contains(&further);
            let sure = travels || (capital && !matches!(word, "for" | "pour" | "of" | "and" | "et"));
            return 1 + u8::from(sure || self.another_station(&range));
        }
        u8::from(capital || TRAVEL.contains(&word))
    }

    /// The word before the articles and "gare de" that stand before a name, and whether "gare" was among them.
    fn lead(&self, start: usize) -> (Option<usize>, bool) {
        let mut before = start;
        let mut place = false;
        while let Some(at) = before.checked_sub(1) {
            if self.text.tokens[before].before == Sep::Stop {
                return (None, place);
            }
            match self.text.word(at) {
                "gare" | "gares" | "station" => place = true,
                "la" | "le" | "l" | "the" => {}
                "de" | "d" | "of"
                    if at > 0 && matches!(self.text.word(at - 1), "gare" | "gares" | "station") => {}
                _ => return (Some(at), place),
            }
            before = at;
        }
        (None, place)
    }

    /// "Gap to Grenoble", "orange > avignon": a way to a station begins behind the name.
    fn way_follows(&self, at: usize) -> bool {
        let leads = matches!(
            self.text.word(at),
            "to" | "vers" | "jusqu" | "2" | "via" | "towards" | "ver" | "vr" | "pr" | "pour" | "too"
        );
        let next = at + 1 + usize::from(matches!(self.text.word(at + 1), "a" | "au"));
        leads && self.is_sure_station(next)
    }

    /// A verb that has the name for its subject follows.
    fn is_subject(&self, at: usize) -> bool {
        matches!(self.text.word(at), "c" | "est" | "is" | "has" | "a")
    }

    /// A station named elsewhere in the message.
    fn another_station(&self, range: &Range<usize>) -> bool {
        self.sure.iter().any(|at| !range.contains(at))
    }

    pub fn is_sure_station(&self, at: usize) -> bool {
        self.sure.binary_search(&at).is_ok()
    }
}
