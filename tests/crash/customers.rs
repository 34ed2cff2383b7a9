//! Customers who write through Twilio: signed webhooks, delivered again until they are acknowledged, and
//! sometimes once more than needed.

use crate::provider::{ACCOUNT, NUMBER, TOKEN};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sha1::Sha1;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const CUSTOMERS: u32 = 40;
/// What each of them asks, in this order; the answer to each names its second station.
pub const QUESTIONS: [(&str, &str); 5] = [
    ("prochain train Vitré Rennes", "Rennes"),
    ("prochain train Nantes Angers", "Angers"),
    ("prochain train Le Mans Tours", "Tours"),
    ("prochain train Dijon Lyon Part-Dieu", "Lyon"),
    ("prochain train Metz Nancy", "Nancy"),
];

/// What one customer was acknowledged, in this order.
#[derive(Debug, Default, Clone)]
pub struct Acknowledged {
    pub address: String,
    pub sids: Vec<String>,
}

/// Sends everything; returns once all of it is acknowledged.
pub async fn write(webhook: String, lives: watch::Receiver<u32>, seed: u64) -> Vec<Acknowledged> {
    let mut customers = JoinSet::new();
    for n in 0..CUSTOMERS {
        let (webhook, lives) = (webhook.clone(), lives.clone());
        customers.spawn(one(n, webhook, lives, StdRng::seed_from_u64(seed.wrapping_add(u64::from(n)))));
    }
    customers.join_all().await
}

async fn one(n: u32, webhook: String, mut lives: watch::Receiver<u32>, mut random: StdRng) -> Acknowledged {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let address = format!("+336{n:08}");
    // In which life of the server each message is written: over all of them, in order.
    let mut when: Vec<u32> = (0..QUESTIONS.len()).map(|_| random.random_range(1..=crate::KILLS)).collect();
    when.sort_unstable();
    let mut done = Acknowledged { address: address.clone(), ..Acknowledged::default() };
    for ((text, _), life) in QUESTIONS.iter().zip(when) {
        lives.wait_for(|now| *now >= life).await.unwrap();
        tokio::time::sleep(Duration::from_millis(random.random_range(0..1500))).await;
        let sid = format!("SM{n:016x}{:016x}", done.sids.len());
        if random.random_bool(0.2) {
            // Twice at the same time.
            tokio::join!(
                deliver(&client, &webhook, &address, &sid, text),
                deliver(&client, &webhook, &address, &sid, text),
            );
        } else {
            deliver(&client, &webhook, &address, &sid, text).await;
        }
        if random.random_bool(0.2) && !done.sids.is_empty() {
            // An old one comes again, out of order.
            let old = random.random_range(0..done.sids.len());
            deliver(&client, &webhook, &address, &done.sids[old], QUESTIONS[old].0).await;
        }
        done.sids.push(sid);
    }
    done
}

/// Until it is acknowledged, as Twilio is configured to.
async fn deliver(client: &reqwest::Client, webhook: &str, from: &str, sid: &str, text: &str) {
    let form: BTreeMap<&str, &str> = [
        ("AccountSid", ACCOUNT),
        ("Body", text),
        ("From", from),
        ("MessageSid", sid),
        ("NumMedia", "0"),
        ("To", NUMBER),
    ]
    .into();
    let signature = sign(webhook, &form);
    loop {
        match client.post(webhook).header("X-Twilio-Signature", &signature).form(&form).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => assert!(answer.status().is_server_error(), "refused: {}", answer.status()),
            // Killed, or not yet listening.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// HMAC-SHA1 over the URL and the sorted parameters (Twilio, "Webhooks security").
fn sign(url: &str, form: &BTreeMap<&str, &str>) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (key, value) in form {
        mac.update(key.as_bytes());
        mac.update(value.as_bytes());
    }
    BASE64.encode(mac.finalize().into_bytes())
}
