//! From one hour to another: `entre 14h et 16h`, `between 2 and 4pm`, `18h00-19h00`, `de 9h à 11h`.

use super::super::clock_words::{
    Beside, Clock, clock, counts_things, is_boundary, previous, sep, stands_free,
};
use super::numbers::cardinal;
use crate::nlu::normalise::{Normalised, Sep};

/// Both ends and the word after.
pub(super) fn range(text: &Normalised, at: usize, beside: Beside) -> Option<(Clock, Clock, usize)> {
    let between = matches!(text.word(at), "entre" | "between" | "btw" | "btwn");
    let from = matches!(text.word(at), "de" | "from");
    let first_at = at + usize::from(between || from);
    let exact = |at: usize| clock(text, at, beside);
    let (first, after) = match exact(first_at) {
        Some(found) => found,
        None if between || from => bare(text, first_at)?,
        None => return None,
    };
    let second_at = connector(text, after, between)?;
    let bare_first = exact(first_at).is_none();
    let (second, end) = match exact(second_at) {
        Some(found) => found,
        // "between 6 and 8": two bare hours, when nothing is counted by them.
        None if between && (!bare_first || stands_free(text, second_at + 1)) => bare(text, second_at)?,
        None => return None,
    };
    // "the 8:15 to 9 Station Road"
    (is_boundary(text, end) || !counts_things(text.word(end))).then_some(())?;
    let (first, second) = agreed(first, second);
    Some((first, second, end))
}

/// What joins the two ends; the word after.
fn connector(text: &Normalised, at: usize, between: bool) -> Option<usize> {
    let word = text.word(at);
    if between {
        return matches!(word, "et" | "and" | "n" | "e").then_some(at + 1).or_else(|| tied(text, at));
    }
    if matches!(word, "a" | "to" | "until" | "till" | "til") && previous(text, at) != "moins" {
        return Some(at + 1);
    }
    tied(text, at)
}

fn tied(text: &Normalised, at: usize) -> Option<usize> {
    matches!(sep(text, at), Some(Sep::Hyphen | Sep::Dash | Sep::Slash)).then_some(at)
}

fn bare(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let (hour, end) = cardinal(text, at).filter(|(hour, _)| (0..=24).contains(hour))?;
    let twelve = (1..=12).contains(&hour);
    Some((Clock { hour: if hour == 12 { 0 } else { hour }, minute: 0, twelve, vague: false }, end))
}

/// "between 2 and 4pm" is 14:00: the half of the day said once holds for both ends.
fn agreed(first: Clock, second: Clock) -> (Clock, Clock) {
    let at = |clock: &Clock| i16::from(clock.hour) * 60 + i16::from(clock.minute);
    if first.twelve && !second.twelve && first.hour < 12 && at(&first) + 720 < at(&second) {
        return (Clock { hour: first.hour + 12, twelve: false, ..first }, second);
    }
    let first = Clock { twelve: first.twelve && second.twelve, ..first };
    // "entre midi et deux"
    if !first.twelve && second.twelve && second.hour < 12 && at(&second) < at(&first) {
        return (first, Clock { hour: second.hour + 12, twelve: false, ..second });
    }
    (first, second)
}
