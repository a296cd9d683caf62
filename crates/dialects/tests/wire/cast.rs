//! Who plays in the golden files: callers with their keys, a refund in every state, and the clock.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use refundry_dialects::antom::ENTRY;
use refundry_dialects::sharing::NamedPayment;
use refundry_dialects::{Announcement, Claimed, Context, Keys, NotificationRequest, RefundWish, Signer, Subject, scheme};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::ids::compose;
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::{PaymentKey, SettlementQuote};
use refundry_engine::refund::{ArnState, FailReason, Holds, Refund, RefundState, ReviewHold, Submission};
use refundry_engine::{Actor, CredentialId, MerchantId, Mode, PaymentId, RefundId, TerminalId, Timestamp};
use refundry_ledger::Money;

/// Every answer is given at 2026-11-22T15:01:05.250+08:00.
pub const NOW: Timestamp = Timestamp::from_ms(1_795_330_865_250);
pub const REFUND_AT: Timestamp = Timestamp::from_ms(1_795_330_863_913);
const ENDED_AT: Timestamp = Timestamp::from_ms(1_795_330_864_800);

/// Client ids that exist; each has the key `merchant` in version 1 and `merchant2` in version 2, except the last, which has none.
const CLIENTS: [&str; 3] = ["5YTEST0000000001", "SANDBOX_5YTEST0000000001", "5YNOKEY"];
/// The one API key.
pub const API_KEY: &str = "isak_TEST_shop1_Rk9SLVRFU1RT_b25seQ";
const API_KEY_LOOKUP: &str = "isak_TEST_shop1";

/// The keys of a claimed caller; `None` when nobody has that name.
pub fn keys_of(claimed: &Claimed) -> Option<TestKeys> {
    let known = CLIENTS.contains(&claimed.lookup.as_str()) || claimed.lookup == API_KEY_LOOKUP;
    known.then(|| TestKeys { empty: claimed.lookup == "5YNOKEY", tokens: claimed.scheme == scheme::API_KEY })
}

pub struct TestKeys {
    empty: bool,
    tokens: bool,
}

impl Keys for TestKeys {
    fn is_empty(&self) -> bool {
        self.empty
    }

    fn rsa_sha256(&self, key_version: Option<u32>, message: &[u8], signature: &[u8]) -> bool {
        let keys = [(1, include_str!("../keys/merchant.spki.b64")), (2, include_str!("../keys/merchant2.spki.b64"))];
        let fits = |version| key_version.is_none_or(|wanted| wanted == version);
        !self.tokens && keys.iter().any(|(version, key)| fits(*version) && verify(key, message, signature))
    }

    fn sm2(&self, _message: &[u8], _signature: &[u8]) -> bool {
        false
    }

    fn token(&self, token: &str) -> bool {
        self.tokens && token == API_KEY
    }

    fn secret_sha256(&self, _message: &[u8], _digest: &[u8]) -> bool {
        false
    }

