//! The files of a demo: the configuration, the database, the keys, and the manifest that names them all.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Demo;
use super::baofoo::DemoMarket;

/// A demo's data directory.
pub struct Directory {
    path: PathBuf,
}

/// What a demo has: `demo.json`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Manifest {
    /// An operator's key.
    pub operator_key: String,
    /// The merchants.
    pub merchants: Vec<DemoMerchant>,
    /// A marketplace that speaks Baofoo.
    #[serde(default)]
    pub market: Option<DemoMarket>,
}

/// A merchant of the demo.
#[derive(Debug, Deserialize, Serialize)]
pub struct DemoMerchant {
    /// What people read.
    pub name: String,
    /// Our id.
    pub merchant_id: String,
    /// A native API key of the merchant.
    pub api_key: String,
    /// Its terminals.
    pub terminals: Vec<DemoTerminal>,
    /// Its captured payments.
    pub payments: DemoPayments,
    /// The captured payments of its Oceanpayment terminal, which lists only its own.
    #[serde(default)]
    pub orders: Option<DemoPayments>,
}

/// A terminal of the demo.
#[derive(Debug, Deserialize, Serialize)]
pub struct DemoTerminal {
    /// Our id.
    pub terminal_id: String,
    /// What it speaks.
    pub dialect: String,
    /// The dialect's name for it.
    pub client_id: String,
    /// The merchant's private key, when it was made here.
    pub merchant_private_key_file: String,
    /// Our public key, which the merchant verifies answers with.
    pub gateway_public_key_file: String,
    /// The account number that belongs to it, where the dialect names one.
    #[serde(default)]
    pub account: String,
    /// The secret that merchant and gateway share, where the dialect has one.
    #[serde(default)]
    pub secret_file: String,
    /// Whether its answers wait for the acquirer.
    pub synchronous: bool,
}

/// Payments with numbers that follow from one another: the prefix and eight digits, from 0.
#[derive(Debug, Deserialize, Serialize)]
pub struct DemoPayments {
    /// What the references begin with.
    pub reference_prefix: String,
    /// How many there are.
    pub count: u64,
    /// Their currency.
    pub currency: String,
    /// What each captured, in minor units.
    pub amount_minor: i64,
}

impl Directory {
    /// Makes the directory when it is missing; only its owner may look into it, because of the keys.
    pub fn new(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path.join("keys")).with_context(|| format!("make {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        let path = path.canonicalize().with_context(|| format!("find {}", path.display()))?;
        Ok(Self { path })
    }

    /// `refundry.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.path.join("refundry.toml")
    }

    /// Whether the data are there.
    pub fn is_prepared(&self) -> bool {
        self.manifest_file().exists()
    }

    fn manifest_file(&self) -> PathBuf {
        self.path.join("demo.json")
    }

    /// Writes the configuration anew, as the command line says.
    pub fn write_config(&self, demo: &Demo) -> anyhow::Result<()> {
        let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
        let mut text = format!(
            "# Written by `refundry demo`; it is written again at every start.\n\
             [server]\nlisten = [\"{}\"]\ndrain_ms = 0\n\n\
             [database]\nurl = {}\n\n\
             [secrets]\nmaster_key_file = {}\n\n\
             # A demo may notify receivers on this machine. Nothing else should.\n\
             [outgoing]\nnetworks_allowed = [\"127.0.0.0/8\", \"::1/128\"]\n",
            demo.listen,
            toml::Value::String(format!("sqlite://{}", self.path.join("refundry.db").display())),
            quoted(&self.path.join("master.key")),
        );
        if let (Some(listen), Some(cert), Some(key)) = (demo.tls_listen, &demo.tls_cert, &demo.tls_key) {
            text.push_str(&format!("\n[server.tls]\nlisten = [\"{listen}\"]\ncert = {}\nkey = {}\n", quoted(cert), quoted(key)));
        }
        fs::write(self.config_file(), text).context("write refundry.toml")
    }

