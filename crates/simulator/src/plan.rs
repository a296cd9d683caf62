//! What a run does, from its seed: the wishes of merchants and operators, and the faults, each at its time and with a number by which the
//! shrinker can leave it out.

mod days;
mod overseas;
mod shares;
mod wish;

use refundry_ledger::{Currency, Money};

use crate::cast::{MERCHANTS, TERMINALS};
use crate::dice::Dice;
use crate::disk::{Ailment, Loss};
use crate::line::Mishap;
use crate::merchants::Deafness;

pub use days::DAY_MS;
pub use wish::{AdjustmentWish, Complaint, Door, Goods, PaymentWish, Quarrel, QuarrelStep, Rate, RefundRequest, ShareWish, Taken, Wish};

/// Length of the eventful part of a run of minutes.
pub const PLAN_MS: i64 = 240_000;

/// Everything that a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the choices come from.
    pub seed: u64,
    /// Days of trade, when it is a plan of days and not of a few minutes.
    pub days: Option<i64>,
    /// The steps, by time.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name by which it is kept or left out.
    pub number: u32,
    /// When, in milliseconds after the start.
    pub at_ms: i64,
    /// What.
    pub event: PlannedEvent,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedEvent {
    /// Somebody wants something.
    Wish(Wish),
    /// Something goes wrong.
    Fault(PlannedFault),
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedFault {
    /// The process dies between two steps.
    Crash {
        /// So many steps later.
        steps: u32,
        /// What the disk forgets.
        loss: Loss,
    },
    /// The power goes in the middle of a commit, after so many more operations of the disk.
    CrashInWrite {
        /// Operations from now on.
        operations: u32,
        /// What the disk forgets.
        loss: Loss,
    },
    /// The disk is ill.
    Disk {
        /// In which way.
        ailment: Ailment,
        /// For how long.
        for_ms: i64,
    },
    /// Commits take long.
    SlowDisk {
        /// For how long nothing is committed.
        for_ms: i64,
    },
    /// Commands or answers get lost between the service and its store.
    Line {
        /// Commands before the first.
        after: usize,
        /// How many in a row.
        count: usize,
        /// In which way.
        how: Mishap,
    },
    /// A merchant does not hear.
    Deaf {
        /// Which.
        merchant: usize,
        /// In which way.
        how: Deafness,
        /// For how long.
        for_ms: i64,
    },
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let payments = payments(&mut dice);
        let mut events: Vec<(i64, PlannedEvent)> = Vec::new();
        for payment in &payments {
            let at_ms = if dice.percent(80) { 0 } else { dice.between(0, PLAN_MS / 3) };
            for again in 0..=usize::from(dice.percent(20)) {
                let at_ms = if again == 0 { at_ms } else { dice.between(0, PLAN_MS) };
                events.push((at_ms, PlannedEvent::Wish(Wish::Record(payment.clone()))));
            }
            for goods in [Goods::Tracked, Goods::Delivered, Goods::Reviewed] {
                if dice.percent(60) {
                    let tell = Wish::Tell { merchant: payment.merchant, reference: payment.reference.clone(), goods };
                    events.push((dice.between(0, PLAN_MS), PlannedEvent::Wish(tell)));
                }
            }
            if dice.percent(40) {
                let settle = Wish::Settle { merchant: payment.merchant, reference: payment.reference.clone() };
                for _ in 0..=usize::from(dice.percent(25)) {
                    events.push((dice.between(0, PLAN_MS), PlannedEvent::Wish(settle.clone())));
                }
            }
        }
        wishes_for_refunds(&payments, &mut events, &mut dice);
        other_wishes(&payments, &mut events, &mut dice);
        faults(&mut events, &mut dice);
        overseas::add_minutes(seed, &mut events);
        shares::add(seed, &payments, PLAN_MS, &mut events);
        events.sort_by_key(|(at_ms, _)| *at_ms);
        let steps = (1..).zip(events).map(|(number, (at_ms, event))| Step { number, at_ms, event });
        Self { seed, days: None, steps: steps.collect() }
    }

    /// The plan of a seed where no disk can fail: on a server's database, and on SQLite to compare with it. Commands and answers get lost instead.
    #[must_use]
    pub fn without_disk(mut self) -> Self {
        let mut dice = Dice::new(self.seed, "line");
        for step in &mut self.steps {
            if let PlannedEvent::Fault(PlannedFault::CrashInWrite { .. } | PlannedFault::Disk { .. }) = &step.event {
                let how = *dice.pick(&[Mishap::NotTaken, Mishap::AnswerLost]);
                step.event = PlannedEvent::Fault(PlannedFault::Line { after: dice.below(6), count: 1 + dice.below(4), how });
            }
        }
        self
    }

    /// Length of the eventful part.
    pub fn length_ms(&self) -> i64 {
        self.days.map_or(PLAN_MS, |days| days * DAY_MS)
    }

    /// The same plan without the steps that are not kept.
    #[must_use]
    pub fn keeping(&self, kept: &[u32]) -> Self {
        let steps = self.steps.iter().filter(|step| kept.contains(&step.number)).cloned().collect();
        Self { seed: self.seed, days: self.days, steps }
    }

    /// The numbers of its steps.
    pub fn numbers(&self) -> Vec<u32> {
        self.steps.iter().map(|step| step.number).collect()
    }
}

