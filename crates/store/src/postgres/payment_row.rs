use std::collections::BTreeMap;
use std::sync::LazyLock;

use refundry_engine::payment::Payment;
use refundry_engine::{MerchantId, PaymentId, Timestamp};

use super::apply::Calls;
use super::arrays::Rows;
use super::statements::{insert, update};
use crate::StoreError;
use crate::rows::payment::{Facts, converted_text, settling_text};
use crate::rows::share::sharing_text;
use crate::rows::{json_text, minor_of};
use crate::words::{mode_word, status_word};

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, payment_id int8, mode text, status text, currency text, merchant_reference text, payment_reference text, \
        terminal_id int8, method text, paid_at int8, authorised_minor int8, captured_minor int8, marketing_minor int8, fee_minor int8, \
        reserved_minor int8, quote text, notify_url text, details text, created_at int8, settled int8, charged_back_minor int8, \
        open_chargebacks int8, open_retrievals int8, refunded_minor int8, refunded_marketing_minor int8, refund_count int8, \
        fee_given_back_minor int8, unsettled_left_minor int8, reserve_left_minor int8, updated_at int8, settle_at int8, \
        reserve_release_at int8, reconciled_at int8, settling text, converted text, sharing text";
    insert("payments", columns)
});
static UPDATE_FACTS: LazyLock<String> = LazyLock::new(|| {
    let columns = "status text, terminal_id int8, method text, paid_at int8, authorised_minor int8, captured_minor int8, marketing_minor int8, \
        fee_minor int8, reserved_minor int8, quote text, notify_url text, details text, mode text, \
        settle_at int8, reserve_release_at int8, reconciled_at int8, settling text, converted text";
    update("payments", KEY, columns)
});
static UPDATE_SUMS: LazyLock<String> = LazyLock::new(|| {
    let columns = "settled int8, charged_back_minor int8, open_chargebacks int8, open_retrievals int8, refunded_minor int8, \
        refunded_marketing_minor int8, refund_count int8, fee_given_back_minor int8, unsettled_left_minor int8, reserve_left_minor int8, \
        updated_at int8, sharing text, refund_ids text+";
    update("payments", KEY, columns)
});
static NAME_REFUNDS: LazyLock<String> = LazyLock::new(|| update("payments", KEY, "refund_ids text+"));
const KEY: &str = "merchant_id int8, payment_id int8";

/// The payments that a batch writes.
pub struct Written {
    inserted: Rows,
    sums: Rows,
    facts: Rows,
    updated_of: Vec<MerchantId>,
}

impl Default for Written {
    fn default() -> Self {
        Self { inserted: Rows::of(36), sums: Rows::of(15), facts: Rows::of(20), updated_of: Vec::new() }
    }
}

impl Written {
    /// A new payment.
    pub fn insert(&mut self, payment: &Payment) -> Result<(), StoreError> {
        let minor = |amount| minor_of(amount, payment.currency());
        let row = &mut self.inserted;
        row.int(payment.merchant_id.get()).int(payment.id.get()).text(mode_word(payment.mode)).text(status_word(payment.status));
        row.text(payment.currency().code()).text(&payment.merchant_reference).text(&payment.payment_reference);
        row.int(payment.terminal_id.get()).text(&payment.method).int(payment.paid_at.us()).int(minor(payment.authorised)?);
        row.int(minor(payment.captured)?).int(minor(payment.marketing)?).int(minor(payment.fee)?).int(minor(payment.reserved)?);
        row.text_or_null(payment.quote.as_ref().map(json_text).transpose()?.as_deref()).text_or_null(payment.notify_url.as_deref());
        row.text(&json_text(payment.details.as_ref())?).int(payment.created_at.us()).int(payment.settled);
        row.int(minor(payment.charged_back)?).int(payment.open_chargebacks).int(payment.open_retrievals).int(minor(payment.refunded)?);
        row.int(minor(payment.refunded_marketing)?).int(payment.refund_count).int(minor(payment.fee_given_back)?);
        row.int(minor(payment.unsettled_left)?).int(minor(payment.reserve_left)?).int(payment.updated_at.us());
        settling(row, payment)?;
        row.text_or_null(sharing_text(payment.sharing.as_deref())?.as_deref());
        Ok(())
    }

    /// What refunds, settlement and disputes change, and, when it is not as it was loaded, what the operator's payment system changed. `named` are
    /// the refunds that are new, each behind a comma.
    pub fn update(&mut self, payment: &Payment, loaded: Option<&Facts>, named: &str) -> Result<(), StoreError> {
        let minor = |amount| minor_of(amount, payment.currency());
        let row = &mut self.sums;
        row.int(payment.merchant_id.get()).int(payment.id.get()).int(payment.settled).int(minor(payment.charged_back)?);
        row.int(payment.open_chargebacks).int(payment.open_retrievals).int(minor(payment.refunded)?);
        row.int(minor(payment.refunded_marketing)?).int(payment.refund_count).int(minor(payment.fee_given_back)?);
        row.int(minor(payment.unsettled_left)?).int(minor(payment.reserve_left)?).int(payment.updated_at.us());
        row.text_or_null(sharing_text(payment.sharing.as_deref())?.as_deref()).text(named);
        self.updated_of.push(payment.merchant_id);
        if loaded == Some(&Facts::of(payment)) {
            return Ok(());
        }
        let row = &mut self.facts;
        row.int(payment.merchant_id.get()).int(payment.id.get()).text(status_word(payment.status)).int(payment.terminal_id.get());
        row.text(&payment.method).int(payment.paid_at.us()).int(minor(payment.authorised)?).int(minor(payment.captured)?);
        row.int(minor(payment.marketing)?).int(minor(payment.fee)?).int(minor(payment.reserved)?);
        row.text_or_null(payment.quote.as_ref().map(json_text).transpose()?.as_deref()).text_or_null(payment.notify_url.as_deref());
        row.text(&json_text(payment.details.as_ref())?).text(mode_word(payment.mode));
        settling(row, payment)
    }

    /// The statements; `rest` are refunds of payments that the batch does not update.
    pub fn add_to(self, calls: &mut Calls, rest: BTreeMap<(MerchantId, PaymentId), String>) {
        calls.add(&INSERT, self.inserted);
        calls.add_of(&UPDATE_SUMS, self.sums, self.updated_of.iter().copied());
        calls.add_of(&UPDATE_FACTS, self.facts, self.updated_of);
        let mut named = Rows::of(3);
        for ((merchant_id, id), text) in &rest {
            named.int(merchant_id.get()).int(id.get()).text(text);
        }
        calls.add_of(&NAME_REFUNDS, named, rest.keys().map(|(merchant_id, _)| *merchant_id));
    }
}

fn settling(row: &mut Rows, payment: &Payment) -> Result<(), StoreError> {
    let settling = &payment.settling;
    for instant in [settling.settle_at, settling.reserve_release_at, settling.reconciled_at] {
        row.int_or_null(instant.map(Timestamp::us));
    }
    row.text_or_null(settling_text(settling)?.as_deref()).text_or_null(converted_text(payment)?.as_deref());
    Ok(())
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![&INSERT, &UPDATE_FACTS, &UPDATE_SUMS, &NAME_REFUNDS]
}
