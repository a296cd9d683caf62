//! What callers ask about orders, what they do with authorisations and parcels, and what is found.

use refundry_engine::Timestamp;
use refundry_engine::asked::AskedAmount;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::Refund;
use refundry_ledger::Money;

/// Which orders are asked about. Always those of the caller's own terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrdersQuestion {
    /// Every attempt at these order numbers in the last [`ORDER_AGE_DAYS_MAX`] days, newest first.
    ByNumber {
        /// The merchant's order numbers, in the order in which they were asked.
        numbers: Vec<String>,
    },
    /// Payments that succeeded in a period, by the time of the payment.
    Paid {
        /// When they were paid.
        period: Period,
        /// Which page.
        page: OrdersPage,
    },
    /// Refunds, chargebacks and whatever else befell orders in a period.
    Exceptions {
        /// When it befell them.
        period: Period,
        /// Which page.
        page: OrdersPage,
        /// Which of their times the period is about.
        dated: ExceptionTime,
    },
    /// Disputes of the method that has disputes of its own (Klarna).
    Disputes {
        /// When they were opened.
        period: Period,
        /// Which page.
        page: OrdersPage,
        /// Those that are still in the time of grace before a dispute proper.
        in_grace: bool,
    },
}

/// Days that an order number is looked for back from now.
pub const ORDER_AGE_DAYS_MAX: i64 = 183;
/// Order numbers of one question.
pub const ORDER_NUMBERS_MAX: usize = 100;

/// From an instant up to, and without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant of it.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdersPage {
    /// From 1.
    pub number: u32,
    /// Rows of a full page.
    pub rows: u32,
}

/// By which of its times an exception is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionTime {
    /// When it was decided: approved, declined, ended.
    Reviewed,
    /// When the order was paid.
    Paid,
    /// When it befell the order.
    Befell,
}

/// What a question found: the rows of the page that was asked for, and how many there are on all pages.
#[derive(Clone, Debug, PartialEq)]
pub enum OrdersFound {
    /// Orders.
    Orders {
        /// Of this page.
        rows: Vec<OrderFound>,
        /// On all pages.
        total: u64,
    },
    /// What befell orders.
    Exceptions {
        /// Of this page.
        rows: Vec<ExceptionFound>,
        /// On all pages.
        total: u64,
    },
}

/// An order with what befell it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderFound {
    /// The order.
    pub payment: Payment,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// Its disputes, oldest first.
    pub disputes: Vec<DisputeNote>,
}

/// One thing that befell an order.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionFound {
    /// The order.
    pub payment: Payment,
    /// What befell it.
    pub exception: Exception,
}

/// What can befall an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Exception {
    /// The merchant gave money back.
    Refund(Box<Refund>),
    /// Somebody disputes it.
    Dispute(DisputeNote),
}

/// A dispute as dialects tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeNote {
    /// What it is called by: ours.
    pub id: String,
    /// What it is.
    pub kind: DisputeKind,
    /// Where it stands.
    pub standing: DisputeStanding,
    /// How much of the payment it is about.
    pub amount: Money,
    /// Why, in the network's words.
    pub reason: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when it can be answered.
    pub reply_by: Option<Timestamp>,
}

/// What disputes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeKind {
    /// The issuer takes the money back.
    Chargeback,
    /// The issuer asks for documents.
    Retrieval,
    /// The issuer calls it fraud; no money moves.
    FraudReport,
    /// A dispute of the method's own.
    Dispute,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStanding {
    /// Nobody has answered.
    Open,
    /// Answered with documents; the network decides.
    Represented,
    /// The money came back.
    Won,
    /// The money is gone.
    Lost,
    /// The merchant accepts it.
    Accepted,
    /// Taken back by whoever opened it.
    Withdrawn,
}

/// What to do with an authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorisationWish {
    /// Take the money, or a part of it.
    Capture {
        /// Of which payment.
        payment: PaymentKey,
        /// How much.
        amount: AskedAmount,
    },
    /// Give it up.
    Void {
        /// Of which payment.
        payment: PaymentKey,
    },
    /// Give a sale up that was made at a till.
    VoidSale {
        /// The merchant's order number.
        merchant_reference: String,
    },
}

/// Where the parcel of an order is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingNote {
    /// Of which payment.
    pub payment: PaymentKey,
    /// The carrier's number; several are parted by commas.
    pub number: String,
    /// The carrier's page.
    pub site: String,
}
