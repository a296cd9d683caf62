//! One run of one plan: chooses what happens next, step by step, and has the auditor look after each.

mod choice;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use refundry_engine::{Actor, Command, Outcome, Timestamp};
use refundry_service::world::Clock as _;
use refundry_store::Store as _;

use crate::cast::MERCHANTS;
use crate::dice::Dice;
use crate::disk::{Disk, Loss};
use crate::life::{Habits, Life};
use crate::merchants::Deafness;
use crate::model::{Reader, Violation, audit_books};
use crate::plan::{PLAN_MS, Plan, PlannedEvent, PlannedFault, Step};
use crate::stage::Stage;
use crate::vfs::Vfs;
use crate::wishes;

/// Steps of one run at most: more mean that something turns in circles.
const STEPS_MAX: u64 = 400_000;
/// Virtual days after the eventful part in which everything must become final.
const QUIET_DAYS_MAX: i64 = 12;
/// Tries to open the database after a crash, while the disk may still be ill.
const OPENINGS_MAX: u32 = 5;
/// Of a hundred runs so many have a merchant that never hears again: its notifications must end visibly parked.
const DEAF_FOR_EVER_PERCENT: u32 = 5;
/// Commits between two looks at everything.
const COMMITS_BETWEEN_AUDITS: u64 = 12;

/// What became of a run.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// The first rule that did not hold.
    pub violation: Option<Violation>,
    /// Every line of the log.
    pub trace: String,
    /// How much happened.
    pub figures: Figures,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Choices made.
    pub steps: u64,
    /// Commits heard of.
    pub commits: u64,
    /// Crashes survived.
    pub crashes: u64,
    /// Refunds at the end.
    pub refunds: u64,
    /// Refunds that acquirers paid.
    pub paid: u64,
}

impl Figures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.commits += other.commits;
        self.crashes += other.crashes;
        self.refunds += other.refunds;
        self.paid += other.paid;
    }
}

/// A run that is under way.
pub struct Run {
    plan: Plan,
    stage: Arc<Stage>,
    dice: Dice,
    disk: Disk,
    vfs: Vfs,
    habits: Habits,
    life: Option<Life>,
    next_step: usize,
    crash_in: Option<(u32, Loss)>,
    lane_waits_until: Timestamp,
    disk_is_ill_until: Timestamp,
    deaf_for_ever: Option<usize>,
    audited_at: u64,
    commits_before: u64,
    figures: Figures,
}

/// Runs a plan to its end or to the first broken rule. A panic of the service is a broken rule, too.
pub fn run(plan: &Plan) -> RunReport {
    let stage = Arc::new(Stage::new(plan.seed));
    let mut run = Run::new(plan.clone(), stage.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| run.play_out()));
    let violation = match ended {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation),
        Err(panic) => Some(Violation { rule: "nothing_panics", what: text_of(panic.as_ref()) }),
    };
    // Whatever is left must not write a checkpoint of its own when it is dropped.
    run.disk.crash(Loss::Nothing, &mut Dice::new(plan.seed, "end"));
    run.life = None;
    RunReport { violation, trace: stage.trace.text(), figures: run.figures }
}

impl Run {
    fn new(plan: Plan, stage: Arc<Stage>) -> Self {
        let (seed, disk) = (plan.seed, Disk::default());
        let mut dice = Dice::new(seed, "run");
        let (vfs, habits, begin) = (Vfs::register(&disk, seed), Habits::thrown(&mut dice), stage.begin);
        Self {
            plan,
            stage,
            dice,
            disk,
            vfs,
            habits,
            life: None,
            next_step: 0,
            crash_in: None,
            lane_waits_until: begin,
            disk_is_ill_until: begin,
            deaf_for_ever: None,
            audited_at: 0,
            commits_before: 0,
            figures: Figures::default(),
        }
    }

    fn play_out(&mut self) -> Result<(), Violation> {
        self.begin_life()?;
        self.install()?;
        let end = self.stage.begin.plus_ms(PLAN_MS);
        while self.next_step < self.plan.steps.len() || self.stage.clock.now() < end {
            self.step(Some(end))?;
        }
        self.quieten()?;
        let deadline = self.stage.clock.now().plus_days(QUIET_DAYS_MAX);
        while !self.is_over()? {
            if self.stage.clock.now() > deadline {
                break;
            }
            self.step(None)?;
        }
        let unanswered = self.stage.model().unfinished();
        if !unanswered.is_empty() {
            let what = format!("steps {unanswered:?} are still waiting after {QUIET_DAYS_MAX} quiet days");
            return Err(Violation { rule: "every_caller_gets_an_answer", what });
        }
        self.audit(true)?;
        self.audit_end()
    }

