//! An installation to be killed: live merchants, payments, and an acquirer that does not recognise duplicates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::client::call_once;
use crate::crash::acquirer::RecordingAcquirer;
use crate::crash::callers::Merchant;
use crate::crash::inbox::Inbox;
use crate::server_process::Server;

/// Merchants: more than there are lanes.
const MERCHANTS: usize = 6;
/// Payments of each, which are refunded in turn.
const PAYMENTS: usize = 100;

/// The installation.
pub struct Stage {
    binary: PathBuf,
    data: PathBuf,
    /// Who can ask for refunds of what.
    pub merchants: Vec<Merchant>,
}

impl Stage {
    /// Makes it in a folder, which is emptied first. The database is empty too; without one there will be a file in the folder.
    pub fn set(binary: &Path, data: &Path, database: Option<&str>, acquirer: &RecordingAcquirer, inbox: &Inbox) -> anyhow::Result<Self> {
        if data.exists() {
            fs::remove_dir_all(data)?;
        }
        fs::create_dir_all(data)?;
        let data = data.canonicalize()?;
        let file = format!("sqlite://{}/refundry.db", data.display());
        fs::write(data.join("refundry.toml"), config(&data, database.unwrap_or(&file), acquirer))?;
        let mut stage = Self { binary: binary.to_owned(), data, merchants: Vec::new() };
        let operator_key = text(&stage.json(&["key", "--mode", "live", "issue", "--operator"])?, "token")?;
        let server = stage.start()?;
        let hook = format!(r#"{{"url":"http://{}/hook","events":["refund.succeeded"]}}"#, inbox.address);
        for number in 0..MERCHANTS {
            let merchant = stage.merchant(number, &server, &operator_key)?;
            post(&server, "/api/v1/notification-endpoints", &merchant.api_key, "application/json", &hook)?;
            stage.merchants.push(merchant);
        }
        Ok(stage)
    }

    /// Starts a server for it.
    pub fn start(&self) -> anyhow::Result<Server> {
        Server::start(&self.binary, &self.data, &[])
    }

    /// Starts one of several servers, whose log is in a folder of its own.
    pub fn start_node(&self, name: &str) -> anyhow::Result<Server> {
        let folder = self.data.join(name);
        fs::create_dir_all(&folder)?;
        fs::copy(self.data.join("refundry.toml"), folder.join("refundry.toml"))?;
        Server::start(&self.binary, &folder, &[])
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.data
    }

    fn merchant(&self, number: usize, server: &Server, operator_key: &str) -> anyhow::Result<Merchant> {
        let made = self.json(&["merchant", "--mode", "live", "create", "--name", &format!("Crash {number}")])?;
        let id = text(&made, "merchant_id")?;
        let made = self.json(&["terminal", "--mode", "live", "create", "--merchant", &id, "--name", "API", "--acquirer", "recorder"])?;
        let terminal = text(&made, "terminal_id")?;
        let api_key = text(&self.json(&["key", "--mode", "live", "issue", "--merchant", &id])?, "token")?;
        let payments: Vec<String> = (0..PAYMENTS).map(|payment| format!("CRASH{number}{payment:08}")).collect();
        import(server, operator_key, (&id, &terminal), &payments)?;
        Ok(Merchant { api_key, payments })
    }

    /// Runs a command of the command line; gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.binary).args(arguments).env("REFUNDRY_CONFIG", self.data.join("refundry.toml")).output()?;
        let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            bail!("refundry {} failed: {printed} {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(printed)
    }

    fn json(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let printed = self.run(arguments)?;
        serde_json::from_str(&printed).with_context(|| format!("refundry {} printed {printed}", arguments.join(" ")))
    }
}

fn config(data: &Path, database: &str, acquirer: &RecordingAcquirer) -> String {
    format!(
        "[database]\nurl = \"{database}\"\n\n[secrets]\nmaster_key_file = \"{data}/master.key\"\n\n\
         [outgoing]\nnetworks_allowed = [\"127.0.0.0/8\"]\n\n\
         [workers]\nacquirer_timeout_ms = 2000\nretry_delay_ms_min = 200\nlease_ms = 5000\n\n\
         [acquirer.recorder]\nkind = \"http\"\nurl = \"http://{}/refunds\"\nsecret = \"crash-test\"\nrecognises_duplicates = false\nunknown_is_final_after_ms = 2500\n",
        acquirer.address,
        data = data.display(),
    )
}

fn import(server: &Server, key: &str, (merchant, terminal): (&str, &str), payments: &[String]) -> anyhow::Result<()> {
    let day = today();
    let line = |reference: &String| {
        format!(
            r#"{{"merchant_id":"{merchant}","terminal_id":"{terminal}","payment_reference":"{reference}","merchant_reference":"order-{reference}","method":"card","status":"captured","paid_at":"{day}","authorised":{{"value":100000000,"currency":"USD"}}}}"#
        )
    };
    let lines: Vec<String> = payments.iter().map(line).collect();
    let sum = post(server, "/api/v1/payments/import", key, "application/x-ndjson", &lines.join("\n"))?;
    if !sum.contains(&format!("\"created\":{}", payments.len())) {
        bail!("not every payment was imported: {sum}");
    }
    Ok(())
}

fn today() -> String {
    // `date` knows the day, so that the payments are never too old to be refunded.
    let printed = Command::new("date").args(["-u", "+%Y-%m-%dT00:00:00Z"]).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&printed).trim().to_owned()
}

fn post(server: &Server, path: &str, key: &str, kind: &str, body: &str) -> anyhow::Result<String> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: crash\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(call_once(&server.address, request.as_bytes()))?;
    if answer.status >= 300 {
        bail!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

fn text(value: &serde_json::Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("{value} has no {field}"))
}
