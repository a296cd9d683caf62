//! Preparing a payout: what is in the pot is set aside, with the statement of how it came about.

use refundry_ledger::Money;

use super::causes::causes_of;
use super::schedule;
use super::{InPreparation, NOTE_LENGTH_MAX, Origin, Payout, PayoutKind, PayoutState, PayoutTerms, Pots, ReservePayouts, Statement};
use crate::command::{PayoutRun, PreparePayout};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::merchant::{Merchant, Standing};
use crate::notify::fact;
use crate::posting_rules::{self, SPENDABLE};
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write};

/// Sets aside what can be paid out. A scheduled run that finds nothing to pay ends well, and the next run is put in any case.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &PreparePayout) -> Verdict {
    let Some(merchant) = snapshot.merchants.get(&act.merchant_id).filter(|merchant| act.mode.is_none_or(|mode| mode == merchant.mode))
    else {
        return Verdict::refused(Refusal::UnknownMerchant);
    };
    let terms = merchant.payout_terms.get(act.currency.code()).cloned().unwrap_or_default();
    match act.run {
        PayoutRun::Manual { .. } => prepare(Draft::new(snapshot, stamp), act, (merchant, &terms)).unwrap_or_else(Verdict::refused),
        PayoutRun::Scheduled { .. } => {
            let mut draft = Draft::new(snapshot, stamp);
            put_next_run(&mut draft, act, &terms);
            prepare(draft, act, (merchant, &terms)).unwrap_or_else(|_| {
                let mut draft = Draft::new(snapshot, stamp);
                put_next_run(&mut draft, act, &terms);
                draft.finish(Outcome::Done)
            })
        }
    }
}

/// The task of the next run takes the place of this one.
fn put_next_run(draft: &mut Draft<'_>, act: &PreparePayout, terms: &PayoutTerms) {
    let (key, task) = schedule::next_run(act.merchant_id, (act.currency, act.kind), terms, draft.now());
    draft.changes().tasks.insert(key, task);
}

fn prepare(mut draft: Draft<'_>, act: &PreparePayout, (merchant, terms): (&Merchant, &PayoutTerms)) -> Result<Verdict, Refusal> {
    let key = (act.merchant_id, act.currency);
    let available = draft.balance(act.merchant_id, SPENDABLE, act.currency);
    let mut pots = draft.snapshot().pots.get(&key).cloned().unwrap_or_else(|| Pots::opened_with(available));
    let statement = statement(&pots, act.kind, terms);
    let amount = check(&draft, act, (merchant, terms), (&pots, &statement))?;
    let note = match &act.run {
        PayoutRun::Manual { note, .. } => note.clone(),
        PayoutRun::Scheduled { .. } => None,
    };
    let payout = Payout {
        id: act.payout_id,
        merchant_id: act.merchant_id,
        mode: merchant.mode,
        kind: act.kind,
        amount,
        state: PayoutState::Prepared,
        origin: match &act.run {
            PayoutRun::Manual { .. } => Origin::Manual { by: draft.actor().clone() },
            PayoutRun::Scheduled { .. } => Origin::Scheduled,
        },
        prepared_at: draft.now(),
        opened_at: pots.pot(act.kind).since,
        bank: terms.bank.clone(),
        sending: None,
        note,
        updated_at: draft.now(),
        statement,
    };
    let about = About::merchant(act.merchant_id);
    draft.book(causes_of(act.kind).prepared, about, posting_rules::payout_prepared(act.merchant_id, amount))?;
    close_period(&mut pots, &payout);
    draft.changes().pots.insert(key, pots);
    let facts = payout_facts(&payout);
    draft.tell(EventKind::PayoutPrepared, about, facts.clone());
    draft.audit("payout.prepare", about, facts);
    draft.changes().payouts.insert((payout.merchant_id, payout.id), Write::Insert(payout.clone()));
    Ok(draft.finish(Outcome::Payout { payout: Box::new(payout) }))
}

