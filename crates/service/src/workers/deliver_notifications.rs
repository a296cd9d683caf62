//! Sends notifications until they are acknowledged or their schedule ends; then they are parked, and a person can replay them.

use bytes::Bytes;
use refundry_dialects::orders::DisputeNote;
use refundry_dialects::{Announcement, Context, DialectEntry, NotificationRequest, Reach, Subject, native};
use refundry_engine::command::{Act, RecordDelivery};
use refundry_engine::dispute::DisputeKey;
use refundry_engine::event::{Event, EventKind};
use refundry_engine::merchant::WireSettings;
use refundry_engine::notification::{DeliveryAttempt, Notification, NotificationState, Recipient};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::Refund;
use refundry_engine::share::{Share, ShareKey};
use refundry_engine::task::Task;
use refundry_engine::{Actor, EndpointId, Mode, ShareId, TerminalId, Timestamp};
use refundry_store::StoreError;

use super::{WorkerSettings, jittered, transact};
use crate::Service;
use crate::dispute_notes;
use crate::inbox::News;
use crate::known_endpoints;
use crate::outgoing::{OutgoingError, OutgoingRequest, OutgoingResponse};

/// Seconds that a receiver's Retry-After can ask for at most.
pub const RETRY_AFTER_SECONDS_MAX: i64 = 86_400;
/// "Gone": the receiver never wants to hear of it again.
const GONE: u16 = 410;

/// A message ready to be sent, and what to make of the answer.
struct Letter {
    request: OutgoingRequest,
    entry: Option<&'static DialectEntry>,
    mode: Mode,
}

