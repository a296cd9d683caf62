//! The operator's treasury: prepares payouts, sends those that are prepared, and writes down what the bank said. It learns of payouts from the
//! merchants' feeds, and two people do it, because nobody sends what they prepared.

use std::collections::BTreeMap;

use refundry_engine::command::{AdvancePayout, PayoutRun, PayoutStep, PreparePayout};
use refundry_engine::event::EventKind;
use refundry_engine::payment::PaymentKey;
use refundry_engine::payout::PayoutKind;
use refundry_engine::{Act, Actor, Command, MerchantId, Mode, Outcome, PayoutId, PersonId, Principal, PrincipalId};
use refundry_ledger::{Currency, Money};
use refundry_service::world::Clock as _;
use refundry_service::{Service, payments, settlement};

use super::{Try, merchant_id, operator, unless_busy};
use crate::dice::Dice;
use crate::stage::Stage;

const FEED_PAGE: u32 = 1_000;

/// Prepares a payout by hand; most often there is nothing to pay, or one is prepared already.
pub async fn prepare(stage: &Stage, service: &Service, merchant: usize, currency: Currency) -> Try {
    let Ok(id) = service.world.ids.one(stage.clock.now()) else { return Try::Again };
    let run = PayoutRun::Manual { amount: None, note: Some("by hand".to_owned()) };
    let merchant_id = merchant_id(stage, merchant);
    let kind = if id % 3 == 0 { PayoutKind::Reserve } else { PayoutKind::Trade };
    let prepare = PreparePayout { payout_id: PayoutId::new(id), merchant_id, mode: Some(Mode::Live), kind, currency, run };
    decided(stage, service, "treasurer", Act::PreparePayout(prepare)).await
}

/// Takes every payout of a merchant that is under way one step on.
pub async fn advance(stage: &Stage, service: &Service, merchant: usize) -> Try {
    let merchant_id = merchant_id(stage, merchant);
    let Ok(open) = under_way(service, merchant_id).await else { return Try::Again };
    for (number, (payout_id, stands)) in open.into_iter().enumerate() {
        let mut dice = Dice::new(stage.seed, &format!("payout {merchant} {number} {stands:?}"));
        let unlucky = dice.percent(15);
        let step = match (stands, unlucky) {
            (EventKind::PayoutPrepared, false) => PayoutStep::Send { bank_reference: Some(format!("bank {number}")) },
            (EventKind::PayoutPrepared, true) => PayoutStep::Cancel { reason: "not today".to_owned() },
            (EventKind::PayoutSent, false) => PayoutStep::Confirm,
            (EventKind::PayoutSent, true) => PayoutStep::Fail { reason: "account closed".to_owned() },
            (EventKind::PayoutPaid, true) if dice.percent(40) => PayoutStep::Fail { reason: "sent back".to_owned() },
            (_, _) => continue,
        };
        let act = AdvancePayout { merchant_id, mode: Some(Mode::Live), payout_id, step };
        if let Try::Again = decided(stage, service, "cashier", Act::AdvancePayout(act)).await {
            return Try::Again;
        }
    }
    Try::Done
}

/// What is left of a payment's rolling reserve becomes available before its time.
pub async fn release_reserve(stage: &Stage, service: &Service, merchant: usize, reference: &str) -> Try {
    let (merchant_id, caller) = (merchant_id(stage, merchant), operator());
    let key = PaymentKey::Reference(reference.to_owned());
    let payment = match payments::find(service, &caller, Some(merchant_id), &key).await {
        Ok(payment) => payment,
        Err(error) => return unless_busy(stage, "release reserve", &error),
    };
    stage.model().wants_reserve(merchant, reference);
    match settlement::release_reserve(service, &caller, Some(merchant_id), payment.id).await {
        Ok(payment) => {
            stage.trace.line(&format!("of the reserve of {reference} {} is left", payment.reserve_left));
            Try::Done
        }
        Err(error) => unless_busy(stage, "release reserve", &error),
    }
}

/// What is held as fixed reserve becomes available, but for what is kept.
pub async fn release_fixed(stage: &Stage, service: &Service, merchant: usize, keep: Money) -> Try {
    match settlement::release_fixed_reserve(service, &operator(), Some(merchant_id(stage, merchant)), keep).await {
        Ok(_) => Try::Done,
        Err(error) => unless_busy(stage, "release fixed reserve", &error),
    }
}

/// Every payout with the last event that told of it, in the order in which they were prepared.
async fn under_way(service: &Service, merchant_id: MerchantId) -> Result<Vec<(PayoutId, EventKind)>, ()> {
    let (mut stands, mut read): (BTreeMap<PayoutId, EventKind>, i64) = (BTreeMap::new(), 0);
    loop {
        let events = service.world.store.events_after(merchant_id, read, FEED_PAGE).await.map_err(drop)?;
        let Some(last) = events.last() else { return Ok(stands.into_iter().collect()) };
        read = last.sequence;
        for event in events {
            let named = event.facts.iter().find(|(name, _)| name == "payout_id").and_then(|(_, text)| text.parse().ok());
            named.map(|payout_id| stands.insert(payout_id, event.kind));
        }
    }
}

/// Somebody of the treasury.
pub(super) fn person(name: &str) -> Actor {
    Actor::Operator(Principal { name: name.to_owned(), id: Some(PrincipalId::Person(person_id(name))) })
}

/// People are told apart by their names here.
pub(super) fn person_id(name: &str) -> PersonId {
    PersonId::new(name.bytes().fold(0, |number: i64, letter| (number * 31 + i64::from(letter)) % 1_000_000_007))
}

async fn decided(stage: &Stage, service: &Service, who: &str, act: Act) -> Try {
    let Ok(stamp) = service.world.stamp(person(who)) else { return Try::Again };
    match service.world.store.transact(Command { stamp, act }).await {
        Ok(Outcome::Payout { payout }) => {
            let state = payout.state.name().word();
            stage.trace.line(&format!("{who}: {} of {} is {state}", payout.id, payout.amount));
            stage.model().payout_is(payout.merchant_id, payout.id, state);
            Try::Done
        }
        Ok(outcome) => {
            stage.trace.line(&format!("{who}: {outcome:?}"));
            Try::Done
        }
        Err(error) => {
            stage.trace.line(&format!("{who}: {error}"));
            Try::Again
        }
    }
}
