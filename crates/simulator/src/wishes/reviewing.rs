//! People around a refund in review: a reviewer who sees it and decides, one who is careless, an applicant who would like to approve their own, and
//! a merchant who changes what it asks for.

use std::sync::Arc;

use refundry_engine::merchant::Standing;
use refundry_engine::person::{Person, Side};
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::{Mode, Refusal, Timestamp};
use refundry_service::error::ServiceError;
use refundry_service::reviews::{RefundEdit, Review};
use refundry_service::world::Clock as _;
use refundry_service::{Caller, Service, refunds, reviews};
use refundry_store::{PageRequest, RefundFilter};

use super::{FIRST_WAIT_MS, Try, merchant_id, shop, unless_busy};
use crate::dice::Dice;
use crate::plan::{Door, RefundRequest};
use crate::stage::Stage;

/// The people who decide, by name.
const FIRST: &str = "reviewer";
const SECOND: &str = "second reviewer";

/// A person decides about everything of a merchant that waits for review now.
pub async fn review_all_of(stage: Arc<Stage>, service: Arc<Service>, merchant: usize) {
    while let Try::Again = review_all(&stage, &service, merchant, true).await {
        stage.clock.sleep_until(stage.clock.now().plus_ms(FIRST_WAIT_MS)).await;
    }
}

pub async fn review_all(stage: &Stage, service: &Service, merchant: usize, approve: bool) -> Try {
    let [reviewer, second] = [FIRST, SECOND].map(named);
    let filter = RefundFilter { merchant_id: Some(merchant_id(stage, merchant)), ..RefundFilter::default() };
    let page = match refunds::list(service, &reviewer, filter, PageRequest { after: None, limit: 200 }).await {
        Ok(page) => page,
        Err(error) => return unless_busy(stage, "review", &error),
    };
    for refund in page.rows.iter().filter(|refund| is_in_review(refund)) {
        let mut dice = Dice::new(stage.seed, &format!("review {} {}", refund.number, stage.clock.now().ms()));
        let tried = match dice.below(10) {
            0 => approve_unseen(stage, service, refund).await,
            1 => approve_own(stage, service, (merchant, refund)).await,
            _ => Try::Done,
        };
        let hash = refund.content_hash();
        let seen = (refund.amount.minor(), hash.clone());
        if approve {
            stage.model().approves(refund.id, seen.clone(), FIRST);
        }
        let mut decided = reviews::review(service, &reviewer, review_of(refund, approve, hash.clone())).await;
        // Approved, but by one where two are wanted: the other one looks at the same.
        let by_one = approve && decided.as_ref().map_or_else(is_refused, is_in_review);
        if by_one {
            stage.model().approves(refund.id, seen, SECOND);
            decided = reviews::review(service, &second, review_of(refund, approve, hash)).await;
        }
        match (tried, decided) {
            (_, Err(error @ ServiceError::Fault(_))) => return unless_busy(stage, "review", &error),
            (Try::Again, _) => return Try::Again,
            (Try::Done, _) => {}
        }
    }
    Try::Done
}

/// A named person of the operator.
pub(super) fn named(name: &str) -> Caller {
    let person = Person {
        id: super::treasury::person_id(name),
        side: Side::Operator { mode: Mode::Live },
        name: name.to_owned(),
        role: "reviewer".to_owned(),
        standing: Standing::Active,
        created_at: Timestamp::from_us(0),
    };
    Caller { person: Some(Arc::new(person)), ..Caller::operator(name, Mode::Live) }
}

/// Whoever approved it before a crash is told so now.
const fn is_refused(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Refused(Refusal::ReviewerApprovedAlready))
}

/// Somebody approves what they did not look at: with the hash of something else.
async fn approve_unseen(stage: &Stage, service: &Service, refund: &Refund) -> Try {
    let hash: String = refund.content_hash().chars().rev().collect();
    let careless = Caller::operator("careless", Mode::Live);
    must_be_refused(stage, "an_approval_is_for_what_was_seen", reviews::review(service, &careless, review_of(refund, true, hash)).await)
}

/// Whoever asked for a refund, or whoever else holds a key of the same shop, is no second person.
async fn approve_own(stage: &Stage, service: &Service, (merchant, refund): (usize, &Refund)) -> Try {
    let door = match refund.dialect.as_str() {
        "antom" => Door::Antom,
        "oceanpayment" => Door::Oceanpayment,
        _ => Door::Native,
    };
    let request = RefundRequest {
        merchant,
        door,
        number: refund.number.clone(),
        reference: refund.payment_reference.clone(),
        minor: refund.amount.minor(),
        currency: "EUR",
        whole: false,
        reason: None,
        batch: None,
    };
    let review = review_of(refund, true, refund.content_hash());
    must_be_refused(stage, "nobody_approves_their_own", reviews::review(service, &shop(stage, &request), review).await)
}

fn must_be_refused(stage: &Stage, rule: &'static str, decided: Result<Refund, ServiceError>) -> Try {
    match decided {
        Ok(refund) => {
            stage.model().broke(rule, format!("{} was approved", refund.number));
            Try::Done
        }
        Err(ServiceError::Refused(refusal)) => {
            stage.trace.line(&format!("not approved: {refusal:?}"));
            Try::Done
        }
        Err(error) => unless_busy(stage, "review", &error),
    }
}

/// The merchant changes the amount of a refund that waits for review.
pub async fn edit(stage: &Stage, service: &Service, request: &RefundRequest, minor: i64) -> Try {
    let Some(refund_id) = stage.model().refund_of(request) else { return Try::Done };
    let named = (request.door == Door::Platform).then(|| merchant_id(stage, request.merchant));
    let amount = Some(super::amount(&RefundRequest { minor, ..request.clone() }));
    stage.model().edits(request, minor);
    match reviews::edit(service, &shop(stage, request), (named, refund_id), RefundEdit { amount, ..RefundEdit::default() }).await {
        Ok(refund) => {
            stage.trace.line(&format!("{} asks for {} now", refund.number, refund.amount));
            Try::Done
        }
        Err(error) => unless_busy(stage, "edit", &error),
    }
}

/// The merchant does not want to wait for the end of the undo window.
pub async fn send_now(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let Some(refund_id) = stage.model().refund_of(request) else { return Try::Done };
    let named = (request.door == Door::Platform).then(|| merchant_id(stage, request.merchant));
    stage.model().hurries(refund_id);
    match reviews::send_now(service, &shop(stage, request), named, refund_id).await {
        Ok(refund) => {
            stage.trace.line(&format!("{} is sent now: {}", refund.number, refund.state.name().word()));
            Try::Done
        }
        Err(error) => unless_busy(stage, "send now", &error),
    }
}

fn review_of(refund: &Refund, approve: bool, hash: String) -> Review {
    let (merchant_id, note) = (Some(refund.merchant_id), "looked at".to_owned());
    Review { merchant_id, refund_id: refund.id, approve, note, content_hash: Some(hash) }
}

fn is_in_review(refund: &Refund) -> bool {
    matches!(&refund.state, RefundState::Pending { holds } if holds.review.is_some())
}
