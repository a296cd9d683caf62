//! Two processes on one database behind something that spreads requests: each is restarted in turn, and no caller notices.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use refundry_scratch::ScratchDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::program::{refundry, text};

/// How often the balancer asks whether a process is ready.
const CHECK: Duration = Duration::from_millis(20);
/// However slow this machine is, a process goes on serving until the balancer has noticed; then it is signalled again.
const DRAIN_MS: &str = "60000";
const CALLERS: usize = 6;
const RESTARTS: usize = 2;

/// What both processes share.
struct Installation {
    folder: TempDir,
    database_url: Option<String>,
}

/// One process of the installation.
struct Node {
    process: Child,
    url: String,
}

/// Spreads requests over the nodes that say that they are ready.
#[derive(Default)]
struct Balancer {
    urls: Mutex<Vec<Option<String>>>,
    ready: [AtomicBool; 2],
    turn: AtomicUsize,
    /// Requests of each caller that were answered.
    answered: [AtomicUsize; CALLERS],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_each_process_is_restarted() {
    on(Installation::new(None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_on_postgres_either() {
    let database = ScratchDatabase::create();
    on(Installation::new(Some(database.url()))).await;
}

async fn on(installation: Installation) {
    let (key, reference) = (installation.manifest("/merchants/0/api_key"), installation.manifest("/merchants/0/payments/reference_prefix"));
    let mut nodes = [installation.start(), installation.start()];
    let balancer = Arc::new(Balancer::default());
    balancer.knows(&nodes);
    let checking = tokio::spawn(balancer.clone().check_for_ever());
    balancer.until(0, true).await;
    balancer.until(1, true).await;

    let over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(ask_until(over.clone(), balancer.clone(), key.clone(), format!("{reference}0000000{caller}"), caller));
    }
    for restart in 0..RESTARTS {
        let place = restart % nodes.len();
        nodes[place].signal();
        balancer.until(place, false).await;
        balancer.until_nobody_is_on_the_way().await;
        nodes[place].signal();
        nodes[place].ended();
        nodes[place] = installation.start();
        balancer.knows(&nodes);
        balancer.until(place, true).await;
    }
    over.store(true, Ordering::SeqCst);
    let mut acknowledged = BTreeMap::new();
    for answers in callers.join_all().await {
        assert!(answers.len() > RESTARTS, "a caller hardly got through: {answers:?}");
        acknowledged.extend(answers);
    }
    all_are_paid(&nodes[0].url, &key, &acknowledged).await;
    for (place, node) in nodes.iter_mut().enumerate() {
        node.signal();
        balancer.until(place, false).await;
        node.signal();
        node.ended();
    }
    checking.abort();
    assert!(installation.desk(&["doctor", "books"]).contains("the books are clean"));
}

/// Asks for one refund after the other, and gives the refund's id by number. Nothing is ever tried twice.
async fn ask_until(
    over: Arc<AtomicBool>,
    balancer: Arc<Balancer>,
    key: String,
    reference: String,
    caller: usize,
) -> BTreeMap<String, String> {
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap();
    let mut answers = BTreeMap::new();
    while !over.load(Ordering::SeqCst) {
        let number = format!("c{caller}-{}", answers.len());
        let body = json!({"payment_reference": reference, "amount": {"value": 1, "currency": "USD"}});
        let request = client.post(format!("{}/api/v1/refunds", balancer.next())).bearer_auth(&key);
        let sent =
            request.header("idempotency-key", &number).header("content-type", "application/json").body(body.to_string()).send().await;
        let answer = sent.unwrap_or_else(|error| panic!("{number} failed: {error:?}"));
        balancer.answered[caller].fetch_add(1, Ordering::SeqCst);
        let status = answer.status();
        let refund: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert!(status.is_success(), "{number}: {status} {refund}");
        answers.insert(number, refund["refund_id"].as_str().unwrap().to_owned());
    }
    answers
}

/// Every refund that a caller was told of is there once and reaches its end, and there are no others.
async fn all_are_paid(url: &str, key: &str, acknowledged: &BTreeMap<String, String>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    loop {
        let (mut found, mut cursor, mut open) = (BTreeMap::new(), None::<String>, 0);
        loop {
            let cursor_wish = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let request = client.get(format!("{url}/api/v1/refunds?limit=200{cursor_wish}")).bearer_auth(key);
            let page: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
            for refund in page["items"].as_array().unwrap_or_else(|| panic!("{page}")) {
                open += usize::from(refund["state"] != "succeeded");
                found.insert(refund["number"].as_str().unwrap().to_owned(), refund["refund_id"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert!(&found == acknowledged, "{} refunds are there, {} were acknowledged", found.len(), acknowledged.len());
        if open == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

impl Installation {
    fn new(database_url: Option<String>) -> Self {
        let installation = Self { folder: TempDir::new().unwrap(), database_url };
        installation.demo();
        installation
    }

    fn demo(&self) {
        let mut command = refundry(&["demo", "--prepare-only", "--payments", "10", "--data-dir", text(self.folder.path())]);
        assert!(self.with_database(&mut command).status().unwrap().success());
    }

    fn desk(&self, arguments: &[&str]) -> String {
        let config = self.config();
        let mut command = refundry(&[arguments, &["--config", &config]].concat());
        let output = self.with_database(&mut command).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn config(&self) -> String {
        text(&self.folder.path().join("refundry.toml")).to_owned()
    }

    fn with_database<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match &self.database_url {
            Some(url) => command.env("REFUNDRY_DATABASE_URL", url),
            None => command,
        }
    }

    fn manifest(&self, pointer: &str) -> String {
        let all: Value = serde_json::from_slice(&std::fs::read(self.folder.path().join("demo.json")).unwrap()).unwrap();
        all.pointer(pointer).unwrap().as_str().unwrap().to_owned()
    }

    /// Starts a process and waits until it serves.
    fn start(&self) -> Node {
        let mut command = refundry(&["serve", "--config", &self.config()]);
        command.env("REFUNDRY_SERVER_LISTEN", "127.0.0.1:0").env("REFUNDRY_SERVER_DRAIN_MS", DRAIN_MS);
        command.env("REFUNDRY_DATABASE_BUSY_TIMEOUT_MS", "20000");
        let mut process = self.with_database(&mut command).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let (mut log, mut url) = (String::new(), None);
        while url.is_none() {
            let from = log.len();
            assert!(lines.read_line(&mut log).unwrap() > 0, "the process ended: {log}");
            url = log[from..].split_once("ready addresses=\"").map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
        }
        std::thread::spawn(move || {
            let mut rest = String::new();
            _ = lines.read_to_string(&mut rest);
        });
        Node { process, url: url.unwrap() }
    }
}

impl Node {
    /// Asks it to end.
    fn signal(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap().success());
    }

    /// Waits until it has ended, in order.
    fn ended(&mut self) {
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended:?}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            _ = self.process.kill();
            _ = self.process.wait();
        }
    }
}

impl Balancer {
    fn knows(&self, nodes: &[Node; 2]) {
        *self.urls.lock().unwrap() = nodes.iter().map(|node| Some(node.url.clone())).collect();
    }

    fn url(&self, place: usize) -> String {
        self.urls.lock().unwrap()[place].clone().unwrap()
    }

    /// The next ready node in turn.
    fn next(&self) -> String {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let place = [turn % 2, (turn + 1) % 2].into_iter().find(|place| self.ready[*place].load(Ordering::SeqCst));
        self.url(place.expect("one of two is always ready"))
    }

    async fn check_for_ever(self: Arc<Self>) {
        let mut checks = tokio::time::interval(CHECK);
        loop {
            checks.tick().await;
            for place in 0..2 {
                // A new connection each time: a balancer must not learn it from one that was kept.
                let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
                let answer = client.get(format!("{}/readyz", self.url(place))).send().await;
                self.ready[place].store(answer.is_ok_and(|answer| answer.status().is_success()), Ordering::SeqCst);
            }
        }
    }

    async fn until(&self, place: usize, ready: bool) {
        let mut looks = tokio::time::interval(CHECK);
        while self.ready[place].load(Ordering::SeqCst) != ready {
            looks.tick().await;
        }
    }

    /// Until every caller has had an answer after now, so that nothing is on its way to a node that is not ready.
    async fn until_nobody_is_on_the_way(&self) {
        let answered = || self.answered.iter().map(|count| count.load(Ordering::SeqCst)).collect::<Vec<_>>();
        let before = answered();
        let mut looks = tokio::time::interval(CHECK);
        while answered().iter().zip(&before).any(|(now, before)| now <= before) {
            looks.tick().await;
        }
    }
}
