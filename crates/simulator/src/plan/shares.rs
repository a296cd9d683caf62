//! Payments that are shared with the other merchants of the run, at once or at a time. It has dice of its own, so that the rest of a seed's plan is
//! what it would be without it.

use super::{PaymentWish, PlannedEvent, ShareWish, Wish};
use crate::cast::MERCHANTS;
use crate::dice::Dice;

/// Shares of some payments, each soon after it was paid; now and then the same is asked for again.
pub(super) fn add(seed: u64, payments: &[PaymentWish], length_ms: i64, events: &mut Vec<(i64, PlannedEvent)>) {
    let mut dice = Dice::new(seed, "shares");
    for payment in payments {
        for place in 0..dice.below(3) {
            let at_ms = payment.paid_ms + dice.between(1, length_ms / 3);
            let wish = share(payment, place, at_ms, &mut dice);
            for _ in 0..=usize::from(dice.percent(25)) {
                events.push((at_ms + dice.between(0, 20_000), PlannedEvent::Wish(Wish::Share(wish.clone()))));
            }
        }
    }
}

fn share(payment: &PaymentWish, place: usize, at_ms: i64, dice: &mut Dice) -> ShareWish {
    let captured = payment.captured.minor();
    let others = (0..MERCHANTS).filter(|receiver| *receiver != payment.merchant);
    let lines: Vec<(usize, i64)> = others.map(|receiver| (receiver, dice.between(0, captured / 3))).collect();
    let lines: Vec<(usize, i64)> = lines.into_iter().filter(|(_, minor)| *minor > 0).collect();
    ShareWish {
        merchant: payment.merchant,
        reference: payment.reference.clone(),
        number: format!("S{place} of {}", payment.reference),
        lines,
        currency: payment.captured.currency().code(),
        begins_ms: dice.percent(30).then(|| at_ms + dice.between(1_000, 60_000)),
    }
}
