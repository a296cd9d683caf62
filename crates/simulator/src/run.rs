//! One run of one plan: chooses what happens next, step by step, and has the auditor look after each.

mod choice;
mod faults;
mod report;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use refundry_engine::task::TaskKind;
use refundry_engine::{Actor, Command, MerchantId, Outcome, Timestamp};
use refundry_service::world::Clock as _;

use crate::cast::MERCHANTS;
use crate::dice::Dice;
use crate::disk::Loss;
use crate::ground::{Ground, transact_now};
use crate::life::{Habits, Life};
use crate::merchants::Deafness;
use crate::model::{Reader, Violation, audit_books, audit_statements};
use crate::plan::{Plan, PlannedEvent, Step};
use crate::reads;
use crate::stage::Stage;
use crate::wishes;

pub use report::{Figures, Remains, RunReport};

/// Steps of one run at most, and of each day of it: more mean that something turns in circles.
const STEPS_MAX: u64 = 400_000;
const STEPS_OF_A_DAY_MAX: u64 = 20_000;
/// Virtual days after the eventful part in which everything must become final.
const QUIET_DAYS_MAX: i64 = 12;
/// Tries to open the database after a crash, while the disk may still be ill.
const OPENINGS_MAX: u32 = 5;
/// Of a hundred runs so many have a merchant that never hears again: its notifications must end visibly parked.
const DEAF_FOR_EVER_PERCENT: u32 = 5;
/// Commits between two looks at everything.
const COMMITS_BETWEEN_AUDITS: u64 = 12;
/// The same in a plan of days, where there is more to look at.
const COMMITS_BETWEEN_AUDITS_OF_DAYS: u64 = 600;

/// How a run is set up.
pub struct Setting {
    /// The database.
    pub ground: Ground,
    /// Processes beside each other on it.
    pub processes: usize,
    /// Whether what is left is read for a comparison.
    pub compared: bool,
    /// Whether the auditor looks all the time, and not at the end alone: a run that does what another did need not be watched again.
    pub watched: bool,
}

/// A run that is under way.
pub struct Run {
    plan: Plan,
    stage: Arc<Stage>,
    dice: Dice,
    setting: Setting,
    habits: Habits,
    lives: Vec<Option<Life>>,
    /// Whose turn it is.
    turn: usize,
    /// Which process was asked last.
    asked: BTreeMap<u32, usize>,
    remains: Vec<Remains>,
    next_step: usize,
    crash_in: Option<(u32, Loss)>,
    lane_waits_until: Timestamp,
    disk_is_ill_until: Timestamp,
    deaf_for_ever: Option<usize>,
    audited_at: u64,
    is_at_end: bool,
    commits_before: u64,
    figures: Figures,
}

/// Runs a plan on a disk of its own to its end or to the first broken rule.
pub fn run(plan: &Plan) -> RunReport {
    run_in(plan, Setting { ground: Ground::disk(plan.seed), processes: 1, compared: false, watched: true })
}

/// Runs a plan to its end or to the first broken rule. A panic of the service is a broken rule, too.
pub fn run_in(plan: &Plan, setting: Setting) -> RunReport {
    let stage = Arc::new(Stage::new(plan.seed));
    let mut run = Run::new(plan.clone(), stage.clone(), setting);
    let ended = catch_unwind(AssertUnwindSafe(|| run.play_out()));
    let violation = match ended {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation),
        Err(panic) => Some(Violation { rule: "nothing_panics", what: text_of(panic.as_ref()) }),
    };
    run.figures.lost_connections = run.setting.ground.lost_connections();
    // Whatever is left must not write a checkpoint of its own when it is dropped.
    run.setting.ground.crash(Loss::Nothing, &mut Dice::new(plan.seed, "end"));
    run.lives.clear();
    RunReport { violation, trace: stage.trace.text(), figures: run.figures, remains: run.remains }
}

