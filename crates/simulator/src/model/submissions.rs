//! What acquirers were made to do.

use refundry_engine::refund::RefundState;

use super::{Model, Reader, Violation, must};
use crate::acquirer::AcquirerBook;
use crate::cast::ACQUIRERS;

impl Model {
    /// Looks at what was sent since the last look: only what is committed may be sent, and never a second time to whoever would pay again.
    pub fn audit_submissions(&self, reader: &Reader<'_>, book: &AcquirerBook) -> Result<(), Violation> {
        for (received, earlier) in book.unseen_submissions() {
            let sent = &received.submission;
            let refund = reader.refund(sent.merchant_id, sent.refund_id)?;
            let Some(refund) = refund else {
                return must(false, "nothing_is_sent_before_it_is_committed", || format!("{} is not there", sent.refund_id));
            };
            let committed = refund.attempts >= sent.attempt && !matches!(refund.state, RefundState::Pending { .. });
            must(committed, "nothing_is_sent_before_it_is_committed", || {
                format!("attempt {} of {} was sent, the store has {} attempts", sent.attempt, sent.number, refund.attempts)
            })?;
            let merchant = self.cast.iter().position(|ids| ids.merchant == sent.merchant_id);
            if let (Some(merchant), Some(payment)) = (merchant, reader.payment(sent.merchant_id, refund.payment_id)?) {
                self.must_be_approved(merchant, &refund, &payment, received.at)?;
            }
            let user_part = refund.amount.minor() - refund.marketing.minor();
            must(sent.amount.minor() == user_part, "the_acquirer_is_sent_the_users_part", || format!("{}: {}", sent.number, sent.amount))?;
            let pays_again = refund.acquirer == ACQUIRERS[1] && earlier.iter().any(|before| before.arrives);
            must(!pays_again, "what_may_have_arrived_is_not_sent_again", || {
                format!("attempt {} of {} follows one that arrived", sent.attempt, sent.number)
            })?;
        }
        self.audit_payments_of(book)
    }

    /// No refund is paid twice.
    fn audit_payments_of(&self, book: &AcquirerBook) -> Result<(), Violation> {
        for (refund_id, paid) in book.payments() {
            must(paid.len() == 1, "the_acquirer_never_pays_twice", || format!("{refund_id} was paid {paid:?}"))?;
        }
        Ok(())
    }
}