fn currency(code: &str) -> Currency {
    code.parse().expect("plans name currencies of ISO 4217")
}

fn payments(dice: &mut Dice) -> Vec<PaymentWish> {
    let currencies = ["EUR", "JPY"].map(currency);
    let mut payments = Vec::new();
    for number in 0..dice.between(2, 6) {
        let merchant = dice.below(MERCHANTS);
        let minor = dice.between(500, 9_000);
        payments.push(PaymentWish {
            merchant,
            terminal: dice.below(TERMINALS),
            reference: format!("PAY{number}"),
            paid_ms: 0,
            captured: Money::new(minor, *dice.pick(&currencies)),
            taken: Taken::Captured,
            rate: None,
            fee_minor: dice.percent(70).then(|| dice.between(0, minor / 20)),
            reserved_minor: dice.percent(70).then(|| if dice.percent(60) { minor / 10 } else { 0 }),
            marketing_minor: if dice.percent(25) { minor / 5 } else { 0 },
        });
    }
    payments
}

fn wishes_for_refunds(payments: &[PaymentWish], events: &mut Vec<(i64, PlannedEvent)>, dice: &mut Dice) {
    for number in 0..dice.between(5, 18) {
        let payment = dice.pick(payments);
        let captured = payment.captured.minor();
        let minor = match dice.below(10) {
            0 => captured,
            1 => captured + 1,
            2..4 => captured / 2,
            _ => dice.between(1, captured / 5 + 1),
        };
        let request = RefundRequest {
            merchant: payment.merchant,
            door: *dice.pick(&[Door::Antom, Door::Antom, Door::Native, Door::Counter, Door::Platform]),
            number: format!("R{number}"),
            reference: payment.reference.clone(),
            minor,
            currency: payment.captured.currency().code(),
            whole: false,
            reason: None,
            batch: None,
        };
        let at_ms = dice.between(10, PLAN_MS * 3 / 4);
        events.push((at_ms, PlannedEvent::Wish(Wish::Refund(request.clone()))));
        if dice.percent(35) {
            let again_ms = if dice.percent(50) { at_ms } else { at_ms + dice.between(1, 60_000) };
            events.push((again_ms, PlannedEvent::Wish(Wish::Refund(request.clone()))));
        }
        if dice.percent(10) && request.door != Door::Antom {
            // The same number over another channel of the same merchant means the same refund.
            let door = *dice.pick(&[Door::Native, Door::Counter, Door::Platform]);
            events.push((at_ms + dice.between(0, 30_000), PlannedEvent::Wish(Wish::Refund(RefundRequest { door, ..request.clone() }))));
        }
        if dice.percent(12) {
            let other = RefundRequest { minor: request.minor + 1, ..request.clone() };
            events.push((at_ms + dice.between(0, 30_000), PlannedEvent::Wish(Wish::Refund(other))));
        }
        if dice.percent(12) {
            let edit = Wish::Edit { request: request.clone(), minor: dice.between(1, captured / 2 + 1) };
            events.push((at_ms + dice.between(0, 60_000), PlannedEvent::Wish(edit)));
        }
        if dice.percent(18) {
            events.push((at_ms + dice.between(0, 25_000), PlannedEvent::Wish(Wish::Cancel(request.clone()))));
        }
        if dice.percent(20) {
            events.push((at_ms + dice.between(0, 60_000), PlannedEvent::Wish(Wish::Inquire(request))));
        }
    }
}

