//! The keys of an SMPP channel.

use crate::channels::settings;
use crate::config::{ChannelSettings, Secret, Span};
use rusmpp::pdus::BindTransceiver;
use rusmpp::types::COctetString;
use rusmpp::values::{InterfaceVersion, Npi, Ton};
use serde::Deserialize;
use std::str::FromStr as _;
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// `smpp://host:2775`, or `smpps://` for TLS.
    pub url: String,
    pub system_id: String,
    pub password: Secret,
    #[serde(default)]
    pub system_type: String,
    /// What the SMSC is to deliver to this connection; most decide it by the account.
    #[serde(default)]
    pub address_range: String,
    /// Whom customers see: a number (`+33…`), a short code, or a name of at most 11 characters.
    pub source_addr: Secret,
    /// Type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6), where the look of `source_addr` does not tell.
    pub source_ton: Option<u8>,
    pub source_npi: Option<u8>,
    /// Of the numbers that are written to: international and ISDN unless the SMSC wants otherwise.
    #[serde(default = "one")]
    pub dest_ton: u8,
    #[serde(default = "one")]
    pub dest_npi: u8,
    #[serde(default)]
    pub long: Long,
    #[serde(default)]
    pub receipt_ids: ReceiptIds,
    /// Most `submit_sm` without an answer.
    #[serde(default = "ten")]
    pub window: usize,
    #[serde(default = "half_a_minute")]
    pub enquire_link: Span,
    /// How long the SMSC may take to answer one PDU.
    #[serde(default = "five_seconds")]
    pub answer_within: Span,
    /// How long the first parts of a text wait for the others before they are stored by themselves.
    #[serde(default = "three_seconds")]
    pub parts_within: Span,
}

/// How a text that fills more than one SMS is handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Long {
    /// In parts with a user data header.
    #[default]
    Udh,
    /// Whole, in `message_payload`; the SMSC cuts it.
    Payload,
    /// In parts with `sar_*` parameters; the SMSC writes the headers.
    Sar,
}

/// SMSCs that answer a submission with an id in hexadecimal, and tell of it in decimal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReceiptIds {
    #[default]
    AsIs,
    HexToDec,
}

impl ReceiptIds {
    /// The id of a `submit_sm_resp` as we keep it.
    pub(super) fn of_answer(self, id: &str) -> String {
        self.number(id, 16)
    }

    /// That of a receipt.
    pub(super) fn of_receipt(self, id: &str) -> String {
        self.number(id, 10)
    }

    fn number(self, id: &str, radix: u32) -> String {
        match self {
            ReceiptIds::AsIs => id.to_owned(),
            ReceiptIds::HexToDec => {
                u128::from_str_radix(id, radix).map_or_else(|_| id.to_owned(), |n| n.to_string())
            }
        }
    }
}

fn one() -> u8 {
    1
}

fn ten() -> usize {
    10
}

fn half_a_minute() -> Span {
    Span::seconds(30)
}

fn five_seconds() -> Span {
    Span::seconds(5)
}

fn three_seconds() -> Span {
    Span::seconds(3)
}

/// Where an SMSC listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Settings {
    /// Errors: the key, what is wrong, and the cure.
    pub(super) fn read(keys: &ChannelSettings) -> Result<(Self, Place), String> {
        let read: Self = settings(keys)?;
        let place = place(&read.url)?;
        let most = |key: &str, value: &str, most: usize| match value.len() <= most && value.is_ascii() {
            true => Ok(()),
            false => Err(format!(
                "{key}: SMPP 3.4 allows {most} ASCII characters. Cure: ask the operator of the SMSC"
            )),
        };
        most("system_id", &read.system_id, 15)?;
        most("password", read.password.expose(), 8)?;
        most("system_type", &read.system_type, 12)?;
        most("address_range", &read.address_range, 40)?;
        most("source_addr", read.source_addr.expose(), 20)?;
        if read.system_id.is_empty() {
            return Err("system_id: is empty. Cure: copy it from the contract of the SMSC".into());
        }
        if read.source_addr.is_empty() {
            return Err("source_addr: is empty. Cure: the number or name that customers are to see".into());
        }
        if !(1..=1_000).contains(&read.window) {
            return Err("window: must be 1 to 1000. Cure: what the SMSC allows, often 10".into());
        }
        for (key, span) in [("enquire_link", read.enquire_link), ("answer_within", read.answer_within)] {
            if Duration::from(span) < Duration::from_millis(100) {
                return Err(format!("{key}: must be at least 100ms. Cure: leave it out for the default"));
            }
        }
        Ok((read, place))
    }

    /// Errors: none that [`Settings::read`] would not have told.
    pub(super) fn bind(&self) -> Result<BindTransceiver, String> {
        let long = |key: &'static str| move |error| format!("{key}: {error}");
        Ok(BindTransceiver::builder()
            .system_id(COctetString::from_str(&self.system_id).map_err(long("system_id"))?)
            .password(COctetString::from_str(self.password.expose()).map_err(long("password"))?)
            .system_type(COctetString::from_str(&self.system_type).map_err(long("system_type"))?)
            .interface_version(InterfaceVersion::Smpp3_4)
            .address_range(COctetString::from_str(&self.address_range).map_err(long("address_range"))?)
            .build())
    }

    /// Whom customers see, as SMPP writes it.
    pub(super) fn source(&self) -> (Ton, Npi, &str) {
        let address = self.source_addr.expose();
        let number = address.strip_prefix('+').unwrap_or(address);
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        // A short code is the network's own; a name belongs to no plan.
        let (ton, npi, address) = match (digits, number.len() < address.len() || number.len() > 8) {
            (false, _) => (5, 0, address),
            (true, true) => (1, 1, number),
            (true, false) => (3, 0, number),
        };
        (Ton::from(self.source_ton.unwrap_or(ton)), Npi::from(self.source_npi.unwrap_or(npi)), address)
    }
}

