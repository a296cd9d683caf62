//! What happens next: one of the woken futures, the lane, a checkpoint, or the clock.

use refundry_engine::Timestamp;
use refundry_service::world::Clock as _;

use super::{COMMITS_BETWEEN_AUDITS, COMMITS_BETWEEN_AUDITS_OF_DAYS, Run, STEPS_MAX, STEPS_OF_A_DAY_MAX};
use crate::model::{Reader, Violation};

/// Of a thousand choices so many let a moment pass although there is something to do.
const STALLS_PER_MILLE: usize = 8;
/// The longest such moment: far below the times after which others act.
const STALL_MS_MAX: i64 = 700;
/// Of a thousand choices so many make a checkpoint.
const CHECKPOINTS_PER_MILLE: usize = 8;

/// Of a hundred steps beside other processes so many stop half way.
const STOPS_PERCENT: u32 = 50;
/// The longest that a process stands still there; the server gives up on it much later.
const PAUSE_MS_MAX: i64 = 3_000;

impl Run {
    /// One choice; the clock goes no further than `end`.
    pub(super) fn step(&mut self, end: Option<Timestamp>) -> Result<(), Violation> {
        self.figures.steps += 1;
        let steps_max = STEPS_MAX + STEPS_OF_A_DAY_MAX * self.plan.days.unwrap_or(0).unsigned_abs();
        if self.figures.steps > steps_max {
            return Err(Violation { rule: "a_run_ends", what: format!("{steps_max} steps were not enough") });
        }
        self.begin_due_steps()?;
        self.let_stragglers_arrive();
        self.heal_disk();
        self.choose_process();
        let choice = self.dice.below(1_000);
        let (ready, lane_may_work) = (self.life()?.executor.ready(), self.stage.clock.now() >= self.lane_waits_until);
        if choice < STALLS_PER_MILLE {
            let moment = self.dice.between(1, STALL_MS_MAX);
            self.stage.clock.advance_to(self.stage.clock.now().plus_ms(moment));
        } else if choice < STALLS_PER_MILLE + CHECKPOINTS_PER_MILLE {
            self.life()?.store.checkpoint();
        } else {
            let chosen = self.dice.below(ready + usize::from(lane_may_work));
            if chosen < ready {
                self.poll_one()?;
            } else if !(lane_may_work && self.work_on_lane()?) && ready == 0 {
                self.jump_unless_busy(end, lane_may_work);
            }
        }
        self.look()
    }

    /// One process alone always has its turn.
    pub(super) fn choose_process(&mut self) {
        if self.lives.len() > 1 {
            self.turn = self.dice.below(self.lives.len());
        }
    }

    /// A step of the lanes of one process; beside others it often stops half way, with its transaction open, while the others go on.
    fn work_on_lane(&mut self) -> Result<bool, Violation> {
        if self.lives.len() == 1 {
            return Ok(self.life()?.store.step());
        }
        let now = self.stage.clock.now();
        let (stops, pause_ms) = (self.dice.percent(STOPS_PERCENT), self.dice.between(0, PAUSE_MS_MAX));
        let life = self.life()?;
        match life.held_until {
            Some(until) if until <= now => {
                life.held_until = None;
                Ok(life.store.finish_step())
            }
            Some(_) => Ok(false),
            None if stops => {
                let held = life.store.begin_step();
                life.held_until = held.then(|| now.plus_ms(pause_ms));
                self.figures.held += u64::from(held);
                Ok(held)
            }
            None => Ok(life.store.step()),
        }
    }

    /// Time goes on when no process has anything to do.
    fn jump_unless_busy(&mut self, end: Option<Timestamp>, lanes_may_work: bool) {
        let now = self.stage.clock.now();
        let mut busy = false;
        if self.lives.len() > 1 {
            for life in self.lives.iter_mut().flatten() {
                busy |= life.executor.ready() > 0;
                if life.held_until.is_some_and(|until| until <= now) {
                    life.held_until = None;
                    busy |= life.store.finish_step();
                }
                busy |= lanes_may_work && life.held_until.is_none() && life.store.step();
            }
        }
        if !busy {
            self.jump(end);
        }
    }

    /// Commits of the processes that live.
    pub(super) fn commits(&self) -> u64 {
        self.lives.iter().flatten().map(|life| life.commits.count()).sum()
    }

    fn poll_one(&mut self) -> Result<(), Violation> {
        let mut dice = self.dice.clone();
        self.life()?.executor.poll_one(&mut dice);
        self.dice = dice;
        Ok(())
    }

    /// Nothing can happen now: on to the next time at which something does.
    fn jump(&mut self, end: Option<Timestamp>) {
        let now = self.stage.clock.now();
        let planned = self.plan.steps.get(self.next_step).map(|step| self.stage.begin.plus_ms(step.at_ms));
        let held = self.lives.iter().flatten().filter_map(|life| life.held_until);
        let waiting = [self.lane_waits_until, self.disk_is_ill_until].into_iter().chain(held).filter(|at| *at > now);
        let times = [self.stage.clock.next_wake(), self.stage.book.next_arrival_at(), planned, end];
        if let Some(next) = times.into_iter().flatten().chain(waiting).min() {
            self.stage.clock.advance_to(next);
        }
    }

    fn let_stragglers_arrive(&self) {
        while let Some((name, submission)) = self.stage.book.take_arrival(self.stage.clock.now()) {
            self.stage.trace.line(&format!("{name} gets attempt {} of {} late", submission.attempt, submission.refund_id));
            if let Some(acquirer) = self.stage.acquirers.iter().find(|acquirer| acquirer.name == name) {
                acquirer.execute(&submission);
            }
        }
    }

    fn heal_disk(&mut self) {
        if self.disk_is_ill_until > self.stage.begin && self.stage.clock.now() >= self.disk_is_ill_until {
            self.disk_is_ill_until = self.stage.begin;
            if let Some(disk) = self.setting.ground.failing_disk() {
                disk.fall_ill(None);
            }
        }
    }

    /// What the auditor looks at after every step, and the crashes that are due.
    fn look(&mut self) -> Result<(), Violation> {
        if let Some((steps, loss)) = self.crash_in {
            if steps == 0 {
                return self.restart(loss);
            }
            self.crash_in = Some((steps - 1, loss));
        }
        let generation = self.setting.ground.generation();
        if self.life()?.generation != generation {
            return self.restart(crate::disk::Loss::Everything);
        }
        let store = self.life()?.store.clone();
        let stage = self.stage.clone();
        stage.model().audit_submissions(&Reader(store.as_ref()), &stage.book)?;
        if let Some(rule) = stage.merchants.broken_rule() {
            return Err(Violation { rule: "a_notification_never_changes", what: rule });
        }
        if let Some(violation) = stage.model().violation() {
            return Err(violation.clone());
        }
        if self.life()?.commits.take_touched() {
            let count = self.commits();
            let between = if self.plan.days.is_some() { COMMITS_BETWEEN_AUDITS_OF_DAYS } else { COMMITS_BETWEEN_AUDITS };
            if count >= self.audited_at + between || count < self.audited_at {
                self.audited_at = count;
                return self.audit(false);
            }
        }
        Ok(())
    }
}
