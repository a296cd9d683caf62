//! Native notification endpoints with their secrets opened, kept for the worker that posts to them. Emptied by every commit of this process
//! that touches merchants; what other processes change is seen when an entry is older than [`KEY_AGE_MS_MAX`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refundry_dialects::Mac;
use refundry_engine::{EndpointId, MerchantId, Mode, Timestamp};
use refundry_store::StoreError;
use zeroize::Zeroizing;

use crate::Service;
use crate::endpoints::open_secret;
use crate::keyring::KEY_AGE_MS_MAX;
use crate::signatures::hmac_sha256;

/// Endpoints that are kept at most; a full cache begins anew.
const ENDPOINTS_KEPT_MAX: usize = 16_384;

/// An endpoint that is switched on. As a [`Mac`] it signs what is posted to it.
pub struct KnownEndpoint {
    /// Where to post.
    pub url: String,
    /// Of its merchant.
    pub mode: Mode,
    secret: Zeroizing<Vec<u8>>,
}

/// Where an endpoint is, or why nothing can be posted to it.
pub type FoundEndpoint = Result<Arc<KnownEndpoint>, &'static str>;

/// Each with the time at which it was read.
type Kept = BTreeMap<(MerchantId, EndpointId), (Timestamp, Arc<KnownEndpoint>)>;

#[derive(Default)]
pub(crate) struct EndpointCache {
    kept: Mutex<Kept>,
    /// Rises when everything is forgotten, so that what was read before is not kept after.
    generation: AtomicU64,
}

/// Finds an endpoint and keeps it.
pub async fn find(service: &Service, merchant_id: MerchantId, endpoint_id: EndpointId) -> Result<FoundEndpoint, StoreError> {
    let (cache, now) = (&service.observer.endpoints, service.world.now());
    if let Some(kept) = cache.find(merchant_id, endpoint_id, now) {
        return Ok(Ok(kept));
    }
    let generation = cache.generation.load(Ordering::SeqCst);
    let Some(merchant) = service.world.store.merchant(merchant_id).await? else { return Ok(Err("the merchant is not there")) };
    let Some(endpoint) = merchant.endpoints.iter().find(|endpoint| endpoint.id == endpoint_id && endpoint.enabled) else {
        return Ok(Err("the endpoint was removed or switched off"));
    };
    let Ok(secret) = open_secret(&service.master_keys, endpoint) else {
        return Ok(Err("the endpoint's secret does not open with the master keys"));
    };
    let found = Arc::new(KnownEndpoint { url: endpoint.url.clone(), mode: merchant.mode, secret });
    cache.keep((merchant_id, endpoint_id), (now, found.clone()), generation);
    Ok(Ok(found))
}

impl Mac for KnownEndpoint {
    fn hmac_sha256(&self, message: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.secret, message)
    }
}

impl EndpointCache {
    /// A merchant changed.
    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.lock().clear();
    }

    fn find(&self, merchant_id: MerchantId, endpoint_id: EndpointId, now: Timestamp) -> Option<Arc<KnownEndpoint>> {
        let kept = self.lock();
        let (read_at, endpoint) = kept.get(&(merchant_id, endpoint_id))?;
        (read_at.plus_ms(KEY_AGE_MS_MAX) > now).then(|| endpoint.clone())
    }

    fn keep(&self, key: (MerchantId, EndpointId), entry: (Timestamp, Arc<KnownEndpoint>), generation: u64) {
        let mut kept = self.lock();
        if self.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        if kept.len() >= ENDPOINTS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, entry);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // The map is whole between any two operations on it, also when a thread ended in between.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
