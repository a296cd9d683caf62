use std::collections::BTreeMap;
use std::sync::LazyLock;

use refundry_engine::refund::Refund;
use refundry_engine::{MerchantId, RefundId};

use super::apply::Calls;
use super::arrays::Rows;
use super::statements::{insert, update};
use crate::StoreError;
use crate::rows::refund::{extras_text, state_text, waits_for};
use crate::rows::share::sharing_text;
use crate::rows::{json_text, minor_of};
use crate::words::mode_word;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, refund_id int8, mode text, state text, currency text, amount_minor int8, payment_id int8, \
        payment_reference text, terminal_id int8, dialect text, number text, marketing_minor int8, refund_fee_minor int8, \
        fee_given_back_minor int8, applicant text, acquirer text, created_at int8, extras text, state_body text, waits_for text, \
        drawn text, acquirer_reference text, attempts int8, updated_at int8, sharing text, event_sequences text";
    insert("refunds", columns)
});
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = "state text, state_body text, waits_for text, drawn text, acquirer_reference text, attempts int8, updated_at int8, \
        fee_given_back_minor int8, refund_fee_minor int8, sharing text, event_sequences text+";
    update("refunds", KEY, columns)
});
/// What only an edit changes.
static REWRITE: LazyLock<String> = LazyLock::new(|| update("refunds", KEY, "amount_minor int8, marketing_minor int8, extras text"));
static NAME_EVENTS: LazyLock<String> = LazyLock::new(|| update("refunds", KEY, "event_sequences text+"));
const KEY: &str = "merchant_id int8, refund_id int8";

/// The refunds that a batch writes.
pub struct Written {
    inserted: Rows,
    updated: Rows,
    updated_of: Vec<MerchantId>,
    rewritten: Rows,
    rewritten_of: Vec<MerchantId>,
}

impl Default for Written {
    fn default() -> Self {
        Self { inserted: Rows::of(26), updated: Rows::of(13), updated_of: Vec::new(), rewritten: Rows::of(5), rewritten_of: Vec::new() }
    }
}

impl Written {
    /// A new refund; `named` are its events, each behind a comma.
    pub fn insert(&mut self, refund: &Refund, named: &str) -> Result<(), StoreError> {
        let currency = refund.amount.currency();
        let row = &mut self.inserted;
        row.int(refund.merchant_id.get()).int(refund.id.get()).text(mode_word(refund.mode)).text(refund.state.name().word());
        row.text(currency.code()).int(refund.amount.minor()).int(refund.payment_id.get()).text(&refund.payment_reference);
        row.int(refund.terminal_id.get()).text(&refund.dialect).text(&refund.number);
        row.int(minor_of(refund.marketing, currency)?).int(minor_of(refund.refund_fee, currency)?);
        row.int(minor_of(refund.fee_given_back, currency)?).text(&refund.applicant.stored()).text(&refund.acquirer);
        row.int(refund.created_at.us()).text_or_null(extras_text(refund)?.as_deref()).text_or_null(state_text(&refund.state)?.as_deref());
        row.text_or_null(waits_for(refund).as_deref()).text_or_null(refund.drawn.as_ref().map(json_text).transpose()?.as_deref());
        row.text_or_null(refund.acquirer_reference.as_deref()).int(refund.attempts).int(refund.updated_at.us());
        row.text_or_null(sharing_text(refund.sharing.as_deref())?.as_deref()).text(named);
        Ok(())
    }

    /// What changes after a refund was accepted; `named` are the events that are new, each behind a comma.
    pub fn update(&mut self, refund: &Refund, named: &str) -> Result<(), StoreError> {
        let currency = refund.amount.currency();
        let row = &mut self.updated;
        row.int(refund.merchant_id.get()).int(refund.id.get()).text(refund.state.name().word());
        row.text_or_null(state_text(&refund.state)?.as_deref()).text_or_null(waits_for(refund).as_deref());
        row.text_or_null(refund.drawn.as_ref().map(json_text).transpose()?.as_deref());
        row.text_or_null(refund.acquirer_reference.as_deref()).int(refund.attempts).int(refund.updated_at.us());
        row.int(minor_of(refund.fee_given_back, currency)?).int(minor_of(refund.refund_fee, currency)?);
        row.text_or_null(sharing_text(refund.sharing.as_deref())?.as_deref()).text(named);
        self.updated_of.push(refund.merchant_id);
        Ok(())
    }

    /// What an edit changed.
    pub fn rewrite(&mut self, refund: &Refund) -> Result<(), StoreError> {
        let row = &mut self.rewritten;
        row.int(refund.merchant_id.get()).int(refund.id.get()).int(refund.amount.minor());
        row.int(minor_of(refund.marketing, refund.amount.currency())?).text_or_null(extras_text(refund)?.as_deref());
        self.rewritten_of.push(refund.merchant_id);
        Ok(())
    }

    /// The statements; `rest` are events of refunds that the batch does not write.
    pub fn add_to(self, calls: &mut Calls, rest: BTreeMap<(MerchantId, RefundId), String>) {
        calls.add(&INSERT, self.inserted);
        calls.add_of(&UPDATE, self.updated, self.updated_of);
        calls.add_of(&REWRITE, self.rewritten, self.rewritten_of);
        let mut named = Rows::of(3);
        for ((merchant_id, id), text) in &rest {
            named.int(merchant_id.get()).int(id.get()).text(text);
        }
        calls.add_of(&NAME_EVENTS, named, rest.keys().map(|(merchant_id, _)| *merchant_id));
    }
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![&INSERT, &UPDATE, &REWRITE, &NAME_EVENTS]
}
