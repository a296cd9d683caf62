//! What moves between the books of giver and receivers. Each rule moves one book; what one gives to `shares_due` another takes from it, so over all
//! merchants that account is zero after every commit.

use refundry_ledger::{Currency, Money};

use super::{Postings, spread_in};
use crate::MerchantId;
use crate::chart::{ADVANCES, ADVANCES_CLAIMED, AVAILABLE, REFUNDS_IN_FLIGHT, SHARES_DUE, UNSETTLED};
use crate::share::LineDraw;

/// A share goes out of the giver's book: out of what the payment still has unsettled, and of what is available.
pub fn share_given(giver_id: MerchantId, currency: Currency, given: LineDraw) -> Postings {
    let LineDraw { unsettled_minor, available_minor } = given;
    let all = unsettled_minor.saturating_add(available_minor);
    spread_in(currency, giver_id, &[(UNSETTLED, unsettled_minor), (AVAILABLE, available_minor)], &[(SHARES_DUE, all)])
}

/// A share, or what a receiver had given back of one, comes into its book: as unsettled or available as it was with the giver, or is by now.
pub fn share_received(receiver_id: MerchantId, currency: Currency, received: LineDraw) -> Postings {
    let LineDraw { unsettled_minor, available_minor } = received;
    let all = unsettled_minor.saturating_add(available_minor);
    spread_in(currency, receiver_id, &[(SHARES_DUE, all)], &[(UNSETTLED, unsettled_minor), (AVAILABLE, available_minor)])
}

/// The giver's payment is settled, and with it what of it the receiver has.
pub fn share_settled(receiver_id: MerchantId, amount: Money) -> Postings {
    spread_in(amount.currency(), receiver_id, &[(UNSETTLED, amount.minor())], &[(AVAILABLE, amount.minor())])
}

/// A line of a refund goes out of the receiver's book.
pub fn line_returned(receiver_id: MerchantId, currency: Currency, drawn: LineDraw) -> Postings {
    share_given(receiver_id, currency, drawn)
}

/// What all receivers give back for a refund flies with it.
pub(super) fn lines_fly(giver_id: MerchantId, currency: Currency, lines_minor: i64) -> Postings {
    spread_in(currency, giver_id, &[(SHARES_DUE, lines_minor)], &[(REFUNDS_IN_FLIGHT, lines_minor)])
}

/// What was advanced in the place of receivers is owed by them: a memorandum, no money.
pub(super) fn advance_remembered(giver_id: MerchantId, currency: Currency, minor: i64) -> Postings {
    spread_in(currency, giver_id, &[(ADVANCES, minor)], &[(ADVANCES_CLAIMED, minor)])
}

/// It is owed no longer: the refund did not come about, or the receiver paid.
pub(super) fn advance_forgotten(giver_id: MerchantId, currency: Currency, minor: i64) -> Postings {
    spread_in(currency, giver_id, &[(ADVANCES_CLAIMED, minor)], &[(ADVANCES, minor)])
}

/// A receiver pays an advance back: out of its available money.
pub fn advance_paid(receiver_id: MerchantId, amount: Money) -> Postings {
    share_given(receiver_id, amount.currency(), LineDraw { unsettled_minor: 0, available_minor: amount.minor() })
}

/// The giver gets it, and claims it no longer.
pub fn advance_recovered(giver_id: MerchantId, amount: Money) -> Postings {
    let (currency, minor) = (amount.currency(), amount.minor());
    let mut postings = spread_in(currency, giver_id, &[(SHARES_DUE, minor)], &[(AVAILABLE, minor)]);
    postings.extend(advance_forgotten(giver_id, currency, minor));
    postings
}

/// The refund of an advance that a receiver had paid came back: the giver has the refund's money again, and gives the receiver its own.
pub fn recovery_undone(giver_id: MerchantId, amount: Money) -> Postings {
    let (currency, minor) = (amount.currency(), amount.minor());
    let mut postings = spread_in(currency, giver_id, &[(AVAILABLE, minor)], &[(SHARES_DUE, minor)]);
    postings.extend(advance_remembered(giver_id, currency, minor));
    postings
}
