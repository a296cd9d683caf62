use refundry_engine::credential::Credential;
use refundry_engine::event::Event;
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::Payment;
use refundry_engine::refund::Refund;
use refundry_engine::share::Share;

use crate::orders::DisputeNote;

/// What is announced.
#[derive(Clone, Copy, Debug)]
pub struct Announcement<'a> {
    /// What happened.
    pub event: &'a Event,
    /// What it is about, as it stands.
    pub subject: Subject<'a>,
    /// The payment behind it, as it stands; `None` when the dialect says nothing of it.
    pub payment: Option<&'a Payment>,
    /// The credential of the receiver, newest first.
    pub credential: &'a Credential,
    /// What the receiving terminal has chosen.
    pub settings: &'a WireSettings,
}

/// What an announcement is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A refund.
    Refund(&'a Refund),
    /// A dispute.
    Dispute(&'a DisputeNote),
    /// A share.
    Share(&'a Share),
    /// A payment that was ordered.
    Order(&'a Payment),
}

/// A notification as it goes out, except for where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRequest {
    /// Header names and values, in this order.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}
