//! People, reviews and edits, on every database: what is kept, what is counted, and who wins when several decide at once.

use futures::executor::block_on;
use refundry_engine::command::{Act, CancelRefund, Change, Command, EditRefund, ReviewRefund, StartSubmission};
use refundry_engine::merchant::{Mode, Standing, Terminal};
use refundry_engine::payment::Payment;
use refundry_engine::person::{Person, Side};
use refundry_engine::policy::{PolicyPatch, ReviewRule, ReviewTrigger, VelocityOf};
use refundry_engine::refund::{Refund, RefundState, RefundStateName};
use refundry_engine::{Outcome, PersonId, Timestamp};
use refundry_store::{LateBefore, PageRequest, ReviewFilter, StoreError};

use crate::races::at_once_on;
use crate::stage::{self, Engine, Stage, also_in_shards, euro, on_both};

on_both! {
    of_approval_rejection_and_edit_at_once_exactly_one_wins
    a_released_refund_is_cancelled_or_submitted_never_both
    what_an_edit_changes_is_kept
    reviews_are_listed_oldest_first_and_late_ones_counted
    velocity_counts_rows_that_exist
    people_are_kept_and_changed_only_as_they_were_read
}

also_in_shards! {
    of_approval_rejection_and_edit_at_once_exactly_one_wins
    velocity_counts_rows_that_exist
    people_are_kept_and_changed_only_as_they_were_read
}

const ROUNDS: usize = 12;

/// A merchant whose refunds are reviewed by anybody, and a payment of it.
fn reviewed(stage: &Stage, review: ReviewRule) -> Payment {
    let acme = stage.merchant(7);
    let policy = PolicyPatch { review: Some(review), second_person: Some(false), ..PolicyPatch::default() };
    stage.must(Act::PutTerminal(Box::new(Terminal { policy, ..stage::terminal(acme) })));
    stage.payment(acme, "p1", 100_000)
}

fn review(stage: &Stage, refund: &Refund, approve: bool) -> Command {
    let (merchant_id, refund_id, seen) = (refund.merchant_id, refund.id, Some(refund.content_hash()));
    stage.command(Act::ReviewRefund(ReviewRefund { merchant_id, mode: Mode::Live, refund_id, approve, note: "looked at".to_owned(), seen }))
}

fn edit(refund: &Refund, minor: i64) -> Act {
    Act::EditRefund(Box::new(EditRefund {
        merchant_id: refund.merchant_id,
        mode: Mode::Live,
        refund_id: refund.id,
        seen: Some(refund.content_hash()),
        amount: Some(euro(minor)),
        marketing: None,
        reason: Some(Some("broken".to_owned())),
        metadata: None,
    }))
}

fn has_won(outcome: &Result<Outcome, StoreError>) -> bool {
    match outcome {
        Ok(Outcome::Refused { .. }) => false,
        Ok(_) => true,
        Err(error) => panic!("{error:?}"),
    }
}

fn stored(stage: &Stage, refund: &Refund) -> Refund {
    block_on(stage.store.refund(refund.merchant_id, refund.id)).unwrap().unwrap()
}

