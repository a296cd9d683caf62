//! Hops 2 to 4 and 8 of a refund: bytes of a wire dialect in, signed bytes out. Whatever happens, the caller gets an answer in its dialect.

use std::sync::Arc;

use refundry_dialects::orders::{AuthorisationWish, OrdersFound, OrdersQuestion, TrackingNote};
use refundry_dialects::scheme::{API_KEY, SECURE_CODE};
use refundry_dialects::sharing::OrderBalance;
use refundry_dialects::{Answer, Claimed, Context, DialectEntry, Incoming, Signer, WireError, WireRequest, WireResponse};
use refundry_engine::payment::Payment;
use refundry_engine::refund::Refund;
use refundry_engine::share::Share;
use refundry_engine::{Mode, Refusal, Timestamp};

use crate::Service;
use crate::agents;
use crate::authorisations;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::install::gateway_key;
use crate::keyring::KnownCredential;
use crate::ordering::{self, OrderNow};
use crate::orders;
use crate::refunds::{self, Accepted, NewRefund};
use crate::shares;
use crate::shipments;
use crate::synchronous;
use crate::terminals::takes_calls_from;

/// What is to be said, owned, so that it can be rendered on another thread.
enum Said {
    Refund { refund: Box<Refund>, order_number: String, synchronous: bool },
    Inquiry(Box<Refund>),
    Orders { question: OrdersQuestion, found: OrdersFound },
    Authorisation { wish: AuthorisationWish, payment: Box<Payment> },
    Tracking { note: TrackingNote, payment: Box<Payment> },
    Share(Box<Share>),
    Order(OrderNow),
    Balance(OrderBalance),
    Refused(Refusal),
    Malformed(WireError),
    Fault,
    Forced(String),
}

/// The far end of one request: how it is named and which key signs for it.
struct Correspondent {
    lookup: String,
    scheme: String,
    signer: Option<Arc<KnownCredential>>,
    proved: bool,
}

impl Service {
    /// Answers a request of a wire dialect. A path that belongs to none gets an empty 404: the router sends none here.
    pub async fn answer(&self, request: WireRequest<'_>) -> WireResponse {
        let Some(entry) = refundry_dialects::find(request.path) else {
            return WireResponse { status: 404, headers: Vec::new(), body: Vec::new() };
        };
        let now = self.world.now();
        let mut far_end = Correspondent { lookup: String::new(), scheme: String::new(), signer: None, proved: false };
        let said = match self.admit(entry, &request, now, &mut far_end).await {
            Ok(caller) => self.carry_out(entry, &request, &caller).await,
            Err(said) => said,
        };
        self.render(entry, &request, said, far_end).await
    }

    /// Answers a request whose body is longer than `limit` and was not read: in the dialect, signed for whoever it claims to come from.
    pub async fn answer_too_large(&self, request: WireRequest<'_>, limit: usize) -> WireResponse {
        let Some(entry) = refundry_dialects::find(request.path) else {
            return WireResponse { status: 413, headers: Vec::new(), body: Vec::new() };
        };
        let now = self.world.now();
        let mut far_end = Correspondent { lookup: String::new(), scheme: String::new(), signer: None, proved: false };
        if let Ok(Claimed { lookup, scheme, .. }) = entry.dialect.identify(&request) {
            let known = self.keyring.by_lookup(entry.name, &lookup, now).await.ok().flatten();
            let signer = known.and_then(|known| known.signer(now).or_else(|| known.last_signer()));
            far_end = Correspondent { lookup, scheme: scheme.to_owned(), signer, proved: false };
        }
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.render(entry, &request, Said::Malformed(WireError::TooLarge { limit }), far_end).await
    }

