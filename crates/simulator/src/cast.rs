//! Who takes part in a run: merchants, terminals with rules from the seed, and their keys.

mod overseas;

use std::collections::BTreeMap;

use refundry_dialects::scheme;
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::ids::{EPOCH_MS, compose};
use refundry_engine::merchant::{Endpoint, Merchant, Standing, Terminal};
use refundry_engine::payout::{PayoutDays, PayoutTerms, ReservePayouts};
use refundry_engine::policy::{FeeRule, FundsCheck, FundsOrder, FundsRule, PolicyPatch, ReviewRule};
use refundry_engine::settlement::{SettlementCondition, SettlementPatch};
use refundry_engine::{Act, CredentialId, EndpointId, MerchantId, Mode, TerminalId, Timestamp};
use refundry_service::endpoints::endpoint_purpose;
use refundry_service::keyring::credential_purpose;
use refundry_service::seal::MasterKeys;
use refundry_service::tokens::token_digest;

use crate::dice::{Dice, SeededRandom};

pub use overseas::{SecureCode, account, terminal_number};

/// Merchants of a run.
pub const MERCHANTS: usize = 3;
/// Terminals of each merchant over which its usual trade comes.
pub const TERMINALS: usize = 3;
/// The place of the terminal over which the rest comes: that of Oceanpayment.
pub const OVERSEAS: usize = 3;
/// The platform acts for so many of the merchants, the first ones.
pub const LINKED: usize = 2;
/// Currencies in which anybody may have money.
pub const CURRENCIES: [&str; 3] = ["EUR", "JPY", "USD"];
/// Acquirers of a run, by name; the second pays twice when it is told twice.
pub const ACQUIRERS: [&str; 2] = ["careful", "careless"];

const MASTER_KEY: &str = "sim:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OUR_PRIVATE_KEY: &str = include_str!("../fixtures/ours.private.b64");
const OUR_PUBLIC_KEY: &str = include_str!("../fixtures/ours.public.b64");
const MERCHANT_PUBLIC_KEY: &str = include_str!("../fixtures/merchant.public.b64");
/// The key with which merchants sign.
pub const MERCHANT_PRIVATE_KEY: &str = include_str!("../fixtures/merchant.private.b64");

/// One merchant with its terminals.
#[derive(Clone, Debug)]
pub struct CastMerchant {
    /// The merchant.
    pub merchant: Merchant,
    /// Its Antom terminal.
    pub antom: Terminal,
    /// Its native terminal.
    pub native: Terminal,
    /// Another one, with other rules.
    pub counter: Terminal,
    /// Its Oceanpayment terminal.
    pub oceanpayment: Terminal,
    /// Whether the Antom terminal proves itself by signatures, or by an API key.
    pub signs: bool,
}

/// Everybody of a run.
pub struct Cast {
    /// The merchants.
    pub merchants: Vec<CastMerchant>,
    /// What the platform proves itself with.
    pub platform: Credential,
    credentials: Vec<Credential>,
}

impl CastMerchant {
    /// All its terminals.
    pub const fn terminals(&self) -> [&Terminal; TERMINALS + 1] {
        [&self.antom, &self.native, &self.counter, &self.oceanpayment]
    }
}

/// The keys under which the run's secrets are sealed.
///
/// # Panics
/// Never: the constant is a key.
pub fn master_keys() -> MasterKeys {
    MasterKeys::parse(MASTER_KEY).expect("the simulator's master key is one line of 32 bytes")
}

/// What the Antom terminal of a merchant is called in its dialect.
pub fn client_id(merchant: usize) -> String {
    format!("CLIENT{merchant}")
}

/// The API key of the Antom terminal of a merchant.
pub fn api_key(merchant: usize) -> String {
    format!("isak_PROD_shop{merchant}_0123456789abcdef")
}

/// The part of a merchant's addresses by which it is known.
pub fn host(merchant: usize) -> String {
    format!("shop{merchant}.example")
}

impl Cast {
    /// The cast of a seed.
    pub fn of(seed: u64, now: Timestamp) -> Self {
        let mut dice = Dice::new(seed, "cast");
        let mut credentials = Vec::new();
        let merchants: Vec<CastMerchant> = (0..MERCHANTS).map(|number| merchant(number, seed, &mut dice)).collect();
        for (number, one) in merchants.iter().enumerate() {
            credentials.push(signing_credential(number, seed, one, now));
            credentials.push(token_credential(number, one, now));
            credentials.push(overseas::credential(number, seed, one, now));
        }
        let platform = platform_credential(&merchants, now);
        credentials.push(platform.clone());
        Self { merchants, platform, credentials }
    }

