//! Who plays in Baofoo's golden files: a merchant with three terminals, its agent, an order whose money is shared.

use std::sync::{Arc, LazyLock};

use refundry_dialects::baofoo::ENTRY;
use refundry_dialects::sharing::{NamedPayment, OrderBalance};
use refundry_dialects::{Announcement, Claimed, Context, Keys, NotificationRequest, RefundWish, Signer, Subject, scheme};
use refundry_engine::asked::AskedAmount;
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::{Converted, Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::refund::{FailReason, Refund, RefundState};
use refundry_engine::share::{Share, ShareCancelReason, ShareFailReason, ShareLine, ShareState};
use refundry_engine::{Actor, CredentialId, MerchantId, Mode, PaymentId, RefundId, ShareId, TerminalId, Timestamp, ids};
use refundry_ledger::Money;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};

pub use crate::cast::NOW;
use crate::cast::{self, REFUND_AT};

pub const ACCOUNT: &str = "100000";
/// Signs with RSA.
pub const TERMINAL: &str = "200000";
/// Signs with SM2.
pub const SM2_TERMINAL: &str = "200001";
/// Has no key.
const TERMINAL_WITHOUT_KEY: &str = "200009";
pub const AGENT: (&str, &str) = ("900000", "900001");
pub const TRADE_NO: &str = "261120190741010100000017";
pub const ORDER_NUMBER: &str = "PAY20261120001";
const USER_ID: &str = "1234567812345678";
const PAID_AT: Timestamp = Timestamp::from_ms(1_795_172_861_000);
const ENDED_AT: Timestamp = Timestamp::from_ms(1_795_330_864_800);

/// The keys of a claimed caller; `None` when nobody has that name.
pub fn keys_of(claimed: &Claimed) -> Option<CallerKeys> {
    let known = |account: &str, terminal: &str| claimed.lookup == format!("{account}/{terminal}");
    let pair = |scheme: &'static str| CallerKeys { scheme: (claimed.scheme == scheme).then_some(scheme) };
    if known(ACCOUNT, TERMINAL) || known(AGENT.0, AGENT.1) {
        return Some(pair(scheme::RSA));
    }
    if known(ACCOUNT, SM2_TERMINAL) {
        return Some(pair(scheme::SM2));
    }
    known(ACCOUNT, TERMINAL_WITHOUT_KEY).then_some(CallerKeys { scheme: None })
}

pub struct CallerKeys {
    scheme: Option<&'static str>,
}

impl Keys for CallerKeys {
    fn is_empty(&self) -> bool {
        self.scheme.is_none()
    }

    fn rsa_sha256(&self, _key_version: Option<u32>, message: &[u8], signature: &[u8]) -> bool {
        self.scheme == Some(scheme::RSA) && cast::sign("merchant", message) == signature
    }

    fn sm2(&self, message: &[u8], signature: &[u8]) -> bool {
        self.scheme == Some(scheme::SM2) && sm2_verify(sm2_key("merchant").verifying_key(), message, signature)
    }

