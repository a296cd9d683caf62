//! A lane: the queue of commands that share a load, an apply and a commit.

mod queue;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use refundry_engine::command::Command;
use refundry_engine::task::Task;
use refundry_engine::{Changes, MerchantId, Outcome, Refusal, Scope, Snapshot, Timestamp, decide};

pub use queue::{Queue, QueuedClaim, QueuedCommand, Work};

use crate::{Claim, CommitObserver, StoreError};

/// What a lane needs of a database. Everything between `begin` and `commit` is one transaction.
pub trait Backend: Send {
    /// Begins a transaction that nobody else can write beside.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Reads what the decisions need. While it waited for locks more may have come that needs no other locks: `more` is told which merchants are locked
    /// and says what else to read. Where nobody waits for locks it is not asked.
    fn load(&mut self, scope: Scope, more: &mut More<'_>) -> Result<Snapshot, StoreError>;
    /// Writes what was decided; running figures come from the snapshot that absorbed all of it.
    fn apply(&mut self, changes: &Changes, snapshot: &Snapshot, now: Timestamp) -> Result<(), StoreError>;
    /// Leases tasks that are due.
    fn claim(&mut self, claim: &Claim) -> Result<Vec<Task>, StoreError>;
    /// Makes it durable.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;
    /// Forgets it.
    fn rollback(&mut self);
    /// Does what no caller has to wait for, between two transactions.
    fn rest(&mut self);
}

/// Adds commands of locked merchants to a batch, and gives what these need.
pub type More<'a> = dyn FnMut(&BTreeSet<MerchantId>) -> Option<Scope> + 'a;

/// A batch is filled up behind its locks when what waits is at least one part in so many of it: reading for the rest is a trip of its own.
const FILLED_FROM_PART: usize = 4;

/// A lane over a database.
pub struct Lane<B: Backend> {
    backend: B,
    queue: Arc<Queue>,
    observer: Option<Arc<dyn CommitObserver>>,
    commands_max: usize,
    attempts_max: u32,
    held: Option<Held>,
}

/// A batch whose transaction is open.
struct Held {
    commands: Vec<QueuedCommand>,
    claims: Vec<QueuedClaim>,
    decided: Result<Committed, Failure>,
}

/// What a batch that was committed says to those who wait.
struct Committed {
    outcomes: Vec<Outcome>,
    tasks: Vec<Vec<Task>>,
    changes: Changes,
}

/// Why a batch was not committed.
enum Failure {
    /// The verdict of one command made the program stop.
    Poisoned { index: usize, why: String },
    /// The database did not do it.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<B: Backend> Lane<B> {
    /// A lane that serves `queue`, at most `commands_max` commands per commit.
    pub fn new(backend: B, queue: Arc<Queue>, observer: Option<Arc<dyn CommitObserver>>, commands_max: usize) -> Self {
        Self { backend, queue, observer, commands_max: commands_max.max(1), attempts_max: 1, held: None }
    }

    /// Runs a batch again, so often in all, when another writer was in the way: a decision can be made as often as one likes.
    pub fn with_attempts(mut self, attempts_max: u32) -> Self {
        self.attempts_max = attempts_max.max(1);
        self
    }

    /// What it writes to.
    pub const fn backend(&mut self) -> &mut B {
        &mut self.backend
    }

    /// Does whatever waits, in one commit when nothing goes wrong. False when nothing waited.
    pub fn step(&mut self) -> bool {
        let begun = self.begin_step();
        if begun {
            self.finish_step();
        }
        begun
    }

    /// The first half of a step: takes what waits, loads and decides it, and keeps the transaction open. False when nothing waited, or when a step
    /// is begun already. The simulator lets other nodes go on meanwhile.
    pub fn begin_step(&mut self) -> bool {
        if self.held.is_some() {
            return false;
        }
        let work = self.queue.take(self.commands_max);
        if work.is_empty() {
            return false;
        }
        let Work { mut commands, claims } = work;
        let decided = self.open(&mut commands, &claims);
        self.held = Some(Held { commands, claims, decided });
        true
    }

    /// The second half: commits and answers. False when none was begun.
    pub fn finish_step(&mut self) -> bool {
        let Some(Held { commands, claims, decided }) = self.held.take() else { return false };
        let committed = decided.and_then(|decided| self.seal(decided, &claims));
        self.end(commands, claims, committed);
        self.backend.rest();
        true
    }

