//! Finding a refund's money: what it is drawn from, and what becomes of a refund whose money is not there.

use refundry_ledger::Money;

use super::{Draw, FailReason, FundsHold, Holds, Refund, RefundInPlay, RefundState, moves};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::release_waiting;
use crate::policy::{FundsRule, Policy};
use crate::posting_rules::{self, Purse, SPENDABLE};
use crate::share::{self, FeeMode, ReceiverShort};
use crate::task::{Task, TaskKind};
use crate::{Refusal, Timestamp};

/// Whose money is missing.
pub(crate) enum Shortage {
    /// The merchant's own: so much.
    Own(Money),
    /// A receiver's that is to give its part back.
    OfReceiver(ReceiverShort),
}

impl Shortage {
    /// For who is told at once.
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Own(missing) => Refusal::NotEnoughFunds { missing },
            Self::OfReceiver(ReceiverShort { account, highest }) => Refusal::ReceiverNotEnoughFunds { account, highest },
        }
    }

    /// For who is told later.
    pub(super) fn reason(self) -> FailReason {
        match self {
            Self::Own(_) => FailReason::NotEnoughFunds,
            Self::OfReceiver(ReceiverShort { account, .. }) => FailReason::ReceiverNotEnoughFunds { account },
        }
    }

    /// How much of the merchant's own money is missing.
    pub(super) fn missing(&self, refund: &Refund) -> Money {
        match self {
            Self::Own(missing) => *missing,
            Self::OfReceiver(_) => Money::zero(refund.funding_currency()),
        }
    }
}

/// Where the money would be drawn, or whose is missing. `behind_others`: while others wait, what is available is theirs. Nobody waits for a receiver's
/// money, so that is looked at first.
pub(crate) fn find(draft: &Draft<'_>, in_play: &RefundInPlay, policy: &Policy, behind_others: bool) -> Result<Draw, Shortage> {
    share::line_draws(draft, in_play).map_err(Shortage::OfReceiver)?;
    find_own(draft, in_play, policy, behind_others).map_err(Shortage::Own)
}

fn find_own(draft: &Draft<'_>, in_play: &RefundInPlay, policy: &Policy, behind_others: bool) -> Result<Draw, Money> {
    let RefundInPlay { refund, payment } = in_play;
    let given_back = refund.fee_given_back.minor();
    let currency = refund.funding_currency();
    let available = draft.balance(refund.merchant_id, SPENDABLE, currency);
    // What the fee's way back adds to the available money, in the currency of that money.
    let fee_back = payment.foreign().map_or(Some(refund.fee_given_back), |quote| quote.convert(refund.fee_given_back));
    let fee_back = fee_back.map_or(0, Money::minor);
    let fee_becomes_available = payment.settled || payment.fee_mode() == FeeMode::FromAccount;
    let purse = Purse {
        unsettled: match policy.draw_unsettled {
            true if fee_becomes_available => payment.unsettled_left.minor(),
            true => payment.unsettled_left.minor().saturating_add(given_back),
            false => 0,
        },
        reserve: if policy.draw_reserve { payment.reserve_left.minor() } else { 0 },
        available: if fee_becomes_available { available.saturating_add(fee_back) } else { available },
        may_draw_available: policy.draw_available,
    };
    let draw = posting_rules::draw(&purse, payment, refund)?;
    let of_available = draw.available_minor.saturating_add(refund.refund_fee.minor());
    if of_available > 0 && behind_others && draft.waiting(refund.merchant_id, currency) > 0 {
        let fee_at_home = payment.foreign().and_then(|quote| quote.convert(refund.refund_fee)).map_or(0, Money::minor);
        let of_available = if payment.foreign().is_some() { draw.settlement_minor.saturating_add(fee_at_home) } else { of_available };
        return Err(Money::new(of_available, currency));
    }
    Ok(draw)
}

/// Draws the money in this commit; the submit worker has the refund next.
pub(crate) fn draw(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, draw: Draw) -> Result<(), Refusal> {
    let lines = share::line_draws(draft, in_play).map_err(|short| Shortage::OfReceiver(short).refusal())?;
    let postings = posting_rules::released(&mut in_play.payment, &in_play.refund, draw);
    draft.book("refund_released", About::refund(&in_play.refund), postings)?;
    share::take_lines(draft, in_play, lines)?;
    let at = (draft.now() != in_play.refund.created_at).then(|| draft.now());
    in_play.refund.drawn = Some(Draw { at, ..draw });
    in_play.refund.state = RefundState::Pending { holds: Holds::default() };
    put_next_step(draft, &in_play.refund);
    Ok(())
}