    /// Puts the cast into the empty store.
    fn install(&mut self) -> Result<(), Violation> {
        let stage = self.stage.clone();
        let life = self.life()?;
        for act in stage.cast.acts() {
            let now = stage.clock.now();
            let stamp =
                refundry_engine::Stamp { now, ids: life.service.world.ids.block(now).expect("a fixed number"), actor: Actor::System };
            let installed = life.store.transact_now(Command { stamp, act: act.clone() });
            if !matches!(installed, Ok(Outcome::Done)) {
                return Err(Violation { rule: "the_cast_is_installed", what: format!("{installed:?} for {act:?}") });
            }
        }
        Ok(())
    }

    /// All faults end; what is left of the process starts anew, and looks for tasks less often because days will pass.
    fn quieten(&mut self) -> Result<(), Violation> {
        self.stage.trace.line("quiet");
        self.stage.book.become_honest();
        self.stage.merchants.become_honest();
        if self.dice.percent(DEAF_FOR_EVER_PERCENT) {
            let merchant = self.dice.below(MERCHANTS);
            let how = *self.dice.pick(&[Deafness::Unreachable, Deafness::Broken, Deafness::Mumbling]);
            self.deafen(merchant, how, Timestamp::from_us(i64::MAX));
            self.deaf_for_ever = Some(merchant);
        }
        self.crash_in = None;
        self.lane_waits_until = self.stage.begin;
        self.habits.poll_ms = 1_800_000;
        self.restart(Loss::Nothing)
    }

    fn is_over(&mut self) -> Result<bool, Violation> {
        let idle = self.life()?.executor.ready() == 0;
        if !idle || !self.stage.model().unfinished().is_empty() {
            return Ok(false);
        }
        let stage = self.stage.clone();
        let life = self.life()?;
        let figures = futures::FutureExt::now_or_never(life.store.task_figures(stage.clock.now()));
        let open = figures.and_then(Result::ok).map_or(1, |figures| figures.open.iter().map(|(_, count)| *count).sum::<i64>());
        let reader = Reader(life.store.as_ref());
        let mut in_review = false;
        for (merchant, one) in stage.cast.merchants.iter().enumerate() {
            if reader.refunds(one.merchant.id)?.iter().any(|refund| is_in_review(&refund.state)) {
                in_review = true;
                life.executor.spawn(wishes::review_all_of(stage.clone(), life.service.clone(), merchant));
            }
        }
        Ok(open == 0 && !in_review && self.stage.book.next_arrival_at().is_none())
    }

    fn begin_due_steps(&mut self) -> Result<(), Violation> {
        while let Some(step) = self.plan.steps.get(self.next_step) {
            if self.stage.begin.plus_ms(step.at_ms) > self.stage.clock.now() {
                break;
            }
            let step = step.clone();
            self.next_step += 1;
            self.stage.trace.line(&format!("step {}: {:?}", step.number, step.event));
            match step.event {
                PlannedEvent::Wish(_) => {
                    self.stage.model().begin(step.number);
                    self.ask_for(&step)?;
                }
                PlannedEvent::Fault(fault) => self.go_wrong(&fault),
            }
        }
        Ok(())
    }

    fn ask_for(&mut self, step: &Step) -> Result<(), Violation> {
        let PlannedEvent::Wish(wish) = &step.event else { return Ok(()) };
        let (stage, wish, number) = (self.stage.clone(), wish.clone(), step.number);
        let life = self.life()?;
        let service = life.service.clone();
        life.executor.spawn(wishes::carry_out(stage, service, number, wish));
        Ok(())
    }

