//! Cuts a failing plan down: leaves out steps as long as the same rule breaks (Zeller's ddmin, with a limit on tries).

use crate::plan::Plan;
use crate::run::RunReport;

/// Runs that one shrinking may take.
const RUNS_MAX: u32 = 400;

/// The steps without which the plan does not break `rule` any more, as far as the tries go.
pub fn shrink(plan: &Plan, rule: &str, run: impl Fn(&Plan) -> RunReport) -> Vec<u32> {
    let mut runs = 0;
    let mut fails = |kept: &[u32]| {
        runs += 1;
        runs <= RUNS_MAX && run(&plan.keeping(kept)).violation.is_some_and(|violation| violation.rule == rule)
    };
    minimise(plan.numbers(), &mut fails)
}

/// The shortest list for which `fails` still holds that leaving out ever smaller pieces finds.
fn minimise(mut kept: Vec<u32>, fails: &mut impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut pieces = 2;
    while !kept.is_empty() {
        let size = kept.len().div_ceil(pieces);
        let without = (0..kept.len()).step_by(size).map(|from| {
            let rest = kept.iter().enumerate().filter(|(place, _)| !(from..from + size).contains(place));
            rest.map(|(_, number)| *number).collect::<Vec<u32>>()
        });
        match without.into_iter().find(|rest| fails(rest)) {
            Some(rest) => {
                kept = rest;
                pieces = (pieces - 1).max(2);
            }
            None if size <= 1 => break,
            None => pieces = (pieces * 2).min(kept.len()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_to_fail_is_left_out() {
        let mut runs = 0;
        let kept = minimise((1..=64).collect(), &mut |kept| {
            runs += 1;
            [7, 8, 50].iter().all(|needed| kept.contains(needed))
        });
        assert_eq!(kept, [7, 8, 50]);
        assert!(runs < 200, "{runs}");
    }
}
