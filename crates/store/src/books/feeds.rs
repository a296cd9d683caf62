use refundry_engine::{MerchantId, NotificationId, TaskId};

use super::findings::{Findings, Step};

/// An event of a merchant's feed has the number behind that of the event before it; 0 is before the first.
pub fn event(findings: &mut Findings, merchant_id: i64, sequence: i64, before: i64) {
    findings.turn_to(merchant_id, Step::Events, sequence);
    findings.expect_number("events_have_no_gap", || name(merchant_id, sequence), sequence, i128::from(before) + 1);
}

/// The counter of a merchant's feed is its last number.
pub fn last_sequence(findings: &mut Findings, merchant_id: i64, counted: i64, last: i64) {
    findings.turn_to(merchant_id, Step::LastSequence, 0);
    findings.expect_number("last_sequence_is_that_of_the_feed", || name(merchant_id, last), counted, last);
}

/// A notification that is due has a task, one that is not has none, and each announces an event that is there.
pub fn notification(findings: &mut Findings, merchant_id: i64, id: i64, due: bool, (tasks, events): (i64, i64)) {
    findings.turn_to(merchant_id, Step::Notifications, id);
    let row = || NotificationId::new(id).to_string();
    findings.expect_number("due_notification_has_a_task", row, tasks, i64::from(due));
    findings.expect_number("notification_has_its_event", row, events, 1);
}

/// A task is about nothing that is there.
pub fn task_of_nothing(findings: &mut Findings, merchant_id: i64, id: i64, kind: &str) {
    findings.turn_to(merchant_id, Step::Tasks, id);
    findings.expect("task_has_its_subject", TaskId::new(id), format!("{kind} of nothing"), "a subject");
}

fn name(merchant_id: i64, sequence: i64) -> String {
    format!("{} {sequence}", MerchantId::new(merchant_id))
}