    /// Who calls, if the request proves it.
    async fn admit(
        &self,
        entry: &'static DialectEntry,
        request: &WireRequest<'_>,
        now: Timestamp,
        far_end: &mut Correspondent,
    ) -> Result<Arc<Caller>, Said> {
        let claimed = entry.dialect.identify(request).map_err(Said::Malformed)?;
        far_end.lookup.clone_from(&claimed.lookup);
        claimed.scheme.clone_into(&mut far_end.scheme);
        let known = self.keyring.by_lookup(entry.name, &claimed.lookup, now).await;
        let known = known.map_err(|error| Said::from(ServiceError::from(error)))?;
        let known = known.ok_or(Said::Malformed(WireError::UnknownCaller))?;
        far_end.signer = known.signer(now).or_else(|| known.last_signer());
        if let Some(terminal) = known.terminal()
            && !takes_calls_from(&terminal.wire, request.peer)
        {
            return Err(Said::Malformed(WireError::CallerAddress { address: request.peer }));
        }
        let keys = known.keys(claimed.scheme, now);
        entry.dialect.authenticate(request, &claimed, &keys).map_err(Said::Malformed)?;
        // A dialect that let a request pass without asking for a key is mistaken; nobody is admitted unproved.
        let proved = keys.proved_by().ok_or(Said::Malformed(WireError::BadSignature))?;
        far_end.proved = true;
        if proved.can_sign() {
            far_end.signer = Some(proved.clone());
        }
        let caller = proved.caller.clone().filter(|caller| caller.terminal.is_some() || entry.agents);
        let caller = caller.ok_or(Said::Malformed(WireError::NotAllowed))?;
        if !entry.agents {
            return Ok(caller);
        }
        agents::acting(self, entry, caller, claimed.acting_for.as_ref()).await.map_err(Said::from)
    }

    async fn carry_out(&self, entry: &'static DialectEntry, request: &WireRequest<'_>, caller: &Caller) -> Said {
        let incoming = match entry.dialect.read(request) {
            Ok(incoming) => incoming,
            Err(error) => return Said::Malformed(error),
        };
        if let Some(code) = self.forced_answer(caller, incoming.api()) {
            return Said::Forced(code);
        }
        let said = match incoming {
            Incoming::Refund(wish) => {
                let new =
                    NewRefund { merchant_id: None, terminal_id: None, wish: *wish, batch: None, dry_run: false, accepts_dispute: None };
                let created = synchronous::create_and_wait(self, caller, entry.into(), new).await;
                created.map(|(Accepted { refund, order_number, .. }, synchronous)| Said::Refund { refund, order_number, synchronous })
            }
            Incoming::Inquiry(inquiry) => {
                let found = refunds::inquire(self, caller, entry.into(), &inquiry).await;
                found.map(|refund| Said::Inquiry(Box::new(refund)))
            }
            Incoming::Orders(question) => {
                let found = orders::answer(self, caller, &question).await;
                found.map(|found| Said::Orders { question, found })
            }
            Incoming::Authorisation(wish) => {
                let payment = authorisations::carry_out(self, caller, &wish).await;
                payment.map(|payment| Said::Authorisation { wish, payment: Box::new(payment) })
            }
            Incoming::Tracking(note) => {
                let payment = shipments::carry_out(self, caller, &note).await;
                payment.map(|payment| Said::Tracking { note, payment: Box::new(payment) })
            }
            Incoming::Share(wish) => shares::ask(self, caller, entry.into(), *wish).await.map(Said::Share),
            Incoming::ShareInquiry(inquiry) => shares::inquire(self, caller, entry.into(), inquiry).await.map(Said::Share),
            Incoming::Order(wish) => ordering::place(self, caller, entry.into(), *wish).await.map(Said::Order),
            Incoming::OrderInquiry(named) => ordering::find(self, caller, named).await.map(Said::Order),
            Incoming::OrderClose(named) => ordering::close(self, caller, named).await.map(Said::Order),
            Incoming::BalanceInquiry(named) => ordering::balance(self, caller, named).await.map(Said::Balance),
        };
        said.unwrap_or_else(Said::from)
    }

