//! What becomes of a batch on PostgreSQL when something is in its way, at moments that are chosen: whoever waits gets the true answer, and nothing is
//! done twice or by halves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use refundry_engine::command::{Act, Command};
use refundry_engine::payment::Payment;
use refundry_engine::{Changes, Outcome, Refusal};
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, Store as _, StoreError, Ticket};

use crate::stage::{Cut, Direct, Line, Stage, euro};

/// Waiting of writers on other writers, as the server sees it.
const WAITING_PID: &str = "SELECT coalesce(max(pid), 0)::int8 FROM pg_stat_activity WHERE datname = current_database() \
    AND application_name = 'refundry' AND wait_event_type = 'Lock'";

/// How long a database is looked for that does not come back: longer than a busy machine takes to connect.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts how often a batch was begun, and keeps of how many commands the committed ones were.
#[derive(Default)]
struct Begun(AtomicU32, Mutex<Vec<usize>>);

impl CommitObserver for Begun {
    fn begins(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn commits(&self, commands: usize) {
        self.1.lock().unwrap().push(commands);
    }

    fn committed(&self, _changes: &Changes) {}
}

impl Begun {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn await_count(&self, count: u32) {
        while self.count() < count {
            std::thread::yield_now();
        }
    }
}

/// A process that is watched, beside the one that set the stage.
struct Watched {
    stage: Stage,
    payment: Payment,
    store: PostgresStore,
    begun: Arc<Begun>,
}

impl Watched {
    fn with(change: impl FnOnce(&mut PostgresOptions)) -> Self {
        let stage = Stage::on_postgres();
        let payment = stage.payment(stage.merchant(7), "p1", 10_000);
        let begun = Arc::new(Begun::default());
        let store = stage.another_node(|options| {
            options.observer = Some(begun.clone());
            change(options);
        });
        Self { stage, payment, store, begun }
    }

    /// The same, by way of a line that can be cut.
    fn on_a_line(change: impl FnOnce(&mut PostgresOptions)) -> (Self, Line) {
        let mut line = None;
        let watched = Self::with(|options| {
            let new = Line::to(&options.url);
            options.url = new.url(&options.url);
            line = Some(new);
            change(options);
        });
        (watched, line.unwrap())
    }

    fn ask(&self, number: &str) -> Command {
        self.stage.command(Act::CreateRefund(Box::new(self.stage.ask(&self.payment, number, 100))))
    }

    fn begin(&self, number: &str) -> Ticket {
        self.store.transact(self.ask(number))
    }

    fn refund(&self, number: &str) -> Result<Outcome, StoreError> {
        block_on(self.begin(number))
    }

    /// Whoever asked first is told so, and it was done once.
    #[track_caller]
    fn is_done_once(&self, outcome: Result<Outcome, StoreError>) {
        assert!(matches!(outcome, Ok(Outcome::Refund { replayed: false, .. })), "{outcome:?}");
        self.holds(1);
    }

    #[track_caller]
    fn holds(&self, refunds: i64) {
        let report = block_on(self.stage.store.check_books()).unwrap();
        assert_eq!((report.refunds, report.faults), (refunds, vec![]));
    }

    /// Holds the lock of the merchant until `COMMIT`.
    fn in_the_way(&self) -> Direct {
        let direct = self.stage.direct();
        direct.execute("BEGIN");
        assert_eq!(direct.execute("SELECT 1 FROM counters WHERE merchant_id = 7 AND name = 'last_sequence' FOR UPDATE"), 1);
        direct
    }
}

#[test]
fn a_lock_that_is_held_for_too_long_is_asked_for_again() {
    for lock_timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let watched = Watched::with(|options| (options.lock_timeout, options.attempts_max) = (lock_timeout, 1_000_000));
        let other = watched.in_the_way();
        let ticket = watched.begin("r1");
        watched.begun.await_count(3);
        other.execute("COMMIT");
        watched.is_done_once(block_on(ticket));
    }
}

/// Everything that a decision rests on is read behind the lock.
#[test]
fn whoever_waits_for_a_lock_decides_on_what_was_written_under_it() {
    for (sql, expected) in [
        ("UPDATE payments SET refunded_minor = 9950", Refusal::ExceedsRefundable { refundable: euro(50) }),
        ("UPDATE merchants SET version = version + 1, body = replace(body, 'active', 'suspended')", Refusal::MerchantSuspended),
    ] {
        let watched = Watched::with(|_| {});
        let (other, looking) = (watched.in_the_way(), watched.stage.direct());
        let ticket = watched.begin("r1");
        looking.await_number(WAITING_PID);
        assert_eq!(other.execute(sql), 1);
        other.execute("COMMIT");
        assert_eq!(block_on(ticket).unwrap(), Outcome::Refused { refusal: expected, replayed: false }, "{sql}");
    }
}