    /// What puts everybody into an empty store.
    pub fn acts(&self) -> Vec<Act> {
        let mut acts: Vec<Act> = self.merchants.iter().map(|one| Act::PutMerchant(Box::new(one.merchant.clone()))).collect();
        for one in &self.merchants {
            acts.extend(one.terminals().map(|terminal| Act::PutTerminal(Box::new(terminal.clone()))));
        }
        acts.extend(self.credentials.iter().map(|row| Act::PutCredential(Box::new(row.clone()))));
        acts
    }
}

fn id(number: usize) -> i64 {
    compose(EPOCH_MS + 1_000, 0, u16::try_from(number).unwrap_or(0))
}

fn merchant(number: usize, seed: u64, dice: &mut Dice) -> CastMerchant {
    let merchant_id = MerchantId::new(id(number + 1));
    let endpoint_id = EndpointId::new(id(number + 10));
    let random = SeededRandom::new(seed, &format!("endpoint {number}"));
    let secret = "whsec_c2ltdWxhdG9yLXNlY3JldC0xMjM0NTY3ODkwMTI=";
    let endpoint = Endpoint {
        id: endpoint_id,
        url: format!("https://{}/native", host(number)),
        sealed_secret: master_keys().seal(&endpoint_purpose(endpoint_id), secret.as_bytes(), &random),
        events: Vec::new(),
        enabled: true,
    };
    let merchant = Merchant {
        id: merchant_id,
        mode: Mode::Live,
        name: format!("Shop {number}"),
        account: None,
        standing: Standing::Active,
        policy: PolicyPatch::default(),
        payout_terms: [("EUR", payout_terms(dice)), ("JPY", payout_terms(dice))].map(|(code, terms)| (code.to_owned(), terms)).into(),
        // The last merchant hears of nothing but what its dialect says.
        endpoints: if number + 1 < MERCHANTS { vec![endpoint] } else { Vec::new() },
    };
    let terminal = |place: usize, dialect: &str, notify_url: Option<String>, dice: &mut Dice| Terminal {
        id: TerminalId::new(id(number * TERMINALS + place + 20)),
        merchant_id,
        mode: Mode::Live,
        name: format!("{dialect} of shop {number}"),
        dialect: dialect.to_owned(),
        standing: Standing::Active,
        policy: policy(dice),
        method_policies: BTreeMap::new(),
        notify_url,
        acquirer: (*dice.pick(&ACQUIRERS)).to_owned(),
        wire: Default::default(),
        forced_answers: Vec::new(),
    };
    let antom = terminal(0, "antom", Some(format!("https://{}/antom", host(number))), dice);
    let native = terminal(1, "native", None, dice);
    let counter = terminal(2, "native", None, dice);
    let oceanpayment = overseas::terminal(number, seed, merchant_id);
    CastMerchant { merchant, antom, native, counter, oceanpayment, signs: dice.percent(50) }
}

fn settlement(dice: &mut Dice) -> SettlementPatch {
    let fixed: &[&[(&str, i64)]] = &[&[], &[], &[("EUR", 3_000)], &[("EUR", 500), ("JPY", 900)]];
    let conditions = [
        SettlementCondition::None,
        SettlementCondition::None,
        SettlementCondition::None,
        SettlementCondition::TrackingUploaded,
        SettlementCondition::Delivered,
    ];
    SettlementPatch {
        reviewed: Some(dice.percent(15)),
        trade_days: Some(*dice.pick(&[None, Some(0), Some(1), Some(3)])),
        reserve_days: Some(*dice.pick(&[None, Some(1), Some(4)])),
        utc_offset_minutes: Some(*dice.pick(&[480, 480, -300])),
        accounting_currency: None,
        condition: Some(*dice.pick(&conditions)),
        rolling_reserve_bps: Some(*dice.pick(&[0, 500, 1_000])),
        fixed_reserve_minor: Some(dice.pick(fixed).iter().map(|(code, minor)| ((*code).to_owned(), *minor)).collect()),
        fee_bps: Some(*dice.pick(&[0, 290])),
        fee_fixed_minor: Some(*dice.pick(&[0, 15])),
    }
}

