//! One request and its answer, over HTTP or HTTPS.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, Method, StatusCode};
use url::{Host, Url};

/// How long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where to send, and what to show.
#[derive(Args, Debug)]
pub struct Exchange {
    /// The server, such as http://127.0.0.1:8080.
    #[arg(long)]
    url: Url,
    /// PEM file with certificates to trust beside those of the system.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Print the request, too. It holds the proof of who you are: do not paste it where others read.
    #[arg(long)]
    show_request: bool,
}

/// What is sent.
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Exchange {
    /// Sends and waits. A failure says whether the request may have arrived.
    pub fn send(&self, request: Request) -> anyhow::Result<Answer> {
        let url = format!("{}{}", self.url.as_str().trim_end_matches('/'), request.path);
        if self.show_request {
            println!("> {} {url}", request.method);
            request.headers.iter().for_each(|(name, value)| println!("> {name}: {value}"));
            println!(">\n> {}\n", String::from_utf8_lossy(&request.body));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a thread for the request")?;
        runtime.block_on(async {
            let mut sent = self.client()?.request(request.method, url.as_str()).body(request.body);
            for (name, value) in request.headers {
                sent = sent.header(name, value);
            }
            let unclear =
                || format!("no answer from {url}; what was asked may have been done all the same: repeat it with the same number");
            let answer = sent.send().await.map_err(|error| {
                let never_sent = error.is_connect() || error.is_builder();
                let text = if never_sent { format!("nothing was sent to {url}") } else { unclear() };
                anyhow::Error::new(error).context(text)
            })?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await.with_context(unclear)?;
            println!("{}", shown(status, &headers, &body));
            Ok(Answer { status, headers, body })
        })
    }

    fn client(&self) -> anyhow::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
        if is_loopback(&self.url) {
            // A proxy of the environment cannot reach this machine.
            builder = builder.no_proxy();
        }
        if let Some(file) = &self.ca {
            let pem = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not PEM", file.display()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().context("make a client")
    }
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn shown(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    let mut text = format!("< {status}\n");
    for (name, value) in headers {
        text.push_str(&format!("< {name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let json = serde_json::from_slice::<serde_json::Value>(body).and_then(|value| serde_json::to_string_pretty(&value));
    text.push_str(&json.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned()));
    text
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
