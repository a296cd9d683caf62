//! Weeks and months of trade: payments and refunds of every day, people at their desks, and now and then a process that dies. What takes days
//! happens here: settlement, reserves, payouts, refunds that wait for money.

use refundry_ledger::Money;

use super::overseas::Overseas;
use super::{
    Door, Goods, PaymentWish, Plan, PlannedEvent, PlannedFault, Quarrel, QuarrelStep, RefundRequest, Step, Taken, Wish, currency, shares,
};
use crate::cast::{MERCHANTS, TERMINALS};
use crate::dice::Dice;
use crate::disk::Loss;
use crate::merchants::Deafness;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// Payments of a merchant and day at most.
const PAYMENTS_MAX: i64 = 4;

impl Plan {
    /// So many days of trade of every merchant.
    pub fn of_days(seed: u64, days: i64) -> Self {
        let mut dice = Dice::new(seed, "days");
        let (mut events, mut paid) = (Vec::new(), Vec::new());
        let mut overseas = Overseas::of(seed);
        for day in 0..days {
            for merchant in 0..MERCHANTS {
                let mut morning = Morning { day, merchant, events: &mut events, dice: &mut dice };
                morning.sell(&mut paid);
                morning.refund(&paid);
                morning.look_after_money();
                overseas.add_day(day, merchant, &mut events);
            }
            go_wrong(day, &mut events, &mut dice);
        }
        shares::add(seed, &paid, DAY_MS, &mut events);
        // Whoever asks on the day after the last one asks on the last one.
        events.iter_mut().for_each(|(at_ms, _)| *at_ms = (*at_ms).min(days * DAY_MS - 1));
        events.sort_by_key(|(at_ms, _)| *at_ms);
        let steps = (1..).zip(events).map(|(number, (at_ms, event))| Step { number, at_ms, event });
        Self { seed, days: Some(days), steps: steps.collect() }
    }
}

/// One day of one merchant, before it is filled.
struct Morning<'a> {
    day: i64,
    merchant: usize,
    events: &'a mut Vec<(i64, PlannedEvent)>,
    dice: &'a mut Dice,
}

