//! What goes out by SMS: which wording of a reply, and what it costs.

use super::Channels;
use crate::config::SmsConfig;
use crate::model::Message;
use crate::sms::{choose, segments, thrift};

impl Channels {
    /// By these rules; without them, by the defaults.
    pub fn with_sms(mut self, sms: SmsConfig) -> Self {
        self.sms = sms.into();
        self
    }

    /// Whether `channel` carries SMS.
    pub fn is_sms(&self, channel: &str) -> bool {
        self.get(channel).is_some_and(|channel| channel.capabilities().sms)
    }

    /// The words of a reply of ours as `channel` carries them: of its `wordings`, the wanted one first, that within the
    /// budget of segments, in GSM-7 where `sms.thrift` can put it there. `about`: what is said, for the log. None: there is
    /// nothing to say.
    ///
    /// What takes more than the budget in its shortest wording is sent whole, for half an answer may be a wrong one; it is
    /// counted, and the log names the response, never the text.
    pub fn worded(&self, channel: &str, about: &str, wordings: Vec<String>) -> Option<String> {
        let mut wordings = wordings.into_iter().filter(|text| !text.is_empty());
        if !self.is_sms(channel) {
            return wordings.next();
        }
        let words = |text: String| if self.sms.thrift { thrift(&text).into_owned() } else { text };
        let wordings: Vec<String> = wordings.map(words).collect();
        let chosen = choose(&wordings, self.sms.segment_budget)?;
        let taken = segments(chosen);
        if taken.segments > self.sms.segment_budget {
            let (segments, encoding) = (taken.segments, taken.encoding.as_str());
            tracing::warn!(
                channel,
                about,
                segments,
                encoding,
                "a reply takes more SMS than sms.segment_budget"
            );
            metrics::counter!("guichet_sms_over_budget_total", "channel" => channel.to_owned()).increment(1);
        }
        Some(chosen.clone())
    }

    /// A message that is to be stored and sent, with the segments it takes and what they cost, where its channel carries SMS
    /// and has a price.
    pub fn charged(&self, message: Message) -> Message {
        if !self.is_sms(&message.channel) {
            return message;
        }
        let taken = i64::try_from(segments(&message.text).segments).unwrap_or(i64::MAX);
        let price = self.sms.cost_per_segment.get(&message.channel);
        let cost = price.map(|price| price.0.saturating_mul(taken));
        metrics::counter!("guichet_sms_segments_total", "channel" => message.channel.clone())
            .increment(taken.unsigned_abs());
        Message { segments: Some(taken), cost, ..message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::{
        Accepted, Capabilities, Channel, Lookup, Outgoing, Refusal, SendError, Trace, WebhookRequest,
    };
    use async_trait::async_trait;
    use std::sync::Arc;

    struct Line(Capabilities);

    #[async_trait]
    impl Channel for Line {
        fn capabilities(&self) -> Capabilities {
            self.0
        }

        fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
            Err(Refusal::NotFound)
        }

        async fn send(&self, _: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
            Ok(None)
        }

        async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
            Lookup::CannotAsk
        }
    }

    fn worded(sms: bool, rules: SmsConfig, wordings: &[&str]) -> Option<String> {
        let capabilities = Capabilities { sms, ..Capabilities::text(400) };
        let channels = Channels::only("line", Arc::new(Line(capabilities))).with_sms(rules);
        channels.worded("line", "general.thanks", wordings.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_reply_is_put_into_as_few_sms_as_can_be() {
        let rules = SmsConfig::default;
        let long = "ç".repeat(350);
        let plain = "c".repeat(350);
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(worded(true, rules(), &["L’été à Besançon"]), told("L'été à Besancon"));
        assert_eq!(worded(true, SmsConfig { thrift: false, ..rules() }, &["ça"]), told("ça"));
        assert_eq!(worded(false, rules(), &["ça", "court"]), told("ça"), "no SMS: as it was written");
        assert_eq!(worded(true, rules(), &[&long, "court"]), told("court"), "three SMS are over the budget");
        let roomy = SmsConfig { segment_budget: 3, ..rules() };
        assert_eq!(worded(true, roomy, &[&long, "court"]), told(&plain));
        assert_eq!(worded(true, rules(), &[&long, &long]), told(&plain), "sent whole");
        assert_eq!(worded(true, rules(), &["", "b"]), told("b"));
        assert_eq!(worded(true, rules(), &[""]), None);
        // What the channel cannot carry in one message becomes several, not less.
        assert_eq!(worded(false, rules(), &[&long.repeat(2)]), told(&long.repeat(2)));
    }
}
