//! Serves an axum router over plain HTTP and TLS: HTTP/1.1, keep-alive, limits on everything a client may stretch.
//!
//! There is no framework between the socket and the router, because what happens here is paid by every request. Time
//! limits come from one clock per connection ([`pace`]), not from a timer per request. HTTP/2 is absent: the vendors'
//! libraries speak HTTP/1.1, and one connection costs less with it.

mod body;
mod pace;
mod tls;
mod unread;

pub use body::{BodyError, read_body};
pub use tls::TlsFiles;

use crate::config;
use crate::telemetry::metrics::{Metrics, RouteIndex};
use crate::telemetry::traces;
use anyhow::{Context, Result};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pace::{Pace, Paced, Patience};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::Service;
use tracing::{Instrument, Span};

/// Connections that the operating system holds for us until they are accepted.
const BACKLOG: i32 = 1024;
/// How long accepting pauses when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The far end of a request's connection, in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Bound sockets that do not serve yet.
pub struct Listening {
    sockets: Vec<(TcpListener, SocketAddr, Option<Arc<TlsFiles>>)>,
    settings: Arc<Settings>,
}

struct Settings {
    http: http1::Builder,
    patience: Patience,
    connections: Arc<Semaphore>,
    connections_max: usize,
    shutdown_grace: Duration,
    unhurried: fn(&str) -> bool,
    metrics: Arc<Metrics>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that had not finished when the grace was over.
    pub cut_off: usize,
}

/// The open connections, so that they can be told to end.
#[derive(Default)]
struct Open {
    /// Every answer closes its connection from now on, so that the next request goes elsewhere.
    leaving: AtomicBool,
    connections: Mutex<(u64, BTreeMap<u64, Arc<Pace>>)>,
}

/// Binds every configured address and reads the certificate. On paths for which `unhurried` is true (imports) the time limit counts from the
/// last progress instead of from the first byte.
pub fn bind(server: &config::Server, tls: &config::Tls, metrics: Arc<Metrics>, unhurried: fn(&str) -> bool) -> Result<Listening> {
    let mut http = http1::Builder::new();
    // The timer of hyper is off: it would be set and dropped for each request, and would end idle connections too.
    http.header_read_timeout(None).max_buf_size(server.header_bytes_max);
    let settings = Settings {
        http,
        patience: Patience {
            head: Duration::from_millis(server.header_read_timeout_ms),
            request: Duration::from_millis(server.request_timeout_ms),
            idle: Duration::from_millis(server.keep_alive_timeout_ms),
        },
        connections: Arc::new(Semaphore::new(server.connections_max)),
        connections_max: server.connections_max,
        shutdown_grace: Duration::from_millis(server.shutdown_grace_ms),
        unhurried,
        metrics,
    };
    let mut sockets = Vec::new();
    for address in &server.listen {
        sockets.push(open(*address, None)?);
    }
    if !tls.listen.is_empty() {
        let files = Arc::new(TlsFiles::open(&tls.cert, &tls.key)?);
        for address in &tls.listen {
            sockets.push(open(*address, Some(files.clone()))?);
        }
    }
    Ok(Listening { sockets, settings: Arc::new(settings) })
}

impl Listening {
    /// Each bound address and whether it speaks TLS; a configured port 0 is told as the real one.
    pub fn addresses(&self) -> Vec<(SocketAddr, bool)> {
        self.sockets.iter().map(|(_, address, tls)| (*address, tls.is_some())).collect()
    }

    /// Serves until `leaving`, then goes on serving, but with the last answer of each connection, until `forgotten`: by then whoever spreads
    /// requests sends none here. Then stops accepting, lets requests in flight finish and tells how that went.
    pub async fn serve(self, router: Router, leaving: impl Future<Output = ()>, forgotten: impl Future<Output = ()>) -> Drained {
        let open = Arc::new(Open::default());
        let mut accepting = JoinSet::new();
        let tls = self.sockets.iter().find_map(|(_, _, tls)| tls.clone());
        for (listener, _, tls) in self.sockets {
            accepting.spawn(accept(listener, tls, router.clone(), self.settings.clone(), open.clone()));
        }
        if let Some(tls) = tls {
            accepting.spawn(reload_on_hangup(tls));
        }
        leaving.await;
        open.leaving.store(true, Ordering::Relaxed);
        forgotten.await;
        accepting.shutdown().await;
        open.end_all();
        let all = u32::try_from(self.settings.connections_max).unwrap_or(u32::MAX);
        let finished = self.settings.connections.acquire_many(all);
        let drained = tokio::time::timeout(self.settings.shutdown_grace, finished).await.is_ok();
        Drained { cut_off: if drained { 0 } else { open.count() } }
    }
}

