//! Trade over the merchants' Oceanpayment terminals: authorisations that are captured or given up, sales at a till, payments that settle in another
//! currency, refunds one by one and in batches; and what the operator does with a merchant's money by hand. It has dice of its own, so that the
//! rest of a seed's plan is what it would be without it.

use refundry_engine::adjustment::AdjustmentKind;
use refundry_ledger::Money;

use super::{
    AdjustmentWish, DAY_MS, Door, Goods, PLAN_MS, PaymentWish, PlannedEvent, Quarrel, QuarrelStep, Rate, RefundRequest, Taken, Wish,
    currency,
};
use crate::cast::{CURRENCIES, MERCHANTS, OVERSEAS};
use crate::dice::Dice;

/// The vendor's numbers of payments are digits.
const FIRST_REFERENCE: usize = 9_000_000;
/// What the merchants call refunds that they ask for together.
const BATCHES: [&str; 2] = ["monday", "friday"];
/// One of them is what a rule about reasons listens to.
const REASONS: [Option<&str>; 3] = [None, Some("came broken"), Some("fraud")];

/// What the operator takes and gives without naming a payment.
const KINDS: [AdjustmentKind; 5] = [
    AdjustmentKind::SettlementFee,
    AdjustmentKind::Deduction,
    AdjustmentKind::OtherCharge,
    AdjustmentKind::OtherCredit,
    AdjustmentKind::GivenBack,
];

type Events = Vec<(i64, PlannedEvent)>;

/// Some minutes of it: a few payments of anybody, and what becomes of them.
pub(super) fn add_minutes(seed: u64, events: &mut Events) {
    let mut overseas = Overseas::of(seed);
    let span = Span { begin_ms: 0, length_ms: PLAN_MS };
    for _ in 0..overseas.dice.below(4) {
        let merchant = overseas.dice.below(MERCHANTS);
        overseas.sell(merchant, span, events);
    }
    for _ in 0..overseas.dice.below(7) {
        let merchant = overseas.dice.below(MERCHANTS);
        overseas.refund(merchant, span, events);
    }
    for _ in 0..overseas.dice.below(3) {
        let merchant = overseas.dice.below(MERCHANTS);
        overseas.look_after_money(merchant, span, events);
    }
}

/// What was sold so far, and the dice.
pub(super) struct Overseas {
    dice: Dice,
    paid: Vec<PaymentWish>,
}

/// A stretch of time.
#[derive(Clone, Copy)]
struct Span {
    begin_ms: i64,
    length_ms: i64,
}

impl Overseas {
    pub(super) fn of(seed: u64) -> Self {
        Self { dice: Dice::new(seed, "overseas"), paid: Vec::new() }
    }

    /// One day of one merchant.
    pub(super) fn add_day(&mut self, day: i64, merchant: usize, events: &mut Events) {
        let span = Span { begin_ms: day * DAY_MS, length_ms: DAY_MS };
        if self.dice.percent(50) {
            self.sell(merchant, span, events);
        }
        if self.dice.percent(50) {
            self.refund(merchant, span, events);
        }
        if self.dice.percent(12) {
            self.look_after_money(merchant, span, events);
        }
    }

    fn sell(&mut self, merchant: usize, span: Span, events: &mut Events) {
        let dice = &mut self.dice;
        let (minor, code) = (dice.between(500, 9_000), *dice.pick(&["EUR", "EUR", "USD", "JPY"]));
        let taken = *dice.pick(&[Taken::Captured, Taken::Captured, Taken::NotYet, Taken::NotYet, Taken::AtTheTill]);
        let is_taken = taken != Taken::NotYet;
        let payment = PaymentWish {
            merchant,
            terminal: OVERSEAS,
            reference: (FIRST_REFERENCE + self.paid.len()).to_string(),
            paid_ms: if span.begin_ms == 0 { 0 } else { span.moment(dice) },
            captured: Money::new(minor, currency(code)),
            taken,
            rate: dice.percent(60).then(|| *dice.pick(rates_of(code))),
            fee_minor: dice.percent(40).then(|| dice.between(0, minor / 20)),
            reserved_minor: dice.percent(40).then_some(minor / 10),
            marketing_minor: if is_taken && dice.percent(20) { minor / 5 } else { 0 },
        };
        let reference = payment.reference.clone();
        for again in 0..=usize::from(dice.percent(20)) {
            let at_ms = if again == 0 { payment.paid_ms } else { span.later(payment.paid_ms, dice) };
            events.push((at_ms, PlannedEvent::Wish(Wish::Record(payment.clone()))));
        }
        let mut add = |chance: u32, wish: Wish, dice: &mut Dice| {
            if dice.percent(chance) {
                let at_ms = span.later(payment.paid_ms, dice);
                events.push((at_ms, PlannedEvent::Wish(wish)));
            }
        };
        match taken {
            Taken::Captured => {}
            Taken::NotYet => {
                let part = dice.between(1, minor);
                let captured = if dice.percent(60) { minor } else { part };
                add(75, Wish::Capture { merchant, reference: reference.clone(), minor: captured }, dice);
                add(20, Wish::Capture { merchant, reference: reference.clone(), minor: part }, dice);
                add(25, Wish::Void { merchant, reference: reference.clone(), is_sale: false }, dice);
            }
            Taken::AtTheTill => add(40, Wish::Void { merchant, reference: reference.clone(), is_sale: true }, dice),
        }
        for goods in [Goods::Tracked, Goods::Delivered, Goods::Reviewed] {
            add(60, Wish::Tell { merchant, reference: reference.clone(), goods }, dice);
        }
        add(25, Wish::Settle { merchant, reference: reference.clone() }, dice);
        add(15, Wish::ReleaseReserve { merchant, reference: reference.clone() }, dice);
        if dice.percent(20) {
            let quarrel = Quarrel::of(&payment, format!("OCB{reference}"), dice);
            for step in [QuarrelStep::Open, QuarrelStep::Represent, *dice.pick(&QuarrelStep::ENDS)] {
                add(90, Wish::Quarrel { quarrel: quarrel.clone(), step }, dice);
            }
        }
        self.paid.push(payment);
    }

