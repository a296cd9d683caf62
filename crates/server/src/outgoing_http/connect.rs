//! From a host name to a connection, with the address check in between.

use super::target::Target;
use super::{Sender, chain};
use hyper_util::rt::TokioIo;
use refundry_service::outgoing::NeverSent;
use refundry_service::outgoing::addresses::AddressPolicy;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Opens connections to permitted addresses.
pub struct Connector {
    policy: AddressPolicy,
    roots: Option<RootCertStore>,
    tls: OnceLock<TlsConnector>,
}

impl Connector {
    /// Trusts what the operating system trusts.
    pub fn new(policy: AddressPolicy) -> Connector {
        Connector { policy, roots: None, tls: OnceLock::new() }
    }

    /// Trusts `roots` only.
    pub fn with_roots(policy: AddressPolicy, roots: RootCertStore) -> Connector {
        Connector { policy, roots: Some(roots), tls: OnceLock::new() }
    }

    /// A fresh connection on which nothing has been sent but the TLS handshake.
    pub async fn connect(&self, target: &Target) -> Result<Sender, NeverSent> {
        let addresses = self.permitted_addresses(target).await?;
        let stream = connect_first(&addresses).await?;
        if !target.secure {
            return start(stream).await;
        }
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| NeverSent::Insecure(format!("{} cannot be in a certificate", target.host)))?;
        let stream = self.tls().connect(name, stream).await;
        start(stream.map_err(|error| NeverSent::Insecure(chain(&error)))?).await
    }

    /// The connection goes to exactly the addresses checked here, so a name that changes meanwhile gains nothing.
    async fn permitted_addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, NeverSent> {
        let addresses: Vec<SocketAddr> = match target.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, target.port)],
            Err(_) => {
                let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
                found.map_err(|error| NeverSent::Unresolved(error.to_string()))?.take(ADDRESSES_MAX).collect()
            }
        };
        let mut forbidden = None;
        let mut permitted = Vec::new();
        for address in addresses {
            match self.policy.check(address.ip()) {
                Ok(()) => permitted.push(address),
                Err(kind) => forbidden = Some(NeverSent::Forbidden { address: address.ip(), kind }),
            }
        }
        match forbidden {
            Some(forbidden) if permitted.is_empty() => Err(forbidden),
            Some(_) | None => Ok(permitted),
        }
    }

    fn tls(&self) -> &TlsConnector {
        self.tls.get_or_init(|| {
            let roots = self.roots.clone().unwrap_or_else(system_roots);
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("the provider supports TLS 1.2 and 1.3")
                .with_root_certificates(roots)
                .with_no_client_auth();
            TlsConnector::from(Arc::new(config))
        })
    }
}

async fn connect_first(addresses: &[SocketAddr]) -> Result<TcpStream, NeverSent> {
    let mut failure = NeverSent::Unresolved("the name has no address".to_owned());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A small body must not wait for the acknowledgement of its head; failing to say so only costs time.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = NeverSent::Unconnected(format!("{address}: {error}")),
        }
    }
    Err(failure)
}

async fn start<S>(stream: S) -> Result<Sender, NeverSent>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let started = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = started.map_err(|error| NeverSent::Unconnected(chain(&error)))?;
    // What goes wrong on the connection is told to whoever waits for an answer; an idle one just ends.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            errors = ?found.errors,
            "no trusted certificates found: https notifications will fail; install ca-certificates or set SSL_CERT_FILE"
        );
    } else {
        tracing::debug!(added, ignored, "read the system's trusted certificates");
    }
    roots
}
