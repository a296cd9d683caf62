//! The certificate files of direct HTTPS, which can be read again while serving.

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// The two files and what was last read from them.
pub struct TlsFiles {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
}

impl TlsFiles {
    /// Reads both files.
    pub fn open(cert: &Path, key: &Path) -> Result<TlsFiles> {
        let current = RwLock::new(read(cert, key)?);
        Ok(TlsFiles { cert: cert.to_owned(), key: key.to_owned(), current })
    }

    /// Reads both files again; new connections use them. When they do not fit, the old ones stay.
    pub fn reload(&self) -> Result<()> {
        let fresh = read(&self.cert, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// For one new connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| advice("server.tls.cert", cert))?;
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| advice("server.tls.key", key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("{} and {} do not belong together / 证书与私钥不匹配", cert.display(), key.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn advice(key: &str, path: &Path) -> String {
    format!("{key} = {}: must be a readable PEM file / 必须是可读的 PEM 文件", path.display())
}