    fn refund(&mut self, merchant: usize, span: Span, events: &mut Events) {
        let dice = &mut self.dice;
        let own: Vec<&PaymentWish> = self.paid.iter().filter(|payment| payment.merchant == merchant).collect();
        if own.is_empty() {
            return;
        }
        let recent = own.len().saturating_sub(10);
        let payment = *dice.pick(&own[recent..]);
        let captured = payment.captured.minor();
        let door = *dice.pick(&[Door::Oceanpayment, Door::Oceanpayment, Door::Platform, Door::Native, Door::Counter]);
        let minor = if dice.percent(30) { captured } else { dice.between(1, captured / 2) };
        let request = RefundRequest {
            merchant,
            door,
            number: format!("O{}", events.len()),
            reference: payment.reference.clone(),
            minor,
            currency: payment.captured.currency().code(),
            whole: minor == captured,
            reason: *dice.pick(&REASONS),
            batch: (door != Door::Oceanpayment && dice.percent(60)).then(|| *dice.pick(&BATCHES)),
        };
        let at_ms = span.later(payment.paid_ms, dice);
        let other = RefundRequest { minor: request.minor + 1, ..request.clone() };
        let edit = Wish::Edit { request: request.clone(), minor: dice.between(1, captured / 2 + 1) };
        let cancel = match request.batch {
            Some(batch) => Wish::CancelBatch { merchant, batch },
            None => Wish::Cancel(request.clone()),
        };
        let wishes = [
            (35, Wish::Refund(request.clone())),
            (10, Wish::Refund(other)),
            (15, edit),
            (15, cancel),
            (20, Wish::SendNow(request.clone())),
            (20, Wish::Inquire(request.clone())),
        ];
        events.push((at_ms, PlannedEvent::Wish(Wish::Refund(request))));
        for (chance, wish) in wishes {
            if dice.percent(chance) {
                let later_ms = if dice.percent(40) { at_ms + dice.between(0, 15_000) } else { span.later(at_ms, dice) };
                events.push((later_ms, PlannedEvent::Wish(wish)));
            }
        }
    }

    /// Somebody reviews, settles by hand, or takes and gives money.
    fn look_after_money(&mut self, merchant: usize, span: Span, events: &mut Events) {
        let dice = &mut self.dice;
        let money = |dice: &mut Dice, most| Money::new(dice.between(0, most), currency(dice.pick::<&str>(&CURRENCIES)));
        let number = format!("A{}", events.len());
        let kind = *dice.pick(&KINDS);
        let adjustment = AdjustmentWish { merchant, number, kind, amount: money(dice, 1_500), books: dice.percent(75) };
        let mut keep = money(dice, 1_000);
        if dice.percent(50) {
            keep = Money::new(0, currency("EUR"));
        }
        let top_up = Wish::TopUp { merchant, number: format!("OT{}", events.len()), amount: money(dice, 6_000) };
        let wishes = [
            (70, Wish::Adjust(adjustment)),
            (50, Wish::ReleaseFixedReserve { merchant, keep }),
            (20, Wish::ReleaseFixedReserve { merchant, keep }),
            (40, top_up),
            (60, Wish::Review { merchant, approve: dice.percent(80) }),
        ];
        for (chance, wish) in wishes {
            if dice.percent(chance) {
                events.push((span.moment(dice), PlannedEvent::Wish(wish)));
            }
        }
    }
}

impl Span {
    fn moment(self, dice: &mut Dice) -> i64 {
        self.begin_ms + dice.between(0, self.length_ms - 1)
    }

    /// Some time after an instant, not much beyond the end.
    fn later(self, after_ms: i64, dice: &mut Dice) -> i64 {
        let end_ms = self.begin_ms + self.length_ms;
        after_ms.max(self.begin_ms) + dice.between(10, (end_ms - after_ms).max(self.length_ms / 4))
    }
}

fn rates_of(code: &str) -> &'static [Rate] {
    const fn rate(currency: &'static str, mantissa: i64, scale: u32) -> Rate {
        Rate { currency, mantissa, scale }
    }
    const OF_EURO: [Rate; 2] = [rate("USD", 10_837, 4), rate("JPY", 16_137, 2)];
    const OF_YEN: [Rate; 2] = [rate("EUR", 62, 4), rate("USD", 6_713, 6)];
    const OF_DOLLAR: [Rate; 2] = [rate("EUR", 92_276, 5), rate("JPY", 149, 0)];
    match code {
        "EUR" => &OF_EURO,
        "JPY" => &OF_YEN,
        _ => &OF_DOLLAR,
    }
}
