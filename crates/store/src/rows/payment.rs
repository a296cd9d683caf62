//! How a payment is stored.

use std::sync::{Arc, LazyLock};

use refundry_engine::payment::{Converted, Payment, PaymentDetails};
use refundry_engine::settlement::Settling;
use refundry_engine::{MerchantId, PaymentId, TerminalId, Timestamp};

use super::columns::{ReadColumns, json_text};
use crate::StoreError;
use crate::words::{mode_from, status_from};

/// The columns of a payment, in the order in which [`read`] wants them; filters read the first six by place.
pub const COLUMNS: &str = "merchant_id, payment_id, mode, status, currency, merchant_reference, payment_reference, terminal_id, method, \
    paid_at, authorised_minor, captured_minor, marketing_minor, fee_minor, reserved_minor, quote, notify_url, details, created_at, settled, \
    charged_back_minor, open_chargebacks, open_retrievals, refunded_minor, refunded_marketing_minor, refund_count, fee_given_back_minor, \
    unsettled_left_minor, reserve_left_minor, updated_at, settle_at, reserve_release_at, reconciled_at, settling, converted, sharing";

const NO_DETAILS_TEXT: &str = "{}";
const NOTHING_SAID: &str = "{}";
static NO_DETAILS: LazyLock<Arc<PaymentDetails>> = LazyLock::new(Arc::default);

/// What was read of a payment and no refund changes; compared before the longer statements are run.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    details: Arc<PaymentDetails>,
    status: refundry_engine::payment::PaymentStatus,
    fixed: [i64; 7],
    method: String,
    notify_url: Option<String>,
    quote: Option<refundry_engine::payment::SettlementQuote>,
    settling: Settling,
    converted: Converted,
}

impl Facts {
    /// The facts of a payment.
    pub fn of(payment: &Payment) -> Self {
        Self {
            details: Arc::clone(&payment.details),
            status: payment.status,
            fixed: [
                payment.terminal_id.get(),
                payment.paid_at.us(),
                payment.authorised.minor(),
                payment.captured.minor(),
                payment.marketing.minor(),
                payment.fee.minor(),
                payment.reserved.minor(),
            ],
            method: payment.method.clone(),
            notify_url: payment.notify_url.clone(),
            quote: payment.quote.clone(),
            settling: payment.settling.clone(),
            converted: payment.converted,
        }
    }
}

/// Reads a payment.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Payment, StoreError> {
    let merchant_id = MerchantId::new(columns.int()?);
    let id = PaymentId::new(columns.int()?);
    let mode = columns.word(mode_from)?;
    let status = columns.word(status_from)?;
    let currency = columns.currency()?;
    Ok(Payment {
        id,
        merchant_id,
        mode,
        status,
        merchant_reference: columns.string()?,
        payment_reference: columns.string()?,
        terminal_id: TerminalId::new(columns.int()?),
        method: columns.string()?,
        paid_at: columns.instant()?,
        authorised: columns.money(currency)?,
        captured: columns.money(currency)?,
        marketing: columns.money(currency)?,
        fee: columns.money(currency)?,
        reserved: columns.money(currency)?,
        quote: columns.json_or_null()?,
        notify_url: columns.string_or_null()?,
        details: read_details(columns)?,
        created_at: columns.instant()?,
        settled: columns.flag()?,
        charged_back: columns.money(currency)?,
        open_chargebacks: columns.small()?,
        open_retrievals: columns.small()?,
        refunded: columns.money(currency)?,
        refunded_marketing: columns.money(currency)?,
        refund_count: columns.small()?,
        fee_given_back: columns.money(currency)?,
        unsettled_left: columns.money(currency)?,
        reserve_left: columns.money(currency)?,
        updated_at: columns.instant()?,
        settling: read_settling(columns)?,
        converted: columns.json_or_null()?.unwrap_or_default(),
        sharing: columns.json_or_null()?,
    })
}

/// The columns of what a payment knows of its settlement.
fn read_settling<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Settling, StoreError> {
    let instants = [columns.int_or_null()?, columns.int_or_null()?, columns.int_or_null()?];
    let [settle_at, reserve_release_at, reconciled_at] = instants.map(|us| us.map(Timestamp::from_us));
    let rest: Option<Settling> = columns.json_or_null()?;
    Ok(Settling { settle_at, reserve_release_at, reconciled_at, ..rest.unwrap_or_default() })
}

/// What is stored as JSON of a payment's settlement; nothing while there is nothing to say.
pub fn settling_text(settling: &Settling) -> Result<Option<String>, StoreError> {
    let text = json_text(settling)?;
    Ok((text != NOTHING_SAID).then_some(text))
}

/// What went through a payment's rate, as it is stored; most payments have none.
pub fn converted_text(payment: &Payment) -> Result<Option<String>, StoreError> {
    if payment.converted == Converted::default() { Ok(None) } else { json_text(&payment.converted).map(Some) }
}

fn read_details<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Arc<PaymentDetails>, StoreError> {
    let text = columns.text()?;
    if text == NO_DETAILS_TEXT {
        return Ok(Arc::clone(&NO_DETAILS));
    }
    serde_json::from_str(text).map(Arc::new).map_err(|error| columns.unreadable(&error.to_string()))
}
