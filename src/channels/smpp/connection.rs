//! One connection: which answer belongs to which request, and whether the other side still lives.
//!
//! `rusmppc` does this on the same codec; it brings a crate under a licence that we do not take (MPL-2.0), ends the connection
//! with the first PDU that it cannot decode, and keeps what it was not asked about without limit.

use super::codec::Codec;
use futures::{SinkExt as _, StreamExt as _};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::codec::Framed;

/// Requests of the SMSC that wait to be taken in; those beyond are told to come again.
const WAITING: usize = 1_000;
/// The largest sequence number (SMPP 3.4, 3.2).
const LAST: u32 = 0x7FFF_FFFF;

/// What the SMSC asks, until the connection ends and says why.
pub(super) type Asked = mpsc::Receiver<Result<Command, String>>;

#[derive(Clone)]
pub(super) struct Connection {
    orders: mpsc::Sender<Order>,
    numbers: Arc<AtomicU32>,
    within: Duration,
}

enum Order {
    /// `None` comes back: it never left.
    Ask(Box<Command>, oneshot::Sender<Option<Command>>),
    Tell(Box<Command>),
    Close,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It surely did not leave.
    NotSent,
    Lost(&'static str),
}

impl Connection {
    /// Takes the stream over. `enquire`: how long it may be silent before it is asked whether it lives; `within`: how long an
    /// answer may take.
    pub(super) fn start<S>(stream: S, enquire: Duration, within: Duration) -> (Self, Asked)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (orders, to_do) = mpsc::channel(WAITING);
        let (asks, asked) = mpsc::channel(WAITING);
        let numbers = Arc::new(AtomicU32::new(0));
        let line = Line {
            framed: Framed::new(stream, Codec),
            answers: HashMap::new(),
            numbers: numbers.clone(),
            asks,
            heard: Instant::now(),
            enquired: None,
            enquire,
            within,
        };
        tokio::spawn(line.run(to_do));
        (Self { orders, numbers, within }, asked)
    }

    /// The answer, whatever it says.
    pub(super) async fn ask(&self, pdu: impl Into<Pdu>) -> Result<Command, Unanswered> {
        let command = Box::new(Command::new(CommandStatus::EsmeRok, number(&self.numbers), pdu));
        let (sender, answer) = oneshot::channel();
        self.orders.send(Order::Ask(command, sender)).await.map_err(|_| Unanswered::NotSent)?;
        match tokio::time::timeout(self.within, answer).await {
            Ok(Ok(Some(command))) => Ok(command),
            Ok(Ok(None)) => Err(Unanswered::NotSent),
            Ok(Err(_)) => Err(Unanswered::Lost("the connection to the SMSC ended before it answered")),
            Err(_) => Err(Unanswered::Lost("the SMSC does not answer")),
        }
    }

    /// Answers request `sequence`. Where the connection has ended nobody hears it.
    pub(super) async fn tell(&self, sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) {
        let command = Box::new(Command::new(status, sequence, pdu));
        let _ = self.orders.send(Order::Tell(command)).await;
    }

    /// Ends it when what was told before is written, and returns when it has ended.
    pub(super) async fn close(&self) {
        let _ = self.orders.send(Order::Close).await;
        self.orders.closed().await;
    }
}

fn number(numbers: &AtomicU32) -> u32 {
    numbers.fetch_add(1, Ordering::Relaxed) % LAST + 1
}

