use super::*;
use proptest::prelude::*;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, MessageState};
use std::str::FromStr as _;

fn pdu(class: u8, coding: u8, octets: &[u8], tlvs: Vec<Tlv>) -> DeliverSm {
    DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr(COctetString::from_str("33612345678").unwrap())
        .destination_addr(COctetString::from_str("36000").unwrap())
        .esm_class(EsmClass::from(class))
        .data_coding(DataCoding::from(coding))
        .short_message(OctetString::from_slice(octets).unwrap())
        .tlvs(tlvs)
        .build()
}

fn payload(octets: &[u8]) -> Tlv {
    Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_slice(octets)))
}

fn told(class: u8, octets: &[u8], tlvs: Vec<Tlv>) -> Delivered {
    read(&pdu(class, 0, octets, tlvs), ReceiptIds::AsIs)
}

fn part(reference: u16, total: u8, number: u8) -> Option<PartOf> {
    Some(PartOf { reference, total, number })
}

#[test]
fn a_text_comes_whole_or_as_a_part() {
    let sar = |r, t, n| vec![Tlv::SarMsgRefNum(r), Tlv::SarTotalSegments(t), Tlv::SarSegmentSeqnum(n)];
    type Case<'a> = (u8, &'a [u8], Vec<Tlv>, &'a str, Option<PartOf>);
    let cases: Vec<Case<'_>> = vec![
        (0, b"Bonjour", vec![], "Bonjour", None),
        (0, b"", vec![payload(b"Bonjour")], "Bonjour", None),
        (0x40, b"\x05\x00\x03\x2A\x02\x01Bon", vec![], "Bon", part(42, 2, 1)),
        (0x40, b"\x06\x08\x04\x01\x00\x02\x02jour", vec![], "jour", part(256, 2, 2)),
        (0x40, b"", vec![payload(b"\x05\x00\x03\x2A\x02\x01Bon")], "Bon", part(42, 2, 1)),
        // Ports stand before it; another header; one part of one is whole.
        (0x40, b"\x0B\x05\x04\x15\x8A\x00\x00\x00\x03\x07\x03\x03x", vec![], "x", part(7, 3, 3)),
        (0x40, b"\x06\x05\x04\x15\x8A\x00\x00x", vec![], "x", None),
        (0x40, b"\x05\x00\x03\x2A\x01\x01x", vec![], "x", None),
        (0, b"jour", sar(900, 2, 2), "jour", part(900, 2, 2)),
        // A header that lies: its length, its numbers.
        (0x40, b"\x20\x00\x03", vec![], " @¥", None),
        (0x40, b"\x05\x00\x03\x2A\x02\x03x", vec![], "x", None),
        (0x40, b"\x05\x00\x03\x2A\x02\x00x", vec![], "x", None),
        (0x40, b"\x03\x00\x09\x2Ax", vec![], "x", None),
    ];
    for (class, octets, tlvs, text, part) in cases {
        let Delivered::Text(heard) = told(class, octets, tlvs) else { panic!("{octets:?} is a text") };
        assert_eq!(heard.coding.read(&heard.octets), text, "{octets:?}");
        assert_eq!((heard.from.as_str(), heard.part), ("+33612345678", part), "{octets:?}");
    }
}

#[test]
fn numbers_keep_the_plus_that_the_network_says() {
    let cases = [
        ("33612345678", Ton::International, "+33612345678"),
        ("0612345678", Ton::National, "0612345678"),
        ("SNCF", Ton::Alphanumeric, "SNCF"),
        ("36000", Ton::Unknown, "36000"),
        ("", Ton::International, ""),
    ];
    for (number, ton, expected) in cases {
        assert_eq!(address(number, ton), expected);
    }
}

#[test]
fn the_digest_tells_messages_apart_and_not_deliveries() {
    let digest = |class, octets: &[u8]| match told(class, octets, vec![]) {
        Delivered::Text(text) => text.digest,
        other => panic!("{other:?}"),
    };
    assert_eq!(digest(0, b"oui"), digest(0, b"oui"));
    assert_ne!(digest(0, b"oui"), digest(0, b"non"));
    let one = digest(0x40, b"\x05\x00\x03\x2A\x02\x01x");
    assert_ne!(one, digest(0x40, b"\x05\x00\x03\x2A\x02\x02x"), "parts with the same text");
    assert_ne!(one, digest(0x40, b"\x05\x00\x03\x2B\x02\x01x"), "another text in parts");
}

#[test]
fn receipts_are_read_from_parameters_or_from_text() {
    let by_tlv = |id: &str, state: u8| {
        let id = Tlv::ReceiptedMessageId(COctetString::from_str(id).unwrap());
        vec![id, Tlv::MessageState(MessageState::from(state))]
    };
    let failed = |why: &str| ReceiptState::Failed(format!("the network: {why}"));
    let text = |stat: &str| {
        format!(
            "id:A1-2 sub:001 dlvrd:001 submit date:2512171933 done date:2512171934 stat:{stat} err:012 text:id:9 stat:X"
        )
    };
    type Case = (String, Vec<Tlv>, Option<(&'static str, ReceiptState)>);
    let cases: Vec<Case> = vec![
        (text("DELIVRD"), vec![], Some(("A1-2", ReceiptState::Delivered))),
        (text("delivrd"), vec![], Some(("A1-2", ReceiptState::Delivered))),
        (text("UNDELIV"), vec![], Some(("A1-2", failed("undeliverable, error 012")))),
        (text("EXPIRED"), vec![], Some(("A1-2", failed("expired, error 012")))),
        (text("DELETED"), vec![], Some(("A1-2", failed("deleted, error 012")))),
        (text("REJECTD"), vec![], Some(("A1-2", failed("rejected, error 012")))),
        (text("ACCEPTD"), vec![], Some(("A1-2", ReceiptState::Sent))),
        (text("ENROUTE"), vec![], Some(("A1-2", ReceiptState::Sent))),
        (text("NONSENS"), vec![], None),
        ("sub:001 stat:DELIVRD".into(), vec![], None),
        (String::new(), vec![], None),
        (String::new(), by_tlv("77", 2), Some(("77", ReceiptState::Delivered))),
        (String::new(), by_tlv("77", 5), Some(("77", failed("undeliverable, error unknown")))),
        (String::new(), by_tlv("77", 1), Some(("77", ReceiptState::Sent))),
        // Parameters say more than the text.
        (text("ENROUTE"), by_tlv("77", 2), Some(("77", ReceiptState::Delivered))),
    ];
    for (said, tlvs, expected) in cases {
        let expected = match expected {
            Some((id, state)) => Delivered::Receipt(Told { id: id.into(), state }),
            None => Delivered::Nothing,
        };
        assert_eq!(told(0x04, said.as_bytes(), tlvs), expected, "{said}");
    }
    for class in [0x08, 0x10, 0x18, 0x20] {
        assert_eq!(told(class, b"id:1 stat:DELIVRD", vec![]), Delivered::Nothing, "{class}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read(class: u8, coding: u8, octets in prop::collection::vec(any::<u8>(), 0..255)) {
        let said = read(&pdu(class, coding, &octets, vec![]), ReceiptIds::HexToDec);
        if let Delivered::Text(text) = said {
            text.coding.read(&text.octets);
        }
    }
}
