use super::*;
use crate::channels::smpp::settings::tests::read;
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::{Encode as _, Length as _};
use rusmpp::tlvs::TlvValue;
use rusmpp::{Command, Pdu};
use tokio_util::bytes::BytesMut;

fn made(keys: &str, text: &str) -> Vec<SubmitSm> {
    pdus(&read(keys).unwrap().0, "+33612345678", text, 42).unwrap()
}

/// What stands on the wire, by the layout of SMPP 3.4, 4.4.1.
#[test]
fn a_short_text_is_these_octets() {
    let pdu = made("", "Été").remove(0);
    let command = Command::new(CommandStatus::EsmeRok, 7, Pdu::SubmitSm(pdu));
    let mut octets = vec![0; command.length()];
    command.encode(&mut octets);
    let expected = [
        &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7][..],
        // service_type; source: network specific, no plan.
        b"\0\x03\x0036000\0",
        b"\x01\x0133612345678\0",
        // esm_class, protocol_id, priority, two times that are not set.
        b"\0\0\0\0\0",
        // registered_delivery, replace_if_present, data_coding, default message.
        b"\x01\0\0\0",
        b"\x03\x1Ft\x05",
    ]
    .concat();
    assert_eq!(octets, expected);
    // And what was written reads the same.
    let mut written = BytesMut::from(&octets[..]);
    let length = written.len();
    assert_eq!(Command::decode(&mut written, length).unwrap().0, command);
}

#[test]
fn a_long_text_goes_in_the_configured_way() {
    let long = "ç".repeat(100);
    let half = |n: usize| "ç".repeat(n).encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let asks = |pdu: &SubmitSm| u8::from(pdu.registered_delivery);

    let udh = made("", &long);
    assert_eq!(udh.len(), 2);
    assert_eq!(udh[0].short_message().as_ref(), [&[5, 0, 3, 42, 2, 1][..], &half(67)].concat());
    assert_eq!(udh[1].short_message().as_ref(), [&[5, 0, 3, 42, 2, 2][..], &half(33)].concat());
    assert!(udh.iter().all(|pdu| u8::from(pdu.esm_class) == 0x40 && u8::from(pdu.data_coding) == 8));
    assert_eq!((asks(&udh[0]), asks(&udh[1])), (0, 1), "the last one asks for the receipt");

    let sar = made("long = \"sar\"", &long);
    assert_eq!((sar.len(), u8::from(sar[1].esm_class)), (2, 0));
    assert_eq!(sar[1].short_message().as_ref(), half(33));
    let values: Vec<_> = sar[1].tlvs().iter().filter_map(|tlv| tlv.value()).collect();
    assert!(
        matches!(
            values[..],
            [TlvValue::SarMsgRefNum(42), TlvValue::SarTotalSegments(2), TlvValue::SarSegmentSeqnum(2)]
        ),
        "{values:?}"
    );

    let payload = made("long = \"payload\"", &long);
    assert_eq!((payload.len(), payload[0].sm_length(), asks(&payload[0])), (1, 0, 1));
    let Some(TlvValue::MessagePayload(value)) = payload[0].tlvs()[0].value() else { panic!("a payload") };
    assert_eq!(value.value.as_ref(), half(100));

    let full = made("", &"a".repeat(161));
    assert_eq!(full.iter().map(SubmitSm::sm_length).collect::<Vec<_>>(), [159, 14]);
    assert_eq!(made("long = \"payload\"", "court")[0].sm_length(), 5);
    assert!(described(&udh[0], 1, 2).starts_with("submit_sm part 1 of 2, UCS-2, short_message ‹140 octets›"));
}

#[test]
fn what_cannot_be_addressed_is_told() {
    let settings = read("").unwrap().0;
    for to in ["+336123456789012345678", "Café"] {
        assert!(pdus(&settings, to, "x", 1).is_err(), "{to}");
    }
    assert!(pdus(&settings, "+33612345678", &"a".repeat(153 * 255 + 1), 1).is_err());
}

#[test]
fn statuses_are_told_apart() {
    let cases: &[(u32, &str)] = &[
        (0x00, "accepted"),
        (0x58, "retry 1"),
        (0x14, "retry 5"),
        (0x08, "retry"),
        (0x45, "retry"),
        (0x04, "retry"),
        (0x0400, "retry"),
        (0x0A, "permanent"),
        (0x0B, "permanent"),
        (0x01, "permanent"),
        (0x02, "permanent"),
        (0x61, "permanent"),
        (0xC4, "permanent"),
        (0xFF, "permanent"),
    ];
    for (status, expected) in cases {
        let told = match refusal(CommandStatus::from(*status)) {
            None => "accepted".to_owned(),
            Some(SendError::Retry { after: Some(after), .. }) => format!("retry {}", after.as_secs()),
            Some(SendError::Retry { .. }) => "retry".to_owned(),
            Some(SendError::Permanent { .. }) => "permanent".to_owned(),
            Some(other) => panic!("{other:?}"),
        };
        assert_eq!(told, *expected, "{status:#x}");
    }
    assert_eq!(name(CommandStatus::EsmeRthrottled), "ESME_RTHROTTLED (0x00000058)");
}
