//! `refundry refund …`: the developer's curl. It builds a request of a dialect as a merchant's client does, signs it, sends it and shows the
//! answer. The refund's number is made, and said, before anything is sent: whoever gets no answer repeats with the same number.

mod antom;
mod baofoo;
mod exchange;
mod native;
mod oceanpayment;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use refundry_ledger::{Currency, Money};
use refundry_service::random::{Random as _, SystemRandom};

/// Random bytes of a number: enough that no two are ever the same.
const NUMBER_BYTES: usize = 12;

/// Build, sign and send a refund request, as a merchant's client would.
#[derive(Args, Debug)]
pub struct Refund {
    /// In which dialect.
    #[command(subcommand)]
    dialect: Spoken,
}

#[derive(Debug, Subcommand)]
enum Spoken {
    /// As a client of Antom's API, signed with RSA.
    Antom(antom::AntomRefund),
    /// As a client of Baofoo's aggregate payments, signed with RSA or SM2.
    Baofoo(baofoo::BaofooRefund),
    /// As a client of Oceanpayment's API, proved by the terminal's secureCode.
    Oceanpayment(oceanpayment::OceanpaymentRefund),
    /// Over the native API, with an API key.
    Native(native::NativeRefund),
}

/// What is asked for, in every dialect.
#[derive(Args, Debug)]
struct Wish {
    /// The payment's number.
    #[arg(long, required_unless_present = "inquiry")]
    payment: Option<String>,
    /// How much, in major units such as 4.00 (JPY: 400, KWD: 4.000).
    #[arg(long, required_unless_present = "inquiry")]
    amount: Option<String>,
    /// ISO 4217, such as USD.
    #[arg(long, required_unless_present = "inquiry")]
    currency: Option<Currency>,
    /// Your number for the refund; left out, one is made and printed. Repeat a request that got no answer with the same number.
    #[arg(long)]
    number: Option<String>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
    /// Where the refund's end is announced.
    #[arg(long)]
    notify_url: Option<String>,
    /// Ask how the refund of --number stands, instead of asking for one.
    #[arg(long, requires = "number", conflicts_with_all = ["payment", "amount", "currency", "reason", "notify_url"])]
    inquiry: bool,
}

impl Refund {
    /// Sends it, prints the answer, and fails when it is not a success.
    pub fn run(self) -> anyhow::Result<()> {
        match self.dialect {
            Spoken::Antom(refund) => refund.run(),
            Spoken::Baofoo(refund) => refund.run(),
            Spoken::Oceanpayment(refund) => refund.run(),
            Spoken::Native(refund) => refund.run(),
        }
    }
}

/// The number that was given, or a new one; said before anything is sent.
fn number_or_new(given: Option<&str>) -> String {
    if let Some(number) = given {
        return number.to_owned();
    }
    let mut bytes = [0; NUMBER_BYTES];
    SystemRandom.fill(&mut bytes);
    // Every dialect takes letters, digits and underscores.
    let number = format!("cli_{}", hex::encode(bytes));
    eprintln!(
        "number / 退款单号: {number}\n\
         If no answer comes, repeat with --number {number}: the same number is never paid twice.\n\
         如未收到答复，请加上 --number {number} 重试：同一单号不会重复退款。"
    );
    number
}

impl Wish {
    fn number(&self) -> String {
        number_or_new(self.number.as_deref())
    }

    fn payment(&self) -> anyhow::Result<&str> {
        self.payment.as_deref().context("--payment is missing / 缺少 --payment")
    }

    fn amount(&self) -> anyhow::Result<Money> {
        let (text, currency) =
            self.amount.as_deref().zip(self.currency).context("--amount and --currency are missing / 缺少 --amount 和 --currency")?;
        Ok(Money::parse_major(text, currency)?)
    }
}
