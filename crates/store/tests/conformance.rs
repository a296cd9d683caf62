//! One suite for every backend: what a store promises, seen through the trait alone.

mod stage;

use futures::executor::block_on;
use refundry_engine::payment::PaymentKey;
use refundry_store::{PageRequest, RefundFilter};

use stage::Stage;

#[test]
fn what_was_written_is_read_back() {
    let stage = Stage::in_memory();
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 4_000);
    let store = stage.store.as_store();

    assert_eq!(block_on(store.merchant(acme)).unwrap(), Some(stage::merchant(acme)));
    assert_eq!(block_on(store.terminals(acme)).unwrap(), vec![stage::terminal(acme)]);
    let by_reference = PaymentKey::Reference("p1".to_owned());
    let after = block_on(store.payment(acme, &by_reference)).unwrap().unwrap();
    assert_eq!(after.refunded, stage::euro(4_000));
    assert_eq!(after.refund_count, 1);
    assert_eq!(after.details, payment.details);
    assert_eq!(block_on(store.refund(acme, refund.id)).unwrap(), Some(refund.clone()));
    let filter = RefundFilter { payment_id: Some(payment.id), merchant_id: Some(acme), ..RefundFilter::default() };
    let page = block_on(store.refunds(&filter, PageRequest::default())).unwrap();
    assert_eq!((page.rows, page.next), (vec![refund.clone()], None));
    assert_eq!(block_on(store.timeline(acme, refund.id)).unwrap().len(), 1);
}

#[test]
fn the_books_of_a_working_store_are_clean() {
    let stage = Stage::in_memory();
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    stage.refund(&payment, "r1", 4_000);
    stage.payment(acme, "p2", 500);
    let report = block_on(stage.store.check_books()).unwrap();
    assert_eq!(report.faults, vec![]);
    assert_eq!((report.merchants, report.payments, report.refunds), (1, 2, 1));
    assert!(report.postings > 0);
}
