//! A provider that answers as it is told, for the fault tables of senders.

use super::{
    Accepted, BuildContext, Channel, Channels, InboundEvent, Inbox, Listener, Outgoing, SendError, Trace,
};
use crate::clock::{Clock, ManualClock};
use crate::config::ChannelConfig;
use crate::model::{Author, Lang, MessageId, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// 2025-12-17T19:33:20Z.
pub const NOW: Timestamp = Timestamp(1_766_000_000_000_000);
/// The sender's patience in tests.
const TIMEOUT: Duration = Duration::from_millis(150);

/// What the provider does with one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status, headers as lines, body.
    Http(u16, &'static str, String),
    /// Closes the connection without a word, having read the request.
    Reset,
    /// Reads the request and never answers.
    Silence,
}

/// Answers with a status and a body of JSON.
pub fn json(status: u16, body: &str) -> Answer {
    Answer::Http(status, "content-type: application/json\r\n", body.to_owned())
}

/// A server of one test.
pub struct Provider {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// Gives `answers` in turn, to one request each; the last one again when they are used up.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let mut answers = VecDeque::from(answers);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                match answer.unwrap() {
                    Answer::Http(status, headers, body) => {
                        let head = format!(
                            "HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        stream.write_all(head.as_bytes()).await.unwrap();
                        stream.write_all(body.as_bytes()).await.unwrap();
                    }
                    Answer::Reset => drop(stream),
                    Answer::Silence => silent.push(stream),
                }
            }
        });
        Self { url, requests }
    }

    /// Every request so far: head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes);
        let length = text
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok())
            .unwrap_or(0);
        let whole = text.find("\r\n\r\n").is_some_and(|head| bytes.len() >= head + 4 + length);
        if n == 0 || whole {
            return text.into_owned();
        }
    }
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(NOW))
}

/// The channel `name` of `kind` with the keys of `toml`.
pub fn build(name: &str, kind: &str, toml: &str) -> Result<Arc<dyn Channel>, Vec<String>> {
    let mut config: ChannelConfig = toml::from_str(toml).unwrap();
    config.kind = kind.to_owned();
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap();
    let context = BuildContext { public_url: "https://guichet.example".into(), client, clock: clock() };
    let channels = Channels::build(&BTreeMap::from([(name.to_owned(), config)]), &context)?;
    Ok(channels.get(name).unwrap().clone())
}

pub fn outgoing(address: &str, text: &str) -> Outgoing {
    Outgoing {
        id: MessageId::new(),
        address: address.into(),
        text: text.into(),
        choices: Vec::new(),
        reply_to: None,
        heard_at: Some(NOW),
        author: Author::Bot,
        lang: Some(Lang::FR),
        since: NOW,
    }
}

/// What became of a send, in one word for tables.
pub async fn outcome(channel: &dyn Channel, message: &Outgoing) -> String {
    let trace = Trace::new(clock(), &[&message.address]);
    match channel.send(message, &trace).await {
        Ok(Some(id)) => format!("sent {id}"),
        Ok(None) => "sent".into(),
        Err(SendError::Retry { after: Some(after), .. }) => format!("retry after {}", after.as_secs()),
        Err(SendError::Retry { .. }) => "retry".into(),
        Err(SendError::Permanent { .. }) => "permanent".into(),
        Err(SendError::Blocked { .. }) => "blocked".into(),
        Err(SendError::InDoubt { .. }) => "in doubt".into(),
    }
}

/// Keeps what it is given; refuses the first so many times.
#[derive(Default)]
pub struct Kept {
    pub refuse: Mutex<u32>,
    pub taken: Mutex<Vec<Accepted>>,
    pub cursor: Option<String>,
    pub news: Notify,
}

#[async_trait]
impl Inbox for Kept {
    async fn take(&self, accepted: Accepted) -> Result<(), String> {
        self.news.notify_one();
        let mut refuse = self.refuse.lock().unwrap();
        if *refuse > 0 {
            *refuse -= 1;
            return Err("the database is away".into());
        }
        self.taken.lock().unwrap().push(accepted);
        Ok(())
    }

    async fn cursor(&self) -> Result<Option<String>, String> {
        Ok(self.cursor.clone())
    }
}

impl Kept {
    /// Of the messages in order.
    pub fn texts(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let events = taken.iter().flat_map(|accepted| &accepted.events);
        events
            .map(|event| match event {
                InboundEvent::Message(message) => message.text.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

/// Runs the listener until `enough`, then tells it to stop, which it does.
pub async fn listen(listener: impl Listener + 'static, inbox: &Arc<Kept>, enough: impl Fn() -> bool) {
    let stop = CancellationToken::new();
    let running = {
        let (inbox, stop) = (inbox.clone(), stop.clone());
        tokio::spawn(async move { listener.run(inbox, stop).await })
    };
    let waiting = async {
        while !enough() {
            // Each request yields to the listener; a poll of the condition costs nothing.
            let _ = tokio::time::timeout(Duration::from_millis(5), inbox.news.notified()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it should have come so far");
    stop.cancel();
    running.await.unwrap();
}
