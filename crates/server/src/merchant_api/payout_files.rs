//! Statements as files for spreadsheets: a summary of a payout, and its lines.

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream;
use refundry_engine::MerchantId;
use refundry_engine::payout::{Part, Payout};
use refundry_ledger::Money;
use refundry_service::{payout_gross, payouts};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, PayoutLine};
use serde::Deserialize;
use utoipa::IntoParams;

use super::csv_file::{Table, file, inert};
use super::gross_view::file_rows;
use super::payouts::payout_id;
use crate::call::Call;
use crate::problem::Problem;
use crate::views::Rfc3339;

/// Whose file, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Whether the file begins with a byte order mark, as some spreadsheets want it.
    #[serde(default)]
    pub bom: bool,
}

/// Lines that are still to come.
struct Lines {
    call: Call,
    payout: Payout,
    head: Option<Vec<u8>>,
    page: Option<PageRequest>,
}

/// The summary: what was there, what came and went by cause, what is paid, what is left.
pub async fn summary(call: Call) -> Result<Response, Problem> {
    let query: FileQuery = call.query()?;
    let payout = payouts::find(&call.app.service, &call.caller, query.merchant_id, payout_id(&call)?).await?;
    let mut table = Table::begin(query.bom);
    table.row(&["payout_id", "part", "cause", "credit_count", "credit", "debit_count", "debit", "net", "currency"]);
    let statement = &payout.statement;
    let (id, currency) = (payout.id.to_string(), payout.amount.currency());
    let major = |minor: i64| Money::new(minor, currency).major();
    let sum = |table: &mut Table, part: &str, minor: i64| table.row(&[&id, part, "", "", "", "", "", &major(minor), currency.code()]);
    sum(&mut table, "opening", statement.opening_minor);
    let mut movements: Vec<_> = statement.movements.iter().map(|(cause, sums)| (Part::of(cause), cause, sums)).collect();
    movements.sort_by_key(|(part, cause, _)| (*part, *cause));
    for (part, cause, sums) in movements {
        let counts = (sums.credit_count.to_string(), sums.debit_count.to_string());
        let (credit, debit, net) = (major(sums.credit_minor), major(sums.debit_minor), major(sums.net_minor()));
        table.row(&[&id, part.word(), cause, &counts.0, &credit, &counts.1, &debit, &net, currency.code()]);
    }
    sum(&mut table, "closing", statement.closing_minor);
    sum(&mut table, "payout", payout.amount.minor());
    sum(&mut table, "left", statement.closing_minor.saturating_sub(payout.amount.minor()));
    let gross = payout_gross::gross(&call.app.service, &call.caller, &payout).await?;
    for (currency, gross) in &gross.currencies {
        for (part, minor) in file_rows(gross) {
            table.row(&[&id, part, "", "", "", "", "", &Money::new(minor, *currency).major(), currency.code()]);
        }
    }
    Ok(file(&format!("{id}-summary.csv"), Body::from(table.text())))
}

/// Every line, as a stream: a statement may have more of them than fit into memory.
pub async fn lines(call: Call) -> Result<Response, Problem> {
    let query: FileQuery = call.query()?;
    let payout = payouts::find(&call.app.service, &call.caller, query.merchant_id, payout_id(&call)?).await?;
    let name = format!("{}-lines.csv", payout.id);
    let mut head = Table::begin(query.bom);
    head.row(&[
        "payout_id",
        "at",
        "part",
        "cause",
        "amount",
        "currency",
        "payment_reference",
        "merchant_reference",
        "payment_id",
        "refund_id",
    ]);
    let lines = Lines { call, payout, head: Some(head.text()), page: Some(PageRequest { after: None, limit: PAGE_LIMIT_MAX }) };
    let pieces = stream::unfold(lines, |mut lines| async move {
        let piece = lines.next().await?;
        Some((piece, lines))
    });
    Ok(file(&name, Body::from_stream(pieces)))
}

impl Lines {
    /// The next piece of the file. A fault breaks the answer off, so that nobody takes a part for the whole.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if let Some(head) = self.head.take() {
            return Some(Ok(head.into()));
        }
        let page = self.page.take()?;
        let found = match payouts::lines(&self.call.app.service, &self.call.caller, &self.payout, page).await {
            Ok(found) => found,
            Err(error) => return Some(Err(std::io::Error::other(error))),
        };
        self.page = found.next.map(|after| PageRequest { after: Some(after), ..page });
        let mut table = Table::begin(false);
        found.rows.iter().for_each(|line| self.row(&mut table, line));
        Some(Ok(table.text().into()))
    }

    fn row(&self, table: &mut Table, line: &PayoutLine) {
        let (id, currency) = (self.payout.id.to_string(), self.payout.amount.currency());
        let amount = Money::new(line.minor, currency).major();
        let payment_id = line.payment_id.map_or_else(String::new, |id| id.to_string());
        let refund_id = line.refund_id.map_or_else(String::new, |id| id.to_string());
        let text = |text: &Option<String>| text.as_deref().map(inert).unwrap_or_default();
        table.row(&[
            &id,
            &Rfc3339(line.at).to_string(),
            Part::of(&line.cause).word(),
            &line.cause,
            &amount,
            currency.code(),
            &text(&line.payment_reference),
            &text(&line.merchant_reference),
            &payment_id,
            &refund_id,
        ]);
    }
}
