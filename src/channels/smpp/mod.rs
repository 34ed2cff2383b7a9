//! SMPP 3.4: SMS by a connection of our own to an SMSC.
//!
//! Bound as a transceiver, one connection an instance; bound again when it ends, with a growing pause. What is sent goes by it
//! (`submit`), what customers write comes by it (`deliver`, `gather`, `ledger`), and is answered only when it is stored.
//! There are no webhooks.
//!
//! A send that was not answered is in doubt for good: SMPP can ask about a message by the id of the SMSC only (`query_sm`), and
//! the id is in the answer that did not come.
//!
//! Checked against: SMPP Protocol Specification 3.4 (Issue 1.2); 3GPP TS 23.038 and 23.040 for what a short message holds; the
//! SMSC of npm's `smpp` and the client `smpplib` of PyPI (tests/e2e/test_smpp.py). Not tried with an operator's SMSC.

mod alphabet;
mod codec;
mod connection;
mod deliver;
mod gather;
mod ledger;
mod link;
mod session;
mod settings;
mod submit;

use super::{
    Accepted, BuildContext, Capabilities, Channel, Listener, Lookup, Outgoing, Pace, Refusal, SendError,
    Trace, WebhookRequest,
};
use crate::config::ChannelSettings;
use async_trait::async_trait;
use link::Link;
use settings::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Ten SMS of GSM-7: 10 × 153.
const MAX_CHARS: usize = 1_530;
/// Without a connection: it comes back in seconds or in minutes.
const UNBOUND: Duration = Duration::from_secs(2);

pub fn build(name: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let (settings, place) = Settings::read(keys)?;
    let link = Arc::new(Link::new(name, settings, place, context.clock.clone()));
    Ok(Arc::new(Smpp { link, reference: AtomicU8::new(rand::random()) }))
}

struct Smpp {
    link: Arc<Link>,
    /// Of the next text in parts. Phones take parts together by sender and reference: 256 long texts to one phone later it
    /// is used again.
    reference: AtomicU8,
}

#[async_trait]
impl Channel for Smpp {
    fn capabilities(&self) -> Capabilities {
        Capabilities { sms: true, receipts: true, ..Capabilities::text(MAX_CHARS) }
    }

    fn pace(&self) -> Pace {
        Pace { concurrent: self.link.settings.window, ..Pace::default() }
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let settings = &self.link.settings;
        let pdus = submit::pdus(settings, &message.address, &message.text, reference)
            .map_err(|why| SendError::Permanent { why })?;
        let Some(session) = self.link.session() else {
            let why = "there is no connection to the SMSC".into();
            return Err(SendError::Retry { why, after: Some(UNBOUND) });
        };
        let id = session.submit(pdus, trace).await?.map(|id| settings.receipt_ids.of_answer(&id));
        if let Some(id) = &id {
            self.link.sent(id, message.id);
        }
        Ok(id)
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.link.clone())
    }
}

/// Whether all of a text is in the GSM 7-bit alphabet.
pub(super) fn is_gsm7(text: &str) -> bool {
    alphabet::parts(text, true).coding == alphabet::Coding::Gsm7
}

#[cfg(test)]
mod tests;