fn place(url: &str) -> Result<Place, String> {
    let wrong = || "url: must be smpp://host:port or smpps://host:port. Cure: ask the operator of the SMSC";
    let url = url::Url::parse(url).map_err(|_| wrong())?;
    let tls = match url.scheme() {
        "smpp" => false,
        "smpps" => true,
        _ => return Err(wrong().into()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    // Bare, as a resolver takes an address of version 6.
    let host = host.trim_matches(['[', ']']).to_owned();
    // 2775 is IANA's for SMPP, 3550 for it over TLS.
    Ok(Place { host, port: url.port().unwrap_or(if tls { 3550 } else { 2775 }), tls })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const KEYS: &str = "url = \"smpp://127.0.0.1:9\"\nsystem_id = \"guichet\"\npassword = \"secret\"\nsource_addr = \"36000\"\n";

    pub(in super::super) fn read(more: &str) -> Result<(Settings, Place), String> {
        // Later keys replace earlier ones.
        let mut table: toml::Table = toml::from_str(KEYS).unwrap();
        table.extend(toml::from_str::<toml::Table>(more).unwrap());
        Settings::read(&ChannelSettings(table.into_iter().collect()))
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        let cases = [
            ("url = \"http://smsc\"", "url: must be smpp://"),
            ("url = \"smpp:\"", "url: must be smpp://"),
            ("system_id = \"\"", "system_id: is empty"),
            ("system_id = \"sixteen-letters!\"", "system_id: SMPP 3.4 allows 15"),
            ("password = \"nine-long\"", "password: SMPP 3.4 allows 8"),
            ("source_addr = \"\"", "source_addr: is empty"),
            ("window = 0", "window: must be 1 to 1000"),
            ("long = \"tlv\"", "long: "),
            ("receipt_ids = \"hex\"", "receipt_ids: "),
            ("enquire_link = \"0s\"", "enquire_link: must be at least"),
            ("sytem_id = \"x\"", "sytem_id: unknown field"),
        ];
        for (keys, expected) in cases {
            let error = read(keys).unwrap_err();
            assert!(error.starts_with(expected), "{keys}: {error}");
            assert!(!error.contains("nine-long"));
        }
    }

    #[test]
    fn an_address_is_of_the_kind_that_it_looks_like() {
        let cases = [
            ("source_addr = \"+33900000000\"", (Ton::International, Npi::Isdn, "33900000000")),
            ("source_addr = \"33900000000\"", (Ton::International, Npi::Isdn, "33900000000")),
            ("source_addr = \"36000\"", (Ton::NetworkSpecific, Npi::Unknown, "36000")),
            ("source_addr = 36000", (Ton::NetworkSpecific, Npi::Unknown, "36000")),
            ("source_addr = \"GUICHET\"", (Ton::Alphanumeric, Npi::Unknown, "GUICHET")),
            ("source_ton = 6\nsource_npi = 8", (Ton::Abbreviated, Npi::National, "36000")),
        ];
        for (keys, expected) in cases {
            assert_eq!(read(keys).unwrap().0.source(), expected, "{keys}");
        }
        let (_, place) = read("url = \"smpps://[::1]\"").unwrap();
        assert_eq!(place, Place { host: "::1".into(), port: 3550, tls: true });
    }

    #[test]
    fn ids_of_answers_and_receipts_meet() {
        let (as_is, hex) = (ReceiptIds::AsIs, ReceiptIds::HexToDec);
        assert_eq!(hex.of_answer("1A2B"), hex.of_receipt("0000006699"));
        assert_eq!(as_is.of_answer("1A2B"), as_is.of_receipt("1A2B"));
        assert_eq!(hex.of_answer("not-a-number"), "not-a-number");
    }
}
