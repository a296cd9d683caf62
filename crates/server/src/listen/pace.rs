//! The time limits of one connection: how long a client may take for the head, the request, and doing nothing.
//!
//! One timer per connection is moved only when it fires too early, so a request costs a few clock readings.

use futures::task::AtomicWaker;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long each phase may take.
#[derive(Clone, Copy)]
pub struct Patience {
    /// From the first byte of a head to its last; also from connecting to the first byte.
    pub head: Duration,
    /// From the head to the answer.
    pub request: Duration,
    /// Between two requests, and for a client that does not take its answer.
    pub idle: Duration,
}

const HEAD: u8 = 0;
const REQUEST: u8 = 1;
const UNHURRIED_REQUEST: u8 = 2;
const IDLE: u8 = 3;

/// What the service tells the stream: the phase, and that the process wants to end.
#[derive(Default)]
pub struct Pace {
    phase: AtomicU8,
    ending: AtomicBool,
    waker: AtomicWaker,
}

impl Pace {
    /// A head is complete; an unhurried request may go on as long as bytes move.
    pub fn begin_request(&self, unhurried: bool) {
        self.phase.store(if unhurried { UNHURRIED_REQUEST } else { REQUEST }, Ordering::Relaxed);
    }

    /// The answer's head is there.
    pub fn end_request(&self) {
        self.phase.store(IDLE, Ordering::Relaxed);
    }

    /// Asks the connection to finish what it is doing and close.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether [`end`](Self::end) was called; if not yet, the task of `context` will be woken by it.
    pub fn is_ending(&self, context: &Context<'_>) -> bool {
        self.waker.register(context.waker());
        self.ending.load(Ordering::Acquire)
    }
}

/// A stream that fails with `TimedOut` when its client is too slow.
pub struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
    patience: Patience,
    phase: u8,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    /// The first head must begin at once.
    pub fn new(stream: S, pace: Arc<Pace>, patience: Patience) -> Paced<S> {
        let deadline = Instant::now() + patience.head;
        Paced { stream, pace, patience, phase: HEAD, deadline, timer: Box::pin(sleep_until(deadline)) }
    }

    /// Starts the clock of a phase that the service began.
    fn follow(&mut self) {
        let phase = self.pace.phase.load(Ordering::Relaxed);
        if phase != self.phase {
            self.enter(phase);
        }
    }

    fn enter(&mut self, phase: u8) {
        self.phase = phase;
        self.pace.phase.store(phase, Ordering::Relaxed);
        self.progress();
    }

    fn progress(&mut self) {
        let patience = match self.phase {
            HEAD => self.patience.head,
            REQUEST | UNHURRIED_REQUEST => self.patience.request,
            _ => self.patience.idle,
        };
        self.deadline = Instant::now() + patience;
        // A deadline that comes closer moves the timer at once: whoever waits for bytes may not ask again before. One
        // that goes away leaves it; firing too early costs less than moving it with every request.
        if self.deadline < self.timer.deadline() {
            self.timer.as_mut().reset(self.deadline);
        }
    }

    /// Called when nothing moves: arms the timer, or reports that the time is over.
    fn check_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.deadline <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.follow();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(read) => {
                if self.phase == IDLE {
                    self.enter(HEAD);
                } else if self.phase == UNHURRIED_REQUEST {
                    self.progress();
                }
                Poll::Ready(read)
            }
            Poll::Pending => self.check_deadline(context).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.follow();
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(written) => self.wrote(written),
            Poll::Pending => self.check_deadline(context).map(Err),
        }
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.follow();
        match Pin::new(&mut self.stream).poll_write_vectored(context, slices) {
            Poll::Ready(written) => self.wrote(written),
            Poll::Pending => self.check_deadline(context).map(Err),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.check_deadline(context).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> Paced<S> {
    /// A long answer may go on as long as the client takes it.
    fn wrote(&mut self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        if self.phase == IDLE || self.phase == UNHURRIED_REQUEST {
            self.progress();
        }
        Poll::Ready(written)
    }
}
