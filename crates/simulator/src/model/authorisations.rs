//! What became of authorisations and of sales at a till: only what was asked for is taken, what was told stays, and each ends once.

use std::collections::BTreeSet;

use refundry_engine::event::EventKind;
use refundry_engine::payment::{Payment, PaymentStatus};

use super::{Model, Reader, Violation, must};
use crate::plan::{PaymentWish, Taken};

/// What was asked about one payment, and told.
#[derive(Debug, Default)]
pub struct Authorisation {
    captures: BTreeSet<i64>,
    void: bool,
    /// What is taken in the end, in minor units.
    told: Option<i64>,
}

impl Model {
    /// A capture is about to be asked for.
    pub fn wants_to_capture(&mut self, merchant: usize, reference: &str, minor: i64) {
        self.authorisation(merchant, reference).captures.insert(minor);
    }

    /// A void is about to be asked for.
    pub fn wants_to_void(&mut self, merchant: usize, reference: &str) {
        self.authorisation(merchant, reference).void = true;
    }

    /// Somebody was told how it ended, and how much of it was taken.
    pub fn authorisation_ended(&mut self, merchant: usize, reference: &str, captured_minor: i64) {
        let before = self.authorisation(merchant, reference).told.replace(captured_minor);
        if before.is_some_and(|before| before != captured_minor) {
            self.broke("an_authorisation_ends_once", format!("{reference} was told with {before:?}, and now with {captured_minor}"));
        }
    }

    /// A payment stands as somebody wanted it to.
    pub(super) fn must_be_as_told(&self, wish: &PaymentWish, payment: Option<&Payment>) -> Result<(), Violation> {
        let reference = &wish.reference;
        let what = || format!("{reference} is {:?}", payment.map(|payment| (payment.status.word(), payment.captured)));
        let Some(payment) = payment else { return must(false, "an_acknowledged_payment_is_never_lost", what) };
        let asked = self.authorisations.get(&(wish.merchant, reference.clone()));
        let captured = payment.captured.minor();
        let is_void = captured == 0 && asked.is_some_and(|asked| asked.void);
        let holds = match wish.taken {
            Taken::Captured => payment.captured == wish.captured,
            Taken::AtTheTill => payment.captured == wish.captured || is_void,
            Taken::NotYet => captured == 0 || asked.is_some_and(|asked| asked.captures.contains(&captured)),
        };
        must(holds, "an_acknowledged_payment_is_never_lost", what)?;
        let told = asked.and_then(|asked| asked.told);
        must(told.is_none_or(|told| told == captured), "what_was_told_of_an_authorisation_holds", || format!("told {told:?}, {}", what()))
    }

    /// Nothing that was authorised ends twice, and at the end of a run nothing is left authorised.
    pub fn audit_authorisations(&self, reader: &Reader<'_>, is_at_end: bool) -> Result<(), Violation> {
        for ids in &self.cast {
            let payments = reader.payments(ids.merchant)?;
            let mut ended = BTreeSet::new();
            for event in reader.events_after(ids.merchant, 0)? {
                if matches!(event.kind, EventKind::PaymentCaptured | EventKind::PaymentVoided) {
                    must(ended.insert(event.payment_id), "an_authorisation_ends_once", || format!("{event:?}"))?;
                }
            }
            let open = payments.iter().find(|payment| is_at_end && payment.status == PaymentStatus::Authorised);
            must(open.is_none(), "every_authorisation_ends", || format!("{:?}", open.map(|payment| &payment.payment_reference)))?;
        }
        Ok(())
    }

    fn authorisation(&mut self, merchant: usize, reference: &str) -> &mut Authorisation {
        self.authorisations.entry((merchant, reference.to_owned())).or_default()
    }
}
