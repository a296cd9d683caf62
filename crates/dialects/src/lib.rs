//! The wire protocols: bytes to the engine's words and back. No axum, no clock, no database; keys come in from outside.

mod announcement;
pub mod antom;
pub mod baofoo;
mod form;
mod hex;
pub mod native;
pub mod oceanpayment;
pub mod orders;
pub mod sharing;
mod time_text;
pub mod wire;
mod wire_error;

use refundry_engine::asked::{AskedAmount, Extent, OrderClaim};
use refundry_engine::idempotency::ComparedFields;
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::Payment;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::Refund;
use refundry_engine::share::Share;
use refundry_engine::{RefundId, Refusal, Timestamp};
use refundry_ledger::Money;

pub use announcement::{Announcement, NotificationRequest, Subject};
use orders::{AuthorisationWish, OrdersFound, OrdersQuestion, TrackingNote};
use sharing::{AskedShares, NamedPayment, OrderBalance, OrderWish, ShareInquiry, ShareWish};
pub use wire::{WireRequest, WireResponse};
pub use wire_error::{Flaw, WireError};

/// One external wire protocol. Identify and authenticate come before anything is parsed.
pub trait Dialect: Sync {
    /// Who claims to call, with which key.
    fn identify(&self, request: &WireRequest<'_>) -> Result<Claimed, WireError>;
    /// Whether the request proves it, on the bytes as they were sent.
    fn authenticate(&self, request: &WireRequest<'_>, claimed: &Claimed, keys: &dyn Keys) -> Result<(), WireError>;
    /// Bytes to a wish and its idempotency key.
    fn read(&self, request: &WireRequest<'_>) -> Result<Incoming, WireError>;
    /// An outcome to bytes, signed.
    fn render(&self, outcome: &Answer<'_>, context: &Context<'_>) -> WireResponse;
    /// An event to the notification that announces it; `None` when the dialect has no word for it. Signed.
    fn notify(&self, announcement: &Announcement<'_>, context: &Context<'_>) -> Option<NotificationRequest>;
    /// Whether a receiver's reply acknowledges a notification.
    fn acknowledged(&self, status: u16, body: &[u8]) -> bool;
}

/// A dialect with what the shell needs to know of it as facts.
pub struct DialectEntry {
    /// The name in storage and configuration.
    pub name: &'static str,
    /// Exact paths that it answers.
    pub paths: &'static [&'static str],
    /// Prefixes below which it answers every other path with its own "unknown path".
    pub prefixes: &'static [&'static str],
    /// What the policy of a new terminal says.
    pub policy: fn() -> PolicyPatch,
    /// Seconds between the sends of a notification, the first usually 0; its length is the number of sends.
    pub resend_seconds: &'static [u32],
    /// Whether sandbox terminals send again at all.
    pub resends_in_sandbox: bool,
    /// Whether refusals that come after the replay check are remembered.
    pub remembers_refusals: bool,
    /// Within what a refund number is unique.
    pub key_scope: KeyScope,
    /// The schemes by which its callers prove themselves.
    pub schemes: &'static [&'static str],
    /// What its callers reach.
    pub reach: Reach,
    /// Whether agents may have credentials of their own, and name the merchant that they act for.
    pub agents: bool,
    /// Result codes that may be forced for a while, by API: the "error scenario simulation".
    pub forcible: &'static [(&'static str, &'static [&'static str])],
    /// How it speaks.
    pub dialect: &'static dyn Dialect,
}

/// What a dialect's callers reach, when nobody narrows it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Refunds.
    Refunds,
    /// Refunds, orders, authorisations and parcels.
    Orders,
    /// Refunds, shares, and the orders whose money is shared.
    Shares,
}

/// Within what a dialect's refund numbers are unique: the scope of its idempotency keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// The merchant, whichever terminal asks.
    Merchant,
    /// The terminal, whichever of its credentials asks: Antom's client id, also when an API key stands for it.
    Terminal,
}

/// Every dialect that is spoken. A new one is a folder, golden files, a line here, a page of documentation.
pub static ALL: &[&DialectEntry] = &[&antom::ENTRY, &baofoo::ENTRY, &oceanpayment::ENTRY];

/// The dialect that answers a path: exact paths first, then prefixes. The query and repeated leading slashes do not count, because clients
/// that join `https://host/` and `/path` send two.
pub fn find(path: &str) -> Option<&'static DialectEntry> {
    let path = wire::plain_path(path);
    let exact = ALL.iter().find(|entry| entry.paths.contains(&path));
    exact.or_else(|| ALL.iter().find(|entry| entry.prefixes.iter().any(|prefix| path.starts_with(prefix)))).copied()
}

