//! Two nodes on one PostgreSQL against one: what they take from each other.

use refundry_bench::ground::{Ground, Spread};
use refundry_bench::report::{Report, ratio, said};

use crate::arguments::Arguments;
use crate::rows::{Row, table};

/// Callers, shared out among the nodes.
const CALLERS: usize = 256;

/// In turn on the same database, over many merchants and on one.
pub fn two_nodes(arguments: &Arguments, small: &Ground, report: &mut Report) -> anyhow::Result<()> {
    println!("PostgreSQL, two nodes");
    let mut ground = small.cloned("bench_nodes")?;
    let alone = [ground.serve(false, &[])?];
    let together = [ground.serve(false, &[])?, ground.serve(false, &[])?];
    let mut all = Vec::new();
    let spreads = [(Spread::ManyMerchants, "64 merchants", "64 个商户"), (Spread::Recent, "one merchant", "一个商户")];
    for (spread, english, chinese) in spreads {
        let mut rows = [
            Row::new(said(format!("one node, {english}"), format!("一个节点，{chinese}"))),
            Row::new(said(format!("two nodes, {english}"), format!("两个节点，{chinese}"))),
        ];
        for servers in [&alone[..], &together[..]] {
            let warm = ground.native(arguments.refunds / 8, spread)?;
            ground.measure(servers, warm, CALLERS)?;
        }
        for _ in 0..arguments.rounds {
            for (servers, row) in [&alone[..], &together[..]].into_iter().zip(&mut rows) {
                let prepared = ground.native(arguments.refunds, spread)?;
                row.add(ground.measure(servers, prepared, CALLERS)?);
            }
        }
        let [one, two] = &rows;
        let ratios = [
            ("refunds per CPU second", "每 CPU 秒退款", one.us(), two.us()),
            ("refunds a second, whether processors wait or not", "每秒退款（无论处理器是否空闲）", two.per_second(), one.per_second()),
        ];
        for (what, what_zh, part, whole) in ratios {
            report.goal(
                said(
                    format!("PostgreSQL, two nodes by one, 256 callers, {english}: {what}"),
                    format!("PostgreSQL，两个节点与一个节点之比，256 个并发，{chinese}：{what_zh}"),
                ),
                "≥ 0.85".to_owned().into(),
                ratio(part, whole),
                part * 100 >= whole * 85,
            );
        }
        all.extend(rows);
    }
    report.add(table(
        said("PostgreSQL: one node and two, 256 callers", "PostgreSQL：一个与两个节点，256 个并发"),
        said("nodes", "节点"),
        &all,
    ));
    drop((alone, together));
    ground.refundry(&["doctor", "books"])?;
    ground.dropped()
}