#[test]
fn what_comes_while_a_lock_is_waited_for_joins_the_batch() {
    let watched = Watched::with(|options| options.lanes = 1);
    let stranger = watched.stage.payment(watched.stage.merchant(8), "p8", 10_000);
    let (other, looking) = (watched.in_the_way(), watched.stage.direct());
    let first = watched.begin("r1");
    looking.await_number(WAITING_PID);
    let of_another = Act::CreateRefund(Box::new(watched.stage.ask(&stranger, "s1", 100)));
    let of_another = watched.store.transact(watched.stage.command(of_another));
    let rest: Vec<Ticket> = (2..=10).map(|number| watched.begin(&format!("r{number}"))).collect();
    other.execute("COMMIT");
    for ticket in [first, of_another].into_iter().chain(rest) {
        assert!(matches!(block_on(ticket), Ok(Outcome::Refund { replayed: false, .. })));
    }
    assert_eq!(*watched.begun.1.lock().unwrap(), [10, 1], "the merchant that was locked, then the other");
    watched.holds(11);
}

#[test]
fn a_lock_that_is_never_given_back_is_not_waited_for_without_end() {
    let watched = Watched::with(|options| (options.lock_timeout, options.attempts_max) = (Duration::from_millis(5), 3));
    let other = watched.in_the_way();
    let refused = watched.refund("r1");
    assert!(matches!(&refused, Err(error @ StoreError::Conflict(_)) if error.is_passing()), "{refused:?}");
    assert_eq!(watched.begun.count(), 3);
    other.execute("COMMIT");
    watched.is_done_once(watched.refund("r1"));
}

#[test]
fn of_two_that_wait_for_each_other_the_one_that_is_sent_away_comes_again() {
    let watched = Watched::with(|options| options.lanes = 1);
    let another = watched.stage.payment(watched.stage.merchant(8), "p1", 10_000);
    let other = watched.stage.direct();
    // It waits as long as it takes, so the server sends the lane away.
    other.execute("SET deadlock_timeout = '1h'");
    other.execute("BEGIN");
    other.execute("SELECT 1 FROM counters WHERE merchant_id = 8 AND name = 'last_sequence' FOR UPDATE");
    let looking = watched.stage.direct();
    std::thread::scope(|scope| {
        // A first command keeps the lane busy until the others are queued: they share a commit, and it locks both merchants.
        let asks = [watched.ask("r1"), watched.stage.command(Act::CreateRefund(Box::new(watched.stage.ask(&another, "r2", 100))))];
        let tickets = asks.map(|ask| watched.store.transact(ask));
        looking.await_number(WAITING_PID);
        scope.spawn(move || {
            other.execute("SELECT 1 FROM counters WHERE merchant_id = 7 AND name = 'last_sequence' FOR UPDATE");
            other.execute("COMMIT");
        });
        for ticket in tickets {
            let outcome = block_on(ticket);
            assert!(matches!(outcome, Ok(Outcome::Refund { replayed: false, .. })), "{outcome:?}");
        }
    });
    watched.holds(2);
}

/// Whatever the server says of a commit that was not made, it is made again when that may help, and nothing is left of the first try.
#[test]
fn what_the_server_refuses_is_tried_again_when_that_may_help() {
    for (code, tries, expected) in [
        // Somebody else was faster, in the way, or sent the statement away.
        ("40001", 3, "done"),
        ("40P01", 3, "done"),
        ("55P03", 3, "done"),
        ("57014", 3, "done"),
        // The server stops, or does not write any more.
        ("57P01", 3, "done"),
        ("57P03", 3, "done"),
        ("25006", 3, "done"),
        ("08006", 3, "done"),
        // The disk is full: that may last.
        ("53100", 1, "try again"),
        // Our mistake.
        ("22012", 1, "a fault"),
    ] {
        let watched = Watched::with(|_| {});
        let direct = watched.stage.direct();
        direct.execute("CREATE SEQUENCE tries");
        direct.execute(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') < {tries} \
            OR {tries} = 1 AND currval('tries') = 1 THEN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$"
        ));
        direct.execute("CREATE TRIGGER fail BEFORE INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION fail()");
        let outcome = watched.refund("r1");
        let said = match &outcome {
            Ok(Outcome::Refund { replayed: false, .. }) => "done",
            Err(error) if error.is_passing() => "try again",
            Err(StoreError::Statement(_)) => "a fault",
            other => panic!("{code}: {other:?}"),
        };
        assert_eq!((said, watched.begun.count()), (expected, tries), "{code}");
        if expected != "done" {
            watched.holds(0);
            assert!(watched.refund("r1").is_ok(), "{code}: it recovers by itself");
        }
        watched.holds(1);
    }
}

