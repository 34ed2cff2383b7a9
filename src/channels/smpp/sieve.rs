//! Keeps one PDU that cannot be decoded from ending the connection, and being delivered again after it, for ever: the
//! crate that speaks SMPP takes such a PDU for a broken connection. In its place stands its header alone, so that what
//! was asked can be refused, and what was answered still counts as answered.

use rusmpp::Command;
use rusmpp::decode::DecodeWithLength as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::bytes::BytesMut;

/// Octets of a command's header (SMPP 3.4, 3.2).
const HEADER: usize = 16;
/// The longest command: a `message_payload` of 64 KiB and what stands around it.
pub(super) const MAX_COMMAND: usize = 70_000;

pub(super) struct Sieve<S> {
    inner: S,
    /// Read and not yet a whole command.
    coming: Vec<u8>,
    /// One command, and how much of it was passed on.
    ready: Vec<u8>,
    passed: usize,
}

impl<S> Sieve<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, coming: Vec::new(), ready: Vec::new(), passed: 0 }
    }

    /// Takes the next whole command. Errors: what comes is no SMPP, and its end cannot be found.
    fn next(&mut self) -> io::Result<bool> {
        let Some(length) = self.coming.first_chunk::<4>().map(|l| u32::from_be_bytes(*l)) else {
            return Ok(false);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER..=MAX_COMMAND).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a command of {length} octets")));
        }
        if self.coming.len() < length {
            return Ok(false);
        }
        self.ready = self.coming.drain(..length).collect();
        self.passed = 0;
        if !decodes(&self.ready) {
            tracing::warn!(octets = length, "a PDU of the SMSC cannot be decoded: only its header is read");
            self.ready.truncate(HEADER);
            self.ready.splice(..4, (HEADER as u32).to_be_bytes());
        }
        Ok(true)
    }
}

fn decodes(command: &[u8]) -> bool {
    let mut body = BytesMut::from(&command[4..]);
    let length = body.len();
    Command::decode(&mut body, length).is_ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Sieve<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.passed < self.ready.len() {
                let rest = &self.ready[self.passed..];
                let n = rest.len().min(into.remaining());
                into.put_slice(&rest[..n]);
                self.passed += n;
                return Poll::Ready(Ok(()));
            }
            if self.next()? {
                continue;
            }
            let mut octets = [0; 4096];
            let mut read = ReadBuf::new(&mut octets);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.coming.extend_from_slice(read.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sieve<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;

    async fn sifted(octets: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Sieve::new(io::Cursor::new(octets.to_vec())).read_to_end(&mut out).await?;
        Ok(out)
    }

    fn command(id: u32, body: &[u8]) -> Vec<u8> {
        let length = (HEADER + body.len()) as u32;
        [&length.to_be_bytes()[..], &id.to_be_bytes(), &[0; 4], &7u32.to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn what_decodes_passes_and_of_the_rest_the_header() {
        let enquire = command(0x15, b"");
        let receipted_without_end = command(0x8000_0004, b"12\0\x00\x1e\x00\x03abc");
        // A sender's name beyond ASCII, in a deliver_sm.
        let named = command(0x05, b"\0\x05\0Caf\xe9\0\0\0\x33\0\0\0\0\0\0\0\0\0\0\0");
        let all = [enquire.clone(), named, enquire.clone(), receipted_without_end].concat();
        let expected =
            [enquire.clone(), command(0x05, b""), enquire.clone(), command(0x8000_0004, b"")].concat();
        assert_eq!(sifted(&all).await.unwrap(), expected);
        assert!(decodes(&command(0x05, b"")), "a header alone decodes");
        assert!(sifted(&[0, 0, 0, 3, 1, 2, 3]).await.is_err());
        assert!(sifted(&u32::MAX.to_be_bytes()).await.is_err());
        assert_eq!(sifted(&enquire[..9]).await.unwrap(), b"", "half a command is none");
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(id in 0u32..0x20, body: Vec<u8>) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let out = runtime.block_on(sifted(&command(id, &body))).unwrap();
            prop_assert!(decodes(&out));
        }
    }
}
