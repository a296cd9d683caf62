//! What one refund costs in storage, decision included: core-microseconds, commits, and refunds per second.
//!
//! `cargo run --release -p refundry-store --example refund_cost -- [payments] [refunds] [in flight] [merchants] [folder] [checkpoint interval]`
//!
//! The folder may be the address of an empty PostgreSQL database, and the number after it that of the lanes. With the process id of its postmaster
//! in `POSTMASTER`, the time of the server is shown too.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use refundry_engine::asked::OrderClaim;
use refundry_engine::command::{Act, Command, CreateRefund, RecordPayment, Stamp};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::ids::{EPOCH_MS, IDS_PER_MS, IdBlock, compose};
use refundry_engine::merchant::{Merchant, Mode, Standing, Terminal};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Actor, Changes, MerchantId, Outcome, PaymentId, RefundId, TerminalId, Timestamp};
use refundry_ledger::Money;
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, Ticket};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLERS: u64 = 4;

/// Counts commits.
#[derive(Default)]
struct Commits(AtomicU64);

impl CommitObserver for Commits {
    fn committed(&self, _changes: &Changes) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// How much of what.
#[derive(Clone, Copy)]
struct Load {
    payments: u64,
    refunds: u64,
    in_flight: u64,
    merchants: u64,
}

fn main() -> anyhow::Result<()> {
    let number = |place: usize, usual: u64| std::env::args().nth(place).map_or(Ok(usual), |text| text.parse());
    let load =
        Load { payments: number(1, 100_000)?, refunds: number(2, 100_000)?, in_flight: number(3, 256)?, merchants: number(4, 100)?.max(1) };
    let place = std::env::args().nth(5).unwrap_or_else(|| std::env::temp_dir().display().to_string());
    let commits = Arc::new(Commits::default());
    let observer = Some(Arc::clone(&commits) as Arc<dyn CommitObserver>);
    if place.starts_with("postgres") {
        let lanes = usize::try_from(number(6, 4)?)?;
        let store = PostgresStore::open(&PostgresOptions { observer, lanes, ..PostgresOptions::url(place) })?;
        return measure(&store, load, &commits);
    }
    let file = PathBuf::from(place).join(format!("refund_cost.{}.db", std::process::id()));
    let mut options = SqliteOptions { observer, ..SqliteOptions::file(&file) };
    options.checkpoint_interval_ms = number(6, options.checkpoint_interval_ms)?;
    let store = SqliteStore::open(&options)?;
    measure(&store, load, &commits)?;
    drop(store);
    println!("file {} MiB", std::fs::metadata(&file)?.len() >> 20);
    std::fs::remove_file(&file)?;
    Ok(())
}

fn measure(store: &dyn Store, load: Load, commits: &Commits) -> anyhow::Result<()> {
    let settings = (1..=load.merchants).flat_map(|merchant| [put_merchant(merchant), put_terminal(merchant)]);
    run(store, settings, 2)?;
    let payments = || run(store, (0..load.payments).map(|number| record_payment(number, load)), 1_024);
    report("payments", load.payments, commits, payments)?;
    report("refunds", load.refunds, commits, || refund(store, load))?;
    println!("resident memory {} MiB", resident_mib()?);
    let began = now();
    let found = block_on(store.check_books())?;
    println!("books checked in {:?}: {} postings, {} faults", began.elapsed(), found.postings, found.faults.len());
    Ok(())
}

/// All refunds, from several callers at once.
fn refund(store: &dyn Store, load: Load) -> anyhow::Result<Vec<Duration>> {
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let asked = (caller..load.refunds).step_by(CALLERS as usize).map(move |number| ask(number, load));
                scope.spawn(move || run(store, asked, (load.in_flight / CALLERS).max(1) as usize))
            })
            .collect();
        let mut waits = Vec::new();
        for caller in callers {
            waits.extend(caller.join().expect("a caller does not panic")?);
        }
        Ok(waits)
    })
}

