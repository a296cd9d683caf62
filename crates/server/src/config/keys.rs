//! The table of all configuration keys.

use refundry_service::outgoing::addresses::Network;
use std::net::SocketAddr;

/// One `[section]` of the file.
pub struct Section {
    /// Its name, with a dot when it is nested.
    pub name: &'static str,
    /// What it is about, in English and Chinese.
    pub about: (&'static str, &'static str),
    /// Its keys in the order of the printed file.
    pub keys: &'static [Key],
}

/// One key.
pub struct Key {
    /// Its name inside the section.
    pub name: &'static str,
    /// Type, default and limits.
    pub kind: Kind,
    /// What it does, in English and Chinese.
    pub about: (&'static str, &'static str),
}

/// Type, default and limits of a key.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A whole number: default, least, most.
    Integer(i64, i64, i64),
    /// `true` or `false`.
    Switch(bool),
    /// One text.
    Text(&'static str, Form),
    /// Any number of texts.
    List(&'static [&'static str], Form),
}

/// What a text must look like.
#[derive(Clone, Copy)]
pub enum Form {
    /// Anything.
    Any,
    /// As `Any`, and never shown in an error.
    Secret,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Address and port to listen on.
    Listen,
    /// A range of addresses.
    Network,
    /// Nothing, or an `http` or `https` URL.
    Url,
    /// Where the database is.
    Database,
    /// `info`, or `info,refundry_store=debug`.
    Level,
}

impl Form {
    /// Whether `text` has this form.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Form::Any | Form::Secret => true,
            Form::OneOf(choices) => choices.contains(&text),
            Form::Listen => text.parse::<SocketAddr>().is_ok(),
            Form::Network => text.parse::<Network>().is_ok(),
            Form::Url => text.is_empty() || url::Url::parse(text).is_ok_and(|url| url.scheme().starts_with("http")),
            Form::Database => DATABASES.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())),
            Form::Level => text.parse::<tracing_subscriber::filter::Targets>().is_ok(),
        }
    }

    /// What is expected, in English and Chinese; nothing when everything fits.
    pub fn expected(self) -> Option<(String, String)> {
        let (english, chinese) = match self {
            Form::Any | Form::Secret => return None,
            Form::OneOf(choices) => {
                let choices: Vec<_> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
                return Some((format!("one of {}", choices.join(", ")), format!("以下之一：{}", choices.join("、"))));
            }
            Form::Listen => ("address:port such as 127.0.0.1:8080 or [::]:8080", "地址:端口，例如 127.0.0.1:8080 或 [::]:8080"),
            Form::Network => ("a network such as 10.0.0.0/8, fd00::/8 or 127.0.0.1", "网段，例如 10.0.0.0/8、fd00::/8 或 127.0.0.1"),
            Form::Url => ("a URL that begins with http:// or https://, or nothing", "以 http:// 或 https:// 开头的 URL，或留空"),
            Form::Database => (
                "sqlite:// followed by a path, such as sqlite:///var/lib/refundry/refundry.db, or postgres://user@host:5432/refundry",
                "sqlite:// 加路径，例如 sqlite:///var/lib/refundry/refundry.db，或 postgres://user@host:5432/refundry",
            ),
            Form::Level => (
                "error, warn, info, debug, trace or off, also per module: info,refundry_store=debug",
                "error、warn、info、debug、trace 或 off，也可按模块：info,refundry_store=debug",
            ),
        };
        Some((english.to_owned(), chinese.to_owned()))
    }
}

/// How the address of a database begins.
pub const DATABASES: [&str; 3] = ["sqlite://", "postgres://", "postgresql://"];

/// The section of which each acquirer has its own copy, `[acquirer.NAME]`.
pub const ACQUIRER: &str = "acquirer";

const KIB: i64 = 1024;
const MIB: i64 = 1024 * KIB;
const MINUTE_MS: i64 = 60_000;

const fn number(name: &'static str, (default, least, most): (i64, i64, i64), english: &'static str, chinese: &'static str) -> Key {
    Key { name, kind: Kind::Integer(default, least, most), about: (english, chinese) }
}

const fn switch(name: &'static str, default: bool, english: &'static str, chinese: &'static str) -> Key {
    Key { name, kind: Kind::Switch(default), about: (english, chinese) }
}

const fn text(name: &'static str, default: &'static str, form: Form, english: &'static str, chinese: &'static str) -> Key {
    Key { name, kind: Kind::Text(default, form), about: (english, chinese) }
}

