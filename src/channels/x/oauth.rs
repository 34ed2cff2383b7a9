//! How requests to X are signed: OAuth 1.0a with HMAC-SHA1 (RFC 5849), or a bearer token of OAuth 2.0.
//!
//! Checked against the examples of RFC 5849 (sections 1.2 and 3.4.1.1), X's own example ("Creating a signature"), and
//! Python's `oauthlib`.

use crate::config::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use url::Url;

/// Everything but the unreserved characters of RFC 3986 (RFC 5849, section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What shows that a request is ours.
#[derive(Debug)]
pub enum Signer {
    OAuth1 { key: Secret, secret: Secret, token: Secret, token_secret: Secret },
    Bearer(Secret),
}

/// What makes each signature another one.
pub struct Moment {
    /// Unix seconds.
    pub seconds: i64,
    pub nonce: String,
}

impl Signer {
    /// The value of `Authorization` for a request without a form. `None`: the secrets cannot sign.
    pub fn authorization(&self, method: &str, url: &Url, moment: &Moment) -> Option<String> {
        let (key, secret, token, token_secret) = match self {
            Self::Bearer(token) => return Some(format!("Bearer {}", token.expose())),
            Self::OAuth1 { key, secret, token, token_secret } => (key, secret, token, token_secret),
        };
        let own = [
            ("oauth_consumer_key", key.expose().to_owned()),
            ("oauth_nonce", moment.nonce.clone()),
            ("oauth_signature_method", "HMAC-SHA1".to_owned()),
            ("oauth_timestamp", moment.seconds.to_string()),
            ("oauth_token", token.expose().to_owned()),
            ("oauth_version", "1.0".to_owned()),
        ];
        let base = base_string(method, url, &own);
        let signature = sign(&base, secret.expose(), token_secret.expose())?;
        let pairs = own.iter().map(|(name, value)| (*name, value.as_str()));
        let header: Vec<String> = pairs
            .chain([("oauth_signature", signature.as_str())])
            .map(|(name, value)| format!("{name}=\"{}\"", encode(value)))
            .collect();
        Some(format!("OAuth {}", header.join(", ")))
    }
}

/// Section 3.4.1. `more`: the parameters of the header, of a form too.
fn base_string(method: &str, url: &Url, more: &[(&str, String)]) -> String {
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.extend(more.iter().map(|(name, value)| (encode(name), encode(value))));
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    // A port is named only where it is not the usual one, as `Url` keeps it.
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let place = format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    format!("{}&{}&{}", method.to_ascii_uppercase(), encode(&place), encode(&pairs.join("&")))
}

/// Section 3.4.2.
fn sign(base: &str, secret: &str, token_secret: &str) -> Option<String> {
    let key = format!("{}&{}", encode(secret), encode(token_secret));
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(base.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn the_examples_of_the_rfc_and_of_x_are_signed_alike() {
        let method = ("oauth_signature_method", "HMAC-SHA1");
        type Case<'a> = (&'a str, &'a str, Vec<(&'static str, String)>, &'a str, &'a str, &'a str);
        let cases: Vec<Case<'_>> = vec![
            (
                "POST",
                "https://photos.example.net/token",
                own(&[
                    ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                    ("oauth_token", "hh5s93j4hdidpola"),
                    method,
                    ("oauth_timestamp", "137131201"),
                    ("oauth_nonce", "walatlh"),
                    ("oauth_verifier", "hfdp7dh39dks9884"),
                ]),
                "kd94hf93k423kf44",
                "hdhd0244k9j7ao03",
                "gKgrFCywp7rO0OXSjdot/IHF7IU=",
            ),
            (
                "GET",
                "http://photos.example.net/photos?file=vacation.jpg&size=original",
                own(&[
                    ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                    ("oauth_token", "nnch734d00sl2jdk"),
                    method,
                    ("oauth_timestamp", "137131202"),
                    ("oauth_nonce", "chapoH"),
                ]),
                "kd94hf93k423kf44",
                "pfkkdhi9sl3r4s00",
                "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
            ),
            (
                "POST",
                "https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
                own(&[
                    ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
                    ("oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"),
                    ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
                    method,
                    ("oauth_timestamp", "1318622958"),
                    ("oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
                    ("oauth_version", "1.0"),
                ]),
                "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
                "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
                "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
            ),
        ];
        for (method, url, own, secret, token_secret, expected) in cases {
            let base = base_string(method, &Url::parse(url).unwrap(), &own);
            assert_eq!(sign(&base, secret, token_secret).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn the_base_string_is_that_of_the_rfc() {
        let url = Url::parse("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b").unwrap();
        let own = own(&[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ]);
        let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(base_string("post", &url, &own), expected);
    }

    #[test]
    fn a_request_is_signed_with_what_is_configured() {
        let secret = |text: &str| Secret::new(text);
        let url = Url::parse("http://127.0.0.1:8080/2/tweets").unwrap();
        let moment = Moment { seconds: 1_766_000_000, nonce: "n0nce".into() };
        let signer = Signer::OAuth1 {
            key: secret("key"),
            secret: secret("secret"),
            token: secret("1-token"),
            token_secret: secret("token&secret"),
        };
        // Of Python's oauthlib 3: Client(…, nonce="n0nce", timestamp="1766000000").sign(url, "POST").
        let expected = OAUTHLIB;
        assert_eq!(signer.authorization("POST", &url, &moment).unwrap(), expected);
        let bearer = Signer::Bearer(secret("t0k"));
        assert_eq!(bearer.authorization("POST", &url, &moment).unwrap(), "Bearer t0k");
    }

    const OAUTHLIB: &str = "OAuth oauth_consumer_key=\"key\", oauth_nonce=\"n0nce\", oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1766000000\", oauth_token=\"1-token\", oauth_version=\"1.0\", oauth_signature=\"g5%2FlktYMxCIaB0acQvzq7PGaDeE%3D\"";
}
