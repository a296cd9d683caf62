//! The check of the books names each row that is off.

use futures::executor::block_on;
use refundry_engine::command::{Act, Command, PutEndpoint, RecordPayment, Stamp};
use refundry_engine::ids::{IdBlock, compose};
use refundry_engine::merchant::{Endpoint, Terminal};
use refundry_engine::policy::{FundsRule, PolicyPatch};
use refundry_engine::{Actor, EndpointId, MerchantId, Outcome, PaymentId, RefundId, Timestamp};
use refundry_store::{BooksReport, SqliteOptions, SqliteStore, Store as _};

use crate::stage::{self, Engine, Stage, on_both};

on_both! {
    clean_books_have_no_faults
    books_without_a_row_are_clean
    each_broken_row_is_named_by_its_rule
    many_broken_rows_are_named_in_one_order
}

/// A store with a bit of everything.
fn busy_stage(engine: Engine) -> Stage {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let policy = PolicyPatch { funds: Some(FundsRule::Wait), ..PolicyPatch::default() };
    stage.must(Act::PutTerminal(Box::new(Terminal { policy, ..stage::terminal(acme) })));
    let endpoint = Endpoint {
        id: EndpointId::new(1),
        url: "https://shop.example/hook".to_owned(),
        sealed_secret: "sealed".to_owned(),
        events: Vec::new(),
        enabled: true,
    };
    stage.must(Act::PutEndpoint(PutEndpoint { merchant_id: acme, before: None, endpoint }));
    let payment = stage.payment(acme, "p1", 10_000);
    let paid_out = stage.refund(&payment, "r1", 4_000);
    stage.succeed(&paid_out);
    stage.refund(&payment, "r2", 1_000);
    let policy = PolicyPatch { draw_unsettled: Some(false), funds: Some(FundsRule::Wait), ..PolicyPatch::default() };
    stage.must(Act::PutTerminal(Box::new(Terminal { policy, ..stage::terminal(acme) })));
    stage.refund(&payment, "r3", 500);
    stage
}

fn clean_books_have_no_faults(engine: Engine) {
    let stage = busy_stage(engine);
    let report = block_on(stage.store.check_books()).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.merchants, report.payments, report.refunds), (1, 1, 3));
    stage.merchant(8);
    let more = block_on(stage.store.check_books()).unwrap();
    assert_eq!(more, BooksReport { merchants: 2, ..report });
}

fn books_without_a_row_are_clean(engine: Engine) {
    assert_eq!(block_on(Stage::new(engine).store.check_books()).unwrap(), BooksReport::default());
}

#[test]
fn a_payment_and_its_first_refund_may_share_a_commit() {
    let store = SqliteStore::open(&SqliteOptions::stepped()).unwrap();
    let (acme, now) = (MerchantId::new(7), Timestamp::from_ms(1_900_000_000_000));
    let command = |place: u16, act: Act| {
        let ids = IdBlock::new(compose(now.ms(), 0, place * 64));
        Command { stamp: Stamp { now, ids, actor: Actor::operator("stage") }, act }
    };
    store.transact_now(command(1, Act::PutMerchant(Box::new(stage::merchant(acme))))).unwrap();
    store.transact_now(command(2, Act::PutTerminal(Box::new(stage::terminal(acme))))).unwrap();
    let payment = stage::payment(acme, PaymentId::new(compose(now.ms(), 0, 192)), "p1", stage::euro(10_000));
    let refund = stage::create_refund(&payment, "r1", 4_000, RefundId::new(compose(now.ms(), 0, 256)));
    let recorded = store.transact(command(5, Act::RecordPayment(RecordPayment::from(payment).into())));
    let refunded = store.transact(command(6, Act::CreateRefund(Box::new(refund))));
    assert!(store.step() && !store.step(), "both in one commit");
    assert!(matches!(block_on(recorded), Ok(Outcome::Payment { .. })));
    assert!(matches!(block_on(refunded), Ok(Outcome::Refund { .. })));
    assert_eq!(block_on(store.check_books()).unwrap().faults, []);
}

/// Whatever is spoilt.
const TABLES: [&str; 9] = ["payments", "refunds", "remembered", "postings", "balances", "counters", "events", "notifications", "tasks"];