/// The task that owns the stream.
struct Line<S> {
    framed: Framed<S, Codec>,
    answers: HashMap<u32, oneshot::Sender<Option<Command>>>,
    numbers: Arc<AtomicU32>,
    asks: mpsc::Sender<Result<Command, String>>,
    heard: Instant,
    /// The number of our `enquire_link`, and when its answer is due.
    enquired: Option<(u32, Instant)>,
    enquire: Duration,
    within: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let ended = loop {
            let wake = self.enquired.map_or(self.heard + self.enquire, |(_, due)| due);
            let step = tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Ask(command, answer)) => {
                        self.answers.insert(command.sequence_number(), answer);
                        self.write(*command).await
                    }
                    Some(Order::Tell(command)) => self.write(*command).await,
                    Some(Order::Close) | None => break None,
                },
                read = self.framed.next() => match read {
                    Some(Ok(command)) => self.read(command).await,
                    Some(Err(error)) => Err(error.to_string()),
                    None => Err("closed by the SMSC".to_owned()),
                },
                () = tokio::time::sleep_until(wake) => self.silence().await,
            };
            if let Err(why) = step {
                break Some(why);
            }
        };
        // In this order: whoever is told that the line ended finds it closed.
        orders.close();
        while let Ok(order) = orders.try_recv() {
            if let Order::Ask(_, answer) = order {
                let _ = answer.send(None);
            }
        }
        let _ = tokio::time::timeout(self.within, self.framed.close()).await;
        if let Some(why) = ended {
            let _ = self.asks.send(Err(why)).await;
        }
    }

    async fn write(&mut self, command: Command) -> Result<(), String> {
        match tokio::time::timeout(self.within, self.framed.send(command)).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("the SMSC takes nothing any more".to_owned()),
        }
    }

    async fn read(&mut self, command: Command) -> Result<(), String> {
        self.heard = Instant::now();
        let sequence = command.sequence_number();
        if command.id() == CommandId::EnquireLink {
            return self.write(Command::new(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp)).await;
        }
        if command.id().is_response() {
            if self.enquired.is_some_and(|(number, _)| number == sequence) {
                self.enquired = None;
            } else if let Some(answer) = self.answers.remove(&sequence) {
                // Nobody may wait for it any more.
                let _ = answer.send(Some(command));
            }
            return Ok(());
        }
        match self.asks.try_send(Ok(command)) {
            Err(mpsc::error::TrySendError::Full(Ok(command))) if command.id() == CommandId::DeliverSm => {
                let later = rusmpp::pdus::DeliverSmResp::default();
                self.write(Command::new(CommandStatus::EsmeRxTAppn, sequence, later)).await
            }
            _ => Ok(()),
        }
    }

    /// Nothing was heard for long: asks once, then gives up.
    async fn silence(&mut self) -> Result<(), String> {
        if self.enquired.is_some() {
            return Err("the SMSC does not answer enquire_link".to_owned());
        }
        self.answers.retain(|_, answer| !answer.is_closed());
        let number = number(&self.numbers);
        self.enquired = Some((number, Instant::now() + self.within));
        self.write(Command::new(CommandStatus::EsmeRok, number, Pdu::EnquireLink)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::from_secs(3_600);
    const SOON: Duration = Duration::from_millis(50);

    fn pair(enquire: Duration) -> (Connection, Asked, Framed<tokio::io::DuplexStream, Codec>) {
        let (ours, theirs) = tokio::io::duplex(4096);
        let (connection, asked) = Connection::start(ours, enquire, Duration::from_secs(1));
        (connection, asked, Framed::new(theirs, Codec))
    }

    #[tokio::test]
    async fn a_silent_smsc_is_asked_and_given_up() {
        let (connection, mut asked, mut smsc) = pair(SOON);
        let enquiry = smsc.next().await.unwrap().unwrap();
        assert_eq!(enquiry.id(), CommandId::EnquireLink);
        let answer = Command::new(CommandStatus::EsmeRok, enquiry.sequence_number(), Pdu::EnquireLinkResp);
        smsc.send(answer).await.unwrap();
        // The second is not answered.
        assert_eq!(smsc.next().await.unwrap().unwrap().id(), CommandId::EnquireLink);
        assert_eq!(asked.recv().await.unwrap().unwrap_err(), "the SMSC does not answer enquire_link");
        assert!(matches!(connection.ask(Pdu::Unbind).await, Err(Unanswered::NotSent)));
    }

    #[tokio::test]
    async fn answers_find_their_requests_in_any_order() {
        let (connection, _asked, mut smsc) = pair(NEVER);
        let (one, two) = (connection.clone(), connection.clone());
        let one = tokio::spawn(async move { one.ask(Pdu::EnquireLink).await.unwrap().status() });
        let first = smsc.next().await.unwrap().unwrap();
        let two = tokio::spawn(async move { two.ask(Pdu::Unbind).await.unwrap().status() });
        let second = smsc.next().await.unwrap().unwrap();
        for (request, status, pdu) in [
            (&second, CommandStatus::EsmeRthrottled, Pdu::UnbindResp),
            (&first, CommandStatus::EsmeRok, Pdu::EnquireLinkResp),
        ] {
            smsc.send(Command::new(status, request.sequence_number(), pdu)).await.unwrap();
        }
        assert_eq!(
            (one.await.unwrap(), two.await.unwrap()),
            (CommandStatus::EsmeRok, CommandStatus::EsmeRthrottled)
        );
        // Nobody answers this one.
        assert!(matches!(connection.ask(Pdu::Unbind).await, Err(Unanswered::Lost(_))));
        // Nor this one, for they hang up.
        let asking = tokio::spawn(async move { connection.ask(Pdu::Unbind).await });
        smsc.next().await.unwrap().unwrap();
        smsc.next().await.unwrap().unwrap();
        drop(smsc);
        assert!(matches!(asking.await.unwrap(), Err(Unanswered::Lost(_))));
    }

    #[tokio::test]
    async fn what_nobody_takes_in_is_told_to_come_again() {
        let (_connection, asked, mut smsc) = pair(NEVER);
        let deliver = |number| {
            Command::new(CommandStatus::EsmeRok, number, Pdu::DeliverSm(rusmpp::pdus::DeliverSm::default()))
        };
        let full = u32::try_from(WAITING).unwrap() + 1;
        for number in 1..=full {
            smsc.send(deliver(number)).await.unwrap();
        }
        let told = smsc.next().await.unwrap().unwrap();
        assert_eq!((told.sequence_number(), told.status()), (full, CommandStatus::EsmeRxTAppn));
        drop(asked);
    }
}
