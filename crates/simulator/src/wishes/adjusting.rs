//! Adjustments: one person asks for money to be taken from a merchant or given to it, tries to book that alone, and another person decides.

use refundry_engine::adjustment::{Adjustment, AdjustmentState};
use refundry_engine::command::{DecideAdjustment, ProposeAdjustment};
use refundry_engine::{Act, AdjustmentId, Command, Mode, Outcome, Refusal};
use refundry_service::Service;
use refundry_service::world::Clock as _;
use refundry_store::{AdjustmentFilter, PAGE_LIMIT_MAX, PageRequest};

use super::treasury::person;
use super::{Try, merchant_id};
use crate::plan::AdjustmentWish;
use crate::stage::Stage;

/// Both steps; whoever was cut off in between goes on with what is there.
pub async fn adjust(stage: &Stage, service: &Service, wish: &AdjustmentWish) -> Try {
    let filter = AdjustmentFilter { merchant_id: Some(merchant_id(stage, wish.merchant)), ..AdjustmentFilter::default() };
    let Ok(page) = service.world.store.adjustments(&filter, PageRequest { after: None, limit: PAGE_LIMIT_MAX }).await else {
        return Try::Again;
    };
    let adjustment = match page.rows.into_iter().find(|known| known.reason == wish.number) {
        Some(known) => known,
        None => match propose(stage, service, wish).await {
            Ok(Some(proposed)) => proposed,
            Ok(None) => return Try::Done,
            Err(()) => return Try::Again,
        },
    };
    if adjustment.state != AdjustmentState::Proposed {
        return Try::Done;
    }
    let alone = decide(stage, service, ("asker", true), &adjustment).await;
    match alone {
        Ok(Outcome::Adjustment { adjustment })
            if adjustment.state == AdjustmentState::Booked && adjustment.decided_by == Some(person("asker")) =>
        {
            stage.model().broke("nobody_books_their_own", format!("{} was booked by who asked for it", wish.number));
        }
        Ok(_) => {}
        Err(()) => return Try::Again,
    }
    match decide(stage, service, ("decider", wish.books), &adjustment).await {
        Ok(Outcome::Adjustment { adjustment }) => {
            stage.trace.line(&format!("{} of {} is {}", wish.number, adjustment.amount, adjustment.state.word()));
            stage.model().adjustment_is(wish.merchant, adjustment.id, adjustment.state);
            Try::Done
        }
        Ok(outcome) => {
            stage.trace.line(&format!("{}: {outcome:?}", wish.number));
            Try::Done
        }
        Err(()) => Try::Again,
    }
}

async fn propose(stage: &Stage, service: &Service, wish: &AdjustmentWish) -> Result<Option<Adjustment>, ()> {
    let merchant_id = merchant_id(stage, wish.merchant);
    let id = service.world.ids.one(stage.clock.now()).map_err(drop)?;
    let key = IdempotencyKey { merchant_id, dialect: NATIVE.name.to_owned(), scope: "adjustment".to_owned(), number: wish.number.clone() };
    let act = ProposeAdjustment {
        adjustment_id: AdjustmentId::new(id),
        merchant_id,
        mode: Some(Mode::Live),
        kind: wish.kind,
        amount: wish.amount,
        reason: wish.number.clone(),
        payment: None,
        key,
    };
    stage.model().wants_to_adjust(wish);
    match decided(stage, service, "asker", Act::ProposeAdjustment(act)).await? {
        Outcome::Adjustment { adjustment } => Ok(Some(*adjustment)),
        Outcome::Refused { refusal: Refusal::AmountNotPositive, .. } => Ok(None),
        outcome => {
            stage.trace.line(&format!("{}: {outcome:?}", wish.number));
            Ok(None)
        }
    }
}

async fn decide(stage: &Stage, service: &Service, (who, book): (&str, bool), adjustment: &Adjustment) -> Result<Outcome, ()> {
    let Adjustment { merchant_id, id: adjustment_id, .. } = *adjustment;
    let act = DecideAdjustment { merchant_id, mode: Some(Mode::Live), adjustment_id, book };
    decided(stage, service, who, Act::DecideAdjustment(act)).await
}

async fn decided(stage: &Stage, service: &Service, who: &str, act: Act) -> Result<Outcome, ()> {
    let stamp = service.world.stamp(person(who)).map_err(drop)?;
    service.world.store.transact(Command { stamp, act }).await.map_err(|error| stage.trace.line(&format!("{who}: {error}")))
}
