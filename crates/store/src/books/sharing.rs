use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::refund::RefundStateName;
use refundry_engine::share::{RefundSharing, Share, ShareState, Sharing};
use refundry_engine::{MerchantId, ShareId};
use serde::Deserialize;

use super::findings::{Findings, Step};
use super::refunds::counts;
use crate::StoreError;
use crate::rows::refund::{gross_minor, state_from};

/// A refund as far as the sums of its payment need it one by one: its state, what the shopper got of it less the fee that it gave back, its part in
/// shares, and its rare attributes.
#[derive(Deserialize)]
struct Row(String, i64, Option<String>, Option<String>);

/// What the shares of one payment and its refunds sum up to.
#[derive(Default)]
struct Sums {
    running: Vec<(ShareId, i64)>,
    planned: Vec<ShareId>,
    receivers: BTreeMap<MerchantId, [i128; 2]>,
    advanced: i128,
    from_unshared: i128,
    open: i128,
    gross: i128,
}

/// Whether the sums of a payment need its refunds one by one.
pub fn needs_each_refund(payment: &Payment) -> bool {
    payment.sharing.is_some() || payment.quote.is_some()
}

/// What a payment remembers of its shares is what its shares and refunds say, and so is what went back through its rate. Both come as arrays of JSON.
pub fn sharing(findings: &mut Findings, payment: &Payment, shares: Option<&str>, refunds: Option<&str>) -> Result<(), StoreError> {
    let mut sums = Sums::default();
    for share in listed::<Share>(shares)? {
        sums.add_share(&share);
    }
    for refund in listed::<Row>(refunds)? {
        sums.add_refund(&refund)?;
    }
    findings.turn_to(payment.merchant_id.get(), Step::Sharing, payment.id.get());
    let row = || payment.id.to_string();
    findings.expect_number("payment_converted_is_sum_of_refunds", row, payment.converted.refunded_minor, sums.gross);
    if let Some(sharing) = &payment.sharing {
        sums.check(findings, &row(), sharing);
    }
    Ok(())
}

fn listed<T: for<'de> Deserialize<'de>>(text: Option<&str>) -> Result<Vec<T>, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Unreadable { what: "share", why: error.to_string() };
    text.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(text).map_err(unreadable))
}

impl Sums {
    fn add_share(&mut self, share: &Share) {
        match &share.state {
            ShareState::Planned { .. } => self.planned.push(share.id),
            ShareState::Running => self.running.push((share.id, share.sum_minor())),
            ShareState::Succeeded { .. } => {
                for line in &share.lines {
                    self.receivers.entry(line.receiver_id).or_default()[0] += i128::from(line.amount.minor());
                }
            }
            ShareState::Cancelled { .. } | ShareState::Failed { .. } => {}
        }
    }

    fn add_refund(&mut self, Row(state, own_minor, of_shares, extras): &Row) -> Result<(), StoreError> {
        let known = || StoreError::Unreadable { what: "refund", why: format!("its state {state} is not known") };
        let state = state_from(state).ok_or_else(known)?;
        if !counts(state) {
            return Ok(());
        }
        self.open += i128::from(state != RefundStateName::Succeeded);
        self.gross += i128::from(gross_minor(extras.as_deref())?);
        let Some(of_shares) = of_shares else {
            // It was made before anything was shared: all of it came out of the pool.
            self.from_unshared += i128::from(*own_minor);
            return Ok(());
        };
        let unreadable = |error: serde_json::Error| StoreError::Unreadable { what: "refund", why: error.to_string() };
        let of_shares: RefundSharing = serde_json::from_str(of_shares).map_err(unreadable)?;
        for line in &of_shares.lines {
            self.receivers.entry(line.receiver_id).or_default()[1] += i128::from(line.amount_minor);
        }
        self.advanced += i128::from(of_shares.advance_minor);
        self.from_unshared += i128::from(of_shares.from_unshared_minor);
        Ok(())
    }

    fn check(mut self, findings: &mut Findings, payment: &str, sharing: &Sharing) {
        self.running.sort_unstable();
        self.planned.sort_unstable();
        let running = |running: &[(ShareId, i64)]| joined(running.iter().map(|(id, minor)| format!("{id} {minor}")));
        findings.expect("payment_names_its_running_shares", payment, running(&sharing.running), running(&self.running));
        let planned = |planned: &[ShareId]| joined(planned.iter().map(ShareId::to_string));
        findings.expect("payment_names_its_planned_shares", payment, planned(&sharing.planned), planned(&self.planned));
        let mut recovered = 0;
        for (receiver_id, part) in &sharing.receivers {
            let [shared, returned] = self.receivers.remove(receiver_id).unwrap_or_default();
            let row = || format!("{payment} {receiver_id}");
            recovered += i128::from(part.recovered_minor);
            findings.expect_number("shared_is_sum_of_shares", row, part.shared_minor, shared);
            let returned = returned + i128::from(part.recovered_minor);
            findings.expect_number("returned_is_sum_of_refunds_and_recoveries", row, part.returned_minor, returned);
            if returned > shared {
                findings.expect("returned_is_within_shared", row(), returned, format!("at most {shared}"));
            }
        }
        for (receiver_id, [shared, returned]) in self.receivers {
            let row = || format!("{payment} {receiver_id}");
            findings.expect_number("shared_is_sum_of_shares", row, 0, shared);
            findings.expect_number("returned_is_sum_of_refunds_and_recoveries", row, 0, returned);
        }
        let row = || payment.to_owned();
        findings.expect_number("advanced_is_sum_of_refunds_less_recoveries", row, sharing.advanced_minor, self.advanced - recovered);
        findings.expect_number("from_unshared_is_sum_of_refunds", row, sharing.from_unshared_minor, self.from_unshared);
        findings.expect_number("open_refunds_is_count_of_refunds", row, sharing.open_refunds, self.open);
    }
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// How many rows there are beside a share.
pub struct ShareBeside {
    /// Tasks that are its next step.
    pub steps: i64,
    /// Payments that are its own.
    pub payments: i64,
    /// Keys that lead to it.
    pub keys: i64,
}

/// A share has its payment and its key, and a next step unless it is over.
pub fn share(findings: &mut Findings, share: &Share, beside: &ShareBeside) {
    findings.turn_to(share.merchant_id.get(), Step::Shares, share.id.get());
    let row = || share.id.to_string();
    findings.expect_number("share_has_one_next_step", row, beside.steps, i64::from(share.state.ended_at().is_none()));
    findings.expect_number("share_has_its_payment", row, beside.payments, 1);
    findings.expect_number("share_has_its_key", row, beside.keys, 1);
}

/// What was shared for a key is not there.
pub fn key_without_share(findings: &mut Findings, merchant_id: i64, number: &str, share_id: i64) {
    findings.turn_to(merchant_id, Step::KeysOfShares, share_id);
    let row = format!("{} {number}", MerchantId::new(merchant_id));
    findings.expect("remembered_key_has_its_share", row, "no share", ShareId::new(share_id));
}
