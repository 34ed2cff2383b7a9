//! One bound connection, and what is sent over it.

use super::connection::{Asked, Connection, Unanswered};
use super::settings::{Place, Settings};
use super::submit::{described, name, refusal};
use crate::channels::{SendError, Trace};
use crate::model::ProviderCall;
use rusmpp::pdus::{DeliverSmResp, SubmitSm};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Between one refusal of a part for the pace and the next try of it.
const BREATH: Duration = Duration::from_millis(500);

pub(super) struct Session {
    connection: Connection,
    window: Semaphore,
    places: u32,
    answer_within: Duration,
}

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unbound {
    /// Nobody there, or not able to answer: it may come.
    Away(String),
    /// The SMSC will not have us as we are: people must mend it.
    Refused(String),
}

/// Connects and binds as a transceiver.
pub(super) async fn bind(settings: &Settings, place: &Place) -> Result<(Session, Asked), Unbound> {
    let within = Duration::from(settings.answer_within);
    let connecting = tokio::time::timeout(within, TcpStream::connect((place.host.as_str(), place.port)));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Unbound::Away(error.to_string())),
        Err(_) => return Err(Unbound::Away("the connection is not answered".into())),
    };
    // Small PDUs that wait for an answer: without this they wait for each other.
    stream.set_nodelay(true).map_err(|error| Unbound::Away(error.to_string()))?;
    let enquire = settings.enquire_link.into();
    let (connection, asked) = if place.tls {
        let stream = tokio::time::timeout(within, secured(stream, &place.host))
            .await
            .map_err(|_| Unbound::Away("TLS is not answered".into()))?
            .map_err(Unbound::Away)?;
        Connection::start(stream, enquire, within)
    } else {
        Connection::start(stream, enquire, within)
    };
    let bind = settings.bind().map_err(Unbound::Refused)?;
    let status = match connection.ask(bind).await {
        Ok(answer) => answer.status(),
        Err(Unanswered::NotSent) => return Err(Unbound::Away("the SMSC closed the connection".into())),
        Err(Unanswered::Lost(why)) => return Err(Unbound::Away(format!("the bind: {why}"))),
    };
    if status != CommandStatus::EsmeRok {
        return Err(Unbound::Refused(format!("the SMSC refuses the bind: {}", name(status))));
    }
    let window = Semaphore::new(settings.window);
    let places = u32::try_from(settings.window).unwrap_or(u32::MAX);
    Ok((Session { connection, window, places, answer_within: within }, asked))
}

async fn secured(
    stream: TcpStream,
    host: &str,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    use rustls_platform_verifier::ConfigVerifierExt as _;
    let config = ClientConfig::with_platform_verifier().map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())
}

/// What became of one `submit_sm`.
enum Answer {
    /// With the id of the SMSC, which may be empty.
    Accepted(String),
    Refused(CommandStatus),
    NotSent,
    /// Nobody knows.
    Lost(String),
}

impl Session {
    /// The id of the last part; none when the SMSC gave none.
    pub(super) async fn submit(
        &self,
        pdus: Vec<SubmitSm>,
        trace: &Trace,
    ) -> Result<Option<String>, SendError> {
        let total = pdus.len();
        let mut id = String::new();
        for (number, pdu) in (1..).zip(pdus) {
            id = self.part(&pdu, number, total, trace).await?;
        }
        Ok(Some(id).filter(|id| !id.is_empty()))
    }

    /// One part. Of a later one nothing is surely not sent: the customer has the beginning. Refused for the pace it is tried
    /// again here, until our caller's patience ends.
    async fn part(
        &self,
        pdu: &SubmitSm,
        number: usize,
        total: usize,
        trace: &Trace,
    ) -> Result<String, SendError> {
        loop {
            let Ok(Ok(_place)) = tokio::time::timeout(self.answer_within, self.window.acquire()).await else {
                return Err(partly(number, total, away("the window of the SMSC is full")));
            };
            let status = match self.ask(pdu, number, total, trace).await {
                Answer::Accepted(id) => return Ok(id),
                Answer::Refused(status) => status,
                Answer::NotSent => {
                    return Err(partly(number, total, away("the connection to the SMSC has ended")));
                }
                Answer::Lost(why) => return Err(SendError::InDoubt { why }),
            };
            match refusal(status) {
                None => return Ok(String::new()),
                Some(SendError::Retry { .. }) if number > 1 => tokio::time::sleep(BREATH).await,
                Some(error) => return Err(partly(number, total, error)),
            }
        }
    }

    async fn ask(&self, pdu: &SubmitSm, number: usize, total: usize, trace: &Trace) -> Answer {
        let (at, started) = (trace.now(), Instant::now());
        let (answer, response, status) = match self.connection.ask(pdu.clone()).await {
            Ok(response) => of_response(&response),
            Err(Unanswered::NotSent) => {
                (Answer::NotSent, "not sent: the connection to the SMSC has ended".into(), None)
            }
            Err(Unanswered::Lost(why)) => (Answer::Lost(why.into()), why.into(), None),
        };
        trace.note(ProviderCall {
            at,
            took: started.elapsed(),
            request: described(pdu, number, total),
            response,
            status: status.map(|status| i64::from(u32::from(status))),
        });
        answer
    }

    pub(super) fn is_sending(&self) -> bool {
        self.window.available_permits() < usize::try_from(self.places).unwrap_or(usize::MAX)
    }

    /// Answers a `deliver_sm`. Where the connection has ended the SMSC delivers again.
    pub(super) async fn answer(&self, sequence: u32, status: CommandStatus) {
        self.connection.tell(sequence, status, DeliverSmResp::default()).await;
    }

    /// Refuses a command that is none of ours.
    pub(super) async fn refuse(&self, sequence: u32) {
        self.connection.tell(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack).await;
    }

    /// The SMSC takes its leave.
    pub(super) async fn let_go(&self, sequence: u32) {
        self.connection.tell(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp).await;
        self.connection.close().await;
    }

    /// We take ours. What is on its way has as long to be answered as any PDU.
    pub(super) async fn end(&self) {
        let _ = tokio::time::timeout(self.answer_within, self.window.acquire_many(self.places)).await;
        let _ = self.connection.ask(Pdu::Unbind).await;
        self.connection.close().await;
    }
}

fn of_response(response: &Command) -> (Answer, String, Option<CommandStatus>) {
    let status = response.status();
    let said = format!("{:?}, {}", response.id(), name(status));
    let (answer, said) = match (response.pdu(), status) {
        (Some(Pdu::SubmitSmResp(accepted)), CommandStatus::EsmeRok) => {
            let id = accepted.message_id().as_str().to_owned();
            let said = format!("{said}, message_id {id}");
            (Answer::Accepted(id), said)
        }
        // Its body could not be read, and it says yes.
        (None, CommandStatus::EsmeRok) if response.id() == CommandId::SubmitSmResp => {
            (Answer::Accepted(String::new()), said)
        }
        (_, CommandStatus::EsmeRok) => {
            (Answer::Lost(format!("the SMSC answers something else: {said}")), said)
        }
        _ => (Answer::Refused(status), said),
    };
    (answer, said, Some(status))
}

fn away(why: &str) -> SendError {
    SendError::Retry { why: why.into(), after: None }
}

fn partly(number: usize, total: usize, error: SendError) -> SendError {
    match number {
        1 => error,
        _ => SendError::InDoubt { why: format!("parts before {number} of {total} were sent, then: {error}") },
    }
}