/// Keeps so many commands in flight until all are answered; gives how long each waited.
fn run(store: &dyn Store, acts: impl Iterator<Item = (u64, Act)>, in_flight: usize) -> anyhow::Result<Vec<Duration>> {
    let mut waiting: VecDeque<(Instant, Ticket)> = VecDeque::new();
    let mut waits = Vec::new();
    let mut wait_for_oldest = |waiting: &mut VecDeque<(Instant, Ticket)>| {
        let Some((began, ticket)) = waiting.pop_front() else { return Ok(()) };
        check(block_on(ticket)?)?;
        waits.push(began.elapsed());
        anyhow::Ok(())
    };
    for (number, act) in acts {
        if waiting.len() >= in_flight {
            wait_for_oldest(&mut waiting)?;
        }
        let (ms, counter) = stamp_of(number);
        let ids = IdBlock::new(compose(ms, 0, counter));
        let stamp = Stamp { now: Timestamp::from_ms(ms), ids, actor: Actor::merchant("till") };
        waiting.push_back((now(), store.transact(Command { stamp, act })));
    }
    while !waiting.is_empty() {
        wait_for_oldest(&mut waiting)?;
    }
    Ok(waits)
}

fn check(outcome: Outcome) -> anyhow::Result<()> {
    match outcome {
        Outcome::Refused { refusal, .. } => anyhow::bail!("refused: {refusal:?}"),
        _ => Ok(()),
    }
}

/// Sixty-four commands per millisecond, so that their blocks of ids do not meet.
fn stamp_of(number: u64) -> (i64, u16) {
    let (ms, place) = (number / 64, number % 64);
    (EPOCH_MS + 200_000_000_000 + ms as i64, (place as u16) * (IDS_PER_MS / 64))
}

fn put_merchant(number: u64) -> (u64, Act) {
    let merchant = Merchant {
        id: MerchantId::new(number as i64),
        mode: Mode::Live,
        name: format!("Shop {number}"),
        standing: Standing::Active,
        policy: PolicyPatch::default(),
        payout_terms: Default::default(),
        account: None,
        endpoints: Vec::new(),
    };
    (2 * number, Act::PutMerchant(Box::new(merchant)))
}

fn put_terminal(number: u64) -> (u64, Act) {
    let terminal = Terminal {
        id: TerminalId::new(number as i64),
        merchant_id: MerchantId::new(number as i64),
        mode: Mode::Live,
        name: "Till".to_owned(),
        dialect: "native".to_owned(),
        standing: Standing::Active,
        policy: PolicyPatch::default(),
        method_policies: Default::default(),
        notify_url: None,
        acquirer: "simulated".to_owned(),
        wire: Default::default(),
        forced_answers: Vec::new(),
    };
    (2 * number + 1, Act::PutTerminal(Box::new(terminal)))
}

fn record_payment(number: u64, load: Load) -> (u64, Act) {
    let merchant = 1 + (number % load.merchants) as i64;
    let euro = |minor| Money::new(minor, "EUR".parse().expect("a currency"));
    let number = number + 1_000;
    let (ms, counter) = stamp_of(number);
    let details = PaymentDetails {
        card_scheme: Some("visa".to_owned()),
        card_first6: Some("411111".to_owned()),
        card_last4: Some("1111".to_owned()),
        shopper_email: Some(format!("shopper{number}@example.com")),
        ..PaymentDetails::default()
    };
    let at = Timestamp::from_ms(ms);
    let payment = Payment {
        id: PaymentId::new(compose(ms, 1, counter)),
        merchant_id: MerchantId::new(merchant),
        terminal_id: TerminalId::new(merchant),
        mode: Mode::Live,
        payment_reference: reference(number),
        merchant_reference: format!("order-{number:012}"),
        method: "card".to_owned(),
        status: PaymentStatus::Captured,
        paid_at: at,
        authorised: euro(10_000),
        captured: euro(10_000),
        marketing: euro(0),
        fee: euro(200),
        reserved: euro(500),
        refunded: euro(0),
        refunded_marketing: euro(0),
        refund_count: 0,
        fee_given_back: euro(0),
        unsettled_left: euro(0),
        reserve_left: euro(0),
        settled: false,
        settling: Default::default(),
        charged_back: euro(0),
        open_chargebacks: 0,
        open_retrievals: 0,
        sharing: None,
        converted: refundry_engine::payment::Converted::default(),
        quote: None,
        notify_url: None,
        details: Arc::new(details),
        created_at: at,
        updated_at: at,
    };
    (number, Act::RecordPayment(RecordPayment::from(payment).into()))
}

