//! Commands on the wire. One that cannot be decoded is read as its header alone: what was asked can then be refused, what was
//! answered still counts as answered, and the connection lives. Otherwise one odd PDU would end every connection that it is
//! delivered by again.

use rusmpp::Command;
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::{Encode as _, Length as _};
use std::io;
use tokio_util::bytes::{Buf as _, BufMut as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// Octets of a command's header (SMPP 3.4, 3.2), the length among them.
const HEADER: usize = 16;
const LENGTH: usize = 4;
/// The longest command: a `message_payload` of 64 KiB and what stands around it.
const MAX_COMMAND: usize = 70_000;

pub(super) struct Codec;

impl Decoder for Codec {
    type Item = Command;
    /// What comes is no SMPP, and its end cannot be found.
    type Error = io::Error;

    fn decode(&mut self, from: &mut BytesMut) -> io::Result<Option<Command>> {
        let Some(length) = from.first_chunk::<LENGTH>().map(|l| u32::from_be_bytes(*l)) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER..=MAX_COMMAND).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a command of {length} octets")));
        }
        if from.len() < length {
            from.reserve(length - from.len());
            return Ok(None);
        }
        let mut command = from.split_to(length);
        command.advance(LENGTH);
        let mut header = BytesMut::from(&command[..HEADER - LENGTH]);
        let whole = command.len();
        let read = Command::decode(&mut command, whole).or_else(|_| {
            tracing::warn!(octets = length, "a PDU of the SMSC cannot be decoded: only its header is read");
            Command::decode(&mut header, HEADER - LENGTH)
        });
        match read {
            Ok((command, _)) => Ok(Some(command)),
            Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a header that cannot be read")),
        }
    }
}

impl Encoder<Command> for Codec {
    type Error = io::Error;

    fn encode(&mut self, command: Command, to: &mut BytesMut) -> io::Result<()> {
        let length = command.length();
        let whole = u32::try_from(LENGTH + length).ok().filter(|whole| *whole as usize <= MAX_COMMAND);
        let whole =
            whole.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is too long"))?;
        to.put_u32(whole);
        let mut octets = vec![0; length];
        command.encode(&mut octets);
        to.extend_from_slice(&octets);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusmpp::{CommandId, Pdu};

    fn framed(id: u32, body: &[u8]) -> Vec<u8> {
        let length = (HEADER + body.len()) as u32;
        [&length.to_be_bytes()[..], &id.to_be_bytes(), &[0; 4], &7u32.to_be_bytes(), body].concat()
    }

    fn read(octets: &[u8]) -> io::Result<Vec<Command>> {
        let mut from = BytesMut::from(octets);
        let mut commands = Vec::new();
        while let Some(command) = Codec.decode(&mut from)? {
            commands.push(command);
        }
        Ok(commands)
    }

    #[test]
    fn what_decodes_is_read_and_of_the_rest_the_header() {
        let enquire = framed(0x15, b"");
        let receipted_without_end = framed(0x8000_0004, b"12\0\x00\x1e\x00\x03abc");
        // A sender's name beyond ASCII, in a deliver_sm.
        let named = framed(0x05, b"\0\x05\0Caf\xe9\0\0\0\x33\0\0\0\0\0\0\0\0\0\0\0");
        let all = [enquire.clone(), named, enquire.clone(), receipted_without_end].concat();
        let commands = read(&all).unwrap();
        let ids: Vec<CommandId> = commands.iter().map(Command::id).collect();
        let expected =
            [CommandId::EnquireLink, CommandId::DeliverSm, CommandId::EnquireLink, CommandId::SubmitSmResp];
        assert_eq!(ids, expected);
        assert!(commands[1].pdu().is_none() && commands[3].pdu().is_none());
        assert!(commands.iter().all(|command| command.sequence_number() == 7));
        assert!(read(&[0, 0, 0, 3, 1, 2, 3]).is_err());
        assert!(read(&u32::MAX.to_be_bytes()).is_err());
        assert_eq!(read(&enquire[..9]).unwrap(), [], "half a command is none");
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let command = Command::new(rusmpp::CommandStatus::EsmeRok, 9, Pdu::EnquireLink);
        let mut octets = BytesMut::new();
        Codec.encode(command.clone(), &mut octets).unwrap();
        assert_eq!(&octets[..], [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(read(&octets).unwrap(), [command]);
    }

    proptest! {
        #[test]
        fn every_body_is_one_command(id in 0u32..0x20, response: bool, body: Vec<u8>) {
            let id = if response { id | 0x8000_0000 } else { id };
            prop_assert_eq!(read(&framed(id, &body)).unwrap().len(), 1);
        }
    }
}