    fn go_wrong(&mut self, fault: &PlannedFault) {
        let now = self.stage.clock.now();
        match fault {
            PlannedFault::Crash { steps, loss } => self.crash_in = Some((*steps, *loss)),
            PlannedFault::CrashInWrite { operations, loss } => {
                self.disk.crash_after(*operations, *loss, Dice::new(self.dice.throw(), "power"));
            }
            PlannedFault::Disk { ailment, for_ms } => {
                self.disk.fall_ill(Some(*ailment));
                self.disk_is_ill_until = now.plus_ms(*for_ms);
            }
            PlannedFault::SlowDisk { for_ms } => self.lane_waits_until = now.plus_ms(*for_ms),
            PlannedFault::Deaf { merchant, how, for_ms } => self.deafen(*merchant, *how, now.plus_ms(*for_ms)),
        }
    }

    fn deafen(&self, merchant: usize, how: Deafness, until: Timestamp) {
        self.stage.merchants.deafen(&crate::cast::host(merchant), until, how);
    }

    /// The process dies and comes back: callers whose answer was lost ask again.
    fn restart(&mut self, loss: Loss) -> Result<(), Violation> {
        if self.life.as_ref().is_some_and(|life| life.generation == self.disk.generation()) {
            self.disk.crash(loss, &mut Dice::new(self.dice.throw(), "power"));
        }
        self.stage.trace.line(&format!("crash, {loss:?} is lost"));
        self.figures.crashes += 1;
        self.crash_in = None;
        self.disk_is_ill_until = self.stage.begin;
        if let Some(life) = self.life.take() {
            self.commits_before += life.commits.count();
        }
        self.stage.clock.advance_to(self.stage.clock.now().plus_ms(self.dice.between(50, 3_000)));
        self.begin_life()?;
        let unfinished = self.stage.model().unfinished();
        let steps: Vec<Step> = self.plan.steps.iter().filter(|step| unfinished.contains(&step.number)).cloned().collect();
        for step in steps {
            self.ask_for(&step)?;
        }
        self.audit(true)
    }

    fn begin_life(&mut self) -> Result<(), Violation> {
        let mut failure = String::new();
        for _ in 0..OPENINGS_MAX {
            match Life::begin(&self.stage, &self.disk, &self.vfs, &self.habits) {
                Ok(life) => {
                    self.life = Some(life);
                    return Ok(());
                }
                Err(error) => failure = format!("{error:?}"),
            }
            // A crash that was planned for a later write may have come while the database was opened.
            self.disk.fall_ill(None);
        }
        Err(Violation { rule: "the_database_opens_after_a_crash", what: failure })
    }

    fn life(&mut self) -> Result<&mut Life, Violation> {
        self.life.as_mut().ok_or_else(|| Violation { rule: "the_process_lives", what: "there is no process".to_owned() })
    }

    /// Looks at everything.
    fn audit(&mut self, wholly: bool) -> Result<(), Violation> {
        let stage = self.stage.clone();
        let store = self.life()?.store.clone();
        let reader = Reader(store.as_ref());
        let mut model = stage.model();
        let looked = model
            .audit_refunds(&reader)
            .and_then(|()| model.audit_money(&reader))
            .and_then(|()| model.audit_feeds(&reader, wholly))
            .and_then(|()| if wholly { model.audit_notifications(&reader) } else { Ok(()) })
            .and_then(|()| if wholly { audit_books(&reader) } else { Ok(()) });
        drop(model);
        self.unless_dead(looked)
    }

    /// A disk that died during the look makes the look worth nothing; the next one is after the restart.
    fn unless_dead(&mut self, looked: Result<(), Violation>) -> Result<(), Violation> {
        let generation = self.disk.generation();
        if self.life()?.generation == generation { looked } else { Ok(()) }
    }

    fn audit_end(&mut self) -> Result<(), Violation> {
        let stage = self.stage.clone();
        let store = self.life()?.store.clone();
        let reader = Reader(store.as_ref());
        for one in &stage.cast.merchants {
            self.figures.refunds += u64::try_from(reader.refunds(one.merchant.id)?.len()).unwrap_or(0);
        }
        self.figures.paid = u64::try_from(stage.book.payments().len()).unwrap_or(0);
        self.figures.commits = self.commits_before + self.life()?.commits.count();
        let deaf = self.deaf_for_ever;
        stage.model().audit_end(&reader, &stage.book, &stage.merchants, deaf)
    }
}

fn is_in_review(state: &refundry_engine::refund::RefundState) -> bool {
    matches!(state, refundry_engine::refund::RefundState::Pending { holds } if holds.review.is_some())
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "a panic".to_owned())
}
