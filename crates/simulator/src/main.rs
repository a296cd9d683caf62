//! `refundry-sim`: runs seeds, and cuts a failing plan down to what is needed to fail.

fn main() {
    let seed = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let report = refundry_simulator::run::run(&refundry_simulator::plan::Plan::of(seed));
    println!("{}\n{:?}\n{:?}", report.trace, report.violation, report.figures);
}