/// The payment's money goes back by way of a chargeback that came before the refund was sent.
pub(crate) fn end_charged_back(draft: &mut Draft<'_>, in_play: &mut RefundInPlay) -> Result<(), Refusal> {
    let failed = in_play.refund.state.fail_pending(FailReason::ChargedBack, draft.now())?;
    moves::end_unpaid(draft, in_play, failed)
}

/// The money is not there, and it is too late to refuse the refund.
pub(crate) fn end_short(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, shortage: Shortage) -> Result<(), Refusal> {
    let failed = in_play.refund.state.fail_pending(shortage.reason(), draft.now())?;
    moves::end_unpaid(draft, in_play, failed)
}

/// For a new refund: draws its money, or does what the policy says about missing money.
pub(super) fn draw_or_hold(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, policy: &Policy) -> Result<(), Refusal> {
    match find(draft, in_play, policy, true) {
        Ok(found) => draw(draft, in_play, found),
        Err(shortage) => match (policy.funds, &shortage) {
            (FundsRule::Refuse, _) => Err(shortage.refusal()),
            (FundsRule::Wait, Shortage::Own(missing)) => {
                wait(draft, in_play, policy, *missing);
                Ok(())
            }
            (FundsRule::Wait, Shortage::OfReceiver(_)) | (FundsRule::FailLater, _) => {
                let until = draft.now();
                let missing = shortage.missing(&in_play.refund);
                hold(draft, &mut in_play.refund, missing, until);
                Ok(())
            }
        },
    }
}

/// For a refund whose other holds are gone: draws its money, lets it wait, or fails it. Refusing it is too late.
pub(super) fn draw_hold_or_fail(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, policy: &Policy) -> Result<(), Refusal> {
    if in_play.payment.open_chargebacks > 0 {
        return end_charged_back(draft, in_play);
    }
    match (find(draft, in_play, policy, true), policy.funds) {
        (Ok(found), _) => draw(draft, in_play, found),
        (Err(Shortage::Own(missing)), FundsRule::Wait) => {
            wait(draft, in_play, policy, missing);
            Ok(())
        }
        (Err(shortage), FundsRule::Wait | FundsRule::Refuse | FundsRule::FailLater) => end_short(draft, in_play, shortage),
    }
}

/// The refund takes its place in the queue, by the time at which it was asked for.
fn wait(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, policy: &Policy, missing: Money) {
    let until = draft.now().plus_days(i64::from(policy.funds_wait_days));
    hold(draft, &mut in_play.refund, missing, until);
    release_waiting::put_next_hour(draft, in_play, &policy.funds_check);
}

/// As [`draw_hold_or_fail`], by the refund's own policy, and tells when it was released.
pub(super) fn look_and_tell(draft: &mut Draft<'_>, in_play: &mut RefundInPlay) -> Result<(), Refusal> {
    let policy = draft.policy(in_play);
    draw_hold_or_fail(draft, in_play, &policy)?;
    if in_play.refund.drawn.is_some() {
        draft.tell_of_refund(EventKind::RefundReleased, in_play, Vec::new());
    }
    Ok(())
}

/// The refund waits for money.
fn hold(draft: &mut Draft<'_>, refund: &mut Refund, missing: Money, until: Timestamp) {
    let funds = FundsHold { since: draft.now(), until, missing_minor: missing.minor() };
    refund.state = RefundState::Pending { holds: Holds { funds: Some(funds), ..Holds::default() } };
    draft.change_waiting(refund.merchant_id, refund.funding_currency(), 1);
    put_next_step(draft, refund);
}

/// The one next step of a pending refund: a person when it is in review, else the task that its holds ask for.
pub(crate) fn put_next_step(draft: &mut Draft<'_>, refund: &Refund) {
    let RefundState::Pending { holds } = &refund.state else {
        return;
    };
    let due = match (&holds.funds, holds.delay_until) {
        (Some(funds), _) => Some(funds.until),
        (None, delay_until) => delay_until,
    };
    let next = match due {
        _ if holds.review.is_some() => return,
        Some(due_at) => Task::of_refund(TaskKind::ReleaseRefund, refund.merchant_id, refund.id, due_at),
        None => Task::of_refund(TaskKind::SubmitRefund, refund.merchant_id, refund.id, draft.now()),
    };
    draft.put_task(next);
}
