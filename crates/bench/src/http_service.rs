//! The smallest HTTP/1.1 server that will do, for the other parties of a test: acquirers and receivers.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What answers requests: headers and body in, status and body out.
pub type Answer = dyn Fn(&str, &[u8]) -> (u16, String) + Send + Sync;

/// Serves `answer` on a free port of loopback, on a thread of its own; gives the address.
pub fn start(answer: Arc<Answer>) -> anyhow::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(serve(listener, answer)));
    Ok(address)
}

async fn serve(listener: std::net::TcpListener, answer: Arc<Answer>) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer_all(stream, Arc::clone(&answer)));
    }
}

async fn answer_all(mut stream: TcpStream, answer: Arc<Answer>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let Some((head, whole)) = request_length(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let headers = String::from_utf8_lossy(&buffer[..head]).into_owned();
        let (status, body) = answer(&headers, &buffer[head..whole]);
        buffer.drain(..whole);
        let text = format!("HTTP/1.1 {status} Answered\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).await?;
    }
}

/// Length of the head and of the whole first request in the buffer, when it is all there.
fn request_length(buffer: &[u8]) -> Option<(usize, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = header(text, "content-length").and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    (buffer.len() >= head + length).then_some((head, head + length))
}

/// A header of a request.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head.lines().filter_map(|line| line.split_once(':')).find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(line.1.trim())
}