    fn account(&self) -> Option<&str> {
        None
    }

    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Our side's key, in version 1.
pub struct AntomSigner;

impl Signer for AntomSigner {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        sign("antom", message)
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

/// Whether it is signed with our side's key.
pub fn is_ours(message: &[u8], signature: &[u8]) -> bool {
    verify(include_str!("../keys/antom.spki.b64"), message, signature)
}

/// Signs with one of the private keys.
pub fn sign(key: &str, message: &[u8]) -> Vec<u8> {
    let text = match key {
        "merchant" => include_str!("../keys/merchant.pkcs8.b64"),
        "merchant2" => include_str!("../keys/merchant2.pkcs8.b64"),
        "antom" => include_str!("../keys/antom.pkcs8.b64"),
        "wrong" => include_str!("../keys/wrong.pkcs8.b64"),
        other => panic!("there is no key {other}"),
    };
    let pair = KeyPair::from_pkcs8(&BASE64_STANDARD.decode(text).unwrap()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

fn verify(spki: &str, message: &[u8], signature: &[u8]) -> bool {
    let key = BASE64_STANDARD.decode(spki).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature).is_ok()
}

/// The refund that an inquiry finds.
pub fn inquired() -> RefundWish {
    let payment = PaymentKey::Reference("20261120190741010007000000000017".into());
    RefundWish::new("20261122test0001".into(), payment, Money::new(1_000, "EUR".parse().unwrap()))
}

/// The refund that a wish became, in a state of [`state`], with words of the outcome's line such as `quote` after it.
pub fn refund(wish: &RefundWish, state: RefundState, words: &[&str]) -> Refund {
    let NamedPayment::Key(PaymentKey::Reference(payment_reference)) = wish.payment.clone() else {
        panic!("Antom names payments by reference")
    };
    let amount = wish.amount.money().expect("Antom names the currency");
    let zero = Money::zero(amount.currency());
    let quote = words.iter().any(|word| word.ends_with("quote")).then(|| quote(!words.contains(&"unlocked_quote")));
    Refund {
        id: RefundId::new(compose(REFUND_AT.ms(), 7, 42)),
        merchant_id: MerchantId::new(1),
        terminal_id: TerminalId::new(2),
        payment_id: PaymentId::new(3),
        payment_reference,
        mode: Mode::Live,
        dialect: "antom".into(),
        number: wish.number.clone(),
        merchant_reference: wish.merchant_reference.clone(),
        amount,
        marketing: zero,
        refund_fee: zero,
        fee_given_back: zero,
        sharing: None,
        gross_settlement: quote.as_ref().map(|quote| {
            Money::new(amount.minor() / 100_000 * 108_512 + amount.minor() % 100_000 * 108_512 / 100_000, quote.settlement_currency)
        }),
        quote,
        reason: wish.reason.clone(),
        metadata: wish.metadata.clone().or_else(|| words.contains(&"metadata").then(|| "{\"table\":\"7/外\"}".into())),
        notify_url: wish.notify_url.clone(),
        batch: None,
        edits: 0,
        applicant: Actor::Merchant("till".into()),
        created_at: REFUND_AT,
        updated_at: ENDED_AT,
        drawn: None,
        acquirer: "simulated".into(),
        acquirer_reference: None,
        attempts: 1,
        state,
    }
}

fn quote(guaranteed: bool) -> SettlementQuote {
    SettlementQuote {
        quote_id: Some("20261120quote0001".into()),
        settlement_currency: "USD".parse().unwrap(),
        price_mantissa: 1_085_120,
        price_scale: 6,
        start_at: Some(Timestamp::from_ms(1_795_104_000_000)),
        expiry_at: Some(Timestamp::from_ms(1_795_190_400_000)),
        guaranteed,
    }
}

/// A state by the word that golden files use.
pub fn state(word: &str) -> RefundState {
    let failed = |reason| RefundState::Failed { at: ENDED_AT, reason, paid_anyway_at: None };
    let arn = |at| ArnState::Known { arn: "74537604221222132710572".parse().unwrap(), at };
    match word {
        "pending" => RefundState::Pending { holds: Holds::default() },
        "in_review" => {
            let review = Some(ReviewHold::new(REFUND_AT, true));
            RefundState::Pending { holds: Holds { review, ..Holds::default() } }
        }
        "submitted" => RefundState::Submitted { attempt: 1, at: REFUND_AT, submission: Submission::InFlight },
        "unresolved" => RefundState::Unresolved { attempt: 1, submitted_at: REFUND_AT, since: ENDED_AT, asked: 2 },
        "succeeded" => RefundState::Succeeded { at: ENDED_AT, arn: ArnState::Awaited },
        "succeeded_with_arn" => RefundState::Succeeded { at: ENDED_AT, arn: arn(ENDED_AT) },
        "succeeded_with_late_arn" => RefundState::Succeeded { at: ENDED_AT, arn: arn(NOW) },
        "declined" => failed(FailReason::DeclinedByAcquirer { code: "51".into(), text: "insufficient".into() }),
        "rejected" => failed(FailReason::RejectedByReviewer { by: Actor::Operator("eve".into()), note: "twice".into() }),
        "funds_expired" => failed(FailReason::FundsExpired),
        "not_enough_funds" => failed(FailReason::NotEnoughFunds),
        "cancelled" => RefundState::Cancelled { at: ENDED_AT, by: Actor::Merchant("till".into()), paid_anyway_at: None },
        "returned" => RefundState::Returned { at: NOW, reason: "account closed".into(), succeeded_at: ENDED_AT, arn: ArnState::Awaited },
        other => panic!("there is no state {other}"),
    }
}

/// The notification of an event about a refund, to a path of the first client's.
pub fn announce(event: &str, refund: &Refund, path: &str) -> Option<NotificationRequest> {
    let event = Event {
        merchant_id: refund.merchant_id,
        sequence: 12,
        at: refund.updated_at,
        actor: Actor::Acquirer,
        payment_id: Some(refund.payment_id),
        refund_id: Some(refund.id),
        kind: EventKind::from_word(event).unwrap(),
        facts: Vec::new(),
    };
    let credential = credential(CLIENTS[0]);
    let context = Context {
        path,
        body: &[],
        lookup: CLIENTS[0],
        scheme: scheme::RSA,
        now: NOW,
        settings: &WireSettings::default(),
        proved: true,
        signer: &AntomSigner,
    };
    ENTRY.dialect.notify(
        &Announcement {
            event: &event,
            subject: Subject::Refund(refund),
            payment: None,
            credential: &credential,
            settings: &WireSettings::default(),
        },
        &context,
    )
}

fn credential(lookup: &str) -> Credential {
    Credential {
        id: CredentialId::new(4),
        holder: Holder::Merchant { merchant_id: MerchantId::new(1) },
        dialect: "antom".into(),
        lookup: lookup.into(),
        scheme: scheme::RSA.into(),
        key_version: 1,
        proof: String::new(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: Vec::new(),
        name: "till".into(),
        person_id: None,
        issued_by: None,
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}