/// Money that was released from the reserve is part of the trade's payout where the terms say so.
fn statement(pots: &Pots, kind: PayoutKind, terms: &PayoutTerms) -> Statement {
    match (kind, terms.reserve) {
        (PayoutKind::Trade, ReservePayouts::WithTrade) => Statement::of(pots, &PayoutKind::ALL),
        (PayoutKind::Trade | PayoutKind::Reserve, _) => Statement::of(pots, &[kind]),
    }
}

/// How much is paid out. The order is the contract: the first broken rule is the answer.
fn check(
    draft: &Draft<'_>,
    act: &PreparePayout,
    (merchant, terms): (&Merchant, &PayoutTerms),
    (pots, statement): (&Pots, &Statement),
) -> Result<Money, Refusal> {
    if merchant.standing == Standing::Suspended {
        return Err(Refusal::MerchantSuspended);
    }
    if terms.on_hold {
        return Err(Refusal::PayoutsOnHold);
    }
    if let Some(open) = pots.in_preparation(act.kind) {
        return Err(Refusal::PayoutIsPrepared { payout_id: open.payout_id });
    }
    let was_made = matches!(act.run, PayoutRun::Scheduled { due_at } if pots.pot(act.kind).since >= Some(due_at));
    if was_made {
        return Err(Refusal::NothingToPayOut { due: Money::zero(act.currency) });
    }
    // What comes in belongs to the refunds that wait for it first.
    let waiting = draft.waiting(act.merchant_id, act.currency);
    if waiting > 0 {
        return Err(Refusal::RefundsWaitForMoney { waiting });
    }
    let available = draft.balance(act.merchant_id, SPENDABLE, act.currency);
    let due = terms.due(statement.closing_minor, available, act.currency);
    if !due.is_positive() {
        return Err(Refusal::NothingToPayOut { due });
    }
    let (wanted, note) = match &act.run {
        PayoutRun::Manual { amount, note } => (*amount, note.as_ref()),
        PayoutRun::Scheduled { .. } => (None, None),
    };
    if note.is_some_and(|note| note.chars().count() > NOTE_LENGTH_MAX || note.chars().any(char::is_control)) {
        return Err(Refusal::FieldInvalid { field: "note".to_owned(), rule: format!("at most {NOTE_LENGTH_MAX} letters") });
    }
    match wanted {
        Some(wanted) if wanted.currency() != act.currency => Err(Refusal::CurrencyMismatch { expected: act.currency }),
        Some(wanted) if !wanted.is_positive() => Err(Refusal::AmountNotPositive),
        Some(wanted) if due.is_below(wanted)? => Err(Refusal::NothingToPayOut { due }),
        Some(wanted) => Ok(wanted),
        None if due.minor() < terms.minimum_minor => {
            Err(Refusal::BelowPayoutMinimum { due, minimum: Money::new(terms.minimum_minor, act.currency) })
        }
        None => Ok(due),
    }
}

/// Everything that was booked until now, the payout itself included, belongs to the period that ends here. What every pot held that it pays out is in
/// it until it is sent.
fn close_period(pots: &mut Pots, payout: &Payout) {
    let (kind, at) = (payout.kind, payout.prepared_at);
    for covered in &payout.statement.covers {
        let left = if covered.pot == kind { payout.statement.closing_minor.saturating_sub(payout.amount.minor()) } else { 0 };
        if pots.in_preparation(covered.pot).is_none() {
            let from = pots.pot(covered.pot).since;
            pots.set_in_preparation(covered.pot, Some(InPreparation { payout_id: payout.id, from, to: at }));
        }
        pots.begin_anew(covered.pot, left, at);
    }
    pots.period = pots.period.saturating_add(1);
}

/// What every event of a payout says.
pub(super) fn payout_facts(payout: &Payout) -> Vec<(String, String)> {
    vec![
        fact("payout_id", payout.id),
        fact("kind", payout.kind.word()),
        fact("amount", payout.amount),
        fact("state", payout.state.name().word()),
    ]
}