/// The proof schemes that credentials name.
pub mod scheme {
    /// A key pair of the caller's and one of ours.
    pub const RSA: &str = "rsa";
    /// As [`RSA`], on the curve SM2 with the hash SM3.
    pub const SM2: &str = "sm2";
    /// A secret token that is sent along.
    pub const API_KEY: &str = "api_key";
    /// A secret that both sides know and neither sends: it is hashed behind what is signed.
    pub const SECURE_CODE: &str = "secure_code";
}

/// Who claims to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The dialect's name for the caller: the lookup of its credentials. Of a token it is the public part, up to and without the last
    /// underscore that its form fixes: `isak_TEST_x` of `isak_TEST_x_secret`.
    pub lookup: String,
    /// The scheme of proof, as credentials name it: `rsa`, `api_key`.
    pub scheme: &'static str,
    /// The version of the key, when the request names it.
    pub key_version: Option<u32>,
    /// Which merchant and which agent, when a request names both; either of them may be the one who calls. It counts once the request is proved.
    pub acting_for: Option<ActingFor>,
}

/// A merchant and the agent that acts for it, in the dialect's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActingFor {
    /// The merchant's account number.
    pub account: String,
    /// The number of its terminal.
    pub terminal: String,
    /// The agent's own account number.
    pub agent_account: String,
    /// The number of the agent's own terminal.
    pub agent_terminal: String,
}

/// The keys of the claimed caller, parsed and kept by the shell; comparisons take constant time.
pub trait Keys {
    /// Whether there is any key at all.
    fn is_empty(&self) -> bool;
    /// Whether `signature` over `message` is RSASSA-PKCS1-v1_5 with SHA-256 by one of the caller's keys (of that version, if it is named).
    fn rsa_sha256(&self, key_version: Option<u32>, message: &[u8], signature: &[u8]) -> bool;
    /// Whether `signature` over `message` is SM2 with SM3 for the usual user id by one of the caller's keys: DER of r and s, or their 64 bytes.
    fn sm2(&self, message: &[u8], signature: &[u8]) -> bool;
    /// Whether `token` is one of the caller's API keys.
    fn token(&self, token: &str) -> bool;
    /// Whether `digest` is SHA-256 over `message` followed by one of the secrets that we share with the caller.
    fn secret_sha256(&self, message: &[u8], digest: &[u8]) -> bool;
    /// The account number that the claimed terminal belongs to, for dialects whose callers name both.
    fn account(&self) -> Option<&str>;
    /// Whether the caller must also prove when it sent a request, where a dialect leaves that to its callers.
    fn demands_signed_time(&self) -> bool {
        false
    }
    /// The instant at which the proof must hold.
    fn now(&self) -> Timestamp;
}

/// Signs for us, with the key that belongs to the caller (or with the gateway's own, when the caller is unknown).
pub trait Signer {
    /// Version of the key, as the answer names it.
    fn key_version(&self) -> u32;
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8>;
    /// SM2 with SM3 for the usual user id, as DER of r and s; `None` when the key is of another kind.
    fn sm2_sign(&self, message: &[u8]) -> Option<Vec<u8>>;
    /// SHA-256 over `message` followed by the secret that we share with the caller; `None` when there is no such secret.
    fn secret_sha256(&self, message: &[u8]) -> Option<[u8; 32]>;
}

/// Authenticates native notifications with the secret that we share with the endpoint.
pub trait Mac {
    /// HMAC with SHA-256.
    fn hmac_sha256(&self, message: &[u8]) -> [u8; 32];
}

/// A request that is well formed in its protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Asks for a refund.
    Refund(Box<RefundWish>),
    /// Asks how a refund stands.
    Inquiry(RefundInquiry),
    /// Asks about orders.
    Orders(OrdersQuestion),
    /// Takes an authorisation's money, or gives it up.
    Authorisation(AuthorisationWish),
    /// Says where a parcel is.
    Tracking(TrackingNote),
    /// Shares a payment's money.
    Share(Box<ShareWish>),
    /// Asks how a share stands.
    ShareInquiry(ShareInquiry),
    /// Orders a payment.
    Order(Box<OrderWish>),
    /// Asks how a payment stands.
    OrderInquiry(NamedPayment),
    /// Closes a payment that was ordered and is not paid.
    OrderClose(NamedPayment),
    /// Asks what of a payment is left to share and to refund.
    BalanceInquiry(NamedPayment),
}

impl Incoming {
    /// The dialect's name of the API, for forced answers and metrics.
    pub const fn api(&self) -> &'static str {
        match self {
            Self::Refund(_) => "refund",
            Self::Inquiry(_) => "inquiryRefund",
            Self::Orders(_) => "orders",
            Self::Authorisation(_) => "authorisation",
            Self::Tracking(_) => "tracking",
            Self::Share(_) => "share",
            Self::ShareInquiry(_) => "inquiryShare",
            Self::Order(_) => "order",
            Self::OrderInquiry(_) => "inquiryOrder",
            Self::OrderClose(_) => "closeOrder",
            Self::BalanceInquiry(_) => "inquiryBalance",
        }
    }
}