impl Morning<'_> {
    fn sell(&mut self, paid: &mut Vec<PaymentWish>) {
        for _ in 0..self.dice.between(1, PAYMENTS_MAX) {
            let minor = self.dice.between(500, 9_000);
            let code = if self.dice.percent(80) { "EUR" } else { "JPY" };
            let payment = PaymentWish {
                merchant: self.merchant,
                terminal: self.dice.below(TERMINALS),
                reference: format!("PAY{}", paid.len()),
                paid_ms: self.moment(),
                captured: Money::new(minor, currency(code)),
                taken: Taken::Captured,
                rate: None,
                fee_minor: self.dice.percent(40).then(|| self.dice.between(0, minor / 20)),
                reserved_minor: self.dice.percent(40).then_some(minor / 10),
                marketing_minor: if self.dice.percent(15) { minor / 5 } else { 0 },
            };
            self.events.push((payment.paid_ms, PlannedEvent::Wish(Wish::Record(payment.clone()))));
            for goods in [Goods::Tracked, Goods::Delivered, Goods::Reviewed] {
                if self.dice.percent(85) {
                    let tell = Wish::Tell { merchant: self.merchant, reference: payment.reference.clone(), goods };
                    let later_ms = payment.paid_ms + self.dice.between(1_000, 5 * DAY_MS);
                    self.events.push((later_ms, PlannedEvent::Wish(tell)));
                }
            }
            if self.dice.percent(6) {
                let quarrel = Quarrel::of(&payment, format!("CB{}", paid.len()), self.dice);
                let mut later_ms = payment.paid_ms;
                for step in [QuarrelStep::Open, QuarrelStep::Represent, *self.dice.pick(&QuarrelStep::ENDS)] {
                    later_ms += self.dice.between(1_000, 8 * DAY_MS);
                    self.events.push((later_ms, PlannedEvent::Wish(Wish::Quarrel { quarrel: quarrel.clone(), step })));
                }
            }
            if self.dice.percent(10) {
                let settle = Wish::Settle { merchant: self.merchant, reference: payment.reference.clone() };
                let later_ms = payment.paid_ms + self.dice.between(1_000, 3 * DAY_MS);
                self.events.push((later_ms, PlannedEvent::Wish(settle)));
            }
            paid.push(payment);
        }
    }

    /// Most refunds are of the last days, some of long ago, and some people ask twice.
    fn refund(&mut self, paid: &[PaymentWish]) {
        let own: Vec<&PaymentWish> = paid.iter().filter(|payment| payment.merchant == self.merchant).collect();
        for _ in 0..self.dice.below(3) {
            let recent = own.len().saturating_sub(if self.dice.percent(70) { 12 } else { own.len() });
            let payment = *self.dice.pick(&own[recent..]);
            let captured = payment.captured.minor();
            let request = RefundRequest {
                merchant: self.merchant,
                door: *self.dice.pick(&[Door::Antom, Door::Native, Door::Counter, Door::Platform]),
                number: format!("R{}-{}-{}", self.day, self.merchant, self.events.len()),
                reference: payment.reference.clone(),
                minor: if self.dice.percent(30) { captured } else { self.dice.between(1, captured / 2) },
                currency: payment.captured.currency().code(),
                whole: false,
                reason: None,
                batch: None,
            };
            let at_ms = self.moment().max(payment.paid_ms + 1_000);
            self.events.push((at_ms, PlannedEvent::Wish(Wish::Refund(request.clone()))));
            if self.dice.percent(10) {
                let later_ms = at_ms + self.dice.between(0, DAY_MS);
                self.events.push((later_ms, PlannedEvent::Wish(Wish::Refund(request.clone()))));
            }
            if self.dice.percent(6) {
                let edit = Wish::Edit { request: request.clone(), minor: self.dice.between(1, captured / 2 + 1) };
                let later_ms = at_ms + self.dice.between(0, DAY_MS / 2);
                self.events.push((later_ms, PlannedEvent::Wish(edit)));
            }
            if self.dice.percent(8) {
                let later_ms = at_ms + self.dice.between(0, DAY_MS / 4);
                self.events.push((later_ms, PlannedEvent::Wish(Wish::Cancel(request))));
            }
        }
    }

    fn look_after_money(&mut self) {
        let at_ms = self.moment();
        let approve = self.dice.percent(85);
        self.events.push((at_ms, PlannedEvent::Wish(Wish::Review { merchant: self.merchant, approve })));
        let (merchant, later_ms) = (self.merchant, self.moment());
        if self.dice.percent(90) {
            self.events.push((later_ms, PlannedEvent::Wish(Wish::AdvancePayouts { merchant })));
        }
        if self.dice.percent(5) {
            let currency = *self.dice.pick(&["EUR", "EUR", "JPY"]);
            self.events.push((later_ms, PlannedEvent::Wish(Wish::PreparePayout { merchant, currency })));
        }
        if self.dice.percent(6) {
            let amount = Money::new(self.dice.between(1_000, 20_000), currency(if self.dice.percent(80) { "EUR" } else { "JPY" }));
            let number = format!("T{}-{}", self.day, self.merchant);
            self.events.push((at_ms, PlannedEvent::Wish(Wish::TopUp { merchant: self.merchant, number, amount })));
        }
    }

    /// Some time of the day.
    fn moment(&mut self) -> i64 {
        self.day * DAY_MS + self.dice.between(0, DAY_MS - 1)
    }
}

fn go_wrong(day: i64, events: &mut Vec<(i64, PlannedEvent)>, dice: &mut Dice) {
    let at_ms = day * DAY_MS + dice.between(0, DAY_MS - 1);
    let losses = [Loss::Nothing, Loss::Everything, Loss::Tail, Loss::Scattered];
    let fault = match dice.below(20) {
        0..2 => PlannedFault::Crash { steps: u32::try_from(dice.below(40)).unwrap_or(0), loss: *dice.pick(&losses) },
        2 => PlannedFault::CrashInWrite { operations: u32::try_from(dice.below(30)).unwrap_or(0), loss: *dice.pick(&losses) },
        3 => PlannedFault::SlowDisk { for_ms: dice.between(1, 8_000) },
        4 => {
            let how = *dice.pick(&[Deafness::Unreachable, Deafness::Broken, Deafness::Mumbling]);
            PlannedFault::Deaf { merchant: dice.below(MERCHANTS), how, for_ms: dice.between(1_000, DAY_MS) }
        }
        _ => return,
    };
    events.push((at_ms, PlannedEvent::Fault(fault)));
}