/// Why a message was not even written.
enum Unwritten {
    /// There is nothing to say: it counts as delivered.
    NothingToSay,
    /// There is nobody to say it to, or no key to sign with.
    Impossible(&'static str),
}

/// One try: writes the message, sends it, records how it went. `news` is what the task's commit handed over; the rest is read.
pub async fn run_one(service: &Service, settings: &WorkerSettings, task: &Task, news: Option<Box<News>>) -> Result<(), StoreError> {
    let news = match news {
        Some(news) => news,
        None => match read(service, task).await? {
            Some(news) => Box::new(news),
            None => return Ok(()),
        },
    };
    let begin = service.world.now();
    let letter = write(service, settings, &news).await?;
    let delivery = match letter {
        Ok(letter) => send(service, letter, &news.notification, begin).await,
        Err(Unwritten::NothingToSay) => closed(&news.notification, begin, "nothing to say in this dialect", true),
        Err(Unwritten::Impossible(why)) => closed(&news.notification, begin, why, false),
    };
    transact(&service.world, Actor::System, Act::RecordDelivery(delivery)).await.map(|_| ())
}

/// What is to be told; `None` when it was told meanwhile.
async fn read(service: &Service, task: &Task) -> Result<Option<News>, StoreError> {
    let store = &service.world.store;
    let Some(notification) = store.notification(task.merchant_id, task.notification_id()).await? else { return Ok(None) };
    if notification.state != NotificationState::Due {
        return Ok(None);
    }
    let events = store.events_after(task.merchant_id, notification.event_sequence - 1, 1).await?;
    let Some(event) = events.into_iter().find(|event| event.sequence == notification.event_sequence) else {
        return Err(StoreError::Unreadable { what: "event", why: format!("{} of a notification is missing", notification.event_sequence) });
    };
    let refund = match (&notification.recipient, notification.refund_id) {
        (Recipient::Dialect { .. }, Some(refund_id)) => store.refund(task.merchant_id, refund_id).await?,
        (Recipient::Dialect { .. }, None) | (Recipient::Endpoint(_), _) => None,
    };
    Ok(Some(News { notification, event, refund }))
}

async fn write(service: &Service, settings: &WorkerSettings, news: &News) -> Result<Result<Letter, Unwritten>, StoreError> {
    let written = match &news.notification.recipient {
        Recipient::Dialect { terminal_id, url } => in_dialect(service, news, *terminal_id, url).await?,
        Recipient::Endpoint(endpoint_id) => native_letter(service, news, *endpoint_id).await?,
    };
    Ok(written.map(|(mut letter, request)| {
        letter.request.headers = request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        letter.request.body = Bytes::from(request.body);
        letter.request.timeout_ms = settings.delivery_timeout_ms;
        letter
    }))
}

type Written = Result<(Letter, NotificationRequest), Unwritten>;

async fn in_dialect(service: &Service, news: &News, terminal_id: TerminalId, url: &str) -> Result<Written, StoreError> {
    let (merchant_id, now) = (news.notification.merchant_id, service.world.now());
    let about = match subject(service, news).await? {
        Ok(about) => about,
        Err(unwritten) => return Ok(Err(unwritten)),
    };
    let known = service.keyring.by_terminal(merchant_id, terminal_id, now).await?;
    let Some(signer) = known.and_then(|known| known.notice_signer(now)) else {
        return Ok(Err(Unwritten::Impossible("the terminal has no valid key to sign with; make one and replay")));
    };
    let credential = &signer.credential;
    let Some(entry) = refundry_dialects::ALL.iter().find(|entry| entry.name == credential.dialect) else {
        return Ok(Err(Unwritten::Impossible("the terminal's dialect is not spoken any more")));
    };
    // What a number and an amount mean to the receiver stands with the payment, in dialects that speak of orders.
    let payment = match (entry.reach, news.event.payment_id) {
        (Reach::Orders | Reach::Shares, Some(payment_id)) => service.world.store.payment(merchant_id, &PaymentKey::Id(payment_id)).await?,
        (Reach::Orders | Reach::Shares, None) | (Reach::Refunds, _) => None,
    };
    let path = path_of(url).to_owned();
    let (event, mode, url) = (news.event.clone(), about.mode(), url.to_owned());
    let signed = service.cpu.run({
        let (signer, dialect) = (signer.clone(), entry.dialect);
        move || {
            let credential = &signer.credential;
            let (lookup, scheme) = (&credential.lookup, &credential.scheme);
            let usual = WireSettings::default();
            let settings = signer.terminal().map_or(&usual, |terminal| &terminal.wire);
            let context = Context { path: &path, body: &[], lookup, scheme, now, settings, proved: true, signer: &*signer };
            let subject = match &about {
                About::Refund(refund) => Subject::Refund(refund),
                About::Dispute(note, _) => Subject::Dispute(note),
                About::Share(share) => Subject::Share(share),
                About::Order(payment) => Subject::Order(payment),
            };
            dialect.notify(&Announcement { event: &event, subject, payment: payment.as_ref(), credential, settings }, &context)
        }
    });
    Ok(match signed.await {
        Some(request) => Ok((Letter { request: empty(url), entry: Some(entry), mode }, request)),
        None => Err(Unwritten::NothingToSay),
    })
}

/// What a dialect is told about.
enum About {
    Refund(Box<Refund>),
    Dispute(Box<DisputeNote>, Mode),
    Share(Box<Share>),
    Order(Box<Payment>),
}

impl About {
    fn mode(&self) -> Mode {
        match self {
            Self::Refund(refund) => refund.mode,
            Self::Dispute(_, mode) => *mode,
            Self::Share(share) => share.mode,
            Self::Order(payment) => payment.mode,
        }
    }
}

async fn subject(service: &Service, news: &News) -> Result<Result<About, Unwritten>, StoreError> {
    let merchant_id = news.notification.merchant_id;
    if news.notification.refund_id.is_some() {
        let refund = news.refund.clone().map(|refund| About::Refund(Box::new(refund)));
        return Ok(refund.ok_or(Unwritten::Impossible("the refund is not there")));
    }
    if let Some(share_id) = share_of(&news.event) {
        let share = service.world.store.share(merchant_id, &ShareKey::Id(share_id)).await?;
        return Ok(share.map(|share| About::Share(Box::new(share))).ok_or(Unwritten::Impossible("the share is not there")));
    }
    if let (EventKind::PaymentRecorded | EventKind::PaymentUpdated, Some(payment_id)) = (news.event.kind, news.event.payment_id) {
        let payment = service.world.store.payment(merchant_id, &PaymentKey::Id(payment_id)).await?;
        return Ok(payment.map(|payment| About::Order(Box::new(payment))).ok_or(Unwritten::Impossible("the payment is not there")));
    }
    let Some(dispute_id) = dispute_notes::dispute_of(&news.event) else { return Ok(Err(Unwritten::NothingToSay)) };
    let dispute = service.world.store.dispute(merchant_id, &DisputeKey::Id(dispute_id)).await?;
    let about = dispute.map(|dispute| About::Dispute(Box::new(dispute_notes::note_after(&dispute, &news.event)), dispute.mode));
    Ok(about.ok_or(Unwritten::Impossible("the dispute is not there")))
}

/// The share that an event is about.
fn share_of(event: &Event) -> Option<ShareId> {
    let (_, share_id) = event.facts.iter().find(|(name, _)| name == "share_id")?;
    share_id.parse().ok()
}

async fn native_letter(service: &Service, news: &News, endpoint_id: EndpointId) -> Result<Written, StoreError> {
    let found = known_endpoints::find(service, news.notification.merchant_id, endpoint_id).await?;
    Ok(found.map_err(Unwritten::Impossible).map(|endpoint| {
        let request = native::notify(&news.event, news.notification.id, service.world.now(), &*endpoint);
        (Letter { request: empty(endpoint.url.clone()), entry: None, mode: endpoint.mode }, request)
    }))
}

const fn empty(url: String) -> OutgoingRequest {
    OutgoingRequest { url, headers: Vec::new(), body: Bytes::new(), timeout_ms: 0 }
}

/// Path and query of an address: what a notification's signature is over.
fn path_of(url: &str) -> &str {
    let behind_scheme = url.find("://").map_or(0, |place| place + 3);
    url[behind_scheme..].find('/').map_or("/", |place| &url[behind_scheme + place..])
}

async fn send(service: &Service, letter: Letter, notification: &Notification, begin: Timestamp) -> RecordDelivery {
    let outcome = service.world.notifier.post(letter.request).await;
    let now = service.world.now();
    let took_ms = u32::try_from(now.ms().saturating_sub(begin.ms())).unwrap_or(u32::MAX);
    let (status, answer, acknowledged) = match &outcome {
        Ok(response) => (Some(response.status), text_of(response), is_acknowledged(letter.entry, response)),
        Err(OutgoingError::NeverSent(why)) => (None, why.to_string(), false),
        Err(OutgoingError::Unclear(why)) => (None, why.to_string(), false),
    };
    let attempt = DeliveryAttempt { notification_id: notification.id, at: now, status, answer, took_ms, acknowledged };
    let next_at = next_try(service, notification, &letter.entry, letter.mode).filter(|_| status != Some(GONE));
    let asked = outcome.ok().and_then(|response| retry_after(&response));
    let next_at = next_at.map(|at| asked.map_or(at, |seconds| at.max(now.plus_seconds(seconds))));
    RecordDelivery { merchant_id: notification.merchant_id, attempt, next_at: next_at.filter(|_| !acknowledged) }
}

/// A notification that will not be sent: nothing to say, or nobody to say it to.
fn closed(notification: &Notification, now: Timestamp, why: &str, acknowledged: bool) -> RecordDelivery {
    let attempt =
        DeliveryAttempt { notification_id: notification.id, at: now, status: None, answer: why.to_owned(), took_ms: 0, acknowledged };
    RecordDelivery { merchant_id: notification.merchant_id, attempt, next_at: None }
}

fn is_acknowledged(entry: Option<&DialectEntry>, response: &OutgoingResponse) -> bool {
    match entry {
        Some(entry) => entry.dialect.acknowledged(response.status, &response.body),
        None => native::acknowledged(response.status),
    }
}

/// When it is sent again after this try, by the schedule of its dialect; `None` at the schedule's end.
fn next_try(service: &Service, notification: &Notification, entry: &Option<&DialectEntry>, mode: Mode) -> Option<Timestamp> {
    let now = service.world.now();
    let sent = usize::try_from(notification.tries).ok()?.checked_add(1)?;
    match entry {
        Some(entry) if mode == Mode::Sandbox && !entry.resends_in_sandbox => None,
        Some(entry) => entry.resend_seconds.get(sent).map(|seconds| now.plus_seconds(i64::from(*seconds))),
        None => native::RESEND_SECONDS.get(sent).map(|seconds| now.plus_ms(jittered(&service.world, i64::from(*seconds) * 1_000))),
    }
}

fn retry_after(response: &OutgoingResponse) -> Option<i64> {
    let asks = matches!(response.status, 429 | 502 | 503 | 504);
    let header = response.headers.iter().find(|(name, _)| asks && name == "retry-after");
    header.and_then(|(_, value)| value.trim().parse::<i64>().ok()).map(|seconds| seconds.clamp(0, RETRY_AFTER_SECONDS_MAX))
}

fn text_of(response: &OutgoingResponse) -> String {
    let shown = response.body.get(..512).unwrap_or(&response.body);
    String::from_utf8_lossy(shown).chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_signed_path_is_what_the_receiver_sees() {
        for (url, path) in [("https://m.example/a/b?c=d", "/a/b?c=d"), ("http://m.example", "/"), ("https://m.example:8443/", "/")] {
            assert_eq!(path_of(url), path);
        }
    }
}