/// A refund as it is asked for on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundWish {
    /// The merchant's number, or what stands for it.
    pub number: String,
    /// Who gave that number.
    pub numbered_by: NumberedBy,
    /// What is compared when the number comes again.
    pub compared: ComparedFields,
    /// Which payment.
    pub payment: NamedPayment,
    /// How much in all.
    pub amount: AskedAmount,
    /// How much of the payment the caller says that is.
    pub extent: Option<Extent>,
    /// What the caller believes of the payment's order.
    pub order: OrderClaim,
    /// The marketing part.
    pub marketing: Option<Money>,
    /// What receivers of the payment's shares give back, and what the merchant pays in their place.
    pub sharing: Option<AskedShares>,
    /// What the caller believes is left.
    pub expected_remaining: Option<Money>,
    /// A reference of the merchant behind the merchant.
    pub merchant_reference: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Comes back as it was sent.
    pub metadata: Option<String>,
    /// Where its end is announced.
    pub notify_url: Option<String>,
}

/// Who numbered a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberedBy {
    /// The merchant: its number names one refund for ever.
    Merchant,
    /// The dialect, from the proof of the request, because the merchant gave no number: the same request is a repeat for some minutes, by the
    /// installation's settings, and a new wish after that.
    Proof,
}

impl RefundWish {
    /// A wish that says no more than it must.
    pub fn new(number: String, payment: impl Into<NamedPayment>, amount: impl Into<AskedAmount>) -> Self {
        Self {
            number,
            numbered_by: NumberedBy::Merchant,
            compared: ComparedFields::new(),
            payment: payment.into(),
            amount: amount.into(),
            extent: None,
            order: OrderClaim::default(),
            marketing: None,
            sharing: None,
            expected_remaining: None,
            merchant_reference: None,
            reason: None,
            metadata: None,
            notify_url: None,
        }
    }
}

/// Which refund is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundInquiry {
    /// By our id.
    Id(RefundId),
    /// By the merchant's number.
    Number(String),
    /// By a text that cannot be one of our ids: it is unknown.
    Nonsense,
    /// By our id and by the merchant's number: both must be the same refund's.
    Both {
        /// Our id.
        id: RefundId,
        /// The merchant's number.
        number: String,
    },
}

/// What is to be said.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// To a refund: it stands so. `synchronous` says whether the terminal's callers wait for the end.
    Refund {
        /// The refund.
        refund: &'a Refund,
        /// The merchant's order number of its payment.
        order_number: &'a str,
        /// Whether answers wait for the end.
        synchronous: bool,
    },
    /// To an inquiry: it stands so.
    Inquiry {
        /// The refund.
        refund: &'a Refund,
    },
    /// To a question about orders: these.
    Orders {
        /// What was asked.
        question: &'a OrdersQuestion,
        /// What there is.
        found: &'a OrdersFound,
    },
    /// To a wish about an authorisation: done, and the payment stands so.
    Authorisation {
        /// What was wished.
        wish: &'a AuthorisationWish,
        /// The payment.
        payment: &'a Payment,
    },
    /// To a parcel's number: it is stored.
    Tracking {
        /// What was said.
        note: &'a TrackingNote,
        /// Of which payment.
        payment: &'a Payment,
    },
    /// To a share, and to a question about one: it stands so.
    Share {
        /// The share.
        share: &'a Share,
    },
    /// To an order, to a question about one, and to closing one: its payment stands so.
    Order {
        /// The payment.
        payment: &'a Payment,
        /// Σ of its refunds that succeeded.
        refunded: Money,
    },
    /// To a question about what is left of a payment: this.
    Balance(&'a OrderBalance),
    /// Declined.
    Refused(&'a Refusal),
    /// Malformed, or not proved.
    Malformed(&'a WireError),
    /// Our side broke, or is busy: "try again".
    Fault,
    /// An answer that was forced for a sandbox terminal.
    Forced(&'a str),
}

/// What rendering needs beside the outcome.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The path with query that was called, as it was sent; that of the receiver (`/` when its address has none) for notifications.
    pub path: &'a str,
    /// The body that is answered, for what answers repeat of it; empty for notifications.
    pub body: &'a [u8],
    /// The dialect's name for the caller, echoed in answers: as it was claimed, also when nobody has that name; empty when none was claimed.
    pub lookup: &'a str,
    /// The scheme by which the caller proved itself: answers to API keys are not signed.
    pub scheme: &'a str,
    /// The instant of the answer.
    pub now: Timestamp,
    /// What the caller's terminal has chosen; the usual when nobody is known.
    pub settings: &'a WireSettings,
    /// Whether the caller proved itself. Otherwise nothing is signed with a shared secret: whoever can have texts signed can sign requests.
    pub proved: bool,
    /// Signs for us.
    pub signer: &'a dyn Signer,
}
