//! The native API on PostgreSQL, with one lane and with four, beside the services that are written by hand: same requests, same rows, in turn.

use refundry_bench::by_hand::service::Way;
use refundry_bench::ground::{Ground, Spread};
use refundry_bench::report::{Report, Said, ratio, said};
use refundry_bench::server_process::{ByHand, Server};

use crate::arguments::Arguments;
use crate::rows::{Row, table};

/// Connections among which the best number is chosen for each service that is written by hand.
const CONNECTIONS: [usize; 3] = [16, 32, 64];
/// Callers of the rows.
const MANY_CALLERS: [usize; 2] = [64, 256];

/// Accepted refunds a second with little stored, by what later rows are compared with.
pub struct PlainThere {
    /// At 64 callers, one merchant.
    pub per_second: u64,
}

/// Who takes part.
struct Contender {
    name: Said,
    ground: Ground,
    server: [Server; 1],
    /// One transaction per refund needs fewer refunds for the same time.
    share: usize,
}

/// The lanes that the server has when nobody says otherwise; goals are judged with them.
pub const LANES: u32 = 2;

/// A server of ours with so many lanes.
pub fn lanes(ground: &Ground, count: u32) -> anyhow::Result<Server> {
    ground.serve(false, &[("REFUNDRY_DATABASE_LANES", count.to_string())])
}

/// Ours and theirs, refunds over 64 merchants and of one.
pub fn accept(arguments: &Arguments, small: &Ground, report: &mut Report) -> anyhow::Result<PlainThere> {
    println!("PostgreSQL, acceptance, beside services that are written by hand");
    let function = by_hand(arguments, small, Way::Function, report)?;
    let interactive = by_hand(arguments, small, Way::Interactive, report)?;
    let one_lane = small.cloned("bench_one_lane")?;
    let two_lanes = small.cloned("bench_two_lanes")?;
    let four_lanes = small.cloned("bench_four_lanes")?;
    let ours = |name: Said, ground: Ground, count| {
        let server = [lanes(&ground, count)?];
        anyhow::Ok(Contender { name, ground, server, share: 1 })
    };
    let mut contenders = [
        ours(said("Refundry, 1 lane", "Refundry，1 条通道"), one_lane, 1)?,
        ours(said("Refundry, 2 lanes", "Refundry，2 条通道"), two_lanes, LANES)?,
        ours(said("Refundry, 4 lanes", "Refundry，4 条通道"), four_lanes, 4)?,
        function,
        interactive,
    ];
    let mut plain = PlainThere { per_second: 0 };
    let spreads = [
        (Spread::ManyMerchants, said("64 merchants", "64 个商户")),
        (Spread::Recent, said("all load on one merchant", "全部负载在一个商户")),
    ];
    for (spread, name) in spreads {
        let rows = in_turn(arguments, &mut contenders, spread)?;
        let [_, [_, usual, _, function, interactive]] = rows.each_ref();
        judge(&name, usual.us(), (function, interactive), report);
        if spread == Spread::Recent {
            plain.per_second = rows[0][1].per_second();
        }
        let title = said(
            format!("PostgreSQL: accepted refunds, 100,000 payments stored, {}", name.text(refundry_bench::report::Language::English)),
            format!("PostgreSQL：受理退款，已存 10 万笔支付，{}", name.text(refundry_bench::report::Language::Chinese)),
        );
        report.add(table(title, said("service", "服务"), rows.iter().flatten()));
    }
    for contender in contenders {
        drop(contender.server);
        // Whoever wrote them: the rows are those of Refundry, and its own audit finds nothing wrong with them.
        contender.ground.refundry(&["doctor", "books"])?;
        contender.ground.dropped()?;
    }
    Ok(plain)
}

fn in_turn(arguments: &Arguments, contenders: &mut [Contender; 5], spread: Spread) -> anyhow::Result<[[Row; 5]; 2]> {
    let mut rows = MANY_CALLERS.map(|count| {
        contenders.each_ref().map(|contender| {
            let (english, chinese) = both(&contender.name);
            Row::new(said(format!("{english}, {count} callers"), format!("{chinese}，{count} 个并发")))
        })
    });
    for contender in contenders.iter_mut() {
        let warm = contender.ground.native(arguments.refunds / 8, spread)?;
        contender.ground.measure(&contender.server, warm, 64)?;
    }
    for _ in 0..arguments.rounds {
        for (callers, rows) in MANY_CALLERS.into_iter().zip(&mut rows) {
            for (contender, row) in contenders.iter_mut().zip(rows) {
                let prepared = contender.ground.native(arguments.refunds / contender.share, spread)?;
                row.add(contender.ground.measure(&contender.server, prepared, callers)?);
            }
        }
    }
    Ok(rows)
}

/// Starts a service with the number of connections that served it best.
fn by_hand(arguments: &Arguments, small: &Ground, way: Way, report: &mut Report) -> anyhow::Result<Contender> {
    let (name, english, chinese) = match way {
        Way::Function => ("bench_function", "by hand, a stored function each", "手写，每笔一个存储函数"),
        Way::Interactive => ("bench_interactive", "by hand, an interactive transaction each", "手写，每笔一个交互事务"),
    };
    let mut ground = small.cloned(name)?;
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let server = [ground.serve_by_hand(&ByHand { way, connections, workers: 0 })?];
        let warm = ground.native(arguments.refunds / 16, Spread::ManyMerchants)?;
        ground.measure(&server, warm, 64)?;
        let mut row = Row::new(said(format!("{connections} connections"), format!("{connections} 个连接")));
        let prepared = ground.native(arguments.refunds / 4, Spread::ManyMerchants)?;
        row.add(ground.measure(&server, prepared, 256)?);
        rows.push((row, connections));
    }
    // By processor time, because that is what it is compared by.
    let best = rows.iter().min_by_key(|(row, _)| row.us()).map_or(CONNECTIONS[0], |(_, connections)| *connections);
    let title =
        said(format!("Which number of connections serves best: {english}, 256 callers"), format!("多少连接最好：{chinese}，256 个并发"));
    report.add(table(title, said("connections", "连接"), rows.iter().map(|(row, _)| row)));
    let server = [ground.serve_by_hand(&ByHand { way, connections: best, workers: 0 })?];
    let name = said(format!("{english} ({best} connections)"), format!("{chinese}（{best} 个连接）"));
    Ok(Contender { name, ground, server, share: 4 })
}

fn judge(spread: &Said, ours: u64, (function, interactive): (&Row, &Row), report: &mut Report) {
    let (english, chinese) = both(spread);
    for (theirs, way, way_zh, times) in [
        (function.us(), "a stored function each", "每笔一个存储函数", 2),
        (interactive.us(), "an interactive transaction each", "每笔一个交互事务", 5),
    ] {
        report.goal(
            said(
                format!("PostgreSQL, 256 callers, {english}: CPU per accepted refund by that of {way}"),
                format!("PostgreSQL，256 个并发，{chinese}：每笔受理退款的 CPU 与{way_zh}之比"),
            ),
            said(format!("≤ 1/{times}"), format!("≤ 1/{times}")),
            format!("{ours} µs / {theirs} µs = {}", ratio(ours, theirs)),
            ours * times <= theirs,
        );
    }
}

fn both(name: &Said) -> (&str, &str) {
    (name.text(refundry_bench::report::Language::English), name.text(refundry_bench::report::Language::Chinese))
}
