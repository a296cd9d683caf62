use std::collections::BTreeMap;

use refundry_engine::payment::Payment;

use super::findings::{Findings, Step};

/// What the disputes of payments sum up to. They are few.
#[derive(Default)]
pub struct Disputed(BTreeMap<(i64, i64), [i128; 3]>);

/// The three figures of a payment's disputes: chargebacks that were not won back, and how many chargebacks and retrievals are open.
pub const FIGURES: &str = "\
    CAST(sum(CASE WHEN kind = 'chargeback' AND state NOT IN ('won', 'withdrawn') THEN amount_minor ELSE 0 END) AS BIGINT), \
    CAST(sum(CASE WHEN kind = 'chargeback' AND state IN ('open', 'represented') THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(sum(CASE WHEN kind = 'retrieval' AND state IN ('open', 'represented') THEN 1 ELSE 0 END) AS BIGINT)";

impl Disputed {
    /// Those of one payment.
    pub fn add(&mut self, merchant_id: i64, payment_id: i64, figures: [i64; 3]) {
        self.0.insert((merchant_id, payment_id), figures.map(i128::from));
    }

    /// What a payment remembers of its disputes is what they say.
    pub fn check(&self, findings: &mut Findings, payment: &Payment) {
        let key = (payment.merchant_id.get(), payment.id.get());
        let [charged_back, chargebacks, retrievals] = self.0.get(&key).copied().unwrap_or_default();
        findings.turn_to(key.0, Step::Disputed, key.1);
        let row = || payment.id.to_string();
        findings.expect_number("payment_charged_back_is_sum_of_chargebacks", row, payment.charged_back.minor(), charged_back);
        findings.expect_number("payment_open_chargebacks_is_count_of_chargebacks", row, payment.open_chargebacks, chargebacks);
        findings.expect_number("payment_open_retrievals_is_count_of_retrievals", row, payment.open_retrievals, retrievals);
    }
}