    /// Steps until the queue is closed and empty; gives itself back, so that its connection can be closed last.
    pub fn run_until_closed(mut self) -> Self {
        while self.queue.park() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.step())) {
                // Those who wait see their sender dropped and are told to try again; the next step must not find a transaction.
                tracing::error!(why = text_of(panic.as_ref()), "a step of the lane stopped by a panic");
                self.backend.rollback();
            }
        }
        self
    }

    fn run(&mut self, mut commands: Vec<QueuedCommand>, claims: Vec<QueuedClaim>) {
        let committed = self.attempt(&mut commands, &claims);
        self.end(commands, claims, committed);
    }

    /// Answers a batch, or does what may help it after its first attempt.
    fn end(&mut self, mut commands: Vec<QueuedCommand>, mut claims: Vec<QueuedClaim>, first: Result<Committed, Failure>) {
        match self.again_after(first, &mut commands, &claims) {
            Ok(committed) => self.answer(commands, claims, committed),
            Err(Failure::Poisoned { index, why }) => {
                let poisoned = commands.remove(index);
                drop(poisoned.answer.send(Err(StoreError::Poisoned(why))));
                self.run_if_any(commands, claims);
            }
            Err(Failure::Store(error)) if error.is_passing() || commands.len() + claims.len() <= 1 => {
                let outcome = || refusal_of(&error).map_or_else(|| Err(error.clone()), Ok);
                commands.drain(..).for_each(|queued| drop(queued.answer.send(outcome())));
                claims.drain(..).for_each(|queued| drop(queued.answer.send(Err(error.clone()))));
            }
            Err(Failure::Store(_)) => {
                let rest = commands.split_off(commands.len().div_ceil(2));
                let (first_claims, rest_claims) = if rest.is_empty() && commands.is_empty() {
                    let rest_claims = claims.split_off(claims.len() / 2);
                    (claims, rest_claims)
                } else {
                    (Vec::new(), claims)
                };
                self.run_if_any(commands, first_claims);
                self.run_if_any(rest, rest_claims);
            }
        }
    }

    fn run_if_any(&mut self, commands: Vec<QueuedCommand>, claims: Vec<QueuedClaim>) {
        if !commands.is_empty() || !claims.is_empty() {
            self.run(commands, claims);
        }
    }

    fn again_after(
        &mut self,
        first: Result<Committed, Failure>,
        commands: &mut Vec<QueuedCommand>,
        claims: &[QueuedClaim],
    ) -> Result<Committed, Failure> {
        let mut last = first;
        for _ in 1..self.attempts_max {
            let Err(Failure::Store(StoreError::Conflict(cause))) = &last else { break };
            tracing::debug!(cause = cause.as_ref() as &dyn std::error::Error, "again");
            last = self.attempt(commands, claims);
        }
        last
    }

    fn attempt(&mut self, commands: &mut Vec<QueuedCommand>, claims: &[QueuedClaim]) -> Result<Committed, Failure> {
        self.open(commands, claims).and_then(|decided| self.seal(decided, claims))
    }

    /// Everything up to the commit. More commands may join the batch meanwhile.
    fn open(&mut self, commands: &mut Vec<QueuedCommand>, claims: &[QueuedClaim]) -> Result<Committed, Failure> {
        if let Some(observer) = &self.observer {
            observer.begins();
        }
        self.backend.begin()?;
        let decided = self.decide_and_apply(commands, claims);
        if decided.is_err() {
            self.backend.rollback();
        }
        decided
    }

    /// The commit.
    fn seal(&mut self, decided: Committed, claims: &[QueuedClaim]) -> Result<Committed, Failure> {
        let gave_back = claims.iter().any(|queued| !queued.claim.given_back.is_empty());
        if decided.changes.is_empty() && decided.tasks.iter().all(Vec::is_empty) && !gave_back {
            self.backend.rollback();
            return Ok(decided);
        }
        if let Some(observer) = &self.observer {
            observer.commits(decided.outcomes.len());
        }
        if let Err(error) = self.backend.commit(&decided.changes) {
            self.backend.rollback();
            return Err(error.into());
        }
        Ok(decided)
    }

    fn decide_and_apply(&mut self, commands: &mut Vec<QueuedCommand>, claims: &[QueuedClaim]) -> Result<Committed, Failure> {
        let mut committed = Committed { outcomes: Vec::with_capacity(commands.len()), tasks: Vec::new(), changes: Changes::default() };
        if !commands.is_empty() {
            let mut snapshot = self.load(commands)?;
            let mut now = Timestamp::from_us(i64::MIN);
            for (index, queued) in commands.iter().enumerate() {
                let (outcome, changes) = decide_one(&mut snapshot, &queued.command).map_err(|why| Failure::Poisoned { index, why })?;
                now = now.max(queued.command.stamp.now);
                committed.outcomes.push(outcome);
                committed.changes.merge(changes);
            }
            if !committed.changes.is_empty() {
                self.backend.apply(&committed.changes, &snapshot, now)?;
            }
        }
        for queued in claims {
            committed.tasks.push(self.backend.claim(&queued.claim)?);
        }
        Ok(committed)
    }

    fn load(&mut self, commands: &mut Vec<QueuedCommand>) -> Result<Snapshot, StoreError> {
        let scope = scope_of(commands);
        let (queue, room) = (&self.queue, self.commands_max.saturating_sub(commands.len()));
        self.backend.load(scope, &mut |locked| {
            let more = queue.take_fitting(room, commands.len().div_ceil(FILLED_FROM_PART), |command| needs_only(command, locked));
            let scope = scope_of(&more);
            let is_worth_it = !more.is_empty();
            commands.extend(more);
            is_worth_it.then_some(scope)
        })
    }

    fn answer(&self, commands: Vec<QueuedCommand>, claims: Vec<QueuedClaim>, committed: Committed) {
        if let Some(observer) = self.observer.as_ref().filter(|_| !committed.changes.is_empty()) {
            let heard = catch_unwind(AssertUnwindSafe(|| observer.committed(&committed.changes)));
            if let Err(panic) = heard {
                tracing::error!(why = text_of(panic.as_ref()), "whoever hears of commits failed; polling finds what it missed");
            }
        }
        for (queued, outcome) in commands.into_iter().zip(committed.outcomes) {
            drop(queued.answer.send(Ok(outcome)));
        }
        for (queued, tasks) in claims.into_iter().zip(committed.tasks) {
            drop(queued.answer.send(Ok(tasks)));
        }
    }
}

