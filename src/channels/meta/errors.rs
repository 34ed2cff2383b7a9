//! The error codes of the Graph API, by what they mean for a message: "Rate limits" and "Error handling" of the Graph
//! API, "Common error codes" of the Messenger Platform, "Error codes" of WhatsApp Cloud.

use super::value;
use crate::channels::{SendError, retry_after};
use axum::http::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// Longer pauses than this are left to the retry schedule.
const LONGEST_PAUSE: u64 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Too fast; surely not sent.
    Slower,
    /// A token or a permission that people must mend, after which the message can be sent; surely not sent.
    Mend,
    /// The customer last wrote too long ago.
    TooLate,
    /// The customer blocked the page, or has gone.
    Blocked,
    Never,
    /// Meta failed, and does not say whether before or after it took the message.
    Doubt,
}

/// What a refused call means. `error`: the `error` object of the answer, when there was one.
pub fn classify(status: u16, error: Option<&Value>, headers: &HeaderMap) -> SendError {
    let number = |key| error.and_then(|error| error.get(key)?.as_i64());
    let (code, subcode) = (number("code"), number("error_subcode"));
    let named = code.map_or(String::new(), |code| format!(", error {code}"));
    let named = subcode.map_or(named.clone(), |subcode| format!("{named}/{subcode}"));
    let why = |what: &str| format!("Meta answered {status}{named}{what}");
    match meaning(status, code, subcode) {
        Meaning::Slower => SendError::Retry {
            why: why(": too many messages"),
            after: regained(headers).max(retry_after(headers)),
        },
        Meaning::Mend => SendError::Retry {
            why: why(": the access token or a permission must be renewed in Meta's console"),
            after: None,
        },
        Meaning::TooLate => SendError::Permanent { why: why(": the customer last wrote too long ago") },
        Meaning::Blocked => SendError::Blocked { why: why(": this person cannot be reached") },
        Meaning::Never => SendError::Permanent { why: why(words(code)) },
        Meaning::Doubt => SendError::InDoubt { why: why("") },
    }
}

fn meaning(status: u16, code: Option<i64>, subcode: Option<i64>) -> Meaning {
    // The subcode is the finer word.
    match subcode {
        Some(2018278 | 2534022) => return Meaning::TooLate,
        Some(1545041) => return Meaning::Blocked,
        Some(2018001) => return Meaning::Never,
        _ => {}
    }
    match code {
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014 | 130_429 | 131_048 | 131_056) => Meaning::Slower,
        // "Temporary send message failure": the one failure that is documented as not having sent.
        Some(1_200) => Meaning::Slower,
        Some(0 | 3 | 10 | 102 | 190 | 200..=299 | 131_005) => Meaning::Mend,
        Some(470 | 131_047) => Meaning::TooLate,
        Some(551) => Meaning::Blocked,
        // "An unknown error", "service unavailable", "something went wrong". Of 1 the documentation itself tells that
        // the messages were sent all the same.
        Some(1 | 2 | 131_000 | 131_016) => Meaning::Doubt,
        Some(_) if status < 500 && status != 429 => Meaning::Never,
        _ => match status {
            401 | 403 => Meaning::Mend,
            429 => Meaning::Slower,
            400..=499 => Meaning::Never,
            _ => Meaning::Doubt,
        },
    }
}

/// What an agent reads of the codes that say something about the message or the account; the number otherwise.
pub fn words(code: Option<i64>) -> &'static str {
    match code {
        Some(368 | 131_031) => ": Meta has blocked this account for breaking its rules",
        Some(131_026) => ": this number is not on WhatsApp, has blocked us, or has an old app",
        Some(131_042) => ": the account has a payment problem",
        Some(131_047 | 470) => ": the customer last wrote too long ago",
        Some(131_049 | 130_472) => ": Meta chose not to deliver it",
        Some(131_050) => ": the customer wants no such messages",
        Some(131_051) => ": this kind of message cannot be received",
        Some(132_000..=132_999) => ": the template does not exist, is paused, or has other parameters",
        _ => "",
    }
}

