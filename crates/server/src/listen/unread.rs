//! What nobody read of a request's body when its answer is ready.
//!
//! A stranger is turned away before its body is looked at. But who is still sending when the connection ends sees a reset instead of the answer, and a
//! client that keeps connections open sends its next request into one that is gone. So the rest is read and thrown away first, as far as that is cheap;
//! otherwise the answer says that the connection ends with it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;

use super::body::drain;

/// How long the rest of a body is waited for: enough for what is on its way.
const DRAIN_WAIT: Duration = Duration::from_secs(2);

/// A body that comes back when whoever had it drops it before its end.
struct Watched {
    body: Option<Incoming>,
    unread: Arc<Mutex<Option<Incoming>>>,
}

/// Where the unread rest of a body is found.
pub(super) struct Unread {
    rest: Option<Arc<Mutex<Option<Incoming>>>>,
    waits_for_continue: bool,
}

/// Watches the body of a request, if it has one.
pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Unread) {
    if request.body().is_end_stream() {
        return (request.map(Body::new), Unread { rest: None, waits_for_continue: false });
    }
    let waits_for_continue = request.headers().contains_key(EXPECT);
    let unread = Arc::new(Mutex::new(None));
    let rest = Some(unread.clone());
    (request.map(|body| Body::new(Watched { body: Some(body), unread })), Unread { rest, waits_for_continue })
}

impl Unread {
    /// Reads the rest. False when the connection has to end with the answer, because more is to come.
    pub(super) async fn read_out(self) -> bool {
        let Some(rest) = self.rest.and_then(|rest| lock(&rest).take()) else { return true };
        // Who waits for "100 Continue" has sent nothing yet, and reading would ask for it.
        !self.waits_for_continue && tokio::time::timeout(DRAIN_WAIT, drain(&mut Body::new(rest))).await.unwrap_or(false)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        *lock(&self.unread) = self.body.take().filter(|body| !body.is_end_stream());
    }
}

fn lock(unread: &Mutex<Option<Incoming>>) -> MutexGuard<'_, Option<Incoming>> {
    unread.lock().unwrap_or_else(PoisonError::into_inner)
}
