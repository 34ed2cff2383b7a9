//! What Meta answers, or does not, and what it means for the message.

use super::super::super::testing::{Answer, Provider, json, outcome, outgoing};
use super::channel;
use crate::channels::{Lookup, Trace};

fn error(status: u16, code: i64) -> Answer {
    let body = format!(
        r#"{{"error":{{"message":"(#{code}) to 77","type":"OAuthException","code":{code},"fbtrace_id":"A"}}}}"#
    );
    json(status, &body)
}

fn with_subcode(status: u16, code: i64, subcode: i64) -> Answer {
    json(status, &format!(r#"{{"error":{{"code":{code},"error_subcode":{subcode}}}}}"#))
}

#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let usage = concat!(
        "x-business-use-case-usage: ",
        r#"{"1234":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":7}]}"#,
        "\r\n",
    );
    let limited = r#"{"error":{"code":80007}}"#;
    let cases: Vec<(Answer, &str)> = vec![
        (json(200, "{}"), "in doubt"),
        (json(200, "not json"), "in doubt"),
        (Answer::Silence, "in doubt"),
        (Answer::Reset, "in doubt"),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7"),
        (json(429, "{}"), "retry"),
        (Answer::Http(400, usage, limited.into()), "retry after 420"),
        (error(400, 4), "retry"),
        (error(400, 613), "retry"),
        (error(400, 130_429), "retry"),
        (error(400, 131_056), "retry"),
        (error(401, 190), "retry"),
        (error(403, 10), "retry"),
        (error(403, 200), "retry"),
        (with_subcode(403, 10, 2_018_278), "permanent"),
        (error(400, 131_047), "permanent"),
        (error(400, 131_026), "permanent"),
        (error(400, 368), "permanent"),
        (error(400, 100), "permanent"),
        (with_subcode(400, 100, 2_018_001), "permanent"),
        (error(400, 551), "blocked"),
        (with_subcode(400, 200, 1_545_041), "blocked"),
        (json(404, ""), "permanent"),
        (error(500, 1), "in doubt"),
        (error(500, 2), "in doubt"),
        (error(200, 2), "in doubt"),
        (json(500, "{}"), "in doubt"),
        (json(502, "<html>"), "in doubt"),
        (json(503, ""), "in doubt"),
    ];
    for kind in ["messenger", "instagram", "whatsapp"] {
        let sent =
            if kind == "whatsapp" { r#"{"messages":[{"id":"x9"}]}"# } else { r#"{"message_id":"x9"}"# };
        let all = cases.iter().cloned().chain([(json(200, sent), "sent x9")]);
        for (answer, expected) in all {
            let provider = Provider::start(vec![answer.clone()]).await;
            let channel = channel(kind, &format!("api_url = '{}'", provider.url));
            let message = outgoing("77", "Prochain départ 18h04");
            assert_eq!(outcome(&*channel, &message).await, expected, "{kind}: {answer:?}");
            assert_eq!(provider.requests().len(), 1, "{kind}: {answer:?}: one try each");
        }
    }
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_was_sent() {
    // Port 9 of this host: nobody listens.
    for kind in ["messenger", "instagram", "whatsapp"] {
        let channel = channel(kind, "api_url = 'http://127.0.0.1:9'");
        assert_eq!(outcome(&*channel, &outgoing("77", "x")).await, "retry");
        let trace = Trace::new(super::super::super::testing::clock(), &[]);
        assert_eq!(channel.look_up(&outgoing("77", "x"), &trace).await, Lookup::CannotAsk);
        assert!(trace.take().is_empty());
    }
}
