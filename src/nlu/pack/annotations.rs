//! `[text](role)` in an example.

use super::{ROLES, kind_of};
use std::ops::Range;

pub(super) type Annotated = (String, Vec<(String, Range<usize>)>);

/// Takes `[text](role)` apart: the plain text and each role's byte range in it.
pub(super) fn annotations(raw: &str) -> Result<Annotated, (String, String)> {
    let mut text = String::with_capacity(raw.len());
    let mut entities = Vec::new();
    let mut rest = raw;
    while let Some(at) = rest.find(['[', ']']) {
        text.push_str(&rest[..at]);
        let unbalanced = |what: &str| (what.to_owned(), "write entities as [text](role)".to_owned());
        let Some(open) = rest[at..].strip_prefix('[') else {
            return Err(unbalanced("a ']' closes nothing"));
        };
        let Some(close) = open.find(['[', ']']).filter(|&close| open[close..].starts_with(']')) else {
            return Err(unbalanced("a '[' is not closed"));
        };
        let surface = &open[..close];
        let Some((role, after)) = open[close + 1..].strip_prefix('(').and_then(|tail| tail.split_once(')'))
        else {
            return Err(unbalanced("an annotation has no (role)"));
        };
        if surface.trim().is_empty() {
            return Err(unbalanced("an annotation is empty"));
        }
        if kind_of(role).is_none() {
            let known: Vec<&str> = ROLES.iter().map(|&(known, _)| known).collect();
            return Err((
                format!("unknown entity role '{role}'"),
                format!("use one of: {}", known.join(", ")),
            ));
        }
        entities.push((role.to_owned(), text.len()..text.len() + surface.len()));
        text.push_str(surface);
        rest = after;
    }
    text.push_str(rest);
    Ok((text, entities))
}

/// The text that an example with annotations stands for; one with a broken annotation is taken as it is.
pub fn without_annotations(raw: &str) -> String {
    annotations(raw).map_or_else(|_| raw.to_owned(), |(text, _)| text)
}
