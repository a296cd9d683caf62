use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use refundry_engine::command::Command;
use refundry_engine::task::Task;
use tokio::sync::oneshot;

use crate::{Claim, Outcome, StoreError, Ticket};

/// Wishes for tasks that may wait at once: every worker has at most a few.
const CLAIMS_QUEUED_MAX: usize = 1_024;

/// A command and who waits for its outcome.
pub struct QueuedCommand {
    /// What is to be done.
    pub command: Command,
    /// Who is told.
    pub answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// A wish for tasks and who waits for them.
pub struct QueuedClaim {
    /// What is wished for.
    pub claim: Claim,
    /// Who is told.
    pub answer: oneshot::Sender<Result<Vec<Task>, StoreError>>,
}

/// What one step of a lane takes.
#[derive(Default)]
pub struct Work {
    /// In the order in which they came.
    pub commands: Vec<QueuedCommand>,
    /// In the order in which they came.
    pub claims: Vec<QueuedClaim>,
}

impl Work {
    /// There was nothing to take.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.claims.is_empty()
    }
}

/// What waits before a lane. It is bounded: whoever comes when it is full is told to try again.
pub struct Queue {
    waiting: Mutex<Waiting>,
    woken: Condvar,
    commands_max: usize,
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<QueuedCommand>,
    claims: VecDeque<QueuedClaim>,
    closing: bool,
    parked: bool,
}

impl Queue {
    /// An empty queue for at most so many commands.
    pub fn new(commands_max: usize) -> Self {
        Self { waiting: Mutex::default(), woken: Condvar::new(), commands_max }
    }

    /// Queues a command.
    pub fn push(&self, command: Command) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let mut waiting = self.lock();
        match waiting.refusal(waiting.commands.len(), self.commands_max) {
            Some(error) => drop(answer.send(Err(error))),
            None => {
                waiting.commands.push_back(QueuedCommand { command, answer });
                self.wake(&mut waiting);
            }
        }
        ticket
    }

    /// Queues a wish for tasks.
    pub fn push_claim(&self, claim: Claim) -> oneshot::Receiver<Result<Vec<Task>, StoreError>> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        match waiting.refusal(waiting.claims.len(), CLAIMS_QUEUED_MAX) {
            Some(error) => drop(answer.send(Err(error))),
            None => {
                waiting.claims.push_back(QueuedClaim { claim, answer });
                self.wake(&mut waiting);
            }
        }
        receiver
    }

    /// Takes what waits, at most `commands_max` commands.
    pub fn take(&self, commands_max: usize) -> Work {
        let mut waiting = self.lock();
        let count = waiting.commands.len().min(commands_max);
        Work { commands: waiting.commands.drain(..count).collect(), claims: waiting.claims.drain(..).collect() }
    }

    /// Takes commands that fit a batch which is under way, at most `commands_max`, and leaves the others in their places; none when fewer than
    /// `least` wait, because then they are not worth the trouble.
    pub fn take_fitting(&self, commands_max: usize, least: usize, fits: impl Fn(&Command) -> bool) -> Vec<QueuedCommand> {
        let mut waiting = self.lock();
        if waiting.commands.len() < least.max(1) {
            return Vec::new();
        }
        let (mut taken, mut left) = (Vec::new(), VecDeque::with_capacity(waiting.commands.len()));
        for queued in std::mem::take(&mut waiting.commands) {
            if taken.len() < commands_max && fits(&queued.command) {
                taken.push(queued);
            } else {
                left.push_back(queued);
            }
        }
        waiting.commands = left;
        taken
    }

    /// Sleeps until something waits; false when the queue is closed and empty.
    pub fn park(&self) -> bool {
        let mut waiting = self.lock();
        loop {
            if !waiting.commands.is_empty() || !waiting.claims.is_empty() {
                return true;
            }
            if waiting.closing {
                return false;
            }
            waiting.parked = true;
            waiting = self.woken.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.parked = false;
        }
    }

    /// Takes no more; what waits is still done.
    pub fn close(&self) {
        self.lock().closing = true;
        self.woken.notify_all();
    }

    fn wake(&self, waiting: &mut Waiting) {
        if std::mem::take(&mut waiting.parked) {
            self.woken.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn refusal(&self, queued: usize, queued_max: usize) -> Option<StoreError> {
        if self.closing {
            return Some(StoreError::Closed);
        }
        (queued >= queued_max).then_some(StoreError::Overloaded)
    }
}