/// `X-Business-Use-Case-Usage` says, for each use case of each account, in how many minutes calls are let through again.
fn regained(headers: &HeaderMap) -> Option<Duration> {
    let usage = headers.get("x-business-use-case-usage")?.to_str().ok()?;
    let usage: Value = serde_json::from_str(usage).ok()?;
    let accounts = usage.as_object()?.keys();
    let minutes = accounts
        .flat_map(|account| value::list(&usage, account))
        .filter_map(|case| case.get("estimated_time_to_regain_access")?.as_u64())
        .max()
        .filter(|minutes| *minutes > 0)?;
    Some(Duration::from_secs(minutes.saturating_mul(60).min(LONGEST_PAUSE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_code_has_its_meaning() {
        let cases: &[(&[i64], Option<i64>, u16, Meaning)] = &[
            (
                &[4, 17, 32, 613, 80_004, 80_007, 80_014, 130_429, 131_048, 131_056],
                None,
                400,
                Meaning::Slower,
            ),
            (&[130_429], None, 503, Meaning::Slower),
            (&[1_200], None, 500, Meaning::Slower),
            (&[190], Some(460), 401, Meaning::Mend),
            (&[0, 3, 10, 200, 230, 299], None, 403, Meaning::Mend),
            (&[10], Some(2_018_278), 403, Meaning::TooLate),
            (&[10], Some(2_534_022), 400, Meaning::TooLate),
            (&[470, 131_047], None, 400, Meaning::TooLate),
            (&[551], None, 400, Meaning::Blocked),
            (&[200, 551], Some(1_545_041), 400, Meaning::Blocked),
            (&[100], Some(2_018_001), 400, Meaning::Never),
            (&[33, 100, 368, 131_026, 131_031, 131_051, 132_001, 99_999], None, 400, Meaning::Never),
            (&[1, 2, 131_000, 131_016], None, 500, Meaning::Doubt),
            (&[1, 2], None, 400, Meaning::Doubt),
            (&[99_999], None, 500, Meaning::Doubt),
        ];
        for (codes, subcode, status, expected) in cases {
            for code in *codes {
                assert_eq!(meaning(*status, Some(*code), *subcode), *expected, "{code}/{subcode:?}");
            }
        }
        for (status, expected) in [
            (400, Meaning::Never),
            (401, Meaning::Mend),
            (403, Meaning::Mend),
            (404, Meaning::Never),
            (429, Meaning::Slower),
            (500, Meaning::Doubt),
            (502, Meaning::Doubt),
            (302, Meaning::Doubt),
        ] {
            assert_eq!(meaning(status, None, None), expected, "{status}");
        }
    }

    #[test]
    fn the_pause_is_the_longest_that_meta_names_and_an_hour_at_most() {
        let cases: &[(&str, Option<u64>)] = &[
            (r#"{"1":[{"type":"messenger","estimated_time_to_regain_access":3}]}"#, Some(180)),
            (
                r#"{"1":[{"estimated_time_to_regain_access":0}],"2":[{"estimated_time_to_regain_access":2}]}"#,
                Some(120),
            ),
            (r#"{"1":[{"estimated_time_to_regain_access":900}]}"#, Some(3_600)),
            (r#"{"1":[{"estimated_time_to_regain_access":0}]}"#, None),
            (r#"{"1":"x"}"#, None),
            ("[]", None),
            ("?", None),
        ];
        for (usage, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("x-business-use-case-usage", usage.parse().unwrap());
            let error = json!({"code": 80_007});
            let expected = seconds.map(Duration::from_secs);
            match classify(400, Some(&error), &headers) {
                SendError::Retry { after, .. } => assert_eq!(after, expected, "{usage}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_agent_reads_numbers_and_words() {
        let error = json!({"code": 131_026, "error_subcode": 7, "message": "to +33612345678"});
        let told = classify(400, Some(&error), &HeaderMap::new()).to_string();
        assert_eq!(
            told,
            "Meta answered 400, error 131026/7: this number is not on WhatsApp, has blocked us, or has an old app"
        );
    }
}