fn reference(number: u64) -> String {
    format!("{:020}", 2_026_000_000_000_000_u64 + number)
}

/// A refund of one of the payments, picked evenly but in no order.
fn ask(number: u64, load: Load) -> (u64, Act) {
    let picked = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % load.payments;
    let merchant_id = MerchantId::new(1 + (picked % load.merchants) as i64);
    let amount = Money::new(100, "EUR".parse().expect("a currency"));
    let stamped = number + load.payments + 10_000;
    let (ms, counter) = stamp_of(stamped);
    let act = CreateRefund {
        refund_id: RefundId::new(compose(ms, 2, counter)),
        merchant_id,
        terminal_id: Some(TerminalId::new(merchant_id.get())),
        mode: Mode::Live,
        key: IdempotencyKey { merchant_id, dialect: "native".to_owned(), scope: String::new(), number: format!("refund-{number:012}") },
        key_seconds: None,
        compared: vec![("amount".to_owned(), amount.to_string()), ("payment".to_owned(), reference(picked + 1_000))],
        remember_refusals: false,
        payment: PaymentKey::Reference(reference(picked + 1_000)),
        amount: amount.into(),
        extent: None,
        order: OrderClaim::default(),
        marketing: None,
        sharing: None,
        expected_remaining: None,
        merchant_reference: None,
        reason: Some("came broken".to_owned()),
        metadata: None,
        notify_url: None,
        accepts_dispute: None,
        batch: None,
        dry_run: false,
    };
    (stamped, Act::CreateRefund(Box::new(act)))
}

fn report(what: &str, count: u64, commits: &Commits, work: impl FnOnce() -> anyhow::Result<Vec<Duration>>) -> anyhow::Result<()> {
    let (began, cpu, server_cpu, before) = (now(), cpu_time()?, server_time()?, commits.0.load(Ordering::Relaxed));
    let mut waits = work()?;
    waits.sort_unstable();
    let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    let (wall, cpu, made) = (began.elapsed(), cpu_time()? - cpu, commits.0.load(Ordering::Relaxed) - before);
    let per_second = u128::from(count) * 1_000_000 / wall.as_micros().max(1);
    let core_us = cpu.as_micros() / u128::from(count);
    let server_us = (server_time()? - server_cpu).as_micros() / u128::from(count);
    println!(
        "{count} {what}: {core_us} core-us each and {server_us} of the server, {per_second}/s, {made} commits of {} on average",
        count / made.max(1)
    );
    println!("  half wait less than {half:?}, 99 of 100 less than {most:?}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this program measures how long the machine takes; nothing that it decides depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// User and system time of this program so far.
fn cpu_time() -> anyhow::Result<Duration> {
    Ok(time_of("self", 2)?.1)
}

/// User and system time of a PostgreSQL server so far: of its first process, of those that it began, and of those of them that have ended.
fn server_time() -> anyhow::Result<Duration> {
    let Ok(postmaster) = std::env::var("POSTMASTER") else { return Ok(Duration::ZERO) };
    let mut time = time_of(&postmaster, 4)?.1;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            // A process may end while it is looked at.
            let Ok((parent, own)) = time_of(&name, 2) else { continue };
            time += if parent == postmaster { own } else { Duration::ZERO };
        }
    }
    Ok(time)
}

/// The parent of a process, and its time in ticks of ten milliseconds: user, system, and with four fields those of its children that have ended.
fn time_of(process: &str, fields: usize) -> anyhow::Result<(String, Duration)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let found: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = found[11..11 + fields].iter().map(|ticks| ticks.parse::<u64>()).sum::<Result<u64, _>>()?;
    Ok((found[1].to_owned(), Duration::from_millis(ticks * 10)))
}

fn resident_mib() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok((pages * 4096) >> 20)
}
