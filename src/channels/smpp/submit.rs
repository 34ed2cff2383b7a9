//! A text as `submit_sm`, and what the answers mean.
//!
//! The last part alone asks for a delivery receipt, and the message is known by its id: a receipt is found by one id, the parts
//! leave in order, and phones show a text when its last part is there. That an earlier part was lost on its way is not told.

use super::alphabet::{Coding, parts};
use super::settings::{Long, Settings};
use crate::channels::SendError;
use rusmpp::CommandStatus;
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MCDeliveryReceipt, MessagePayload, Npi, RegisteredDelivery, Ton};
use std::str::FromStr as _;
use std::time::Duration;

const UDHI: u8 = 0b0100_0000;

/// Errors: why it can never be sent.
pub(super) fn pdus(
    settings: &Settings,
    to: &str,
    text: &str,
    reference: u8,
) -> Result<Vec<SubmitSm>, String> {
    let sent = parts(text, settings.long == Long::Payload);
    let total = u8::try_from(sent.octets.len()).map_err(|_| "the text takes more than 255 SMS".to_owned())?;
    let (ton, npi, source) = settings.source();
    let number = to.strip_prefix('+').unwrap_or(to);
    let address = |text: &str| COctetString::from_str(text).map_err(|_| "no address of SMPP".to_owned());
    let (source, destination) = (address(source)?, address(number)?);
    (1..)
        .zip(sent.octets)
        .map(|(part, octets)| {
            let receipt = match part == total {
                true => {
                    MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure
                }
                false => MCDeliveryReceipt::NoMcDeliveryReceiptRequested,
            };
            let pdu = SubmitSm::builder()
                .source_addr_ton(ton)
                .source_addr_npi(npi)
                .source_addr(source.clone())
                .dest_addr_ton(Ton::from(settings.dest_ton))
                .dest_addr_npi(Npi::from(settings.dest_npi))
                .destination_addr(destination.clone())
                // Not the crate's default, which has a bit set.
                .esm_class(EsmClass::from(0))
                .registered_delivery(RegisteredDelivery::from(u8::from(receipt)))
                .data_coding(DataCoding::from(sent.coding.code()))
                .build();
            carry(pdu, settings.long, octets, Part { reference, total, number: part })
        })
        .collect()
}

struct Part {
    reference: u8,
    total: u8,
    number: u8,
}

/// `pdu` with its share of the text.
fn carry(mut pdu: SubmitSm, long: Long, octets: Vec<u8>, part: Part) -> Result<SubmitSm, String> {
    let short = |octets: Vec<u8>| OctetString::from_vec(octets).map_err(|error| error.to_string());
    // Of one SMS every way is the same, and the plainest is understood by all.
    let plain = part.total == 1 && octets.len() <= 160;
    match long {
        _ if plain => pdu.set_short_message(short(octets)?),
        Long::Payload => {
            pdu.push_tlv(Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(octets))));
        }
        Long::Udh => {
            // 3GPP TS 23.040, 9.2.3.24.1: five octets, concatenation with a reference of 8 bits, three octets.
            let header = [0x05, 0x00, 0x03, part.reference, part.total, part.number];
            pdu.esm_class = EsmClass::from(UDHI);
            pdu.set_short_message(short([&header[..], &octets].concat())?);
        }
        Long::Sar => {
            pdu.set_short_message(short(octets)?);
            pdu.push_tlv(Tlv::SarMsgRefNum(u16::from(part.reference)));
            pdu.push_tlv(Tlv::SarTotalSegments(part.total));
            pdu.push_tlv(Tlv::SarSegmentSeqnum(part.number));
        }
    }
    Ok(pdu)
}

/// What a PDU was, for the trace: no address, no text.
pub(super) fn described(pdu: &SubmitSm, part: usize, total: usize) -> String {
    let coding = match Coding::of(u8::from(pdu.data_coding)) {
        Coding::Ucs2 => "UCS-2",
        _ => "GSM-7",
    };
    format!(
        "submit_sm part {part} of {total}, {coding}, short_message ‹{} octets›, {} parameters",
        pdu.sm_length(),
        pdu.tlvs().len()
    )
}

/// The command status by its name and number.
pub(super) fn name(status: CommandStatus) -> String {
    format!(
        "{} (0x{:08X})",
        format!("{status:?}").to_uppercase().replace("ESMER", "ESME_R"),
        u32::from(status)
    )
}

/// Is a submission with this status to be tried again? `None`: it was accepted.
pub(super) fn refusal(status: CommandStatus) -> Option<SendError> {
    let why = format!("the SMSC refused: {}", name(status));
    let after = |seconds| Some(Duration::from_secs(seconds));
    Some(match u32::from(status) {
        0x00 => return None,
        // Throttled; its queue is full.
        0x58 => SendError::Retry { why, after: after(1) },
        0x14 => SendError::Retry { why, after: after(5) },
        // Not bound or bound twice; its own trouble; the application at the other end for now.
        0x04 | 0x05 | 0x08 | 0x45 | 0x64 | 0x102 => SendError::Retry { why, after: None },
        // Vendors' own. What they mean is in no standard, and that nothing was accepted is.
        0x400..=0x4FF => SendError::Retry { why, after: None },
        _ => SendError::Permanent { why },
    })
}

#[cfg(test)]
#[path = "submit_tests.rs"]
mod tests;