fn payout_terms(dice: &mut Dice) -> PayoutTerms {
    let weekly = PayoutDays::Weekly { weekdays: vec![2, 5] };
    PayoutTerms {
        days: dice.pick(&[PayoutDays::None, PayoutDays::Daily, PayoutDays::Daily, weekly]).clone(),
        at_minute: u16::try_from(dice.below(1_440)).unwrap_or(0),
        minimum_minor: *dice.pick(&[0, 0, 2_000]),
        keep_minor: *dice.pick(&[0, 0, 500]),
        reserve: *dice.pick(&[ReservePayouts::Apart, ReservePayouts::WithTrade]),
        ..PayoutTerms::default()
    }
}

fn policy(dice: &mut Dice) -> PolicyPatch {
    PolicyPatch {
        funds: Some(*dice.pick(&[FundsRule::Wait, FundsRule::Wait, FundsRule::Refuse, FundsRule::FailLater])),
        funds_wait_days: Some(1),
        funds_order: Some(*dice.pick(&[FundsOrder::Strict, FundsOrder::Strict, FundsOrder::Skip])),
        funds_check: Some(if dice.percent(75) { FundsCheck::OnCredit } else { FundsCheck::oceanpayment() }),
        review: Some(dice.pick(&[ReviewRule::None, ReviewRule::None, ReviewRule::Above { minor: 3_000 }, ReviewRule::All]).clone()),
        undo_seconds: Some(*dice.pick(&[0, 0, 0, 20])),
        original_fee: Some(*dice.pick(&[FeeRule::Keep, FeeRule::GiveBack])),
        refund_fee_minor: Some(*dice.pick(&[0, 0, 25])),
        synchronous_wait_ms: Some(*dice.pick(&[0, 2_000])),
        draw_unsettled: Some(dice.percent(80)),
        draw_reserve: Some(dice.percent(60)),
        settlement: settlement(dice),
        ..PolicyPatch::default()
    }
}

fn signing_credential(number: usize, seed: u64, one: &CastMerchant, now: Timestamp) -> Credential {
    let mut row = credential(number, one, now);
    row.id = CredentialId::new(id(number + 40));
    row.lookup = client_id(number);
    scheme::RSA.clone_into(&mut row.scheme);
    MERCHANT_PUBLIC_KEY.trim().clone_into(&mut row.proof);
    OUR_PUBLIC_KEY.trim().clone_into(&mut row.public_key);
    let random = SeededRandom::new(seed, &format!("credential {number}"));
    row.sealed_secret = master_keys().seal(&credential_purpose(&row), OUR_PRIVATE_KEY.trim().as_bytes(), &random);
    row
}

fn token_credential(number: usize, one: &CastMerchant, now: Timestamp) -> Credential {
    let token = api_key(number);
    let lookup = token.rsplit_once('_').map_or(token.as_str(), |(public, _)| public).to_owned();
    let scheme = scheme::API_KEY.to_owned();
    Credential { id: CredentialId::new(id(number + 50)), lookup, scheme, proof: token_digest(&token), ..credential(number, one, now) }
}

/// Acts for the linked merchants, and for no other.
fn platform_credential(merchants: &[CastMerchant], now: Timestamp) -> Credential {
    let merchant_ids = merchants.iter().take(LINKED).map(|one| one.merchant.id).collect();
    let token = "rk_platform_0123456789abcdef";
    Credential {
        id: CredentialId::new(id(60)),
        holder: Holder::Platform { mode: Mode::Live, merchant_ids },
        dialect: "native".to_owned(),
        lookup: "rk_platform".to_owned(),
        scheme: scheme::API_KEY.to_owned(),
        proof: token_digest(token),
        name: "platform".to_owned(),
        ..credential(0, &merchants[0], now)
    }
}

fn credential(number: usize, one: &CastMerchant, now: Timestamp) -> Credential {
    Credential {
        id: CredentialId::new(0),
        holder: Holder::Terminal { merchant_id: one.merchant.id, terminal_id: one.antom.id },
        dialect: "antom".to_owned(),
        lookup: String::new(),
        scheme: String::new(),
        key_version: 1,
        proof: String::new(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: vec!["refunds:write".to_owned(), "refunds:read".to_owned()],
        name: format!("shop {number}"),
        person_id: None,
        issued_by: None,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    }
}
