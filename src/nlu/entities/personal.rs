//! What points to one customer: booking references, phone numbers, e-mail addresses. All of it is personal data
//! ([`EntityValue::is_personal`]).

use super::stations::CommonWords;
use super::{MAX_ENTITIES, Mention};
use crate::model::EntityValue;
use crate::nlu::normalise::{Normalised, Sep};
use std::ops::Range;

/// Letters and figures of a booking reference.
const REFERENCE: usize = 6;
/// Figures of a whole number: a French one, and the longest that E.164 allows.
const WHOLE_NUMBER: Range<usize> = 10..16;

/// Words beside a booking reference.
const BOOKING: &[&str] = &[
    "ref",
    "reference",
    "references",
    "refs",
    "dossier",
    "reservation",
    "resa",
    "booking",
    "bookings",
    "billet",
    "billets",
    "ticket",
    "tickets",
    "code",
    "pnr",
    "commande",
    "order",
    "voyage",
    "journey",
    "trip",
    "facture",
    "invoice",
    "receipt",
    "recu",
    "annuler",
    "cancel",
    "annulation",
    "numero",
    "number",
    "biyet",
    "tiket",
    "correct",
    "dosier",
    "reserv",
];
/// Words that may stand between such a word and the reference.
const BETWEEN: &[&str] = &[
    "n", "no", "num", "numero", "number", "nr", "is", "est", "c", "de", "mon", "my", "the", "le", "la",
    "code",
];
/// Words before a phone number that is not written to its end.
const CALLING: &[&str] = &[
    "tel",
    "telephone",
    "phone",
    "fone",
    "numero",
    "num",
    "number",
    "no",
    "n",
    "appel",
    "appelez",
    "appeler",
    "rappelez",
    "rappeler",
    "rappel",
    "call",
    "cal",
    "ring",
    "txt",
    "text",
    "sms",
    "joindre",
    "joignable",
    "reach",
    "mobile",
    "portable",
    "au",
    "on",
    "contact",
    "texto",
    "whatsapp",
];

/// References, phone numbers and e-mail addresses, in the order of the text.
pub fn find(original: &str, text: &Normalised, common: &CommonWords) -> Vec<Mention> {
    let addresses = emails(original, text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() && found.len() < MAX_ENTITIES {
        let address = addresses.iter().find(|mention| mention.tokens.start == at).cloned();
        let mention =
            address.or_else(|| phone(original, text, at)).or_else(|| reference(original, text, at, common));
        at = mention.as_ref().map_or(at + 1, |mention| mention.tokens.end);
        found.extend(mention);
    }
    found
}

/// The role under which a slot asks for it; nothing for what is not personal.
pub fn role(value: &EntityValue) -> Option<&'static str> {
    match value {
        EntityValue::Reference { .. } => Some("ref"),
        EntityValue::Phone { .. } => Some("phone"),
        EntityValue::Email { .. } => Some("email"),
        _ => None,
    }
}

/// Words in which no station is named: "@gare_de_lyon", "www.rennes.example".
pub fn handles(original: &str, text: &Normalised) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut offset = 0;
    for chunk in original.split_inclusive(char::is_whitespace) {
        let start = offset;
        offset += chunk.len();
        let handle = chunk.find('@').filter(|&at| !chunk[..at].ends_with(char::is_alphanumeric));
        let named = |at: usize| chunk[at + 1..].starts_with(char::is_alphanumeric);
        let begin = match handle {
            Some(at) if named(at) => Some(at),
            _ => ["http://", "https://", "www."].iter().find_map(|link| chunk.find(link)),
        };
        if let Some(at) = begin {
            let rest = &chunk[at + 1..];
            let end = if handle == begin {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else {
                rest.len()
            };
            ranges.extend(tokens_of(text, start + at..start + at + 1 + end));
        }
    }
    ranges
}

/// The tokens that begin in a byte range of the original.
fn tokens_of(text: &Normalised, bytes: Range<usize>) -> Option<Range<usize>> {
    let start = text.tokens.partition_point(|token| token.original.start < bytes.start);
    let end = text.tokens.partition_point(|token| token.original.start < bytes.end);
    (start < end).then_some(start..end)
}