fn open(address: SocketAddr, tls: Option<Arc<TlsFiles>>) -> Result<(TcpListener, SocketAddr, Option<Arc<TlsFiles>>)> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let address = listener.local_addr()?;
        Ok::<_, std::io::Error>((listener, address))
    };
    let (listener, address) = bound().with_context(|| {
        format!("cannot listen on {address}: choose another address, or end the process that has it / 无法监听 {address}：请更换地址，或结束占用它的进程")
    })?;
    Ok((listener, address, tls))
}

async fn accept(listener: TcpListener, tls: Option<Arc<TlsFiles>>, router: Router, settings: Arc<Settings>, open: Arc<Open>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let permit = settings.connections.clone().acquire_owned().await;
                let permit = permit.expect("the semaphore is never closed");
                let connection = serve_stream((stream, peer.ip()), tls.clone(), router.clone(), settings.clone(), open.clone());
                tokio::spawn(hold(permit, connection));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn hold(_permit: OwnedSemaphorePermit, connection: impl Future<Output = ()>) {
    connection.await;
}

async fn serve_stream(
    (stream, peer): (TcpStream, IpAddr),
    tls: Option<Arc<TlsFiles>>,
    router: Router,
    settings: Arc<Settings>,
    open: Arc<Open>,
) {
    // Answers are written whole; waiting for more would only delay them. If the option fails, they are merely slower.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve_connection((stream, peer), router, &settings, open).await,
        Some(tls) => match tokio::time::timeout(settings.patience.head, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => serve_connection((stream, peer), router, &settings, open).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn serve_connection<S>((stream, peer): (S, IpAddr), router: Router, settings: &Settings, open: Arc<Open>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pace = Arc::new(Pace::default());
    let key = open.add(pace.clone());
    let io = TokioIo::new(Paced::new(stream, pace.clone(), settings.patience));
    let (unhurried, metrics, answering, all) = (settings.unhurried, settings.metrics.clone(), pace.clone(), open.clone());
    metrics.connection_opened();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let path = request.uri().path();
        answering.begin_request(unhurried(path));
        let call = Call { route: metrics.route(path), begun_at: Instant::now(), span: traces::request_span(&request) };
        let (request, unread) = unread::watch(request);
        let answer = router.clone().call(request);
        let (answering, metrics, all) = (answering.clone(), metrics.clone(), all.clone());
        async move {
            let answer = if call.span.is_disabled() { answer.await } else { answer.instrument(call.span.clone()).await };
            let is_read = unread.read_out().await;
            answering.end_request();
            answer.map(|mut answer| {
                call.answered(answer.status().as_u16(), &metrics);
                if !is_read || all.leaving.load(Ordering::Relaxed) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                answer
            })
        }
    });
    let mut connection = pin!(settings.http.serve_connection(io, service));
    let mut told = false;
    let ended = poll_fn(|context| {
        if !told && pace.is_ending(context) {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "a connection ended early");
    }
    open.remove(key);
    settings.metrics.connection_closed();
}

/// One request under way, as it is measured.
struct Call {
    route: RouteIndex,
    begun_at: Instant,
    span: Span,
}

impl Call {
    fn answered(&self, status: u16, metrics: &Metrics) {
        metrics.answered(self.route, status, self.begun_at.elapsed());
        traces::record_status(&self.span, status);
    }
}

async fn reload_on_hangup(tls: Arc<TlsFiles>) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => {
            tracing::error!(%error, "SIGHUP cannot be heard: a new certificate needs a restart");
            return;
        }
    };
    while hangups.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => tracing::info!("the TLS certificate was read again"),
            Err(error) => tracing::error!("the TLS certificate was not replaced: {error:#}"),
        }
    }
}

impl Open {
    fn add(&self, pace: Arc<Pace>) -> u64 {
        let mut connections = self.lock();
        connections.0 += 1;
        let key = connections.0;
        connections.1.insert(key, pace);
        key
    }

    fn remove(&self, key: u64) {
        self.lock().1.remove(&key);
    }

    fn count(&self) -> usize {
        self.lock().1.len()
    }

    fn end_all(&self) {
        self.lock().1.values().for_each(|pace| pace.end());
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Arc<Pace>>)> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
