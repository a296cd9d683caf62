//! When all faults are over and time has run on: everything is final, and everybody agrees.

use refundry_dialects::native;
use refundry_engine::notification::{NotificationState, Recipient};
use refundry_engine::refund::{Refund, RefundState};

use super::{CastIds, Model, Reader, Violation, must};
use crate::acquirer::{AcquirerBook, Fate};
use crate::merchants::Merchants;

impl Model {
    /// Compares our end with that of the acquirers and of the merchants, of whom one may be deaf for ever.
    pub fn audit_end(&self, reader: &Reader<'_>, book: &AcquirerBook, merchants: &Merchants, deaf: Option<usize>) -> Result<(), Violation> {
        for (merchant, ids) in self.cast.iter().enumerate() {
            for refund in reader.refunds(ids.merchant)? {
                must(refund.state.is_final(), "everything_becomes_final", || format!("{} is {:?}", refund.number, refund.state))?;
                audit_fate(&refund, book)?;
            }
            audit_deliveries(ids, reader, merchants, deaf == Some(merchant))?;
        }
        let paid = book.payments();
        for (refund_id, amounts) in &paid {
            let known = self.cast.iter().map(|ids| reader.refund(ids.merchant, *refund_id)).collect::<Result<Vec<_>, _>>()?;
            must(known.iter().flatten().next().is_some(), "the_acquirer_pays_only_what_was_accepted", || {
                format!("{refund_id}: {amounts:?}")
            })?;
        }
        Ok(())
    }
}

/// What `refundry doctor books` would say: each balance is the fold of its postings, each running sum that of its refunds.
pub fn audit_books(reader: &Reader<'_>) -> Result<(), Violation> {
    let faults = reader.books()?.faults;
    must(faults.is_empty(), "the_books_check_themselves_clean", || format!("{faults:?}"))
}

fn audit_fate(refund: &Refund, book: &AcquirerBook) -> Result<(), Violation> {
    let fate = book.fate(refund.id);
    let agrees = match refund.state {
        RefundState::Succeeded { .. } => fate == Some(Fate::Paid),
        RefundState::Returned { .. } => fate == Some(Fate::Paid) && book.bounces(refund.id),
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => fate != Some(Fate::Paid),
        RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => false,
    };
    must(agrees, "we_and_the_acquirer_agree", || format!("{} is {:?}, the acquirer says {fate:?}", refund.number, refund.state))
}

/// Delivered means that the merchant said so; nothing is left due.
fn audit_deliveries(ids: &CastIds, reader: &Reader<'_>, merchants: &Merchants, is_deaf: bool) -> Result<(), Violation> {
    for notification in reader.notifications(ids.merchant)? {
        must(notification.state != NotificationState::Due, "every_notification_ends", || format!("{} is due", notification.id))?;
        let deliveries = reader.deliveries(ids.merchant, notification.id)?;
        let is_push = matches!(&notification.recipient, Recipient::Dialect { url, .. } if *url == ids.oceanpayment_url);
        let (tried, tries_max) = (deliveries.len(), tries_max(ids, &notification.recipient));
        // Who is deaf for days, and then once more by chance, misses every try.
        let gave_up = tried >= tries_max && deliveries.iter().all(|attempt| !attempt.acknowledged);
        must(is_deaf || gave_up || notification.state == NotificationState::Delivered, "whoever_hears_is_told", || {
            format!("{} is {} after {tried} tries", notification.id, notification.state.word())
        })?;
        must(!is_push || tried <= tries_max, "a_push_is_tried_five_times", || format!("{}: {tried}", notification.id))?;
        if notification.state != NotificationState::Delivered {
            continue;
        }
        // A dialect has no word for some events; such a notification ends without being sent.
        if deliveries.iter().all(|attempt| attempt.status.is_none()) {
            continue;
        }
        let name = match (&notification.recipient, notification.refund_id) {
            (Recipient::Endpoint(_), _) => notification.id.to_string(),
            (Recipient::Dialect { .. }, Some(refund_id)) if is_push => format!("{} {}", ids.oceanpayment_url, refund_id.get()),
            (Recipient::Dialect { .. }, Some(refund_id)) => {
                let refund = reader.refund(ids.merchant, refund_id)?;
                format!("{} {}", ids.antom_url, refund.map(|refund| refund.number).unwrap_or_default())
            }
            (Recipient::Dialect { .. }, None) => continue,
        };
        let heard = merchants.message(&name).is_some_and(|message| message.acknowledged);
        must(heard, "delivered_means_acknowledged", || format!("{name} was never acknowledged"))?;
    }
    Ok(())
}

/// How often a receiver is told of something, once it is not replayed by hand.
fn tries_max(ids: &CastIds, recipient: &Recipient) -> usize {
    let in_dialect =
        |name: &str| refundry_dialects::ALL.iter().find(|entry| entry.name == name).map_or(0, |entry| entry.resend_seconds.len());
    match recipient {
        Recipient::Endpoint(_) => native::RESEND_SECONDS.len(),
        Recipient::Dialect { url, .. } if *url == ids.oceanpayment_url => in_dialect("oceanpayment"),
        Recipient::Dialect { .. } => in_dialect("antom"),
    }
}
