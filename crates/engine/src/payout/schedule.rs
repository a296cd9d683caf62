//! The days of payouts: a task for each merchant, currency and kind, which puts the next one in its place.

use refundry_ledger::Currency;

use super::{PayoutKind, PayoutTerms, ReservePayouts, TERMS_MAX};
use crate::merchant::Merchant;
use crate::task::Task;
use crate::{MerchantId, Refusal, TaskId, Timestamp};

/// A task to put, or to remove.
type PutTask = ((MerchantId, TaskId), Option<Task>);

/// The next run by the terms; the task is removed where they have none.
pub(super) fn next_run(merchant_id: MerchantId, (currency, kind): (Currency, PayoutKind), terms: &PayoutTerms, now: Timestamp) -> PutTask {
    let runs = kind == PayoutKind::Trade || terms.reserve == ReservePayouts::Apart;
    let next = terms.next_run(now).filter(|_| runs);
    let task = Task::prepare_payout(merchant_id, currency, kind, next.unwrap_or(now));
    ((merchant_id, task.id), next.map(|_| task))
}

/// The runs of a merchant whose terms were written: those that changed are put anew.
pub(crate) fn runs(before: Option<&Merchant>, after: &Merchant, now: Timestamp) -> Vec<PutTask> {
    let known = before.map(|before| &before.payout_terms);
    let codes = known.into_iter().flat_map(|terms| terms.keys()).chain(after.payout_terms.keys());
    let changed = codes.filter(|code| known.and_then(|terms| terms.get(*code)) != after.payout_terms.get(*code));
    let currencies = changed.filter_map(|code| code.parse::<Currency>().ok());
    let of_currency = |currency: Currency| {
        let terms = after.payout_terms.get(currency.code()).cloned().unwrap_or_default();
        PayoutKind::ALL.map(|kind| next_run(after.id, (currency, kind), &terms, now))
    };
    currencies.flat_map(of_currency).collect()
}

/// Whether the terms of a merchant can be kept.
pub(crate) fn check_terms(merchant: &Merchant) -> Result<(), Refusal> {
    if merchant.payout_terms.len() > TERMS_MAX {
        let limit = u32::try_from(TERMS_MAX).unwrap_or(u32::MAX);
        return Err(Refusal::LimitReached { what: "payout_terms".to_owned(), limit });
    }
    for (code, terms) in &merchant.payout_terms {
        let field = |name: &str| format!("payout_terms.{code}{name}");
        if code.parse::<Currency>().is_err() {
            return Err(Refusal::FieldInvalid { field: field(""), rule: "a currency of ISO 4217".to_owned() });
        }
        if let Some((name, rule)) = terms.out_of_range() {
            return Err(Refusal::FieldInvalid { field: field(&format!(".{name}")), rule: rule.to_owned() });
        }
    }
    Ok(())
}