const fn list(name: &'static str, default: &'static [&'static str], form: Form, english: &'static str, chinese: &'static str) -> Key {
    Key { name, kind: Kind::List(default, form), about: (english, chinese) }
}

/// Every section in the order of the printed file.
#[rustfmt::skip]
pub const SECTIONS: &[Section] = &[
    Section { name: "server", about: ("The process and its plain HTTP listeners.", "进程与明文 HTTP 监听。"), keys: &[
        list("listen", &["127.0.0.1:8080"], Form::Listen, "Addresses for plain HTTP: behind a proxy, or on this machine only. Empty: none.", "明文 HTTP 监听地址：用于反向代理之后或仅限本机。留空则不监听。"),
        list("roles", &["api", "workers"], Form::OneOf(&["api", "workers"]), "What this process does: answer requests, carry out tasks, or both.", "本进程的职责：应答请求、执行任务，或两者。"),
        text("lang", "en", Form::OneOf(&["en", "zh"]), "Language of messages to the operator.", "面向运维人员的消息语言。"),
        list("trusted_proxies", &[], Form::Network, "Networks of reverse proxies whose X-Forwarded-For is believed when a terminal checks where its callers come from. Anybody else's is ignored.", "可信反向代理的网段；终端校验调用方地址时采信其 X-Forwarded-For，其他来源的该请求头一律忽略。"),
        number("node_lease_ms", (MINUTE_MS, 3_000, 60 * MINUTE_MS), "How long the number that this process puts into its ids is its own without being renewed; it is renewed three times as often.", "本进程写入编号的节点号不续约时的有效期；续约频率为其三倍。"),
        number("io_threads", (0, 0, 1024), "Threads that serve connections; 0: one per core.", "处理连接的线程数；0 表示每核一个。"),
        number("cpu_threads", (0, 0, 1024), "Threads that make signatures; 0: one per core.", "计算签名的线程数；0 表示每核一个。"),
        number("connections_max", (10_000, 1, 1_000_000), "Open connections; further ones wait until one closes.", "最大并发连接数；超出的连接等待空位。"),
        number("header_bytes_max", (64 * KIB, 8 * KIB, MIB), "Longest request line and headers together.", "请求行与请求头的最大总长度。"),
        number("header_read_timeout_ms", (10_000, 100, 10 * MINUTE_MS), "Time to send the headers of a request; slower clients are cut off.", "发送请求头的时限；过慢的客户端会被断开。"),
        number("keep_alive_timeout_ms", (75_000, 100, 60 * MINUTE_MS), "How long an idle connection stays open for the next request.", "空闲连接保持打开的时间。"),
        number("body_bytes_max", (MIB, KIB, 64 * MIB), "Longest request body, imports excepted.", "请求正文的最大长度（导入除外）。"),
        number("import_bytes_max", (1024 * MIB, KIB, 1024 * 1024 * MIB), "Longest body of an import, which is read as a stream.", "导入正文的最大长度（流式读取）。"),
        number("request_timeout_ms", (60_000, 100, 60 * MINUTE_MS), "Time for one request from its headers to its answer, imports excepted.", "单个请求从请求头到应答的时限（导入除外）。"),
        number("drain_ms", (3_000, 0, 10 * MINUTE_MS), "How long the process goes on accepting requests when it is asked to end, while /readyz says that it is about to: longer than a load balancer takes to notice. A second signal ends it at once.", "收到停止信号后继续接受请求的时间，其间 /readyz 已表示即将停止；应长于负载均衡器察觉所需的时间。再次收到信号则立即停止。"),
        number("shutdown_grace_ms", (30_000, 0, 60 * MINUTE_MS), "How long requests in flight may take to finish when the process is asked to end.", "收到停止信号后，在途请求的最长完成时间。"),
    ] },
    Section { name: "server.tls", about: ("Direct HTTPS. The files are read again when the process receives SIGHUP.", "直接提供 HTTPS。进程收到 SIGHUP 时会重新读取证书文件。"), keys: &[
        list("listen", &[], Form::Listen, "Addresses for HTTPS. Empty: none.", "HTTPS 监听地址。留空则不监听。"),
        text("cert", "", Form::Any, "PEM file with the certificate and its chain.", "证书及证书链的 PEM 文件。"),
        text("key", "", Form::Any, "PEM file with the private key.", "私钥的 PEM 文件。"),
    ] },
    Section { name: "database", about: ("Where everything is stored.", "数据存储。"), keys: &[
        text("url", "sqlite://refundry.db", Form::Database, "The database: a file of SQLite, where a relative path starts at the working directory, or a PostgreSQL, if need be with several hosts.", "数据库：SQLite 文件（相对路径以工作目录为起点），或 PostgreSQL（可写多个主机）。"),
        text("password", "", Form::Secret, "PostgreSQL: the password, so that it need not stand in the address.", "PostgreSQL：密码，避免写入地址。"),
        text("certificates", "", Form::Any, "PostgreSQL: PEM file with the certificates that sign the server's, beside those of the machine.", "PostgreSQL：除系统证书外，用于验证服务器证书的 CA 证书 PEM 文件。"),
        number("batch_max", (256, 1, 10_000), "Commands that share one commit at most.", "一次提交最多合并的命令数。"),
        number("queue_max", (16_384, 1, 1_000_000), "Commands that may wait for a writer; further ones are answered with \"try again\".", "等待写入的命令上限；超出时应答“请重试”。"),
        number("readers", (4, 1, 256), "Connections for reading, which never wait for the writer.", "只读连接数；读取从不等待写入。"),
        number("lanes", (2, 1, 64), "PostgreSQL: writers side by side, each with a connection; merchants are shared out among them. Fewer make larger batches, which cost less; more use more cores of the server. Distributed tables have one for each shard instead.", "PostgreSQL：并行写入通道数，每个通道一个连接；商户分配到各通道。通道少则每批更大、成本更低；通道多则用到服务器更多的核。若表已分布，则改为每个分片一个。"),
        number("connect_timeout_ms", (3_000, 10, MINUTE_MS), "PostgreSQL: time to connect to one host.", "PostgreSQL：连接单个主机的时限。"),
        number("statement_timeout_ms", (10_000, 100, 10 * MINUTE_MS), "PostgreSQL: time for one statement, long checks excepted.", "PostgreSQL：单条语句的时限（长时间检查除外）。"),
        number("lock_timeout_ms", (5_000, 10, MINUTE_MS), "PostgreSQL: how long to wait for a row that another node writes before the batch is tried anew.", "PostgreSQL：等待其他节点正在写入的行的时间；超时后整批重试。"),
        number("recover_for_ms", (45_000, 100, 60 * MINUTE_MS), "PostgreSQL: how long a writer looks for a database that is gone before those who wait are told to try again; longer than a failover.", "PostgreSQL：数据库不可达时写入方持续重连的时间，之后等待者收到“请重试”；应长于一次故障切换。"),
        text("sync", "full", Form::OneOf(&["full", "normal"]), "SQLite. full: an acknowledged refund survives a power cut. normal: it may not.", "SQLite。full：已确认的退款在断电后不会丢失；normal：可能丢失。"),
        number("checkpoint_interval_ms", (20, 1, MINUTE_MS), "SQLite: how often written pages move from the log into the file; short intervals keep the slowest answers fast.", "SQLite：将日志中的页写回数据库文件的间隔；间隔短可降低最慢应答的耗时。"),
        number("wal_bytes_max", (256 * MIB, MIB, 64 * 1024 * MIB), "SQLite: length of the log at which the writer waits for a full checkpoint.", "SQLite：日志达到此长度时，写入方会等待一次完整的检查点。"),
        number("cache_bytes", (16 * MIB, MIB, 64 * 1024 * MIB), "SQLite: page cache of the writer.", "SQLite：写入连接的页缓存。"),
        number("reader_cache_bytes", (4 * MIB, MIB, 64 * 1024 * MIB), "SQLite: page cache of each reader.", "SQLite：每个只读连接的页缓存。"),
        number("busy_timeout_ms", (2_000, 0, MINUTE_MS), "SQLite: how long to wait when another process has locked the file.", "SQLite：数据库文件被其他进程锁定时的等待时间。"),
    ] },
    Section { name: "secrets", about: ("Secrets at rest are sealed under a master key; REFUNDRY_MASTER_KEY overrides the file.", "静态机密由主密钥加密；环境变量 REFUNDRY_MASTER_KEY 优先于文件。"), keys: &[
        text("master_key_file", "master.key", Form::Any, "One line `id:base64` per key, the last is current. It is made when it is missing. Keep a copy apart from the backups.", "每行一个 `标识:base64`，最后一行为当前密钥；文件不存在时自动生成。请与备份分开保存副本。"),
    ] },
    Section { name: "outgoing", about: ("Requests that this process sends: notifications and submissions.", "本进程发出的请求：通知与提交。"), keys: &[
        list("networks_allowed", &[], Form::Network, "Networks that may be reached although they are not public. A metadata service needs its exact address.", "允许访问的非公网网段；云元数据服务须写出确切地址。"),
        number("connect_timeout_ms", (5_000, 10, 10 * MINUTE_MS), "Time to resolve, connect and agree on TLS.", "解析、连接与 TLS 握手的时限。"),
        number("timeout_ms", (15_000, 10, 10 * MINUTE_MS), "Time for one notification from start to end.", "一次通知从开始到结束的时限。"),
        number("response_bytes_max", (64 * KIB, KIB, 16 * MIB), "Longest answer that is read.", "读取应答的最大长度。"),
        number("idle_connections_max", (256, 0, 100_000), "Connections kept open for the next request.", "保持打开以备复用的连接数。"),
        number("idle_timeout_ms", (4_000, 10, 60 * MINUTE_MS), "How long such a connection is kept; many servers close theirs after 5 s.", "此类连接的保持时间；许多服务器 5 秒后即关闭。"),
    ] },
    Section { name: "workers", about: ("How tasks are carried out.", "任务的执行方式。"), keys: &[
        number("lease_ms", (MINUTE_MS, 1_000, 60 * MINUTE_MS), "How long a task belongs to the process that took it; longer than the slowest acquirer.", "任务被领取后的占用时间；应长于最慢的收单机构。"),
        number("concurrency", (512, 1, 10_000), "Steps of refunds in flight at once; notifications have half as many places of their own, so that slow receivers hold no refund up.", "同时执行的退款步骤数；通知另有其一半的名额，因此响应缓慢的接收方不会拖延退款。"),
        number("poll_interval_ms", (250, 1, MINUTE_MS), "How often due tasks are looked for when nothing woke the workers.", "无唤醒时查找到期任务的间隔。"),
        number("acquirer_timeout_ms", (15_000, 10, 10 * MINUTE_MS), "Time for an acquirer to answer; after it the outcome is unclear and asked for.", "等待收单机构应答的时限；超时后结果不明，将主动查询。"),
        number("retry_delay_ms_min", (2_000, 1, 60 * MINUTE_MS), "Shortest wait before something is tried again; waits grow with the time that has passed.", "重试前的最短等待时间；等待随已过时间增长。"),
        number("retry_delay_ms_max", (60 * MINUTE_MS, 1, 24 * 60 * MINUTE_MS), "Longest wait before something is tried again.", "重试前的最长等待时间。"),
    ] },
    Section { name: "alarms", about: ("From when on something is late: figures in /metrics, and warnings in the log.", "逾期判定：体现在 /metrics 指标与警告日志中。"), keys: &[
        number("hand_over_minutes", (120, 1, 43_200), "Minutes within which a refund that nothing holds is handed over to its acquirer.", "没有挂起原因的退款须在多少分钟内交给收单机构。"),
        number("review_hours", (24, 1, 8_760), "Hours that a refund may wait for a reviewer.", "退款等待审核的小时数上限。"),
    ] },
    Section { name: ACQUIRER, about: ("One section per acquirer; `simulated` is always there. Sandbox terminals only ever use `simulated`.", "每个收单机构一个小节；`simulated` 始终存在。沙箱终端只使用 `simulated`。"), keys: &[
        text("kind", "simulated", Form::OneOf(&["simulated", "http"]), "simulated: outcomes by documented rules. http: your own payment system.", "simulated：按文档规则模拟结果；http：您自己的支付系统。"),
        text("url", "", Form::Url, "Where refunds are posted (http).", "退款提交地址（http）。"),
        text("secret", "", Form::Secret, "Secret of the Standard Webhooks signature, `whsec_…` (http).", "Standard Webhooks 签名密钥，`whsec_…`（http）。"),
        switch("recognises_duplicates", false, "Whether a second submission of the same refund_id is certainly not paid again (http).", "同一 refund_id 的重复提交是否确定不会再次付款（http）。"),
        number("unknown_is_final_after_ms", (15 * MINUTE_MS, 1_000, 7 * 24 * 60 * MINUTE_MS), "Time from a submission on after which \"unknown\" means that it never arrived (http).", "自提交起超过此时间后，“未知”表示请求从未到达（http）。"),
    ] },
    Section { name: "log", about: ("Structured logs on standard error.", "输出到标准错误的结构化日志。"), keys: &[
        text("format", "text", Form::OneOf(&["text", "json"]), "text for people, json for machines.", "text 便于阅读，json 便于机器处理。"),
        text("level", "info", Form::Level, "What is logged.", "日志级别。"),
    ] },
    Section { name: "tracing", about: ("OpenTelemetry traces.", "OpenTelemetry 链路追踪。"), keys: &[
        text("otlp_endpoint", "", Form::Url, "Collector for OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces. Empty: no traces.", "OTLP/HTTP 采集端，例如 http://127.0.0.1:4318/v1/traces。留空则不追踪。"),
        number("sample_per_mille", (100, 0, 1_000), "How many of 1,000 requests are traced.", "每 1000 个请求中被追踪的数量。"),
    ] },
    Section { name: "limits", about: ("Limits of requests.", "请求的限制。"), keys: &[
        number("import_line_bytes_max", (64 * KIB, KIB, 16 * MIB), "Longest line of an import.", "导入中单行的最大长度。"),
        number("unnumbered_replay_seconds", (600, 1, 86_400), "How long the same refund request without a number of the merchant's is a repeat of the first; later it is a new refund.", "不带商户退款单号的相同请求在此时间内视为重复请求；超过后视为新的退款。"),
    ] },
];
