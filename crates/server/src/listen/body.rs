//! Reading a request body to its end, within a limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::body::Body as _;
use hyper::header::EXPECT;

use http_body_util::BodyExt;

/// How much of a body that is too long is still read, so that the client sees the answer instead of a reset.
const DRAIN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Room that is set aside at most before the bytes are there: a client may promise more than it sends.
const RESERVED_BYTES_MAX: usize = 64 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Longer than the limit: answer 413 or what the dialect says for it.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The connection ended, was too slow, or sent a broken body: nobody reads an answer.
    #[error("the body did not arrive whole")]
    Incomplete,
}

/// The whole body, if it has at most `limit` bytes. A body that came in one piece is not copied.
pub async fn read_body(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if promised > limit {
        // Who waits for "100 Continue" has sent nothing yet; everybody else is in the midst of sending.
        if !headers.contains_key(EXPECT) {
            drain(&mut body).await;
        }
        return Err(BodyError::TooLong { limit });
    }
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() <= limit && (body.is_end_stream() || first.len() == promised) {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(promised.min(RESERVED_BYTES_MAX).max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(more) = next(&mut body).await? {
        if whole.len() + more.len() > limit {
            drain(&mut body).await;
            return Err(BodyError::TooLong { limit });
        }
        whole.extend_from_slice(&more);
    }
    if whole.len() > limit { Err(BodyError::TooLong { limit }) } else { Ok(whole.freeze()) }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| BodyError::Incomplete)?.into_data() {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => return Ok(Some(bytes)),
            // Trailers carry nothing that a dialect knows.
            Err(_) => {}
        }
    }
    Ok(None)
}

/// Reads what is left and throws it away. False when it did not come to its end.
pub(super) async fn drain(body: &mut Body) -> bool {
    let mut left = DRAIN_BYTES_MAX;
    loop {
        match next(body).await.map(|piece| piece.map(|bytes| left.checked_sub(bytes.len()))) {
            Ok(Some(Some(rest))) => left = rest,
            Ok(None) => return true,
            Ok(Some(None)) | Err(_) => return false,
        }
    }
}
