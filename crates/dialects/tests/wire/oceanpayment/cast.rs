//! Who plays in Oceanpayment's golden files: two terminals, an order, and what befell it.

use std::sync::{Arc, LazyLock};

use refundry_dialects::oceanpayment::ENTRY;
use refundry_dialects::orders::{
    DisputeKind, DisputeNote, DisputeStanding, Exception, ExceptionFound, OrderFound, OrdersFound, OrdersQuestion,
};
use refundry_dialects::{Announcement, Claimed, Context, Keys, NotificationRequest, NumberedBy, RefundWish, Signer, Subject, scheme};
use refundry_engine::asked::AskedAmount;
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::merchant::{NoticeForm, WireSettings};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::refund::Refund;
use refundry_engine::{Actor, CredentialId, MerchantId, Mode, PaymentId, TerminalId, Timestamp};
use refundry_ledger::Money;

pub use crate::cast::NOW;
use crate::cast::{REFUND_AT, refund as any_refund, state};

pub const ACCOUNT: &str = "995378";
pub const TERMINAL: &str = "99537801";
/// A terminal of the same account without a secret.
const TERMINAL_WITHOUT_SECRET: &str = "99537802";
/// The secret of the vendor's samples.
pub const SECRET: &str = "12345678";
pub const PAYMENT_ID: &str = "231220170723834010513";
pub const ORDER_NUMBER: &str = "1750815792711";
/// 2023-12-20 17:07:23 in UTC+8.
pub const PAID_AT: Timestamp = Timestamp::from_ms(1_703_063_243_000);

/// The keys of a claimed caller; `None` when nobody has that name.
pub fn keys_of(claimed: &Claimed) -> Option<SecretKeys> {
    let known = [TERMINAL, TERMINAL_WITHOUT_SECRET].contains(&claimed.lookup.as_str());
    known.then(|| SecretKeys { empty: claimed.lookup == TERMINAL_WITHOUT_SECRET, demands_signed_time: false })
}

pub struct SecretKeys {
    empty: bool,
    /// The switch of the terminal.
    pub demands_signed_time: bool,
}

impl Keys for SecretKeys {
    fn is_empty(&self) -> bool {
        self.empty
    }

    fn rsa_sha256(&self, _key_version: Option<u32>, _message: &[u8], _signature: &[u8]) -> bool {
        false
    }

    fn sm2(&self, _message: &[u8], _signature: &[u8]) -> bool {
        false
    }

    fn token(&self, _token: &str) -> bool {
        false
    }

    fn secret_sha256(&self, message: &[u8], digest: &[u8]) -> bool {
        !self.empty && sha256(message, SECRET) == digest
    }

    fn account(&self) -> Option<&str> {
        Some(ACCOUNT)
    }

    fn demands_signed_time(&self) -> bool {
        self.demands_signed_time
    }

    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Signs with a secret.
pub struct SecretSigner(pub &'static str);

impl Signer for SecretSigner {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        Some(sha256(message, self.0))
    }
}

/// SHA-256 over a message and a secret behind it.
pub fn sha256(message: &[u8], secret: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[message, secret.as_bytes()].concat());
    digest.as_ref().try_into().unwrap()
}

pub fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().unwrap())
}

/// The refund that an inquiry finds: a part of the order.
pub fn inquired() -> RefundWish {
    RefundWish {
        merchant_reference: Some("RMA-7".into()),
        reason: Some("客人重复下单".into()),
        ..RefundWish::new("R-1001".into(), PaymentKey::Reference(PAYMENT_ID.into()), usd(400))
    }
}

/// The refund that a wish became, in a state by its word.
pub fn refund(wish: &RefundWish, state_word: &str) -> Refund {
    let amount = wish.amount.of_payment_in("USD".parse().unwrap()).unwrap();
    let mut refund = any_refund(&RefundWish { amount: AskedAmount::Money(amount), ..wish.clone() }, state(state_word), &[]);
    refund.dialect = "oceanpayment".into();
    if wish.numbered_by == NumberedBy::Proof {
        refund.number = String::new();
    }
    refund
}

/// The order, with words: `authorised`, `voided`, `bare` (no details), `refunded`.
pub fn payment(words: &[&str]) -> Payment {
    let (zero, whole) = (usd(0), usd(1_000));
    let status = match words {
        words if words.contains(&"authorised") => PaymentStatus::Authorised,
        words if words.contains(&"voided") => PaymentStatus::Cancelled,
        _ => PaymentStatus::Captured,
    };
    let details = PaymentDetails {
        card_scheme: Some("Visa".into()),
        card_first6: Some("411111".into()),
        card_last4: Some("1111".into()),
        issuer_country: Some("US".into()),
        response_code: Some("80000".into()),
        response_text: Some("Transaction Approved".into()),
        pre_authorised: status != PaymentStatus::Captured || words.contains(&"pre_authorised"),
        site_url: Some("https://shop.example/?a=1&b=2".into()),
        note: Some("gift <1>".into()),
        ..PaymentDetails::default()
    };
    Payment {
        id: PaymentId::new(3),
        merchant_id: MerchantId::new(1),
        terminal_id: TerminalId::new(2),
        mode: Mode::Live,
        payment_reference: PAYMENT_ID.into(),
        merchant_reference: ORDER_NUMBER.into(),
        method: "Credit Card".into(),
        status,
        paid_at: PAID_AT,
        authorised: whole,
        captured: if status == PaymentStatus::Captured { whole } else { zero },
        marketing: zero,
        fee: zero,
        reserved: zero,
        refunded: if words.contains(&"refunded") { usd(400) } else { zero },
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
        sharing: None,
        converted: refundry_engine::payment::Converted::default(),
        quote: None,
        notify_url: None,
        details: Arc::new(if words.contains(&"bare") { PaymentDetails::default() } else { details }),
        created_at: PAID_AT,
        updated_at: PAID_AT,
    }
}

