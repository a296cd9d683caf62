//! What a demo is filled with. All of it is play money: sandbox merchants, the simulated acquirer.

use std::borrow::Cow;

use anyhow::Context as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use refundry_dialects::{RefundWish, native, oceanpayment};
use refundry_engine::command::{Command, RecordResult, StartSubmission};
use refundry_engine::credential::Holder;
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::{PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::AcquirerAnswer;
use refundry_engine::{Act, Actor, MerchantId, Mode, TerminalId, Timestamp};
use refundry_ledger::{Currency, Money};
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::merchants::{self, NewMerchant};
use refundry_service::payments::{self, NewPayment};
use refundry_service::refunds::{self, NewRefund};
use refundry_service::terminals::{self, NewTerminal};
use refundry_service::{Caller, Service};

use super::baofoo;
use super::directory::{DemoMerchant, DemoPayments, DemoTerminal, Directory, Manifest};

/// Payments of every merchant but the first.
const PAYMENTS_OF_OTHERS: u64 = 1_000;
/// Days over which the payments are spread, up to now: all of them can still be refunded.
const DAYS: i64 = 300;
/// Commands under way at once while seeding.
const AT_ONCE: usize = 2_048;
/// Milliseconds that the synchronous terminals wait for the acquirer.
const SYNCHRONOUS_WAIT_MS: u32 = 2_500;
/// The account number of the first merchant; the others follow.
const FIRST_ACCOUNT: usize = 995_378;
/// Payments of each Oceanpayment terminal at most.
const ORDERS_MAX: u64 = 200;

/// How much is made.
pub struct Wanted {
    /// Payments of the first merchant.
    pub payments: u64,
    /// How many of them are refunded.
    pub refunds: u64,
    /// Merchants in all.
    pub merchants: u64,
    /// The public key of the first merchant's asynchronous Antom terminal.
    pub antom_public_key: Option<String>,
}

#[derive(Clone)]
struct Kind {
    name: Cow<'static, str>,
    prefix: Cow<'static, str>,
    currency: &'static str,
    amount_minor: i64,
    method: &'static str,
}

const MERCHANTS: [Kind; 4] = [
    Kind {
        name: Cow::Borrowed("莲花户外 Lotus Outdoor"),
        prefix: Cow::Borrowed("20260101190741010007"),
        currency: "USD",
        amount_minor: 10_000,
        method: "card",
    },
    Kind {
        name: Cow::Borrowed("Alpenglück 滑雪"),
        prefix: Cow::Borrowed("20260101190741010008"),
        currency: "EUR",
        amount_minor: 8_950,
        method: "card",
    },
    Kind {
        name: Cow::Borrowed("風書房 Kaze Books"),
        prefix: Cow::Borrowed("20260101190741010009"),
        currency: "JPY",
        amount_minor: 5_800,
        method: "ALIPAY_CN",
    },
    Kind {
        name: Cow::Borrowed("Gulf Lights 海湾灯饰"),
        prefix: Cow::Borrowed("20260101190741010010"),
        currency: "KWD",
        amount_minor: 12_500,
        method: "card",
    },
];

/// Makes all of it, and says what there is.
pub async fn make(service: &Service, directory: &Directory, wanted: &Wanted) -> anyhow::Result<Manifest> {
    let operator = Caller::operator("demo", Mode::Sandbox);
    let operator_key = token(service, &operator, Holder::Operator { mode: Mode::Sandbox }, "demo operator").await?;
    let mut made = Vec::new();
    for (place, kind) in MERCHANTS.iter().enumerate() {
        let count = if place == 0 { wanted.payments } else { PAYMENTS_OF_OTHERS };
        let public_key = wanted.antom_public_key.as_deref().filter(|_| place == 0);
        let maker = Maker { service, directory, operator: &operator, kind };
        made.push(maker.merchant(place, count, public_key).await.with_context(|| format!("make {}", kind.name))?);
    }
    for number in MERCHANTS.len() as u64..wanted.merchants {
        made.push(plain_merchant(service, directory, &operator, number).await?);
    }
    if wanted.refunds > 0 {
        refund_oldest(service, &operator, made.first().context("a first merchant")?, wanted.refunds).await?;
    }
    let market = Some(baofoo::make(service, directory, &operator).await.context("make the market")?);
    Ok(Manifest { operator_key, merchants: made, market })
}

/// A merchant to make figures with: one channel, one key, no signatures.
async fn plain_merchant(service: &Service, directory: &Directory, operator: &Caller, number: u64) -> anyhow::Result<DemoMerchant> {
    let kind = Kind {
        name: Cow::Owned(format!("Merchant {number}")),
        prefix: Cow::Owned(format!("202601011907410{number:05}")),
        currency: "USD",
        amount_minor: 10_000,
        method: "card",
    };
    let maker = Maker { service, directory, operator, kind: &kind };
    let new = NewMerchant { name: kind.name.to_string(), account: None, policy: PolicyPatch::default() };
    let merchant = merchants::create(service, operator, new).await?;
    let api = maker.terminal(merchant.id, "API", native::NAME, PolicyPatch::default()).await?;
    let api_key = token(service, operator, Holder::Merchant { merchant_id: merchant.id }, "demo merchant").await?;
    maker.payments(merchant.id, api, PAYMENTS_OF_OTHERS).await?;
    let payments = maker.demo_payments(PAYMENTS_OF_OTHERS);
    Ok(DemoMerchant {
        name: kind.name.to_string(),
        merchant_id: merchant.id.to_string(),
        api_key,
        terminals: Vec::new(),
        payments,
        orders: None,
    })
}

struct Maker<'a> {
    service: &'a Service,
    directory: &'a Directory,
    operator: &'a Caller,
    kind: &'a Kind,
}

