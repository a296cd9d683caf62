//! What it all ran on, measured in the same run.

use refundry_bench::baselines::{Rsa, commits_per_second};
use refundry_bench::cluster::Cluster;
use refundry_bench::ground::Ground;
use refundry_bench::measured::empty_route;
use refundry_bench::pgbench::commit_limit;
use refundry_bench::report::{Report, Table, said};

use crate::arguments::Arguments;

/// Settings of the database server that figures depend on.
const SETTINGS: [&str; 7] =
    ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "checkpoint_timeout", "max_connections"];
/// How long pgbench runs for each number of callers.
const PGBENCH_SECONDS: u64 = 3;

/// Processors, disk, signatures, an empty route; the database server and what it commits at best.
pub fn machine(
    arguments: &Arguments,
    ground: &Ground,
    rsa: Option<&Rsa>,
    cluster: Option<&Cluster>,
    report: &mut Report,
) -> anyhow::Result<()> {
    println!("this machine");
    let mut table = Table::of_figures(said("This machine, in the same run", "本机（同一次运行）"));
    let model = model().unwrap_or_default();
    table.figure(said("processors", "处理器"), format!("{} × {model}", std::thread::available_parallelism()?));
    let commits = commits_per_second(&arguments.data)?;
    table.figure(said("commits of 4 KiB a second, one after the other", "每秒 4 KiB 提交次数（依次）"), commits.to_string());
    if let Some(rsa) = rsa {
        let [signs, verifies] = [rsa.signs_per_second, rsa.verifies_per_second].map(|rate| rate.to_string());
        table.figure(said("RSA-2048 signatures a second of one core (openssl)", "单核每秒 RSA-2048 签名（openssl）"), signs);
        table.figure(said("RSA-2048 verifications a second of one core (openssl)", "单核每秒 RSA-2048 验签（openssl）"), verifies);
    }
    let server = [ground.serve(false, &[])?];
    let empty = empty_route(ground, &server, arguments.refunds)?;
    let rate = empty.load.per_second().to_string();
    table.figure(said("an empty route, 64 callers: requests a second", "空接口，64 个并发：每秒请求"), rate);
    table.figure(said("an empty route: CPU per request", "空接口：每次请求 CPU"), format!("{} µs", empty.us_per_refund()));
    if let Some(cluster) = cluster {
        let settings: Vec<String> =
            SETTINGS.iter().map(|setting| Ok(format!("{setting} = {}", cluster.shows(setting)?))).collect::<anyhow::Result<_>>()?;
        table.figure(said("PostgreSQL", "PostgreSQL"), cluster.shows("server_version")?);
        table.figure(said("its settings", "其设置"), settings.join(", "));
        for callers in [16, 32, 64] {
            let limit = commit_limit(cluster, &arguments.data, callers, PGBENCH_SECONDS)?;
            let what =
                said(format!("pgbench, one row and a commit, {callers} connections"), format!("pgbench，每次一行一提交，{callers} 个连接"));
            let figure = said(
                format!("{} a second, {} µs of the server each", limit.per_second, limit.cpu_us),
                format!("每秒 {} 次，每次服务器 {} µs", limit.per_second, limit.cpu_us),
            );
            table.row(vec![what, figure]);
        }
    }
    report.add(table);
    Ok(())
}

fn model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim().to_owned())
}