    fn token(&self, _token: &str) -> bool {
        false
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

/// Signs with the pair of keys of one name: `merchant`, `antom` (our side), `wrong`.
pub struct PairSigner(pub &'static str);

impl Signer for PairSigner {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        cast::sign(self.0, message)
    }

    fn sm2_sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature: Signature = sm2_key(self.0).try_sign(message).ok()?;
        Some(signature.to_der().as_ref().to_vec())
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

/// SM2 keys of the tests: worth nothing.
pub fn sm2_key(name: &str) -> SigningKey {
    let number = match name {
        "merchant" => [0x11; 32],
        "antom" => [0x22; 32],
        "wrong" => [0x33; 32],
        other => panic!("there is no key {other}"),
    };
    SigningKey::from_slice(USER_ID, &number).unwrap()
}

/// Whether a signature as DER or as the bytes of r and s holds.
pub fn sm2_verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    let fits = |signature: Result<Signature, _>| signature.is_ok_and(|signature| key.verify(message, &signature).is_ok());
    fits(Signature::from_der(signature)) || fits(Signature::from_slice(signature))
}

/// The key of a point's two coordinates.
pub fn sm2_point(coordinates: &[u8]) -> VerifyingKey {
    VerifyingKey::from_sec1_bytes(USER_ID, &[&[4], coordinates].concat()).unwrap()
}

/// Whether our side signed a text, by the scheme of the caller.
pub fn is_ours(scheme: &str, message: &[u8], signature: &[u8]) -> bool {
    match scheme {
        scheme::SM2 => sm2_verify(sm2_key("antom").verifying_key(), message, signature),
        _ => cast::is_ours(message, signature),
    }
}

pub fn fen(minor: i64) -> Money {
    Money::new(minor, "CNY".parse().unwrap())
}

/// The refund that an inquiry finds: with marketing and a kept time.
pub fn inquired() -> RefundWish {
    RefundWish {
        marketing: Some(fen(500)),
        metadata: Some("{\"txnTime\":\"20261122150059\",\"agentMerId\":\"900000\",\"agentTerId\":\"900001\"}".into()),
        ..RefundWish::new("RF1001".into(), PaymentKey::Reference(TRADE_NO.into()), fen(5_000))
    }
}

/// The refund that a wish became, in a state by its word.
pub fn refund(wish: &RefundWish, state_word: &str) -> Refund {
    let amount = wish.amount.money().unwrap();
    let payment = NamedPayment::Key(PaymentKey::Reference(TRADE_NO.into()));
    let state = match state_word {
        "receiver_empty" => RefundState::Failed {
            at: ENDED_AT,
            reason: FailReason::ReceiverNotEnoughFunds { account: "100001".into() },
            paid_anyway_at: None,
        },
        "charged_back" => RefundState::Failed { at: ENDED_AT, reason: FailReason::ChargedBack, paid_anyway_at: None },
        word => cast::state(word),
    };
    let mut refund = cast::refund(&RefundWish { amount: AskedAmount::Money(amount), payment, ..wish.clone() }, state, &[]);
    refund.id = RefundId::new(ids::compose(REFUND_AT.ms(), 7, 42));
    refund.dialect = "baofoo".into();
    refund.marketing = wish.marketing.unwrap_or(fen(0));
    refund
}

/// The share of 3000 to one receiver and 2000 to another, in a state by its word.
pub fn share(number: &str, state: &str) -> Share {
    let line = |receiver: i64, account: &str, minor| ShareLine {
        receiver_id: MerchantId::new(receiver),
        account: account.into(),
        amount: fen(minor),
    };
    let cancelled = ShareCancelReason::ByRefund { refund_id: RefundId::new(8) };
    Share {
        id: ShareId::new(ids::compose(REFUND_AT.ms(), 7, 43)),
        merchant_id: MerchantId::new(1),
        payment_id: PaymentId::new(3),
        payment_reference: TRADE_NO.into(),
        terminal_id: TerminalId::new(2),
        mode: Mode::Sandbox,
        dialect: "baofoo".into(),
        number: number.into(),
        lines: vec![line(11, "100001", 3_000), line(12, "100002", 2_000)],
        state: match state {
            "planned" => ShareState::Planned { due_at: NOW.plus_days(1) },
            "running" => ShareState::Running,
            "succeeded" => ShareState::Succeeded { at: ENDED_AT },
            "cancelled" => ShareState::Cancelled { at: ENDED_AT, why: cancelled },
            "failed" => ShareState::Failed { at: ENDED_AT, reason: ShareFailReason::NotEnoughFunds { missing: fen(1) } },
            other => panic!("no share is {other}"),
        },
        notify_url: None,
        asked_at_text: None,
        applicant: Actor::System,
        created_at: REFUND_AT,
        updated_at: ENDED_AT,
    }
}

/// The order, in a state by its word.
pub fn payment(state: &str) -> Payment {
    let (zero, whole) = (fen(0), fen(10_000));
    let status = match state {
        "paid" | "refunded" => PaymentStatus::Captured,
        "waiting" => PaymentStatus::Pending,
        "unpaid" => PaymentStatus::Failed,
        "closed" => PaymentStatus::Closed,
        other => panic!("no order is {other}"),
    };
    Payment {
        id: PaymentId::new(3),
        merchant_id: MerchantId::new(1),
        terminal_id: TerminalId::new(2),
        mode: Mode::Sandbox,
        payment_reference: TRADE_NO.into(),
        merchant_reference: ORDER_NUMBER.into(),
        method: "WECHAT_JSAPI".into(),
        status,
        paid_at: PAID_AT,
        authorised: whole,
        captured: if status == PaymentStatus::Captured { whole } else { zero },
        marketing: fen(1_000),
        fee: fen(50),
        reserved: zero,
        refunded: zero,
        refunded_marketing: zero,
        refund_count: 0,
        fee_given_back: zero,
        unsettled_left: zero,
        reserve_left: zero,
        settled: false,
        settling: Default::default(),
        charged_back: zero,
        open_chargebacks: 0,
        open_retrievals: 0,
        quote: None,
        sharing: None,
        converted: Converted::default(),
        notify_url: None,
        details: Arc::new(PaymentDetails::default()),
        created_at: PAID_AT,
        updated_at: PAID_AT,
    }
}

/// What is left of the order after a share of 3000, a refund of 1000 and one of 500 under way.
pub fn balance() -> OrderBalance {
    OrderBalance {
        payment_reference: TRADE_NO.into(),
        order_number: ORDER_NUMBER.into(),
        total: fen(10_000),
        unshared: fen(5_500),
        refunded: fen(1_000),
        refunding: fen(500),
    }
}

/// What is announced, to the terminal that signs by `scheme`.
pub fn announce(event: &str, subject: Subject<'_>, words: &[&str]) -> Option<NotificationRequest> {
    let event = Event {
        merchant_id: MerchantId::new(1),
        sequence: 12,
        at: ENDED_AT,
        actor: Actor::Acquirer,
        payment_id: Some(PaymentId::new(3)),
        refund_id: None,
        kind: EventKind::from_word(event).unwrap(),
        facts: Vec::new(),
    };
    let (scheme, terminal) = if words.contains(&"sm2") { (scheme::SM2, SM2_TERMINAL) } else { (scheme::RSA, TERMINAL) };
    let lookup = format!("{ACCOUNT}/{terminal}");
    let credential = credential(&lookup, scheme);
    let settings = WireSettings { announces_returns: words.contains(&"tells_returns"), ..WireSettings::default() };
    let announcement = Announcement { event: &event, subject, payment: None, credential: &credential, settings: &settings };
    ENTRY.dialect.notify(&announcement, &context(b"", &lookup, scheme, true))
}

pub fn context<'a>(body: &'a [u8], lookup: &'a str, scheme: &'a str, proved: bool) -> Context<'a> {
    static SETTINGS: LazyLock<WireSettings> = LazyLock::new(WireSettings::default);
    Context { path: "/api", body, lookup, scheme, now: NOW, settings: &SETTINGS, proved, signer: &PairSigner("antom") }
}

fn credential(lookup: &str, scheme: &str) -> Credential {
    Credential {
        id: CredentialId::new(4),
        holder: Holder::Terminal { merchant_id: MerchantId::new(1), terminal_id: TerminalId::new(2) },
        dialect: "baofoo".into(),
        lookup: lookup.into(),
        scheme: scheme.into(),
        key_version: 1,
        proof: String::new(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: Vec::new(),
        name: "shop".into(),
        person_id: None,
        issued_by: None,
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}
