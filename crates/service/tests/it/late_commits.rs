//! An attempt whose commit waited, for a database that was away, must not be made when others already count it as over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use refundry_engine::Changes;
use refundry_engine::Mode;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::{AcquirerAnswer, RefundState, RefundStateName, Submission};
use refundry_service::acquirer::{Acquirer, Asked, SubmittedRefund};
use refundry_service::refunds;
use refundry_service::workers::{WorkerSettings, submit_refunds};
use refundry_service::world::World;
use refundry_store::CommitObserver;

use crate::house::{HandClock, House, refund};

/// Time passes while a commit is made.
struct SlowCommits(Arc<HandClock>, i64);

impl CommitObserver for SlowCommits {
    fn committed(&self, changes: &Changes) {
        let is_submitted = |state: &RefundState| matches!(state, RefundState::Submitted { submission: Submission::InFlight, .. });
        if changes.refunds.values().any(|write| is_submitted(&write.row().state)) {
            self.0.advance(self.1);
        }
    }
}

/// An acquirer that counts what it is told.
#[derive(Default)]
struct Counting(AtomicU64);

impl Acquirer for Counting {
    fn submit<'a>(&'a self, _: &'a SubmittedRefund) -> BoxFuture<'a, AcquirerAnswer> {
        // Counted when something is sent, and not when somebody only thinks of it.
        async {
            self.0.fetch_add(1, Ordering::SeqCst);
            AcquirerAnswer::Unclear
        }
        .boxed()
    }

    fn ask<'a>(&'a self, _: &'a SubmittedRefund) -> BoxFuture<'a, Asked> {
        async { Asked::Unknown }.boxed()
    }

    fn recognises_duplicates(&self) -> bool {
        false
    }

    fn unknown_is_final_after_ms(&self) -> i64 {
        20_000
    }
}

#[tokio::test]
async fn an_attempt_that_was_committed_late_is_not_made() {
    let settings = WorkerSettings::default();
    for (passes_ms, sent, state) in [
        (0, 1, RefundStateName::Unresolved),
        (settings.acquirer_timeout_ms / 2 - 1, 1, RefundStateName::Unresolved),
        (settings.acquirer_timeout_ms / 2, 0, RefundStateName::Submitted),
        (60_000, 0, RefundStateName::Submitted),
    ] {
        let house = House::build().await;
        let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
        house.paid(&shop, "p1", "100.00 EUR").await;
        let new = refund("r1", "p1", "1.00 EUR");
        refunds::create(&house.service, &shop.caller, refunds::NATIVE, new).await.unwrap();
        let task = house.service.observer.inbox.take(refundry_service::Work::Refunds, 1).remove(0).task;

        let acquirer = Arc::new(Counting::default());
        let named: BTreeMap<String, Arc<dyn Acquirer>> = BTreeMap::from([("simulated".to_owned(), acquirer.clone() as Arc<dyn Acquirer>)]);
        let store = house.second_store(Arc::new(SlowCommits(house.clock.clone(), passes_ms)));
        let world = World { store, acquirers: Arc::new(named), ..house.service.world.clone() };
        submit_refunds::run_one(&world, &settings, &task).await.unwrap();

        let found = world.store.refund(task.merchant_id, task.refund_id()).await.unwrap().unwrap();
        assert_eq!(acquirer.0.load(Ordering::SeqCst), sent, "after {passes_ms} ms");
        assert_eq!(found.state.name(), state, "after {passes_ms} ms");
        house.leave();
    }
}
