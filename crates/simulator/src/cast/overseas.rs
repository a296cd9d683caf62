//! The Oceanpayment terminal of each merchant, with rules that the others have not: several that call for a review, two reviewers, hours of any
//! clock, authorisations that end. It has dice of its own, so that the rest of a seed's cast is what it would be without it.

use std::collections::BTreeMap;

use refundry_dialects::{Signer, scheme};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::merchant::{NoticeForm, Standing, Terminal, WireSettings};
use refundry_engine::policy::{FeeRule, FundsCheck, PolicyPatch, ReviewRule, ReviewTrigger, VelocityOf};
use refundry_engine::{CredentialId, MerchantId, Mode, TerminalId, Timestamp};
use refundry_service::keyring::credential_purpose;
use refundry_service::signatures::sha256_of;

use super::{ACQUIRERS, CastMerchant, host, id, master_keys, policy};
use crate::dice::{Dice, SeededRandom};

const DIALECT: &str = "oceanpayment";
const SECRET: &[u8] = b"sim-secure-code-0123456789";

/// What a merchant proves itself with.
pub struct SecureCode;

impl Signer for SecureCode {
    fn key_version(&self) -> u32 {
        1
    }

    /// There is no key pair.
    fn rsa_sha256(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        Some(sha256_of(&[message, SECRET]))
    }
}

/// The account number of a merchant.
pub fn account(merchant: usize) -> String {
    format!("15000{merchant}")
}

/// The number of its terminal.
pub fn terminal_number(merchant: usize) -> String {
    format!("15000{merchant}01")
}

pub(super) fn terminal(number: usize, seed: u64, merchant_id: MerchantId) -> Terminal {
    let mut dice = Dice::new(seed, &format!("overseas cast {number}"));
    let notice_form = *dice.pick(&[NoticeForm::Xml, NoticeForm::Form]);
    Terminal {
        id: TerminalId::new(id(number + 70)),
        merchant_id,
        mode: Mode::Live,
        name: format!("Oceanpayment of shop {number}"),
        dialect: DIALECT.to_owned(),
        standing: Standing::Active,
        policy: rules(&mut dice),
        method_policies: BTreeMap::new(),
        notify_url: Some(format!("https://{}/{DIALECT}", host(number))),
        acquirer: (*dice.pick(&ACQUIRERS)).to_owned(),
        wire: WireSettings { account: Some(account(number)), notice_form, ..WireSettings::default() },
        forced_answers: Vec::new(),
    }
}

fn rules(dice: &mut Dice) -> PolicyPatch {
    let hours = dice.between(0, 11);
    let hours = [hours, hours + 12].map(|hour| u8::try_from(hour).unwrap_or(0)).to_vec();
    let any_hour = FundsCheck::AtHours { hours, utc_offset_minutes: *dice.pick(&[480, 0, -300, 345]) };
    let usual = policy(dice);
    PolicyPatch {
        funds_check: Some(dice.pick(&[FundsCheck::OnCredit, any_hour]).clone()),
        review: Some(dice.pick(&[ReviewRule::None, any_of(), any_of(), ReviewRule::Above { minor: 1_500 }]).clone()),
        second_reviewer_above_minor: Some(*dice.pick(&[None, Some(1_000), Some(4_000)])),
        authorisation_days: Some(1),
        chargeback_fee_minor: Some(*dice.pick(&[0, 35])),
        chargeback_fee: Some(*dice.pick(&[FeeRule::Keep, FeeRule::GiveBack])),
        ..usual
    }
}

fn any_of() -> ReviewRule {
    let velocity = ReviewTrigger::Velocity { hours: 24, refunds: Some(2), minor: Some(6_000), of: VelocityOf::Terminal };
    let fraud = ReviewTrigger::Reason { one_of: vec!["Fraud".to_owned()] };
    ReviewRule::AnyOf { rules: vec![ReviewTrigger::Share { percent: 60 }, fraud, velocity, ReviewTrigger::PaymentAge { days: 5 }] }
}

pub(super) fn credential(number: usize, seed: u64, one: &CastMerchant, now: Timestamp) -> Credential {
    let mut row = super::credential(number, one, now);
    row.id = CredentialId::new(id(number + 80));
    row.holder = Holder::Terminal { merchant_id: one.merchant.id, terminal_id: one.oceanpayment.id };
    DIALECT.clone_into(&mut row.dialect);
    row.lookup = terminal_number(number);
    scheme::SECURE_CODE.clone_into(&mut row.scheme);
    let random = SeededRandom::new(seed, &format!("secure code {number}"));
    row.sealed_secret = master_keys().seal(&credential_purpose(&row), SECRET, &random);
    row
}