/// A dispute by the words `chargeback open`.
pub fn dispute(kind: &str, standing: &str) -> DisputeNote {
    DisputeNote {
        id: "dsp_000000000ygj6".into(),
        kind: match kind {
            "chargeback" => DisputeKind::Chargeback,
            "retrieval" => DisputeKind::Retrieval,
            "fraud" => DisputeKind::FraudReport,
            "dispute" => DisputeKind::Dispute,
            other => panic!("there is no dispute {other}"),
        },
        standing: match standing {
            "open" => DisputeStanding::Open,
            "represented" => DisputeStanding::Represented,
            "won" => DisputeStanding::Won,
            "lost" => DisputeStanding::Lost,
            "accepted" => DisputeStanding::Accepted,
            "withdrawn" => DisputeStanding::Withdrawn,
            other => panic!("no dispute is {other}"),
        },
        amount: usd(600),
        reason: "10.4 Fraud – card absent".into(),
        opened_at: REFUND_AT,
        reply_by: Some(REFUND_AT.plus_days(18)),
    }
}

/// What a question finds: nothing, or the order with everything that befell it.
pub fn found(question: &OrdersQuestion, any: bool) -> OrdersFound {
    let refunds = || {
        vec![
            refund(&inquired(), "succeeded_with_arn"),
            refund(&RefundWish::new("R-1002".into(), PaymentKey::Reference(PAYMENT_ID.into()), usd(100)), "cancelled"),
        ]
    };
    let order = || OrderFound { payment: payment(&["refunded"]), refunds: refunds(), disputes: vec![dispute("chargeback", "open")] };
    let exception = |exception| ExceptionFound { payment: payment(&["refunded"]), exception };
    match question {
        OrdersQuestion::ByNumber { .. } | OrdersQuestion::Paid { .. } => {
            OrdersFound::Orders { rows: if any { vec![order()] } else { vec![] }, total: if any { 51 } else { 0 } }
        }
        OrdersQuestion::Exceptions { .. } | OrdersQuestion::Disputes { .. } if !any => OrdersFound::Exceptions { rows: vec![], total: 0 },
        OrdersQuestion::Exceptions { .. } => {
            let mut rows: Vec<_> = refunds().into_iter().map(|refund| exception(Exception::Refund(Box::new(refund)))).collect();
            rows.push(exception(Exception::Dispute(dispute("chargeback", "won"))));
            OrdersFound::Exceptions { rows, total: 103 }
        }
        OrdersQuestion::Disputes { .. } => {
            OrdersFound::Exceptions { rows: vec![exception(Exception::Dispute(dispute("dispute", "open")))], total: 1 }
        }
    }
}

/// What is announced, and how: `as_form`, `tells_returns`, `bare`, `whole`, `without_payment`.
pub fn announce(event: &str, subject: Subject<'_>, words: &[&str]) -> Option<NotificationRequest> {
    let event = Event {
        merchant_id: MerchantId::new(1),
        sequence: 12,
        at: REFUND_AT,
        actor: Actor::Acquirer,
        payment_id: Some(PaymentId::new(3)),
        refund_id: None,
        kind: EventKind::from_word(event).unwrap(),
        facts: Vec::new(),
    };
    let credential = credential();
    let settings = WireSettings {
        account: Some(ACCOUNT.into()),
        notice_form: if words.contains(&"as_form") { NoticeForm::Form } else { NoticeForm::Xml },
        announces_returns: words.contains(&"tells_returns"),
        ..WireSettings::default()
    };
    let payment = payment(words);
    let announcement = Announcement {
        event: &event,
        subject,
        payment: (!words.contains(&"without_payment")).then_some(&payment),
        credential: &credential,
        settings: &settings,
    };
    ENTRY.dialect.notify(&announcement, &context("/notice", &[], true))
}

pub fn context<'a>(path: &'a str, body: &'a [u8], proved: bool) -> Context<'a> {
    static SETTINGS: LazyLock<WireSettings> = LazyLock::new(WireSettings::default);
    Context {
        path,
        body,
        lookup: TERMINAL,
        scheme: scheme::SECURE_CODE,
        now: NOW,
        settings: &SETTINGS,
        proved,
        signer: &SecretSigner(SECRET),
    }
}

fn credential() -> Credential {
    Credential {
        id: CredentialId::new(4),
        holder: Holder::Terminal { merchant_id: MerchantId::new(1), terminal_id: TerminalId::new(2) },
        dialect: "oceanpayment".into(),
        lookup: TERMINAL.into(),
        scheme: scheme::SECURE_CODE.into(),
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