    /// Writes a key for its owner alone; gives its path within the directory.
    pub fn write_key(&self, name: &str, text: &str) -> anyhow::Result<String> {
        use std::io::Write as _;
        let file = format!("keys/{name}");
        let mut open = fs::OpenOptions::new();
        let mut out = open.write(true).create(true).truncate(true).mode(0o600).open(self.path.join(&file))?;
        out.write_all(text.as_bytes()).with_context(|| format!("write {file}"))?;
        Ok(file)
    }

    /// Writes the manifest: the last step, so that a demo that was interrupted is made again.
    pub fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(manifest)?;
        let beside = self.path.join("demo.json.new");
        fs::write(&beside, text)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
        fs::rename(&beside, self.manifest_file()).context("write demo.json")
    }

    /// What to print when the server is ready.
    pub fn welcome(&self) -> anyhow::Result<Welcome> {
        let text = fs::read_to_string(self.manifest_file()).context("read demo.json")?;
        let manifest = serde_json::from_str(&text)
            .context("demo.json is not what this version writes; remove the data directory / demo.json 与本版本不符，请删除数据目录")?;
        Ok(Welcome { manifest, path: self.path.clone() })
    }
}

/// The text that greets whoever started a demo.
pub struct Welcome {
    manifest: Manifest,
    path: PathBuf,
}

impl Welcome {
    /// In both languages, with a refund that can be pasted.
    pub fn text(&self, addresses: &[String]) -> String {
        let url = addresses.first().map_or("http://127.0.0.1:8080", String::as_str);
        let Some(merchant) = self.manifest.merchants.first() else { return String::new() };
        let payments = &merchant.payments;
        let newest = format!("{}{:08}", payments.reference_prefix, payments.count.saturating_sub(1));
        let number = "demo-1";
        format!(
            "\nRefundry 归款 is serving a demo / 演示环境已就绪\n\n\
             \x20 URL          {}\n\
             \x20 API / 接口   {url}/docs\n\
             \x20 data / 数据  {}\n\
             \x20 keys / 密钥  {}/keys, demo.json\n\n\
             A refund to paste / 可直接粘贴的退款请求:\n\n\
             curl -sS {url}/api/v1/refunds \\\n  \
             -H 'Authorization: Bearer {}' \\\n  \
             -H 'Idempotency-Key: {number}' \\\n  \
             -H 'Content-Type: application/json' \\\n  \
             -d '{{\"payment_reference\":\"{newest}\",\"amount\":{{\"value\":400,\"currency\":\"{}\"}},\"reason\":\"damaged 破损\"}}'\n\n\
             {}\
             Stop with Ctrl-C; what was acknowledged stays. / 按 Ctrl-C 停止，已受理的数据不会丢失。\n",
            addresses.join("  "),
            self.path.display(),
            self.path.display(),
            merchant.api_key,
            payments.currency,
            self.of_market(url),
        )
    }

    /// A refund of a payment that was shared, as a merchant's program for Baofoo asks for it.
    fn of_market(&self, url: &str) -> String {
        let Some(market) = &self.manifest.market else { return String::new() };
        let program = std::env::current_exe().map_or_else(|_| "refundry".to_owned(), |path| path.display().to_string());
        let key = |file: &str| self.path.join(file).display().to_string();
        let first = market.receivers.first().map_or("", String::as_str);
        format!(
            "A refund of a shared payment over Baofoo / 宝付分账退款:\n\n\
             {program} refund baofoo --url {url} \\\n  \
             --account {} --terminal {} --private-key {} \\\n  \
             --our-public-key {} \\\n  \
             --payment {} --amount 4000 --share {first}=1200 --number demo_1\n\n",
            market.account,
            market.terminal,
            key(&market.merchant_private_key_file),
            key(&market.gateway_public_key_file),
            market.newest_payment,
        )
    }
}
