//! The smallest HTTP/1.1 client that will do: one connection, one request at a time, bytes in and out.

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of an answer at most.
const ANSWER_LENGTH_MAX: usize = 4 * 1024 * 1024;

/// One kept-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer: its status and body.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Connection {
    /// To `address`, such as `127.0.0.1:8080`.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a whole request and reads a whole answer.
    pub async fn call(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head]).context("the head of an answer is text")?;
        let status = text.get(9..12).and_then(|digits| digits.parse().ok()).context("an answer begins with its status")?;
        let Some(length) = content_length(text)? else {
            return self.rest_in_chunks(head, status).await;
        };
        while self.buffer.len() < head + length {
            self.fill().await?;
        }
        Ok(Answer { status, body: self.buffer[head..head + length].to_vec() })
    }

    /// A streamed answer, with the lengths of its chunks left in: enough to see what it says.
    async fn rest_in_chunks(&mut self, head: usize, status: u16) -> anyhow::Result<Answer> {
        while !self.buffer.ends_with(b"\r\n0\r\n\r\n") {
            self.fill().await?;
        }
        Ok(Answer { status, body: self.buffer[head..].to_vec() })
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.buffer.len() > ANSWER_LENGTH_MAX {
            bail!("an answer is longer than {ANSWER_LENGTH_MAX} bytes");
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection in the middle of an answer");
        }
        Ok(())
    }
}

/// The length of the body; `None` when it comes in chunks.
fn content_length(head: &str) -> anyhow::Result<Option<usize>> {
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return value.trim().parse().map(Some).context("content-length is a number");
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked") {
            return Ok(None);
        }
    }
    bail!("an answer without content-length: {head}")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// One call on a connection of its own.
pub async fn call_once(address: &str, request: &[u8]) -> anyhow::Result<Answer> {
    Connection::open(address).await?.call(request).await
}