/// What is done to the rows of a busy stage, and the rule that it breaks.
fn spoilt() -> Vec<(&'static str, String)> {
    let of_r1 = "WHERE refund_id = (SELECT refund_id FROM refunds WHERE number = 'r1')";
    let of_r2 = "= (SELECT refund_id FROM refunds WHERE number = 'r2')";
    vec![
        ("balance_is_fold_of_postings", "UPDATE balances SET balance_minor = balance_minor + 1 WHERE account = 1".to_owned()),
        ("balance_is_fold_of_postings", "DELETE FROM balances WHERE account = 1".to_owned()),
        ("balance_is_fold_of_postings", format!("DELETE FROM postings {of_r1}")),
        ("unsettled_is_sum_of_payments", "UPDATE payments SET unsettled_left_minor = unsettled_left_minor + 7".to_owned()),
        ("reserve_is_sum_of_payments", "UPDATE payments SET reserve_left_minor = reserve_left_minor + 7".to_owned()),
        ("book_sums_to_zero", "UPDATE balances SET balance_minor = balance_minor - 5 WHERE account = 1".to_owned()),
        ("shares_due_sum_to_zero", "INSERT INTO balances VALUES (7, 'EUR', 6, 10, NULL)".to_owned()),
        ("payment_refunded_is_sum_of_refunds", "UPDATE payments SET refunded_minor = 0".to_owned()),
        ("payment_marketing_is_sum_of_refunds", "UPDATE payments SET refunded_marketing_minor = 3".to_owned()),
        ("payment_refund_count_is_count_of_refunds", "UPDATE payments SET refund_count = 9".to_owned()),
        ("payment_fee_given_back_is_sum_of_refunds", "UPDATE payments SET fee_given_back_minor = 9".to_owned()),
        ("refunds_are_within_captured", format!("UPDATE refunds SET amount_minor = 999999 {of_r1}")),
        ("refunds_are_within_marketing", format!("UPDATE refunds SET marketing_minor = 1 {of_r1}")),
        ("refund_has_one_next_step", format!("DELETE FROM tasks WHERE task_id {of_r2}")),
        ("refund_has_its_payment", format!("UPDATE refunds SET payment_id = 5 {of_r1}")),
        ("payment_names_its_refunds", "UPDATE payments SET refund_ids = refund_ids || ',5'".to_owned()),
        ("payments_name_all_refunds", "UPDATE payments SET refund_ids = ''".to_owned()),
        ("refund_names_its_events", format!("UPDATE refunds SET event_sequences = ',1,2' {of_r1}")),
        ("refunds_name_all_events", format!("UPDATE refunds SET event_sequences = '' {of_r1}")),
        ("waiting_is_count_of_refunds", "UPDATE counters SET value = 2 WHERE name LIKE 'waiting:%'".to_owned()),
        ("waiting_is_count_of_refunds", "DELETE FROM counters WHERE name LIKE 'waiting:%'".to_owned()),
        ("remembered_key_has_its_refund", "UPDATE remembered SET refund_id = 5 WHERE number = 'r1'".to_owned()),
        ("refund_has_its_key", "DELETE FROM remembered WHERE number = 'r1'".to_owned()),
        ("task_has_its_subject", "INSERT INTO tasks VALUES (7, 5, 0, 'submit_refund', 1, 1, 0, '')".to_owned()),
        ("events_have_no_gap", "DELETE FROM events WHERE sequence = 2".to_owned()),
        ("last_sequence_is_that_of_the_feed", "UPDATE counters SET value = 1 WHERE name = 'last_sequence'".to_owned()),
        ("due_notification_has_a_task", "DELETE FROM tasks WHERE kind = 'deliver_notification'".to_owned()),
        ("notification_has_its_event", "UPDATE notifications SET event_sequence = 999".to_owned()),
        ("task_has_its_subject", "UPDATE tasks SET kind = 'deliver_notification' WHERE kind = 'submit_refund'".to_owned()),
        ("refunds_are_within_captured", "UPDATE refunds SET amount_minor = 9223372036854775807".to_owned()),
        ("payment_names_its_refunds", "UPDATE payments SET refund_ids = refund_ids || refund_ids".to_owned()),
        ("last_sequence_is_that_of_the_feed", "INSERT INTO counters VALUES (9, 'last_sequence', 3)".to_owned()),
        ("remembered_key_has_its_refund", "UPDATE remembered SET merchant_id = 9".to_owned()),
        ("events_have_no_gap", "UPDATE events SET sequence = sequence + 5, merchant_id = 9 WHERE sequence > 3".to_owned()),
        ("notification_has_its_event", "UPDATE notifications SET merchant_id = 9".to_owned()),
    ]
}

fn each_broken_row_is_named_by_its_rule(engine: Engine) {
    // A database of its own for each row would take longer than everything else here.
    let stage = busy_stage(engine);
    for table in TABLES {
        stage.spoil(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    }
    for (rule, sql) in spoilt() {
        let report = report_after(&stage, &[&sql]);
        assert!(report.faults.iter().any(|fault| fault.rule == rule), "{sql} should break {rule}: {:?}", report.faults);
        // The rows are the same on both databases, and so is every word about them.
        assert_eq!(report, report_after(&busy_stage(Engine::Sqlite), &[&sql]), "{sql}");
        for table in TABLES {
            stage.spoil(&format!("DELETE FROM {table}"));
            stage.spoil(&format!("INSERT INTO {table} SELECT * FROM kept_{table}"));
        }
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, [], "every row was put back");
}

fn many_broken_rows_are_named_in_one_order(engine: Engine) {
    let spoilt = spoilt();
    let mut spoiling: Vec<&str> = [0, 2, 11, 14, 17, 21, 26].map(|place: usize| spoilt[place].1.as_str()).into();
    spoiling.push("UPDATE payments SET refunded_minor = 7, refund_count = 8");
    let report = report_after(&busy_stage(engine), &spoiling);
    assert!(report.faults.len() > 8, "{:?}", report.faults);
    assert_eq!(report, report_after(&busy_stage(Engine::Sqlite), &spoiling));
}

/// What is said after all this was done to the rows.
fn report_after(stage: &Stage, spoiling: &[&str]) -> BooksReport {
    for sql in spoiling {
        assert!(stage.spoil(sql) > 0, "{sql} spoils something");
    }
    block_on(stage.store.check_books()).unwrap()
}
