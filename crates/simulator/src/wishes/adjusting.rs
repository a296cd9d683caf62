//! Adjustments: one person asks for money to be taken from a merchant or given to it, tries to book that alone, and another person decides.

use refundry_engine::adjustment::AdjustmentState;
use refundry_service::Service;
use refundry_service::adjustments::{self, NewAdjustment};
use refundry_service::error::ServiceError;

use super::reviewing::named;
use super::{Try, merchant_id, unless_busy};
use crate::plan::AdjustmentWish;
use crate::stage::Stage;

/// Both steps; whoever was cut off in between asks again under the same number.
pub async fn adjust(stage: &Stage, service: &Service, wish: &AdjustmentWish) -> Try {
    let [asker, decider] = ["asker", "decider"].map(named);
    let (merchant_id, number) = (merchant_id(stage, wish.merchant), wish.number.clone());
    let new = NewAdjustment { merchant_id, kind: wish.kind, amount: wish.amount, reason: number.clone(), payment: None, number };
    stage.model().wants_to_adjust(wish);
    let proposed = match adjustments::propose(service, &asker, new).await {
        Ok(proposed) => proposed,
        Err(error) => return unless_busy(stage, "adjust", &error),
    };
    if proposed.state != AdjustmentState::Proposed {
        stage.model().adjustment_is(wish.merchant, proposed.id, proposed.state);
        return Try::Done;
    }
    match adjustments::decide(service, &asker, Some(merchant_id), proposed.id, true).await {
        Ok(booked) if booked.decided_by == Some(asker.actor()) => {
            stage.model().broke("nobody_books_their_own", format!("{} was booked by who asked for it", wish.number));
        }
        Err(error @ ServiceError::Fault(_)) => return unless_busy(stage, "adjust", &error),
        Ok(_) | Err(ServiceError::Refused(_)) => {}
    }
    match adjustments::decide(service, &decider, Some(merchant_id), proposed.id, wish.books).await {
        Ok(decided) => {
            stage.trace.line(&format!("{} of {} is {}", wish.number, decided.amount, decided.state.word()));
            stage.model().adjustment_is(wish.merchant, decided.id, decided.state);
            Try::Done
        }
        Err(error) => unless_busy(stage, "adjust", &error),
    }
}
