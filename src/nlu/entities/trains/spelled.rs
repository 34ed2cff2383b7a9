//! Train numbers read out: `six one seven three`, `soixante et un soixante-treize`.

use super::super::times::numbers::{cardinal, is_figure, number};
use crate::nlu::normalise::{Normalised, Sep};

/// The number in figures, and the word after; `named`: a word for a train stands before it.
pub(super) fn spelled(text: &Normalised, at: usize, named: bool) -> Option<(String, usize)> {
    let pairs = || if named { in_pairs(text, at) } else { None };
    digit_by_digit(text, at).or_else(|| thousands(text, at)).or_else(pairs)
}

fn near(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.before <= Sep::Hyphen)
}

/// "six one seven three": four to six single digits.
fn digit_by_digit(text: &Normalised, at: usize) -> Option<(String, usize)> {
    let digit = |at: usize| match text.word(at) {
        "oh" | "o" => Some(0),
        word => number(word).filter(|digit| (0..=9).contains(digit) && !is_figure(word)),
    };
    let digits: Vec<i8> = (at..at + 6).map_while(|i| digit(i).filter(|_| i == at || near(text, i))).collect();
    (digits.len() >= 4).then(|| (digits.iter().map(i8::to_string).collect(), at + digits.len()))
}

/// "huit mille cinq cent trente et un".
fn thousands(text: &Normalised, at: usize) -> Option<(String, usize)> {
    let (thousands, mut end) = below_hundred(text, at)?;
    if !matches!(text.word(end), "mille" | "mil" | "thousand") {
        return None;
    }
    end += 1;
    let mut sum = u32::from(thousands) * 1000;
    let hundreds = |at: usize| matches!(text.word(at), "cent" | "cents" | "hundred");
    if hundreds(end) {
        sum += 100;
        end += 1;
    } else if let Some((count, after)) =
        below_hundred(text, end).filter(|&(count, after)| count < 10 && hundreds(after))
    {
        sum += u32::from(count) * 100;
        end = after + 1;
    }
    end += usize::from(text.word(end) == "and");
    if let Some((rest, after)) = below_hundred(text, end).filter(|_| near(text, end)) {
        sum += u32::from(rest);
        end = after;
    }
    Some((sum.to_string(), end))
}

/// "soixante et un soixante-treize": two or three numbers of two digits.
fn in_pairs(text: &Normalised, at: usize) -> Option<(String, usize)> {
    let mut digits = String::new();
    let mut end = at;
    while digits.len() < 6
        && let Some((pair, after)) =
            below_hundred(text, end).filter(|&(pair, _)| pair >= 10 && (end == at || near(text, end)))
    {
        digits.push_str(&pair.to_string());
        end = after;
    }
    // "the train, ten fifteen": what reads as an hour is one.
    let hour = digits.len() == 4 && digits.as_str() < "2400" && &digits[2..] < "60";
    (digits.len() >= 4 && !hour).then_some((digits, end))
}

/// A number in words under a hundred, and the word after.
fn below_hundred(text: &Normalised, at: usize) -> Option<(u8, usize)> {
    let base = match (text.word(at), text.word(at + 1)) {
        ("quatre", "vingt" | "vingts") => Some((80, at + 2)),
        ("soixante" | "sixty", _) => Some((60, at + 1)),
        ("seventy", _) => Some((70, at + 1)),
        ("eighty", _) => Some((80, at + 1)),
        ("ninety", _) => Some((90, at + 1)),
        _ => None,
    };
    let small = |at: usize| {
        let (value, end) = cardinal(text, at).filter(|_| !is_figure(text.word(at)))?;
        Some((u8::try_from(value).ok()?, end))
    };
    let Some((base, end)) = base else { return small(at) };
    let rest_at = end + usize::from(text.word(end) == "et");
    // French counts on to 79 and 99; English only to the next ten.
    let most = if matches!(text.word(at), "soixante" | "quatre") { 19 } else { 9 };
    match small(rest_at).filter(|&(rest, _)| (1..=most).contains(&rest) && near(text, rest_at)) {
        Some((rest, after)) => Some((base + rest, after)),
        None => Some((base, end)),
    }
}
