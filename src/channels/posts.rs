//! What posts have in common: the names that they begin with, and their links. X and Mastodon count every link as 23
//! characters.
//!
//! What a network takes for a link is decided by lists and patterns of its own (`twitter-text`). Ours never counts less than
//! they do: a link of the usual form under a common ending counts as they count it, and whatever might be one counts
//! besides with its own characters. Held against npm's `twitter-text` in the tests of X.

use std::ops::Range;

/// What a link counts (`twitter-text`, `transformedURLLength`; Mastodon, `characters_reserved_per_url`).
const LINK: usize = 23;
/// Endings that every list of them has.
const COMMON: &[&str] = &[
    "at", "be", "bzh", "ch", "com", "cz", "de", "dk", "es", "eu", "fr", "info", "io", "it", "lu", "me",
    "net", "nl", "org", "paris", "pl", "pt", "se", "uk",
];

/// A post without the names that it begins with: whom it is said to.
pub(super) fn without_names(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some(name) = rest.strip_prefix('@') {
        let end = name.find(|c: char| !c.is_alphanumeric() && !"_.-@".contains(c)).unwrap_or(name.len());
        rest = name[end..].trim_start_matches([' ', '\u{a0}', '\n', ',', ':']);
    }
    rest
}

/// The web addresses of a text, in bytes: `https://` or `http://`, a name with an ending, and what follows as far as it can
/// only be part of it. A full stop at the end is the sentence's.
pub(super) fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("http").map(|at| from + at) {
        from = at + 4;
        let before = text[..at].chars().next_back();
        let free = before.is_none_or(|c| !c.is_alphanumeric() && !"@$#_-./".contains(c));
        if let Some(length) = free.then(|| link_length(&text[at..])).flatten() {
            found.push(at..at + length);
            from = at + length;
        }
    }
    found
}

/// How many bytes of `text` are a link that begins it.
fn link_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let scheme = text.len() - rest.len();
    let name = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-.".contains(b)).count();
    let host = rest[..name].trim_end_matches(['.', '-']);
    let mut labels = host.split('.');
    let fits = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let ends = host
        .rsplit('.')
        .next()
        .is_some_and(|end| end.len() >= 2 && end.bytes().all(|b| b.is_ascii_alphabetic()));
    if !host.contains('.') || !labels.all(fits) || !ends {
        return None;
    }
    let tail = &rest[host.len()..];
    let after = if tail.starts_with(['/', '?']) {
        tail.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"/_-=#%.~&?:,;@!$'*+".contains(b)).count()
    } else {
        0
    };
    let path = tail[..after].trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"/_-=#".contains(c));
    Some(scheme + host.len() + path.len())
}

/// Is it a link to every network, and all of it?
fn is_certain(link: &str) -> bool {
    let rest = link.split_once("://").map_or("", |(_, rest)| rest);
    let (host, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let common = host.rsplit('.').next().is_some_and(|end| COMMON.contains(&end));
    // A query that does not follow an ending, or a second one, is read in several ways.
    let query = tail.find('?').map(|at| &tail[..at]);
    let ends = query.is_none_or(|path| {
        path.is_empty() || path.ends_with(|c: char| c.is_ascii_alphanumeric() || "/_-=#".contains(c))
    });
    common
        && ends
        && !host.contains('_')
        && tail.matches('?').count() < 2
        && !tail.contains("/@")
        && !tail.contains("/.")
}

/// Corrects the weights of a text's characters for its links. A link's weight is on its first character.
pub(super) fn weigh_links(text: &str, weights: &mut [usize]) {
    let certain: Vec<Range<usize>> =
        links(text).into_iter().filter(|link| is_certain(&text[link.clone()])).collect();
    let mut before = ' ';
    for ((at, c), weight) in text.char_indices().zip(weights.iter_mut()) {
        if let Some(link) = certain.iter().find(|link| link.contains(&at)) {
            *weight = if at == link.start { LINK } else { 0 };
        } else if c == '.' && before.is_alphanumeric() && is_ending(&text[at + 1..]) {
            // A name without "https://" is a link to some.
            *weight += LINK;
        }
        before = c;
    }
}

/// Could an ending of a name stand here? Two letters at least, in any script.
fn is_ending(text: &str) -> bool {
    let mut letters = text.chars().take_while(|c| c.is_alphanumeric() || *c == '-');
    text.chars().next().is_some_and(char::is_alphabetic) && letters.nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_their_ends() {
        let cases: &[(&str, &[&str])] = &[
            ("Voir https://guichet.example/a?b=c&d=1.", &["https://guichet.example/a?b=c&d=1"]),
            ("(http://m.me/1234), puis https://a.fr", &["http://m.me/1234", "https://a.fr"]),
            ("https://a.fr/é", &["https://a.fr/"]),
            ("https://a.fr…", &["https://a.fr"]),
            ("https://localhost/x https:// httpx http://a. http://1.2.3.4/", &[]),
            ("xhttps://a.fr @https://a.fr", &[]),
            ("https://x.fr/p.?", &["https://x.fr/p"]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = links(text).into_iter().map(|link| &text[link]).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn a_link_weighs_the_same_however_long_and_what_might_be_one_never_less() {
        let weight = |text: &str| {
            let mut weights = vec![1; text.chars().count()];
            weigh_links(text, &mut weights);
            weights.iter().sum::<usize>()
        };
        for (text, expected) in [
            ("https://a.fr", 23),
            (
                "Voir https://www.sncf-connect.com/fr-fr/tres/long/chemin/vers/une/page?et=une&autre=chose.",
                29,
            ),
            ("a.fr", 27),
            ("M. Dupont, 18.30, p. 3", 22),
            ("https://guichet.example/", 47),
        ] {
            assert_eq!(weight(text), expected, "{text}");
        }
    }
}
