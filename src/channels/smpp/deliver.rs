//! What a `deliver_sm` says: a customer's text, a part of one, or what became of a message of ours. Pure.

use super::alphabet::Coding;
use super::settings::ReceiptIds;
use crate::channels::ReceiptState;
use crate::channels::signing::hex;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use rusmpp::values::Ton;
use sha2::{Digest as _, Sha256};

/// `esm_class`, the type of message (SMPP 3.4, 5.2.12).
const TYPE: u8 = 0b0011_1100;
const RECEIPT: u8 = 0b0000_0100;
const UDHI: u8 = 0b0100_0000;
/// Information elements of a user data header (3GPP TS 23.040, 9.2.3.24): concatenation, 8 and 16 bits.
const CONCATENATED_8: u8 = 0x00;
const CONCATENATED_16: u8 = 0x08;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Delivered {
    Text(Text),
    Receipt(Told),
    /// Acknowledgements between phones, progress that changes nothing.
    Nothing,
}

/// What a customer wrote, or one part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// With a plus where the network says that the number is international.
    pub from: String,
    pub coding: Coding,
    pub octets: Vec<u8>,
    pub part: Option<PartOf>,
    /// The SMSC's own id, which few give.
    pub id: Option<String>,
    /// Of everything that is the same when the SMSC delivers it again.
    pub digest: String,
}

/// Which part of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartOf {
    pub reference: u16,
    pub total: u8,
    /// From 1.
    pub number: u8,
}

/// A delivery receipt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// As `submit_sm_resp` gave it.
    pub id: String,
    pub state: ReceiptState,
}

pub(super) fn read(pdu: &DeliverSm, ids: ReceiptIds) -> Delivered {
    let class = u8::from(pdu.esm_class);
    match class & TYPE {
        0 => Delivered::Text(text(pdu, class & UDHI != 0)),
        RECEIPT => receipt(pdu, ids).map_or(Delivered::Nothing, Delivered::Receipt),
        _ => Delivered::Nothing,
    }
}

fn values(pdu: &DeliverSm) -> impl Iterator<Item = &TlvValue> {
    pdu.tlvs().iter().filter_map(|tlv| tlv.value())
}

/// `short_message`, or `message_payload` in its place.
fn octets(pdu: &DeliverSm) -> &[u8] {
    let payload = values(pdu).find_map(|value| match value {
        TlvValue::MessagePayload(payload) => Some(payload.value.as_ref()),
        _ => None,
    });
    match pdu.short_message().as_ref() {
        [] => payload.unwrap_or_default(),
        short => short,
    }
}

fn text(pdu: &DeliverSm, has_header: bool) -> Text {
    let (header, octets) = match octets(pdu) {
        [length, rest @ ..] if has_header && usize::from(*length) <= rest.len() => {
            rest.split_at(usize::from(*length))
        }
        all => (&[][..], all),
    };
    let part = concatenation(header).or_else(|| segment(pdu)).filter(|part| part.total > 1);
    let data_coding = u8::from(pdu.data_coding);
    let from = address(pdu.source_addr.as_str(), pdu.source_addr_ton);
    let mut digest = Sha256::new();
    for field in [from.as_bytes(), pdu.destination_addr.as_str().as_bytes(), &[data_coding], header, octets] {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    let id = receipted(pdu);
    for number in part.iter().flat_map(|p| [p.reference, u16::from(p.total), u16::from(p.number)]) {
        digest.update(number.to_be_bytes());
    }
    Text {
        from,
        coding: Coding::of(data_coding),
        octets: octets.to_vec(),
        part,
        id,
        digest: hex(&digest.finalize()),
    }
}

fn address(number: &str, ton: Ton) -> String {
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if ton == Ton::International && digits { format!("+{number}") } else { number.to_owned() }
}

fn concatenation(header: &[u8]) -> Option<PartOf> {
    let mut rest = header;
    while let [kind, length, after @ ..] = rest {
        let (value, next) = after.split_at_checked(usize::from(*length))?;
        let part = match (*kind, value) {
            (CONCATENATED_8, &[reference, total, number]) => {
                Some(PartOf { reference: u16::from(reference), total, number })
            }
            (CONCATENATED_16, &[high, low, total, number]) => {
                Some(PartOf { reference: u16::from_be_bytes([high, low]), total, number })
            }
            _ => None,
        };
        if let Some(part) = part {
            return is_a_part(part).then_some(part);
        }
        rest = next;
    }
    None
}

/// The `sar_*` parameters (SMPP 3.4, 5.3.2.22 to 24).
fn segment(pdu: &DeliverSm) -> Option<PartOf> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for value in values(pdu) {
        match value {
            TlvValue::SarMsgRefNum(value) => reference = Some(*value),
            TlvValue::SarTotalSegments(value) => total = Some(*value),
            TlvValue::SarSegmentSeqnum(value) => number = Some(*value),
            _ => {}
        }
    }
    Some(PartOf { reference: reference?, total: total?, number: number? }).filter(|part| is_a_part(*part))
}

fn is_a_part(part: PartOf) -> bool {
    (1..=part.total).contains(&part.number)
}

fn receipted(pdu: &DeliverSm) -> Option<String> {
    values(pdu).find_map(|value| match value {
        TlvValue::ReceiptedMessageId(id) if !id.is_empty() => Some(id.as_str().to_owned()),
        _ => None,
    })
}

/// By `receipted_message_id` and `message_state`, else by the text that SMPP 3.4 shows in its appendix B:
/// `id:IIII sub:SSS dlvrd:DDD submit date:… done date:… stat:DDDDDDD err:E text:…`. None: it names no message or no state.
fn receipt(pdu: &DeliverSm, ids: ReceiptIds) -> Option<Told> {
    let said: String = octets(pdu).iter().map(|&octet| char::from(octet)).collect();
    let state = values(pdu).find_map(|value| match value {
        TlvValue::MessageState(state) => Some(u8::from(*state)),
        _ => None,
    });
    let id = receipted(pdu).or_else(|| field(&said, "id:").map(str::to_owned))?;
    let error = field(&said, "err:").unwrap_or("unknown");
    // SMPP 3.4, 5.2.28, and the words of appendix B.
    let state = match (state, field(&said, "stat:").map(str::to_ascii_uppercase).as_deref()) {
        (Some(2), _) | (None, Some("DELIVRD")) => ReceiptState::Delivered,
        (Some(3), _) | (None, Some("EXPIRED")) => failed("expired", error),
        (Some(4), _) | (None, Some("DELETED")) => failed("deleted", error),
        (Some(5), _) | (None, Some("UNDELIV")) => failed("undeliverable", error),
        (Some(8), _) | (None, Some("REJECTD")) => failed("rejected", error),
        (Some(_), _) | (None, Some("ACCEPTD" | "ENROUTE" | "UNKNOWN")) => ReceiptState::Sent,
        _ => return None,
    };
    Some(Told { id: ids.of_receipt(&id), state })
}

fn failed(what: &str, error: &str) -> ReceiptState {
    let error: String = error.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    ReceiptState::Failed(format!("the network: {what}, error {error}"))
}

/// What follows `name` up to the next white space.
fn field<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    // ASCII only is lowered: the places stay.
    let lowered = said.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lowered.get(from..)?.find(name)?;
        let begins = at == 0 || lowered.as_bytes().get(at - 1).is_some_and(u8::is_ascii_whitespace);
        from = at + name.len();
        if begins {
            return said.get(from..)?.split_whitespace().next().filter(|value| !value.is_empty());
        }
    }
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
