//! Nothing is silenced, skipped or left for later.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};

#[test]
fn nothing_is_silenced_or_unfinished() {
    let mut problems = Vec::new();
    for path in files_ending(".rs") {
        let found = refundry_tidy::rust_source::silencers(&path, &text(&path));
        problems.extend(found.into_iter().map(|(line, what)| format!("{path}:{line} {what}")));
    }
    assert_tidy(&problems, "Cure the cause; where a lint is wrong, #[expect(…, reason = \"…\")] says why and goes away with it.");
}