fn other_wishes(payments: &[PaymentWish], events: &mut Vec<(i64, PlannedEvent)>, dice: &mut Dice) {
    for number in 0..dice.below(6) {
        let code = if dice.percent(70) { "EUR" } else { "JPY" };
        let amount = Money::new(dice.between(100, 6_000), currency(code));
        let top_up = Wish::TopUp { merchant: dice.below(MERCHANTS), number: format!("T{number}"), amount };
        for _ in 0..=usize::from(dice.percent(40)) {
            events.push((dice.between(0, PLAN_MS), PlannedEvent::Wish(top_up.clone())));
        }
    }
    if dice.percent(25) {
        events.push((dice.between(PLAN_MS / 4, PLAN_MS), PlannedEvent::Wish(Wish::Replay { merchant: dice.below(MERCHANTS) })));
    }
    for number in 0..dice.below(4) {
        let quarrel = Quarrel::of(dice.pick(payments), format!("CB{number}"), dice);
        let wish = |step| PlannedEvent::Wish(Wish::Quarrel { quarrel: quarrel.clone(), step });
        let at_ms = dice.between(0, PLAN_MS);
        for _ in 0..=usize::from(dice.percent(30)) {
            events.push((at_ms + dice.between(0, 20_000), wish(QuarrelStep::Open)));
        }
        for step in [QuarrelStep::Represent, *dice.pick(&QuarrelStep::ENDS)] {
            if dice.percent(60) {
                events.push((at_ms + dice.between(10_000, 90_000), wish(step)));
            }
        }
    }
    for _ in 0..dice.below(8) {
        let merchant = dice.below(MERCHANTS);
        let currency = *dice.pick(&["EUR", "EUR", "JPY"]);
        let wish = if dice.percent(40) { Wish::PreparePayout { merchant, currency } } else { Wish::AdvancePayouts { merchant } };
        events.push((dice.between(0, PLAN_MS), PlannedEvent::Wish(wish)));
    }
    for _ in 0..dice.below(5) {
        let review = Wish::Review { merchant: dice.below(MERCHANTS), approve: dice.percent(70) };
        events.push((dice.between(0, PLAN_MS), PlannedEvent::Wish(review)));
    }
}

fn faults(events: &mut Vec<(i64, PlannedEvent)>, dice: &mut Dice) {
    let losses = [Loss::Nothing, Loss::Everything, Loss::Tail, Loss::Scattered];
    let mut faults = Vec::new();
    for _ in 0..dice.below(4) {
        faults.push(PlannedFault::Crash { steps: u32::try_from(dice.below(40)).unwrap_or(0), loss: *dice.pick(&losses) });
    }
    for _ in 0..dice.below(3) {
        faults.push(PlannedFault::CrashInWrite { operations: u32::try_from(dice.below(30)).unwrap_or(0), loss: *dice.pick(&losses) });
    }
    if dice.percent(25) {
        let ailment = *dice.pick(&[Ailment::Full, Ailment::WritesFail, Ailment::SyncsFail]);
        faults.push(PlannedFault::Disk { ailment, for_ms: dice.between(1, 30_000) });
    }
    if dice.percent(20) {
        faults.push(PlannedFault::SlowDisk { for_ms: dice.between(1, 8_000) });
    }
    for _ in 0..dice.below(3) {
        let how = *dice.pick(&[Deafness::Unreachable, Deafness::Silent, Deafness::Broken, Deafness::Mumbling]);
        faults.push(PlannedFault::Deaf { merchant: dice.below(MERCHANTS), how, for_ms: dice.between(1_000, PLAN_MS) });
    }
    events.extend(faults.into_iter().map(|fault| (dice.between(0, PLAN_MS * 9 / 10), PlannedEvent::Fault(fault))));
}