impl Maker<'_> {
    async fn merchant(&self, place: usize, count: u64, public_key: Option<&str>) -> anyhow::Result<DemoMerchant> {
        let new = NewMerchant { name: self.kind.name.to_string(), account: None, policy: PolicyPatch::default() };
        let merchant = merchants::create(self.service, self.operator, new).await?;
        let waits = PolicyPatch { synchronous_wait_ms: Some(SYNCHRONOUS_WAIT_MS), ..PolicyPatch::default() };
        let answers_at_once = PolicyPatch { synchronous_wait_ms: Some(0), ..PolicyPatch::default() };
        let online = self.terminal(merchant.id, "online 线上", "antom", answers_at_once).await?;
        let in_store = self.terminal(merchant.id, "in store 门店", "antom", waits).await?;
        let api = self.terminal(merchant.id, "API", native::NAME, PolicyPatch::default()).await?;
        let api_key = token(self.service, self.operator, Holder::Merchant { merchant_id: merchant.id }, "demo merchant").await?;
        self.payments(merchant.id, online, count).await?;
        let (of_orders, orders) = self.oceanpayment(merchant.id, place, count).await?;
        let terminals = vec![
            self.antom_keys(merchant.id, online, false, public_key).await?,
            self.antom_keys(merchant.id, in_store, true, None).await?,
            DemoTerminal {
                terminal_id: api.to_string(),
                dialect: native::NAME.to_owned(),
                client_id: String::new(),
                merchant_private_key_file: String::new(),
                gateway_public_key_file: String::new(),
                account: String::new(),
                secret_file: String::new(),
                synchronous: false,
            },
            of_orders,
        ];
        let payments = self.demo_payments(count);
        let (name, merchant_id) = (self.kind.name.to_string(), merchant.id.to_string());
        Ok(DemoMerchant { name, merchant_id, api_key, terminals, payments, orders: Some(orders) })
    }

    fn demo_payments(&self, count: u64) -> DemoPayments {
        DemoPayments {
            reference_prefix: self.kind.prefix.to_string(),
            count,
            currency: self.kind.currency.to_owned(),
            amount_minor: self.kind.amount_minor,
        }
    }

    async fn terminal(&self, merchant_id: MerchantId, name: &str, dialect: &str, policy: PolicyPatch) -> anyhow::Result<TerminalId> {
        let new = NewTerminal {
            merchant_id: Some(merchant_id),
            name: name.to_owned(),
            dialect: dialect.to_owned(),
            acquirer: None,
            policy,
            method_policies: std::collections::BTreeMap::new(),
            notify_url: None,
            wire: Default::default(),
        };
        Ok(terminals::create(self.service, self.operator, new).await?.id)
    }

    async fn antom_keys(
        &self,
        merchant_id: MerchantId,
        terminal_id: TerminalId,
        synchronous: bool,
        public_key: Option<&str>,
    ) -> anyhow::Result<DemoTerminal> {
        let key = public_key.map_or(NewKey::BothPairs, |key| NewKey::PublicKey(key.to_owned()));
        let new = NewCredential {
            holder: Holder::Terminal { merchant_id, terminal_id },
            dialect: "antom".to_owned(),
            key,
            lookup: None,
            permissions: None,
            name: format!("{} antom", self.kind.name),
            person_id: None,
            expires_at: None,
        };
        let issued = credentials::issue(self.service, self.operator, new).await?;
        let merchant_private_key_file = match &issued.private_key {
            Some(key) => self.directory.write_key(&format!("{terminal_id}.merchant.pkcs8.b64"), key)?,
            None => String::new(),
        };
        let gateway_public_key_file =
            self.directory.write_key(&format!("{terminal_id}.gateway.spki.b64"), &issued.credential.public_key)?;
        Ok(DemoTerminal {
            terminal_id: terminal_id.to_string(),
            dialect: "antom".to_owned(),
            client_id: issued.credential.lookup.clone(),
            merchant_private_key_file,
            gateway_public_key_file,
            account: String::new(),
            secret_file: String::new(),
            synchronous,
        })
    }

    /// A terminal with payments of its own: it is asked for lists of them.
    async fn oceanpayment(&self, merchant_id: MerchantId, place: usize, count: u64) -> anyhow::Result<(DemoTerminal, DemoPayments)> {
        let account = format!("{}", FIRST_ACCOUNT + place);
        let new = NewTerminal {
            merchant_id: Some(merchant_id),
            name: "钱海 Oceanpayment".to_owned(),
            dialect: oceanpayment::NAME.to_owned(),
            acquirer: None,
            policy: PolicyPatch::default(),
            method_policies: std::collections::BTreeMap::new(),
            notify_url: None,
            wire: WireSettings { account: Some(account.clone()), ..WireSettings::default() },
        };
        let terminal_id = terminals::create(self.service, self.operator, new).await?.id;
        let new = NewCredential {
            holder: Holder::Terminal { merchant_id, terminal_id },
            dialect: oceanpayment::NAME.to_owned(),
            key: NewKey::SharedSecret(None),
            lookup: Some(format!("{account}01")),
            permissions: None,
            name: format!("{} oceanpayment", self.kind.name),
            person_id: None,
            expires_at: None,
        };
        let issued = credentials::issue(self.service, self.operator, new).await?;
        let secret = issued.secret.context("a secret is shown when it is made")?;
        let secret_file = self.directory.write_key(&format!("{terminal_id}.secure_code"), &secret)?;
        let kind = Kind { prefix: Cow::Owned(format!("25122019074{place:02}")), ..self.kind.clone() };
        let maker = Maker { kind: &kind, ..*self };
        let count = count.min(ORDERS_MAX);
        maker.payments(merchant_id, terminal_id, count).await?;
        let terminal = DemoTerminal {
            terminal_id: terminal_id.to_string(),
            dialect: oceanpayment::NAME.to_owned(),
            client_id: issued.credential.lookup,
            merchant_private_key_file: String::new(),
            gateway_public_key_file: String::new(),
            account,
            secret_file,
            synchronous: false,
        };
        Ok((terminal, maker.demo_payments(count)))
    }

    async fn payments(&self, merchant_id: MerchantId, terminal_id: TerminalId, count: u64) -> anyhow::Result<()> {
        let currency: Currency = self.kind.currency.parse()?;
        let now = self.service.world.now();
        let first = now.plus_days(-DAYS);
        let one = |number: u64| self.payment(merchant_id, terminal_id, number, paid_at(first, now, number, count), currency);
        let all = stream::iter(0..count).map(|number| payments::record(self.service, self.operator, one(number)));
        all.buffer_unordered(AT_ONCE).try_for_each(|_| std::future::ready(Ok(()))).await?;
        Ok(())
    }

    fn payment(&self, merchant_id: MerchantId, terminal_id: TerminalId, number: u64, paid_at: Timestamp, currency: Currency) -> NewPayment {
        let amount = Money::new(self.kind.amount_minor, currency);
        let details = PaymentDetails {
            card_scheme: Some("Visa".to_owned()),
            card_first6: Some("411111".to_owned()),
            card_last4: Some(format!("{:04}", number % 10_000)),
            issuer_country: Some("US".to_owned()),
            response_code: Some("80000".to_owned()),
            three_d_secure: number.is_multiple_of(2),
            shopper_email: Some(format!("shopper{number}@example.com")),
            site_url: Some("https://shop.example.com".to_owned()),
            ..PaymentDetails::default()
        };
        NewPayment {
            merchant_id: Some(merchant_id),
            terminal_id: Some(terminal_id),
            payment_reference: format!("{}{number:08}", self.kind.prefix),
            merchant_reference: format!("order-{number}"),
            method: self.kind.method.to_owned(),
            status: PaymentStatus::Captured,
            paid_at,
            authorised: amount,
            captured: amount,
            marketing: None,
            fee: None,
            reserved: None,
            quote: None,
            notify_url: None,
            sharing: None,
            details,
        }
    }
}