impl Run {
    fn new(plan: Plan, stage: Arc<Stage>, setting: Setting) -> Self {
        let mut dice = Dice::new(plan.seed, "run");
        let (mut habits, begin) = (Habits::thrown(&mut dice), stage.begin);
        habits.lease_ms = habits.lease_ms.filter(|_| !setting.compared);
        if plan.days.is_some() {
            habits.become_patient();
            stage.book.become_patient();
        }
        Self {
            plan,
            stage,
            dice,
            lives: (0..setting.processes.max(1)).map(|_| None).collect(),
            setting,
            habits,
            turn: 0,
            asked: BTreeMap::new(),
            remains: Vec::new(),
            next_step: 0,
            crash_in: None,
            lane_waits_until: begin,
            disk_is_ill_until: begin,
            deaf_for_ever: None,
            audited_at: 0,
            is_at_end: false,
            commits_before: 0,
            figures: Figures::default(),
        }
    }

    fn play_out(&mut self) -> Result<(), Violation> {
        for place in 0..self.lives.len() {
            self.turn = place;
            self.begin_life()?;
        }
        self.install()?;
        let end = self.stage.begin.plus_ms(self.plan.length_ms());
        while self.next_step < self.plan.steps.len() || self.stage.clock.now() < end {
            self.step(Some(end))?;
        }
        self.read_remains()?;
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
        self.is_at_end = true;
        self.audit(true)?;
        self.audit_end()?;
        self.read_remains()
    }

    /// What two engines are compared by.
    fn read_remains(&mut self) -> Result<(), Violation> {
        if !self.setting.compared {
            return Ok(());
        }
        let unreadable = |what: String| Violation { rule: "the_database_can_be_read", what };
        let rows = self.setting.ground.rows().map_err(unreadable)?;
        let (stage, store) = (self.stage.clone(), self.life()?.store.clone());
        let reads = reads::everything(store.as_ref(), &stage.cast, &rows, stage.clock.now());
        self.remains.push(Remains { rows, reads: reads.map_err(|error| unreadable(format!("{error:?}")))? });
        Ok(())
    }

