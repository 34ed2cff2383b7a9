use super::super::testing::{build, outcome, outgoing};
use super::super::{InboundEvent, Inbox, ReceiptState};
use super::codec::Codec;
use super::*;
use futures::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindTransceiverResp, DeliverSm, SubmitSmResp};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{EsmClass, Ton};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::collections::VecDeque;
use std::str::FromStr as _;
use std::sync::Mutex;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

/// What the SMSC does with one `submit_sm`.
#[derive(Debug, Clone, Copy)]
enum Does {
    Accepts(&'static str),
    Says(u32),
    Nacks,
    /// A yes that no one can decode.
    Mumbles,
    Keeps,
    Closes,
}

/// What a test has the SMSC do.
enum Order {
    Deliver(u32, Box<Pdu>),
    Raw(Vec<u8>),
    Close,
}

/// What the SMSC saw.
#[derive(Debug, PartialEq)]
enum Saw {
    Bind,
    Unbind,
    /// Sequence number and status.
    Answer(u32, u32),
}

struct Smsc {
    url: String,
    orders: mpsc::UnboundedSender<Order>,
    saw: mpsc::UnboundedReceiver<Saw>,
}

impl Smsc {
    async fn start(script: Vec<Does>, bind: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smpp://{}", listener.local_addr().unwrap());
        let (orders, mut to_do) = mpsc::unbounded_channel();
        let (seen, saw) = mpsc::unbounded_channel();
        let mut script = VecDeque::from(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let framed = Framed::new(stream, Codec);
                converse(framed, &mut script, bind, &mut to_do, &seen).await;
            }
        });
        Self { url, orders, saw }
    }

    fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    fn deliver(&self, sequence: u32, class: u8, octets: &[u8]) {
        let pdu = DeliverSm::builder()
            .source_addr_ton(Ton::International)
            .source_addr(COctetString::from_str("33612345678").unwrap())
            .destination_addr(COctetString::from_str("36000").unwrap())
            .esm_class(EsmClass::from(class))
            .short_message(OctetString::from_slice(octets).unwrap())
            .build();
        self.order(Order::Deliver(sequence, Box::new(pdu.into())));
    }

    async fn sees(&mut self, expected: Saw) {
        assert_eq!(self.saw.recv().await, Some(expected));
    }
}

async fn converse(
    mut framed: Framed<TcpStream, Codec>,
    script: &mut VecDeque<Does>,
    bind: u32,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    seen: &mpsc::UnboundedSender<Saw>,
) {
    let answer = |command: &Command, status: u32, pdu: Pdu| {
        Command::new(CommandStatus::from(status), command.sequence_number(), pdu)
    };
    loop {
        let command = tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Deliver(sequence, pdu)) => {
                    framed.send(Command::new(CommandStatus::EsmeRok, sequence, *pdu)).await.unwrap();
                    continue;
                }
                Some(Order::Raw(octets)) => {
                    framed.get_mut().write_all(&octets).await.unwrap();
                    continue;
                }
                Some(Order::Close) | None => return,
            },
            command = framed.next() => match command {
                Some(Ok(command)) => command,
                _ => return,
            },
        };
        let reply = match command.id() {
            CommandId::BindTransceiver => {
                seen.send(Saw::Bind).unwrap();
                answer(&command, bind, BindTransceiverResp::default().into())
            }
            CommandId::DeliverSmResp => {
                let _ = seen.send(Saw::Answer(command.sequence_number(), u32::from(command.status())));
                continue;
            }
            CommandId::Unbind => {
                let _ = seen.send(Saw::Unbind);
                answer(&command, 0, Pdu::UnbindResp)
            }
            CommandId::SubmitSm => match script.pop_front().expect("a submit_sm too many") {
                Does::Accepts(id) => {
                    let id = COctetString::from_str(id).unwrap();
                    answer(&command, 0, SubmitSmResp::builder().message_id(id).build().into())
                }
                Does::Says(status) => answer(&command, status, SubmitSmResp::default().into()),
                Does::Nacks => answer(&command, 2, Pdu::GenericNack),
                Does::Mumbles => {
                    let head = [0, 0, 0, 18, 0x80, 0, 0, 4, 0, 0, 0, 0].map(|b: u8| b);
                    let octets = [&head[..], &command.sequence_number().to_be_bytes(), b"\xe9\0"].concat();
                    framed.get_mut().write_all(&octets).await.unwrap();
                    continue;
                }
                Does::Keeps => continue,
                Does::Closes => return,
            },
            _ => continue,
        };
        framed.send(reply).await.unwrap();
    }
}