impl<B: Backend> Drop for Lane<B> {
    fn drop(&mut self) {
        // What a transaction has locked is given back now, and not when the database notices that nobody is there.
        if self.held.take().is_some() {
            self.backend.rollback();
        }
    }
}

fn scope_of(commands: &[QueuedCommand]) -> Scope {
    let mut scope = Scope::default();
    commands.iter().for_each(|queued| scope.include(&queued.command));
    scope
}

/// Whether these locks are all that a command needs. Locks that are taken later could be waited for in a circle.
fn needs_only(command: &Command, locked: &BTreeSet<MerchantId>) -> bool {
    let mut scope = Scope::default();
    scope.include(command);
    let merchants = scope.all_merchants();
    let has_other_locks = !scope.notifications.is_empty() || !scope.credentials.is_empty() || !scope.people.is_empty();
    !has_other_locks && !merchants.is_empty() && merchants.is_subset(locked)
}

/// A panic in a decision is that command's alone: the batch is run again without it, because the snapshot may have been left half changed.
fn decide_one(snapshot: &mut Snapshot, command: &Command) -> Result<(Outcome, Changes), String> {
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let verdict = decide(snapshot, command);
        snapshot.absorb(&verdict.changes);
        (verdict.outcome, verdict.changes)
    }));
    decided.map_err(|panic| text_of(panic.as_ref()))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".to_owned())
}

/// A unique name that is taken is an answer and not a fault: no snapshot can hold every name.
fn refusal_of(error: &StoreError) -> Option<Outcome> {
    match error {
        StoreError::Taken(field) => {
            Some(Outcome::Refused { refusal: Refusal::AlreadyExists { field: (*field).to_owned() }, replayed: false })
        }
        StoreError::TryAgain(_)
        | StoreError::Conflict(_)
        | StoreError::Unsure(_)
        | StoreError::Damaged(_)
        | StoreError::Withheld(_)
        | StoreError::Statement(_)
        | StoreError::Unreadable { .. }
        | StoreError::Poisoned(_)
        | StoreError::Unnumbered
        | StoreError::Overloaded
        | StoreError::Closed => None,
    }
}