fn emails(original: &str, text: &Normalised) -> Vec<Mention> {
    let mut found = Vec::new();
    for (at, _) in original.match_indices('@').take(MAX_ENTITIES) {
        let (before, after) = (&original[..at], &original[at + 1..]);
        let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        let start = before
            .rfind(|c| !local(c))
            .map_or(0, |end| end + before[end..].chars().next().map_or(0, char::len_utf8));
        let end = after.find(|c| !domain(c)).unwrap_or(after.len());
        let end = after[..end].trim_end_matches(['.', '-']).len();
        let start = start + before[start..].len() - before[start..].trim_start_matches(['.', '-', '+']).len();
        // "rer a@torcy": one letter and no dot are a place, not an address.
        let telling = at.saturating_sub(start) >= 2 || after[..end].contains('.');
        if start < at && end > 0 && telling {
            let bytes = start..at + 1 + end;
            let address = original[bytes.clone()].to_lowercase();
            if let Some(tokens) = tokens_of(text, bytes) {
                found.push(Mention { tokens, value: EntityValue::Email { address } });
            }
        }
    }
    found
}

/// "06 55 12 77 40", "0655127740", "+33 6 55 12 77 40"; without its last figures when a word says what it is.
fn phone(original: &str, text: &Normalised, at: usize) -> Option<Mention> {
    let figures =
        |at: usize| Some(text.word(at)).filter(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit()));
    let first = figures(at)?;
    let start = text.tokens[at].original.start;
    let plus = original[..start].ends_with('+');
    let goes_on = |at: usize| {
        text.tokens.get(at).is_some_and(|token| {
            let joined =
                token.before <= Sep::Dash && token.before != Sep::Colon || token.before == Sep::Other;
            joined && !original[..token.original.start].ends_with('+')
        })
    };
    if !plus && !first.starts_with('0') {
        return None;
    }
    let mut number = first.to_owned();
    let mut end = at + 1;
    while let Some(more) =
        figures(end).filter(|more| goes_on(end) && number.len() + more.len() < WHOLE_NUMBER.end)
    {
        // A whole French number ends; what follows is something else.
        if !plus && number.len() >= 10 {
            break;
        }
        number.push_str(more);
        end += 1;
    }
    let whole =
        WHOLE_NUMBER.contains(&number.len()) && (plus || number.len() <= 11 || number.starts_with("00"));
    let called = || (1..=5).any(|back| at.checked_sub(back).is_some_and(|b| CALLING.contains(&text.word(b))));
    // "+12": a delay.
    let least = if plus { 4 } else { 6 };
    let prefix = plus || first.len() == 5 || matches!(first, "06" | "07");
    let begun = prefix && end > at + 1 && number.len() >= least;
    if !(whole || begun && called()) {
        return None;
    }
    let number = if plus { format!("+{number}") } else { number };
    Some(Mention { tokens: at..end, value: EntityValue::Phone { number } })
}

/// Six capitals and figures that spell no word, or that stand beside a word of booking.
fn reference(original: &str, text: &Normalised, at: usize, common: &CommonWords) -> Option<Mention> {
    let token = &text.tokens[at];
    let written = original.get(token.original.clone())?;
    let letters = written.bytes().filter(u8::is_ascii_alphabetic).count();
    let plain = written.len() == REFERENCE && written.bytes().all(|b| b.is_ascii_alphanumeric());
    let alone = |sep: Sep| !matches!(sep, Sep::Hyphen | Sep::Apostrophe | Sep::Dot);
    let next = text.tokens.get(at + 1).map_or(Sep::Stop, |token| token.before);
    if !plain || letters < 2 || token.sigil.is_some() || !alone(token.before) || !alone(next) {
        return None;
    }
    let capitals = !written.bytes().any(|b| b.is_ascii_lowercase());
    let folded = text.word(at);
    let vowels = folded.bytes().filter(|b| b"aeiouy".contains(b)).count();
    let odd = vowels <= 1 || letters < REFERENCE;
    let word = common.count(folded) > 0;
    let shouted =
        text.tokens.len() > 1 && text.tokens.iter().all(|token| is_shouted(original, &token.original));
    let told = booked(text, at);
    let fits = if capitals && !shouted {
        !word && (odd || told)
    } else {
        // In small letters, or where all is capitals, only oddness and the word beside it together tell.
        !word && odd && told && (vowels == 0 || capitals || letters < REFERENCE)
    };
    // "TER857": a train. "300EUR", "18H30A": an amount or a time.
    let train = folded.starts_with("ter") || folded.starts_with("tgv");
    let amount = folded.starts_with(|c: char| c.is_ascii_digit()) && letters <= 3 && !told;
    let code = written.to_ascii_uppercase();
    (fits && !amount && !(train && letters < REFERENCE))
        .then(|| Mention { tokens: at..at + 1, value: EntityValue::Reference { code } })
}