/// Payments are spread evenly; the newest has the highest number.
fn paid_at(first: Timestamp, now: Timestamp, number: u64, count: u64) -> Timestamp {
    let span = i128::from(now.ms() - first.ms());
    let passed = span * i128::from(number) / i128::from(count.max(1));
    first.plus_ms(i64::try_from(passed).unwrap_or(0))
}

async fn token(service: &Service, operator: &Caller, holder: Holder, name: &str) -> anyhow::Result<String> {
    let new = NewCredential {
        holder,
        dialect: native::NAME.to_owned(),
        key: NewKey::Token,
        lookup: None,
        permissions: None,
        name: name.to_owned(),
        person_id: None,
        expires_at: None,
    };
    let issued = credentials::issue(service, operator, new).await?;
    Ok(issued.token.context("a token is shown when it is made")?.to_string())
}

/// Refunds of one minor unit each, from the oldest payment on, carried to their end.
async fn refund_oldest(service: &Service, operator: &Caller, merchant: &DemoMerchant, count: u64) -> anyhow::Result<()> {
    let merchant_id: MerchantId = merchant.merchant_id.parse()?;
    let currency: Currency = merchant.payments.currency.parse()?;
    let payments = &merchant.payments;
    let one = |number: u64| async move {
        let reference = format!("{}{:08}", payments.reference_prefix, number % payments.count.max(1));
        let one = Money::new(1, currency);
        let wish = RefundWish {
            reason: Some("seed".to_owned()),
            ..RefundWish::new(format!("seed{number:012}"), PaymentKey::Reference(reference), one)
        };
        let new = NewRefund { merchant_id: Some(merchant_id), terminal_id: None, wish, batch: None, dry_run: false, accepts_dispute: None };
        let refund = refunds::create(service, operator, refunds::NATIVE, new).await?.refund;
        let now = service.world.now();
        let start = StartSubmission { merchant_id, refund_id: refund.id, resolve_at: now };
        transact(service, Act::StartSubmission(start)).await?;
        let answer = AcquirerAnswer::Approved { reference: None, arn: None };
        let result = RecordResult { merchant_id, refund_id: refund.id, attempt: 1, answer, next_at: now };
        transact(service, Act::RecordResult(result)).await
    };
    stream::iter(0..count).map(one).buffer_unordered(AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await
}

async fn transact(service: &Service, act: Act) -> anyhow::Result<()> {
    let stamp = service.world.stamp(Actor::Acquirer)?;
    service.world.store.transact(Command { stamp, act }).await?;
    Ok(())
}