    /// The result code that a sandbox terminal forces for an API, while it does.
    fn forced_answer(&self, caller: &Caller, api: &str) -> Option<String> {
        let terminal = caller.terminal.as_ref().filter(|terminal| terminal.mode == Mode::Sandbox && !terminal.forced_answers.is_empty())?;
        let now = self.world.now();
        let forced = terminal.forced_answers.iter().find(|forced| forced.api == api && now < forced.until)?;
        Some(forced.code.clone())
    }

    /// Signs with the caller's own pair of ours, or with the gateway's when nobody is known; on the CPU pool, because a signature takes longer
    /// than everything else together.
    async fn render(&self, entry: &'static DialectEntry, request: &WireRequest<'_>, said: Said, far_end: Correspondent) -> WireResponse {
        let now = self.world.now();
        let Correspondent { lookup, scheme, signer, proved } = far_end;
        let settings = signer.as_ref().and_then(|signer| signer.terminal()).map(|terminal| terminal.wire.clone()).unwrap_or_default();
        if scheme == API_KEY || scheme == SECURE_CODE {
            // A hash takes less time than the way to another thread; a token signs nothing.
            let signer: &dyn Signer = match &signer {
                Some(signer) if scheme == SECURE_CODE => &**signer,
                Some(_) | None => &Unsigned,
            };
            let (path, body) = (request.path, request.body);
            let settings = &settings;
            return said.rendered(entry, &Context { path, body, lookup: &lookup, scheme: &scheme, now, settings, proved, signer });
        }
        let signer = match signer {
            Some(signer) => Some(signer),
            None => gateway_key(self).await.ok().flatten(),
        };
        let (path, body) = (request.path.to_owned(), request.body.to_vec());
        let render = move || {
            let signer: &dyn Signer = signer.as_deref().map_or(&Unsigned, |signer| signer);
            let (path, body, lookup, scheme, settings) = (&path, &body, &lookup, &scheme, &settings);
            said.rendered(entry, &Context { path, body, lookup, scheme, now, settings, proved, signer })
        };
        self.cpu.run(render).await
    }
}

impl Said {
    fn rendered(&self, entry: &DialectEntry, context: &Context<'_>) -> WireResponse {
        let answer = match self {
            Self::Refund { refund, order_number, synchronous } => Answer::Refund { refund, order_number, synchronous: *synchronous },
            Self::Inquiry(refund) => Answer::Inquiry { refund },
            Self::Orders { question, found } => Answer::Orders { question, found },
            Self::Authorisation { wish, payment } => Answer::Authorisation { wish, payment },
            Self::Tracking { note, payment } => Answer::Tracking { note, payment },
            Self::Share(share) => Answer::Share { share },
            Self::Order(OrderNow { payment, refunded }) => Answer::Order { payment, refunded: *refunded },
            Self::Balance(balance) => Answer::Balance(balance),
            Self::Refused(refusal) => Answer::Refused(refusal),
            Self::Malformed(error) => Answer::Malformed(error),
            Self::Fault => Answer::Fault,
            Self::Forced(code) => Answer::Forced(code),
        };
        entry.dialect.render(&answer, context)
    }
}

impl From<ServiceError> for Said {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => Self::Refused(refusal),
            ServiceError::Fault(Fault::Overloaded) => Self::Malformed(WireError::TooMany),
            ServiceError::Fault(Fault::Busy | Fault::Broken) => Self::Fault,
        }
    }
}

/// In place of a key where answers are not signed, or where even the gateway's key cannot be read.
struct Unsigned;

impl Signer for Unsigned {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use refundry_store::StoreError;

    use super::*;

    #[test]
    fn an_answer_may_be_awaited_on_any_thread() {
        fn is_send<T: Send>(_: impl Fn(&'static Service, WireRequest<'static>) -> T) {}
        is_send(|service, request| service.answer(request));
    }

    #[test]
    fn a_full_queue_is_too_many_requests_and_not_a_fault() {
        let said = |error: StoreError| Said::from(ServiceError::from(error));
        assert!(matches!(said(StoreError::Overloaded), Said::Malformed(WireError::TooMany)));
        assert!(matches!(said(StoreError::Closed), Said::Fault));
    }
}