fn is_shouted(original: &str, bytes: &Range<usize>) -> bool {
    original.get(bytes.clone()).is_some_and(|word| !word.chars().any(char::is_lowercase))
}

/// A word of booking stands just before, little words aside, or just behind.
fn booked(text: &Normalised, at: usize) -> bool {
    let mut back = at;
    while let Some(before) = back.checked_sub(1) {
        let word = text.word(before);
        if BOOKING.contains(&word) {
            return true;
        }
        if !BETWEEN.contains(&word) || at - before > 4 {
            break;
        }
        back = before;
    }
    BOOKING.contains(&text.word(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Vec<(&'static str, String, String)> {
        let common = ["urgent annule merci train", "gratis"].map(|text| (text.to_owned(), Vec::new()));
        let common = CommonWords::learn(common.into_iter());
        let text = Normalised::new(message);
        let show = |mention: &Mention| {
            let value = match &mention.value {
                EntityValue::Reference { code } => code.clone(),
                EntityValue::Phone { number } => number.clone(),
                EntityValue::Email { address } => address.clone(),
                other => panic!("{other:?}"),
            };
            let surface = message[text.original_span(mention.tokens.clone())].to_owned();
            (role(&mention.value).unwrap(), surface, value)
        };
        find(message, &text, &common).iter().map(show).collect()
    }

    #[test]
    fn finds_what_is_personal() {
        for (message, role, surface, value) in [
            ("retard, ref TLMWQA", "ref", "TLMWQA", "TLMWQA"),
            ("cancel WQJHDL", "ref", "WQJHDL", "WQJHDL"),
            ("référence QX8PLD, je veux annuler", "ref", "QX8PLD", "QX8PLD"),
            ("ma réservation n° AIOUER svp", "ref", "AIOUER", "AIOUER"),
            ("dossier zqbnlt", "ref", "zqbnlt", "ZQBNLT"),
            ("ANNULER DOSSIER VHSNCE", "ref", "VHSNCE", "VHSNCE"),
            ("cal 07 55 51 98 20 plz", "phone", "07 55 51 98 20", "0755519820"),
            ("no 0655512034", "phone", "0655512034", "0655512034"),
            ("+33 6 55 12 77 40 merci", "phone", "33 6 55 12 77 40", "+33655127740"),
            ("06.55.12.77.40", "phone", "06.55.12.77.40", "0655127740"),
            ("au 06 44 00 12 .., dès que", "phone", "06 44 00 12", "06440012"),
            ("(mail : kelly.d@example)", "email", "kelly.d@example", "kelly.d@example"),
            ("à B.Moreau@rennes.example.", "email", "B.Moreau@rennes.example", "b.moreau@rennes.example"),
        ] {
            let expected = vec![(role, surface.to_owned(), value.to_owned())];
            assert_eq!(found(message), expected, "{message}");
        }
    }

    #[test]
    fn leaves_the_rest_alone() {
        for message in [
            "URGENT le train est parti",
            "TER857 en retard",
            "le train de 06 h 55",
            "rdv le 06 12",
            "300EUR c'est trop",
            "@GareDeLyon bonjour",
            "rer a @ torcy",
            "RENNES BREST DEMAIN",
            "merci, RENNES est belle",
            "",
        ] {
            assert_eq!(found(message), [], "{message}");
        }
    }

    #[test]
    fn no_station_in_handles_and_links() {
        let message = "@Gare_de_Lyon vers www.brest.example/rennes et Laval";
        let text = Normalised::new(message);
        let words = |range: &Range<usize>| message[text.original_span(range.clone())].to_owned();
        let found: Vec<String> = handles(message, &text).iter().map(words).collect();
        assert_eq!(found, ["Gare_de_Lyon", "www.brest.example/rennes"]);
    }
}
