//! Sends outgoing requests over real sockets, and knows for each failure whether a byte may have left.
//!
//! Built on hyper's connections rather than on a ready-made client, because three things must be in one hand: the
//! address check at the very connection, the exact moment of the first byte, and no proxy or redirect ever.

mod connect;
mod idle;
mod target;

use bytes::Bytes;
use connect::Connector;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use idle::IdleConnections;
use refundry_service::outgoing::addresses::AddressPolicy;
use refundry_service::outgoing::{NeverSent, Notifier, OutgoingError, OutgoingRequest, OutgoingResponse, Unclear};
use std::time::Duration;
use target::Target;
use tokio::time::{Instant, timeout_at};

use crate::config;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Refundry/", env!("CARGO_PKG_VERSION")));

const READY_TIMEOUT: Duration = Duration::from_millis(100);

type Sender = SendRequest<Full<Bytes>>;

/// The production [`Notifier`].
pub struct HttpNotifier {
    connector: Connector,
    idle: IdleConnections,
    connect_timeout: Duration,
    response_bytes_max: usize,
}

impl HttpNotifier {
    /// Trusts the certificates that the operating system trusts; they are read when the first `https` URL comes.
    pub fn new(settings: &config::Outgoing) -> HttpNotifier {
        HttpNotifier::with_connector(settings, Connector::new(policy(settings)))
    }

    /// Trusts only `roots`.
    pub fn with_roots(settings: &config::Outgoing, roots: rustls::RootCertStore) -> HttpNotifier {
        HttpNotifier::with_connector(settings, Connector::with_roots(policy(settings), roots))
    }

    fn with_connector(settings: &config::Outgoing, connector: Connector) -> HttpNotifier {
        HttpNotifier {
            connector,
            idle: IdleConnections::new(settings.idle_connections_max, Duration::from_millis(settings.idle_timeout_ms)),
            connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
            response_bytes_max: settings.response_bytes_max,
        }
    }

    async fn send(&self, outgoing: OutgoingRequest) -> Result<OutgoingResponse, OutgoingError> {
        let deadline = Instant::now() + Duration::from_millis(outgoing.timeout_ms);
        let target = Target::parse(&outgoing.url).map_err(OutgoingError::NeverSent)?;
        let mut request = build(&target, outgoing).map_err(OutgoingError::NeverSent)?;
        // A connection that was kept may have been closed meanwhile; hyper then hands the unsent request back.
        while let Some(mut sender) = self.idle.take(target.origin()) {
            match self.exchange(&mut sender, request, deadline).await {
                Exchange::Done(answer) => {
                    return self.finish(&target, sender, answer);
                }
                Exchange::Unsent(unsent, _) => request = *unsent,
            }
        }
        let mut sender = self.connect(&target, deadline).await.map_err(OutgoingError::NeverSent)?;
        match self.exchange(&mut sender, request, deadline).await {
            Exchange::Done(answer) => self.finish(&target, sender, answer),
            Exchange::Unsent(_, cause) => Err(OutgoingError::NeverSent(NeverSent::Unconnected(cause))),
        }
    }

    async fn connect(&self, target: &Target, deadline: Instant) -> Result<Sender, NeverSent> {
        let deadline = deadline.min(Instant::now() + self.connect_timeout);
        let connected = timeout_at(deadline, self.connector.connect(target)).await;
        connected.map_err(|_| NeverSent::TimedOut)?
    }

    async fn exchange(&self, sender: &mut Sender, request: Request<Full<Bytes>>, deadline: Instant) -> Exchange {
        // A kept connection may still be busy with the end of its last answer; one that stays busy is not worth keeping.
        match timeout_at(deadline.min(Instant::now() + READY_TIMEOUT), sender.ready()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Exchange::Unsent(Box::new(request), "the connection was closed".to_owned()),
        }
        let response = match timeout_at(deadline, sender.try_send_request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(mut refused)) => {
                return match refused.take_message() {
                    Some(unsent) => Exchange::Unsent(Box::new(unsent), refused.into_error().to_string()),
                    None => Exchange::Done(Err(Unclear::Lost(chain(&refused.into_error())))),
                };
            }
            Err(_) => return Exchange::Done(Err(Unclear::TimedOut)),
        };
        let answer = timeout_at(deadline, read(response, self.response_bytes_max)).await;
        Exchange::Done(answer.unwrap_or(Err(Unclear::TimedOut)))
    }

    fn finish(
        &self,
        target: &Target,
        sender: Sender,
        answer: Result<OutgoingResponse, Unclear>,
    ) -> Result<OutgoingResponse, OutgoingError> {
        if answer.is_ok() {
            self.idle.put(target.origin(), sender);
        }
        answer.map_err(OutgoingError::Unclear)
    }
}

impl Notifier for HttpNotifier {
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>> {
        self.send(request).boxed()
    }
}

enum Exchange {
    /// The request may have left; here is what came of it.
    Done(Result<OutgoingResponse, Unclear>),
    /// Nothing was written; the request is whole.
    Unsent(Box<Request<Full<Bytes>>>, String),
}

fn policy(settings: &config::Outgoing) -> AddressPolicy {
    AddressPolicy::new(settings.networks_allowed.clone())
}

fn build(target: &Target, outgoing: OutgoingRequest) -> Result<Request<Full<Bytes>>, NeverSent> {
    let mut request = Request::post(target.path_and_query()).body(Full::new(outgoing.body));
    let built = request.as_mut().map_err(|_| NeverSent::Malformed("the URL's path cannot be sent"))?;
    let headers = built.headers_mut();
    headers.insert(HOST, target.host_header());
    headers.insert(USER_AGENT, AGENT);
    for (name, value) in &outgoing.headers {
        let name = HeaderName::try_from(name).map_err(|_| NeverSent::Malformed("a header's name cannot be sent"))?;
        let value = HeaderValue::try_from(value).map_err(|_| NeverSent::Malformed("a header's value cannot be sent"))?;
        headers.append(name, value);
    }
    request.map_err(|_| NeverSent::Malformed("the request cannot be sent"))
}

async fn read(response: Response<hyper::body::Incoming>, limit: usize) -> Result<OutgoingResponse, Unclear> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        let too_long = error.is::<LengthLimitError>();
        if too_long { Unclear::TooLong { limit } } else { Unclear::Lost(chain(&*error)) }
    })?;
    let texts = head.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok(OutgoingResponse { status: head.status.as_u16(), headers: texts.collect(), body: body.to_bytes() })
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
