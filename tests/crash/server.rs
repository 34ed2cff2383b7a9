//! The server as a process of its own, so that it can be killed.

use crate::provider::{ACCOUNT, NUMBER, TOKEN};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A debug build trains its first model on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

pub struct Server {
    address: String,
    environment: Vec<(&'static str, String)>,
    folder: tempfile::TempDir,
}

impl Server {
    pub fn new(database: &str, provider: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let text = |value: &str| value.to_owned();
        let environment = vec![
            ("GUICHET__SERVER__LISTEN", address.clone()),
            ("GUICHET__SERVER__METRICS_LISTEN", free_address()),
            ("GUICHET__SERVER__PUBLIC_URL", format!("http://{address}")),
            ("GUICHET__DATABASE__URL", text(database)),
            ("GUICHET__FILES__CACHE", text(concat!(env!("CARGO_TARGET_TMPDIR"), "/learned"))),
            ("GUICHET__NLU__ENCODER", String::new()),
            ("GUICHET__CHANNELS__TWILIO__ACCOUNT_SID", text(ACCOUNT)),
            ("GUICHET__CHANNELS__TWILIO__AUTH_TOKEN", text(TOKEN)),
            ("GUICHET__CHANNELS__TWILIO__FROM", text(NUMBER)),
            ("GUICHET__CHANNELS__TWILIO__API_URL", text(provider)),
            // Short, so that what a kill leaves is taken up soon.
            ("GUICHET__QUEUE__SEND_TIMEOUT", text("2s")),
            ("GUICHET__QUEUE__LEASE", text("4s")),
            ("GUICHET__QUEUE__SETTLE", text("1s")),
            ("GUICHET__QUEUE__SETTLE_ATTEMPTS", text("1000")),
            ("GUICHET__QUEUE__POLL", text("200ms")),
            ("GUICHET__QUEUE__RETRY", format!("[{}]", ["\"200ms\""; 100].join(", "))),
            ("GUICHET__LOG__FILTER", text("info,guichet=debug,sqlx=warn")),
        ];
        let server = Self { address, environment, folder };
        // Once, and not at every start: twenty lives are about messages, not about learning.
        let learned = server.command("learn").status().unwrap();
        assert!(learned.success(), "{}", server.log());
        server
    }

    fn command(&self, what: &str) -> std::process::Command {
        let path = self.folder.path().join("log");
        let log = std::fs::File::options().create(true).append(true).open(path).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_guichet"));
        command
            .arg(what)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
    }

    pub fn webhook(&self) -> String {
        format!("http://{}/webhooks/twilio", self.address)
    }

    pub fn start(&self) -> Running {
        let child = Command::from(self.command("serve")).kill_on_drop(true).spawn().unwrap();
        Running { child, health: format!("http://{}/health", self.address) }
    }

    /// The end of what all its lives wrote.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// Free a moment ago. Every life needs the same address, so the server cannot choose one itself.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

pub struct Running {
    child: Child,
    health: String,
}

impl Running {
    pub async fn until_it_listens(&mut self) {
        self.until(|_| true).await;
    }

    /// The first model is trained, and jobs are worked on.
    pub async fn until_it_answers(&mut self) {
        self.until(|health| !health["model"].is_null()).await;
    }

    async fn until(&mut self, ready: impl Fn(&serde_json::Value) -> bool) {
        let started = Instant::now();
        while started.elapsed() < STARTS_WITHIN {
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended by itself");
            if let Ok(answer) = reqwest::get(&self.health).await
                && let Ok(health) = answer.json::<serde_json::Value>().await
                && ready(&health)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server did not start within {STARTS_WITHIN:?}");
    }

    /// SIGKILL: nothing of the process runs any more.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and a clean exit.
    pub async fn stop(&mut self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        assert!(ended.expect("SIGTERM ends it").unwrap().success());
    }
}