/// Keeps what it takes, and passes it on; fails as often as told.
struct Kept {
    taken: mpsc::UnboundedSender<Accepted>,
    failures: Mutex<usize>,
}

#[async_trait]
impl Inbox for Kept {
    async fn take(&self, accepted: Accepted) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("away".into());
        }
        self.taken.send(accepted).map_err(|error| error.to_string())
    }

    async fn cursor(&self) -> Result<Option<String>, String> {
        Ok(None)
    }
}

struct Bench {
    smsc: Smsc,
    channel: Arc<dyn Channel>,
    taken: mpsc::UnboundedReceiver<Accepted>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Bench {
    /// Bound, unless the SMSC refuses.
    async fn start(script: Vec<Does>, bind: u32, failures: usize) -> Self {
        let mut smsc = Smsc::start(script, bind).await;
        let keys = format!(
            "url = \"{}\"\nsystem_id = \"guichet\"\npassword = \"secret\"\nsource_addr = \"36000\"\n\
             answer_within = \"300ms\"\n",
            smsc.url
        );
        let channel = build("sms", "smpp", &keys).unwrap();
        let (sender, taken) = mpsc::unbounded_channel();
        let inbox = Arc::new(Kept { taken: sender, failures: Mutex::new(failures) });
        let (listener, stop) = (channel.listener().unwrap(), CancellationToken::new());
        let token = stop.clone();
        let running = tokio::spawn(async move { listener.run(inbox, token).await });
        smsc.sees(Saw::Bind).await;
        Self { smsc, channel, taken, stop, running }
    }

    /// With what it must have heard to be bound.
    async fn bound(script: Vec<Does>) -> Self {
        let mut bench = Self::start(script, 0, 0).await;
        bench.smsc.deliver(1, 0x20, b"");
        bench.smsc.sees(Saw::Answer(1, 0)).await;
        bench
    }

    /// The next message that was stored: its text and id.
    async fn stores(&mut self) -> (String, String) {
        match self.taken.recv().await.unwrap().events.pop() {
            Some(InboundEvent::Message(message)) => {
                assert_eq!(message.address, "+33612345678");
                (message.text, message.provider_id)
            }
            other => panic!("{other:?} is no message"),
        }
    }
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    use Does::*;
    let (short, long) = ("Bonjour", "ç".repeat(100));
    let cases: Vec<(&str, Vec<Does>, &str)> = vec![
        (short, vec![Accepts("A1")], "sent A1"),
        (short, vec![Accepts("")], "sent"),
        (short, vec![Mumbles], "sent"),
        (short, vec![Says(0x58)], "retry after 1"),
        (short, vec![Says(0x14)], "retry after 5"),
        (short, vec![Says(0x08)], "retry"),
        (short, vec![Says(0x0B)], "permanent"),
        (short, vec![Nacks], "permanent"),
        (short, vec![Keeps], "in doubt"),
        (short, vec![Closes], "in doubt"),
        (&long, vec![Accepts("A1"), Accepts("A2")], "sent A2"),
        (&long, vec![Says(0x0B)], "permanent"),
        (&long, vec![Accepts("A1"), Says(0x0B)], "in doubt"),
        (&long, vec![Accepts("A1"), Says(0x58), Accepts("A2")], "sent A2"),
        (&long, vec![Accepts("A1"), Closes], "in doubt"),
        (&long, vec![Accepts("A1"), Keeps], "in doubt"),
    ];
    for (text, script, expected) in cases {
        let bench = Bench::bound(script.clone()).await;
        let became = outcome(bench.channel.as_ref(), &outgoing("+33612345678", text)).await;
        assert_eq!(became, expected, "{script:?}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent_and_all_is_tried_again() {
    let keys = settings::tests::KEYS;
    let channel = build("sms", "smpp", keys).unwrap();
    assert_eq!(outcome(channel.as_ref(), &outgoing("+33612345678", "x")).await, "retry after 2");
    assert_eq!(outcome(channel.as_ref(), &outgoing("+33 6", "é".repeat(40_000).as_str())).await, "permanent");

    // A refused bind ends nothing; a stop does.
    let bench = Bench::start(vec![], 0x0E, 0).await;
    assert_eq!(outcome(bench.channel.as_ref(), &outgoing("+33612345678", "x")).await, "retry after 2");
    bench.stop.cancel();
    bench.running.await.unwrap();
}

#[tokio::test]
async fn what_is_delivered_is_stored_and_then_answered() {
    let mut bench = Bench::bound(vec![]).await;
    bench.smsc.deliver(2, 0, b"oui");
    let (text, first) = bench.stores().await;
    bench.smsc.sees(Saw::Answer(2, 0)).await;
    assert_eq!(text, "oui");
    // A second "oui" is a second message.
    bench.smsc.deliver(3, 0, b"oui");
    assert_ne!(bench.stores().await.1, first);
    bench.smsc.sees(Saw::Answer(3, 0)).await;
    // One in two parts, the second first: one message, each part answered.
    bench.smsc.deliver(4, 0x40, b"\x05\x00\x03\x09\x02\x02 Rennes");
    bench.smsc.deliver(5, 0x40, b"\x05\x00\x03\x09\x02\x01Vers");
    assert_eq!(bench.stores().await.0, "Vers Rennes");
    bench.smsc.sees(Saw::Answer(5, 0)).await;
    bench.smsc.sees(Saw::Answer(4, 0)).await;
    // What cannot be decoded is rejected, and the next is taken.
    let body = b"\0\x05\0Caf\xe9\0\0\0\x33\0\0\0\0\0\0\0\0\0\0\0";
    let head = [&[0, 0, 0, 16 + body.len() as u8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6][..], body].concat();
    bench.smsc.order(Order::Raw(head));
    bench.smsc.sees(Saw::Answer(6, 0x66)).await;
    bench.smsc.deliver(7, 0, b"merci");
    assert_eq!(bench.stores().await.0, "merci");
    bench.smsc.sees(Saw::Answer(7, 0)).await;
    // A leave is taken in order.
    bench.stop.cancel();
    bench.smsc.sees(Saw::Unbind).await;
    bench.running.await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_away_for_a_moment_loses_nothing() {
    let mut bench = Bench::start(vec![], 0, 1).await;
    bench.smsc.deliver(1, 0, b"oui");
    assert_eq!(bench.stores().await.0, "oui");
    bench.smsc.sees(Saw::Answer(1, 0)).await;
}

#[tokio::test]
async fn a_message_delivered_again_after_the_connection_broke_is_the_same() {
    let mut bench = Bench::bound(vec![]).await;
    bench.smsc.deliver(2, 0, b"oui");
    let (_, first) = bench.stores().await;
    bench.smsc.sees(Saw::Answer(2, 0)).await;
    bench.smsc.order(Order::Close);
    bench.smsc.sees(Saw::Bind).await;
    // The SMSC had not read the answer.
    bench.smsc.deliver(1, 0, b"oui");
    bench.smsc.sees(Saw::Answer(1, 0)).await;
    bench.smsc.deliver(2, 0, b"oui");
    bench.smsc.sees(Saw::Answer(2, 0)).await;
    assert_ne!(bench.stores().await.1, first, "the one that was in doubt is not stored again, the next is");
    assert!(bench.taken.try_recv().is_err());
}

#[tokio::test]
async fn a_receipt_names_the_message_that_the_store_may_not_know_yet() {
    let mut bench = Bench::bound(vec![Does::Accepts("A1")]).await;
    let message = outgoing("+33612345678", "Bonjour");
    assert_eq!(outcome(bench.channel.as_ref(), &message).await, "sent A1");
    bench.smsc.deliver(2, 0x04, b"id:A1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:");
    let events = bench.taken.recv().await.unwrap().events;
    let [InboundEvent::Receipt(receipt)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((receipt.provider_id.as_str(), receipt.message_id), ("A1", Some(message.id)));
    assert_eq!(receipt.state, ReceiptState::Delivered);
    bench.smsc.sees(Saw::Answer(2, 0)).await;
}