    /// Puts the cast into the empty store.
    fn install(&mut self) -> Result<(), Violation> {
        let stage = self.stage.clone();
        let life = self.life()?;
        for act in stage.cast.acts() {
            let now = stage.clock.now();
            let stamp =
                refundry_engine::Stamp { now, ids: life.service.world.ids.block(now).expect("a fixed number"), actor: Actor::System };
            let installed = transact_now(life.store.as_ref(), Command { stamp, act: act.clone() });
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
        self.habits.become_patient();
        self.stage.mishaps.end();
        for place in 0..self.lives.len() {
            self.turn = place;
            self.restart(Loss::Nothing)?;
        }
        Ok(())
    }

    fn is_over(&mut self) -> Result<bool, Violation> {
        let busy = self.lives.iter().flatten().any(|life| life.held_until.is_some() || life.executor.ready() > 0);
        if busy || !self.stage.model().unfinished().is_empty() {
            return Ok(false);
        }
        let stage = self.stage.clone();
        let life = self.life()?;
        let figures = futures::FutureExt::now_or_never(life.store.task_figures(stage.clock.now()));
        let open = figures.and_then(Result::ok).map_or(1, |figures| figures.open.iter().map(ends).sum::<i64>());
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
                    self.choose_process();
                    self.ask_for(&step)?;
                }
                PlannedEvent::Fault(fault) => self.go_wrong(&fault),
            }
        }
        Ok(())
    }

    fn ask_for(&mut self, step: &Step) -> Result<(), Violation> {
        let PlannedEvent::Wish(wish) = &step.event else { return Ok(()) };
        self.asked.insert(step.number, self.turn);
        let (stage, wish, number) = (self.stage.clone(), wish.clone(), step.number);
        let life = self.life()?;
        let service = life.service.clone();
        life.executor.spawn(wishes::carry_out(stage, service, number, wish));
        Ok(())
    }

    /// The process dies and comes back: callers whose answer was lost ask again.
    fn restart(&mut self, loss: Loss) -> Result<(), Violation> {
        let generation = self.setting.ground.generation();
        if self.lives[self.turn].as_ref().is_some_and(|life| life.generation == generation) {
            self.setting.ground.crash(loss, &mut Dice::new(self.dice.throw(), "power"));
        }
        self.stage.trace.line(&format!("crash, {loss:?} is lost"));
        self.figures.crashes += 1;
        self.crash_in = None;
        self.disk_is_ill_until = self.stage.begin;
        if let Some(life) = self.lives[self.turn].take() {
            self.commits_before += life.commits.count();
        }
        self.stage.clock.advance_to(self.stage.clock.now().plus_ms(self.dice.between(50, 3_000)));
        self.begin_life()?;
        let unfinished = self.stage.model().unfinished();
        let steps: Vec<Step> = self.plan.steps.iter().filter(|step| self.was_asked(step.number, &unfinished)).cloned().collect();
        for step in steps {
            self.ask_for(&step)?;
        }
        self.audit(true)
    }

    /// Whether the process that died was asked for this, and there is no answer.
    fn was_asked(&self, step: u32, unfinished: &[u32]) -> bool {
        unfinished.contains(&step) && self.asked.get(&step) == Some(&self.turn)
    }

    fn begin_life(&mut self) -> Result<(), Violation> {
        let mut failure = String::new();
        for _ in 0..OPENINGS_MAX {
            match Life::begin(&self.stage, &self.setting.ground, &self.habits, self.turn) {
                Ok(life) => {
                    self.lives[self.turn] = Some(life);
                    return Ok(());
                }
                Err(error) => failure = format!("{error:?}"),
            }
            // A crash that was planned for a later write may have come while the database was opened.
            if let Some(disk) = self.setting.ground.failing_disk() {
                disk.fall_ill(None);
            }
        }
        Err(Violation { rule: "the_database_opens_after_a_crash", what: failure })
    }

    fn life(&mut self) -> Result<&mut Life, Violation> {
        self.lives[self.turn].as_mut().ok_or_else(|| Violation { rule: "the_process_lives", what: "there is no process".to_owned() })
    }

    /// Looks at everything.
    fn audit(&mut self, wholly: bool) -> Result<(), Violation> {
        if !(self.setting.watched || self.is_at_end) {
            return Ok(());
        }
        let stage = self.stage.clone();
        let store = self.life()?.store.clone();
        let reader = Reader(store.as_ref());
        // On a server it is a connection of its own each time.
        let checks_books = self.is_at_end || (wholly && self.setting.ground.failing_disk().is_some());
        let merchants: Vec<MerchantId> = stage.cast.merchants.iter().map(|one| one.merchant.id).collect();
        let mut model = stage.model();
        let looked = model
            .audit_refunds(&reader)
            .and_then(|()| model.audit_shares(&reader, self.is_at_end))
            .and_then(|moved| model.audit_money(&reader, &moved))
            .and_then(|()| model.audit_feeds(&reader, wholly))
            .and_then(|()| model.audit_queues(&reader))
            .and_then(|()| if wholly { model.audit_settlements(&reader, self.is_at_end.then_some(stage.clock.now().us())) } else { Ok(()) })
            .and_then(|()| if wholly { model.audit_notifications(&reader) } else { Ok(()) })
            .and_then(|()| if wholly { model.audit_fixed_reserves(&reader) } else { Ok(()) })
            .and_then(|()| if wholly { model.audit_freezes(&reader) } else { Ok(()) })
            .and_then(|()| if wholly { model.audit_authorisations(&reader, self.is_at_end) } else { Ok(()) })
            .and_then(|()| if checks_books { audit_books(&reader).and_then(|()| audit_statements(&reader, &merchants)) } else { Ok(()) });
        drop(model);
        self.unless_dead(looked)
    }

    /// A disk that died during the look makes the look worth nothing; the next one is after the restart.
    fn unless_dead(&mut self, looked: Result<(), Violation>) -> Result<(), Violation> {
        let generation = self.setting.ground.generation();
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
        self.figures.commits = self.commits_before + self.commits();
        let deaf = self.deaf_for_ever;
        stage.model().audit_end(&reader, &stage.book, &stage.merchants, deaf)
    }
}

/// Open tasks that end some day; the day of the next payout is always to come.
fn ends((kind, count): &(TaskKind, i64)) -> i64 {
    if *kind == TaskKind::PreparePayout { 0 } else { *count }
}

fn is_in_review(state: &refundry_engine::refund::RefundState) -> bool {
    matches!(state, refundry_engine::refund::RefundState::Pending { holds } if holds.review.is_some())
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "a panic".to_owned())
}
