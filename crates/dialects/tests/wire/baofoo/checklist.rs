//! The pages `docs/dialects/baofoo-checklist.md` and its Chinese twin name tests; here it is looked after that these exist, and that no row of the
//! vendor's page is left out.

use std::fs;
use std::path::{Path, PathBuf};

/// The members of the vendor's two tables, in its order.
const REQUEST: [&str; 22] = [
    "agentMerId",
    "agentTerId",
    "merId",
    "terId",
    "merchantName",
    "originTradeNo",
    "originOutTradeNo",
    "outTradeNo",
    "notifyUrl",
    "refundAmt",
    "totalAmt",
    "txnTime",
    "attach",
    "reqReserved",
    "sharingRefundInfo",
    "sharingMerId",
    "sharingAmt",
    "mktRefundInfo",
    "mktMerId",
    "mktAmt",
    "advanceAmt",
    "refundReason",
];
const ANSWER: [&str; 11] = [
    "originTradeNo",
    "originOutTradeNo",
    "outTradeNo",
    "tradeNo",
    "refundAmt",
    "totalAmt",
    "resultCode",
    "refundState",
    "errCode",
    "errMsg",
    "reqReserved",
];
/// Notes on the vendor's page.
const NOTES: usize = 8;
/// Where a test is looked for beside the files that its row names.
const USUAL_FILE: &str = "crates/dialects/tests/wire/baofoo/bad_inputs.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of a page's tables, as cells.
fn tables(page: &str) -> Vec<Vec<Vec<String>>> {
    let text = fs::read_to_string(root().join("docs/dialects").join(page)).unwrap();
    let sections = text.split("\n## ").skip(1);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    sections.map(|section| section.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells).collect()).collect()
}

/// What stands between backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_row_of_the_vendor_s_page_names_tests_that_exist() {
    for page in ["baofoo-checklist.md", "baofoo-checklist.zh.md"] {
        let tables = tables(page);
        let [notes, request, answer] = tables.as_slice() else { panic!("{page} has {} tables", tables.len()) };
        assert_eq!(notes.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), (1..=NOTES).map(|n| n.to_string()).collect::<Vec<_>>());
        let members = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect::<Vec<_>>();
        assert_eq!(members(request), REQUEST, "{page}");
        assert_eq!(members(answer), ANSWER, "{page}");
        for row in tables.iter().flatten() {
            check_proofs(row.last().unwrap());
        }
    }
}

#[test]
fn both_languages_name_the_same_tests() {
    let proofs = |page| tables(page).concat().iter().map(|row| row.last().unwrap().clone()).collect::<Vec<_>>();
    assert_eq!(proofs("baofoo-checklist.md"), proofs("baofoo-checklist.zh.md"));
}

fn check_proofs(cell: &str) {
    let names = names(cell);
    assert!(!names.is_empty(), "{cell} proves nothing");
    let files: Vec<&str> = names.iter().copied().filter(|name| name.ends_with(".rs")).chain([USUAL_FILE]).collect();
    for name in &names {
        if name.ends_with(".http") {
            let golden = root().join("crates/dialects/tests/golden/baofoo").join(name);
            assert!(golden.is_file(), "there is no golden file {name}");
        } else if name.starts_with("crates/") {
            assert!(root().join(name).is_file(), "there is no file {name}");
        } else {
            let has = |file: &str| fs::read_to_string(root().join(file)).unwrap().contains(&format!("fn {name}()"));
            assert!(files.iter().any(|file| has(file)), "none of {files:?} has a test {name}");
        }
    }
}