#[test]
fn a_connection_that_is_ended_before_the_commit_is_made_anew() {
    let watched = Watched::with(|_| {});
    let other = watched.in_the_way();
    let ticket = watched.begin("r1");
    let looking = watched.stage.direct();
    let waiting = looking.await_number(WAITING_PID);
    looking.execute(&format!("SELECT pg_terminate_backend({waiting}, 10000)"));
    other.execute("COMMIT");
    watched.is_done_once(block_on(ticket));
    assert_eq!(watched.begun.count(), 2);
}

#[test]
fn a_connection_that_is_ended_while_nothing_happens_is_not_noticed() {
    let watched = Watched::with(|options| options.lanes = 1);
    watched.refund("r1").unwrap();
    let looking = watched.stage.direct();
    let all =
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(looking.execute(all) > 1);
    assert!(matches!(watched.refund("r2"), Ok(Outcome::Refund { replayed: false, .. })));
    assert!(block_on(watched.store.ping()).is_ok());
    watched.holds(2);
}

#[test]
fn a_commit_that_was_never_sent_is_made_again() {
    let (watched, line) = Watched::on_a_line(|_| {});
    line.cut(Cut::Request);
    watched.is_done_once(watched.refund("r1"));
    assert_eq!((line.cuts(), watched.begun.count()), (1, 2));
}

#[test]
fn a_commit_whose_answer_was_lost_is_not_made_twice() {
    let (watched, line) = Watched::on_a_line(|_| {});
    watched.refund("r0").unwrap();
    line.cut(Cut::Answer);
    let outcome = watched.refund("r1");
    assert!(matches!(outcome, Ok(Outcome::Refund { replayed: false, .. })), "{outcome:?}");
    assert_eq!((line.cuts(), watched.begun.count()), (1, 2), "it was found out, and not begun again");
    watched.holds(2);
    let again = watched.refund("r1");
    assert!(matches!(again, Ok(Outcome::Refund { replayed: true, .. })), "{again:?}");
}

#[test]
fn a_commit_that_nobody_can_ask_about_is_unsure_and_the_same_request_settles_it() {
    let (watched, line) = Watched::on_a_line(|options| (options.recover_for, options.attempts_max) = (PATIENCE, 2));
    line.cut(Cut::AnswerForLong);
    let unsure = watched.refund("r1");
    assert!(matches!(&unsure, Err(error @ StoreError::Unsure(_)) if error.is_passing()), "{unsure:?}");
    line.bring_up();
    let again = watched.refund("r1");
    assert!(matches!(again, Ok(Outcome::Refund { replayed: true, .. })), "{again:?}");
    watched.holds(1);
}

#[test]
fn a_database_that_is_away_for_too_long_is_said_to_be_and_found_again() {
    let (watched, line) = Watched::on_a_line(|options| options.recover_for = PATIENCE);
    line.take_down();
    let away = watched.refund("r1");
    assert!(matches!(&away, Err(error @ StoreError::TryAgain(_)) if error.is_passing()), "{away:?}");
    assert!(block_on(watched.store.ping()).is_err());
    line.bring_up();
    watched.is_done_once(watched.refund("r1"));
    assert!(block_on(watched.store.ping()).is_ok());
}

/// Shorter than `recover_for`: whoever waits notices nothing.
#[test]
fn a_database_that_comes_back_in_time_was_only_slow() {
    let (watched, line) = Watched::on_a_line(|options| options.recover_for = Duration::from_secs(60));
    line.take_down();
    let ticket = watched.begin("r1");
    watched.begun.await_count(1);
    line.bring_up();
    watched.is_done_once(block_on(ticket));
}
