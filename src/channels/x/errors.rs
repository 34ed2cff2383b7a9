//! What X's answers mean for a message: "Response codes and errors" and "Error codes" of its documentation, the problem types
//! of its interface 2, and the codes of 1.1 where they still come.

use crate::channels::value::{list, text};
use crate::channels::{Reply, SendError, retry_after};
use crate::model::Timestamp;
use axum::http::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// Longer pauses than this are left to the retry schedule.
const LONGEST_PAUSE: u64 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Too fast, or too many today; surely not sent.
    Slower,
    /// Keys, rights or credit that people must mend, after which it can be sent; surely not sent.
    Mend,
    /// The same words were published a moment ago.
    Twice,
    /// This person takes no messages from us.
    Blocked,
    Never,
    /// X failed, and does not say whether before or after it took the message.
    Doubt,
}

/// What a refused call means.
pub fn classify(reply: &Reply, now: Timestamp) -> SendError {
    let body: Value = reply.json().unwrap_or_default();
    let codes: Vec<i64> = list(&body, "errors").filter_map(|error| error.get("code")?.as_i64()).collect();
    let kind = text(&body, "type").unwrap_or_default();
    let kind = kind.rsplit('/').next().unwrap_or_default();
    let detail = text(&body, "detail").unwrap_or_default();
    let code = codes.first().map_or(String::new(), |code| format!(", error {code}"));
    let kind_told: String =
        kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let kind_told =
        if kind_told.is_empty() || kind_told == "blank" { String::new() } else { format!(", {kind_told}") };
    let why = |what: &str| format!("X answered {}{code}{kind_told}{what}", reply.status);
    match meaning(reply.status, &codes, kind, &detail) {
        Meaning::Slower => SendError::Retry {
            why: why(": too many calls"),
            after: regained(&reply.headers, now).max(retry_after(&reply.headers)),
        },
        Meaning::Mend => SendError::Retry {
            why: why(": the keys, the rights or the credit of the app must be mended in X's console"),
            after: None,
        },
        Meaning::Twice => SendError::Permanent {
            why: why(": these very words were published a moment ago, and X takes none twice"),
        },
        Meaning::Blocked => SendError::Blocked { why: why(": this person takes no messages from us") },
        Meaning::Never => SendError::Permanent { why: why("") },
        Meaning::Doubt => SendError::InDoubt { why: why("") },
    }
}

fn meaning(status: u16, codes: &[i64], kind: &str, detail: &str) -> Meaning {
    // A server that failed may have published it before it said anything.
    if !(400..500).contains(&status) {
        return Meaning::Doubt;
    }
    for code in codes {
        match code {
            88 | 185 | 420 => return Meaning::Slower,
            32 | 64 | 89 | 99 | 135 | 215 | 220 | 261 | 326 | 416 => return Meaning::Mend,
            187 => return Meaning::Twice,
            108 | 150 | 349 => return Meaning::Blocked,
            _ => {}
        }
    }
    let detail = detail.to_ascii_lowercase();
    if detail.contains("duplicate content") {
        return Meaning::Twice;
    }
    if detail.contains("permission to dm") || detail.contains("cannot send messages to this user") {
        return Meaning::Blocked;
    }
    match (status, kind) {
        (429, _) | (_, "usage-capped") => Meaning::Slower,
        (401 | 402, _)
        | (403, "client-forbidden" | "unsupported-authentication" | "oauth1-permissions" | "credits") => {
            Meaning::Mend
        }
        _ => Meaning::Never,
    }
}

/// The `…-reset` times of the limits that are used up; of the usual one when none is named.
fn regained(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |name: String| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let until = |limit: &str| {
        let reset = number(format!("{limit}-reset"))?;
        let open = number(format!("{limit}-remaining")).is_some_and(|left| left > 0);
        (!open).then_some(Timestamp(reset.saturating_mul(1_000_000)))
    };
    let resets =
        ["x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"].iter().filter_map(|limit| until(limit));
    let wait = resets.max()?.since(now);
    // A second more: the reset is told in whole seconds.
    Some(Duration::from_secs((wait.as_secs() + 1).min(LONGEST_PAUSE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_meaning() {
        let dm = "You do not have permission to DM one or more participants.";
        let twice = "You are not allowed to create a Tweet with duplicate content.";
        let cases: &[(u16, &[i64], &str, &str, Meaning)] = &[
            (429, &[], "", "Too Many Requests", Meaning::Slower),
            (429, &[88], "", "", Meaning::Slower),
            (403, &[185], "", "", Meaning::Slower),
            (403, &[], "usage-capped", "", Meaning::Slower),
            (401, &[], "blank", "Unauthorized", Meaning::Mend),
            (401, &[32], "", "", Meaning::Mend),
            (401, &[89], "", "", Meaning::Mend),
            (402, &[], "credits", "", Meaning::Mend),
            (403, &[], "client-forbidden", "", Meaning::Mend),
            (403, &[], "oauth1-permissions", "", Meaning::Mend),
            (403, &[], "unsupported-authentication", "", Meaning::Mend),
            (403, &[64], "", "", Meaning::Mend),
            (403, &[326], "", "", Meaning::Mend),
            (403, &[187], "", "", Meaning::Twice),
            (403, &[], "blank", twice, Meaning::Twice),
            (403, &[349], "", "", Meaning::Blocked),
            (403, &[150], "", "", Meaning::Blocked),
            (403, &[], "blank", dm, Meaning::Blocked),
            (403, &[], "not-authorized-for-resource", "", Meaning::Never),
            (403, &[385], "", "", Meaning::Never),
            (403, &[186], "", "", Meaning::Never),
            (403, &[], "blank", "Forbidden", Meaning::Never),
            (400, &[], "invalid-request", "", Meaning::Never),
            (404, &[], "resource-not-found", "", Meaning::Never),
            (500, &[131], "", "", Meaning::Doubt),
            (503, &[130], "", "", Meaning::Doubt),
            (502, &[], "", "", Meaning::Doubt),
            (302, &[], "", "", Meaning::Doubt),
        ];
        for (status, codes, kind, detail, expected) in cases {
            assert_eq!(
                meaning(*status, codes, kind, detail),
                *expected,
                "{status} {codes:?} {kind} {detail}"
            );
        }
    }

    #[test]
    fn the_pause_is_until_the_used_up_limits_are_open_again() {
        let now = Timestamp(1_766_000_000_000_000);
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<u64>)] = &[
            (&[("x-rate-limit-reset", "1766000030")], Some(31)),
            (&[("x-rate-limit-reset", "1766000030"), ("x-rate-limit-remaining", "0")], Some(31)),
            (
                &[
                    ("x-rate-limit-reset", "1766000030"),
                    ("x-rate-limit-remaining", "190"),
                    ("x-user-limit-24hour-reset", "1766000900"),
                    ("x-user-limit-24hour-remaining", "0"),
                ],
                Some(901),
            ),
            (&[("x-app-limit-24hour-reset", "1766080000")], Some(3_600)),
            (&[("x-rate-limit-reset", "1765999000")], Some(1)),
            (&[("x-rate-limit-reset", "soon")], None),
            (&[], None),
        ];
        for (pairs, seconds) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in *pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(regained(&headers, now), seconds.map(Duration::from_secs), "{pairs:?}");
        }
    }
}