fn of_approval_rejection_and_edit_at_once_exactly_one_wins(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = reviewed(&stage, ReviewRule::All);
    let (mut approved, mut rejected, mut edited) = (0, 0, 0);
    for round in 0..ROUNDS {
        let refund = stage.refund(&payment, &format!("r{round}"), 500);
        let mut commands = vec![review(&stage, &refund, true), review(&stage, &refund, false), stage.command(edit(&refund, 400))];
        commands.rotate_left(round % 3);
        let outcomes = at_once_on(&[stage.store.as_ref()], commands);
        assert_eq!(outcomes.iter().filter(|outcome| has_won(outcome)).count(), 1, "{outcomes:?}");
        let after = stored(&stage, &refund);
        match (after.state.name(), after.edits) {
            (RefundStateName::Failed, 0) => rejected += 1,
            (RefundStateName::Pending, 1) => {
                assert!(matches!(&after.state, RefundState::Pending { holds } if holds.review.is_some()));
                edited += 1;
            }
            (RefundStateName::Pending, 0) => {
                assert!(matches!(&after.state, RefundState::Pending { holds } if holds.is_empty()));
                approved += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(approved + rejected + edited, ROUNDS);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn a_released_refund_is_cancelled_or_submitted_never_both(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = reviewed(&stage, ReviewRule::None);
    for round in 0..ROUNDS {
        let refund = stage.refund(&payment, &format!("r{round}"), 500);
        let (merchant_id, refund_id) = (refund.merchant_id, refund.id);
        let cancel = stage.command(Act::CancelRefund(CancelRefund { merchant_id, mode: Mode::Live, refund_id }));
        let resolve_at = stage.now().plus_ms(60_000);
        let submit = stage.command(Act::StartSubmission(StartSubmission { merchant_id, refund_id, resolve_at }));
        let commands = if round % 2 == 0 { vec![cancel, submit] } else { vec![submit, cancel] };
        let outcomes = at_once_on(&[stage.store.as_ref()], commands);
        let calls = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::CallAcquirer { .. }))).count();
        let cancels = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refund { .. }))).count();
        assert_eq!(calls + cancels, 1, "{outcomes:?}");
        let expected = if calls == 1 { RefundStateName::Submitted } else { RefundStateName::Cancelled };
        assert_eq!(stored(&stage, &refund).state.name(), expected);
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn what_an_edit_changes_is_kept(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = reviewed(&stage, ReviewRule::All);
    let refund = stage.refund(&payment, "r1", 500);
    let Outcome::Refund { refund: edited, .. } = stage.must(edit(&refund, 700)) else { panic!("an edit gives the refund") };
    let after = stored(&stage, &refund);
    assert_eq!(after, *edited);
    assert_eq!((after.amount, after.edits, after.reason.as_deref()), (euro(700), 1, Some("broken")));
    assert_ne!(after.content_hash(), refund.content_hash());
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn reviews_are_listed_oldest_first_and_late_ones_counted(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = reviewed(&stage, ReviewRule::Above { minor: 500 });
    let waiting: Vec<Refund> = (0..3).map(|number| stage.refund(&payment, &format!("r{number}"), 600)).collect();
    let free = stage.refund(&payment, "free", 100);
    for merchant_id in [Some(payment.merchant_id), None] {
        let filter = ReviewFilter { merchant_id, mode: Mode::Live };
        let first = block_on(stage.store.reviews(filter, PageRequest { after: None, limit: 2 })).unwrap();
        assert_eq!(first.rows, waiting[..2]);
        let second = block_on(stage.store.reviews(filter, PageRequest { after: first.next, limit: 2 })).unwrap();
        assert_eq!((second.rows.as_slice(), second.next), (&waiting[2..], None));
        let sandbox = ReviewFilter { mode: Mode::Sandbox, ..filter };
        assert_eq!(block_on(stage.store.reviews(sandbox, PageRequest::default())).unwrap().rows, []);
    }
    let late = |hand_over: Timestamp, review: Timestamp| block_on(stage.store.late(LateBefore { hand_over, review })).unwrap();
    let early = late(free.created_at, waiting[1].id.instant());
    assert_eq!((early.hand_overs, early.reviews, early.late_reviews), (0, 3, 1));
    assert_eq!(early.oldest_review_at, Some(waiting[0].id.instant()), "a review begins with its refund, whose id carries the time");
    let later = late(stage.now().plus_ms(1), stage.now().plus_ms(1));
    assert_eq!((later.hand_overs, later.late_reviews), (1, 3));
    // What a person let pass is late from then on, not from when it was asked for.
    let Ok(Outcome::Refund { refund: passed, .. }) = block_on(stage.store.transact(review(&stage, &waiting[0], true))) else {
        panic!("it passes")
    };
    let passed_at = passed.drawn.and_then(|draw| draw.at).expect("it was drawn later");
    assert_eq!(late(passed_at, passed_at).hand_overs, 1);
    assert_eq!(late(passed_at.plus_ms(1), passed_at).hand_overs, 2);
}

fn velocity_counts_rows_that_exist(engine: Engine) {
    let stage = Stage::new(engine);
    let rule = ReviewTrigger::Velocity { hours: 1, refunds: Some(2), minor: None, of: VelocityOf::Merchant };
    let payment = reviewed(&stage, ReviewRule::AnyOf { rules: vec![rule] });
    let is_reviewed = |refund: &Refund| matches!(&refund.state, RefundState::Pending { holds } if holds.review.is_some());
    assert!(!is_reviewed(&stage.refund(&payment, "r1", 100)));
    assert!(!is_reviewed(&stage.refund(&payment, "r2", 100)));
    let third = stage.refund(&payment, "r3", 100);
    assert!(is_reviewed(&third));
    let cancel = CancelRefund { merchant_id: third.merchant_id, mode: Mode::Live, refund_id: third.id };
    stage.must(Act::CancelRefund(cancel));
    assert!(is_reviewed(&stage.refund(&payment, "r4", 100)), "two still count");
    let mut later = stage.command(Act::CreateRefund(Box::new(stage.ask(&payment, "r5", 100))));
    later.stamp.now = later.stamp.now.plus_seconds(3_700);
    let Outcome::Refund { refund, .. } = block_on(stage.store.transact(later)).unwrap() else { panic!("it is accepted") };
    assert!(!is_reviewed(&refund), "an hour later nothing counts");
}

fn people_are_kept_and_changed_only_as_they_were_read(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let person = |id: i64, side: Side| Person {
        id: PersonId::new(id),
        side,
        name: format!("Person {id}"),
        role: "reviewer".to_owned(),
        standing: Standing::Active,
        created_at: Timestamp::from_ms(1),
    };
    let (ann, bob) = (person(1, Side::Merchant { merchant_id: acme }), person(2, Side::Merchant { merchant_id: acme }));
    let eve = person(1, Side::Operator { mode: Mode::Live });
    for one in [&ann, &bob, &eve] {
        stage.must(Act::PutPerson(Box::new(one.clone())));
    }
    let people = |merchant_id| block_on(stage.store.people(merchant_id, PageRequest::default())).unwrap().rows;
    assert_eq!((people(Some(acme)), people(None)), (vec![ann.clone(), bob.clone()], vec![eve.clone()]));
    let page = block_on(stage.store.people(Some(acme), PageRequest { after: Some(1), limit: 1 })).unwrap();
    assert_eq!((page.rows, page.next), (vec![bob], None));
    let renamed = Person { name: "Ann Lee".to_owned(), ..ann.clone() };
    let change = Act::ChangePerson(Box::new(Change { before: ann, after: renamed.clone() }));
    assert_eq!(stage.must(change.clone()), Outcome::Done);
    assert_eq!(stage.must(change), Outcome::Stale);
    assert_eq!(block_on(stage.store.person(Some(acme), renamed.id)).unwrap(), Some(renamed));
    assert_eq!(block_on(stage.store.person(None, eve.id)).unwrap(), Some(eve));
}
