//! The list of trade as a file for spreadsheets.

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream;
use refundry_service::trade_lines::{self, TradeFilter, TradeLine};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use super::csv_file::{Table, file, inert};
use super::trade_lines::TradeQuery;
use crate::call::Call;
use crate::problem::Problem;
use crate::views::Rfc3339;

const COLUMNS: [&str; 21] = [
    "kind",
    "booked_at",
    "paid_at",
    "amount",
    "currency",
    "booked_amount",
    "booked_currency",
    "fees",
    "reserved",
    "payment_reference",
    "merchant_reference",
    "payment_id",
    "refund_id",
    "dispute_id",
    "method",
    "card_scheme",
    "terminal_id",
    "tracking",
    "payout_id",
    "payout_state",
    "paid_out_at",
];

/// Pages that are still to come.
struct Pages {
    call: Call,
    filter: TradeFilter,
    head: Option<Vec<u8>>,
    page: Option<PageRequest>,
}

/// Every line that fits, newest first, as a stream.
pub async fn lines(call: Call) -> Result<Response, Problem> {
    let query: TradeQuery = call.query()?;
    let filter = query.filter();
    // What cannot be read is said before the file begins.
    trade_lines::list(&call.app.service, &call.caller, &filter, PageRequest { after: None, limit: 1 }).await?;
    let mut head = Table::begin(query.bom);
    head.row(&COLUMNS);
    let pages = Pages { call, filter, head: Some(head.text()), page: Some(PageRequest { after: None, limit: PAGE_LIMIT_MAX }) };
    let pieces = stream::unfold(pages, |mut pages| async move {
        let piece = pages.next().await?;
        Some((piece, pages))
    });
    Ok(file("trade-lines.csv", Body::from_stream(pieces)))
}

impl Pages {
    /// The next piece of the file. A fault breaks the answer off, so that nobody takes a part for the whole.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if let Some(head) = self.head.take() {
            return Some(Ok(head.into()));
        }
        let page = self.page.take()?;
        let found = match trade_lines::list(&self.call.app.service, &self.call.caller, &self.filter, page).await {
            Ok(found) => found,
            Err(error) => return Some(Err(std::io::Error::other(error))),
        };
        self.page = found.next.map(|after| PageRequest { after: Some(after), ..page });
        let mut table = Table::begin(false);
        found.rows.iter().for_each(|line| row(&mut table, line));
        Some(Ok(table.text().into()))
    }
}

fn row(table: &mut Table, line: &TradeLine) {
    let payment = &line.payment;
    let booked = line.booked.as_ref().and_then(|booked| booked.amount).map_or_else(String::new, |amount| amount.major());
    let booked_currency = line.booked.as_ref().map_or("", |booked| booked.currency.code());
    let paid = line.paid_with;
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    table.row(&[
        line.kind.word(),
        &Rfc3339(line.at).to_string(),
        &Rfc3339(payment.paid_at).to_string(),
        &line.amount.major(),
        line.amount.currency().code(),
        &booked,
        booked_currency,
        &line.fees().major(),
        &line.reserved().major(),
        &inert(&payment.payment_reference),
        &inert(&payment.merchant_reference),
        &payment.id.to_string(),
        &or_nothing(line.refund.as_ref().map(|refund| refund.id.to_string())),
        &or_nothing(line.dispute.as_ref().map(|dispute| dispute.id.to_string())),
        &inert(&payment.method),
        &inert(payment.details.card_scheme.as_deref().unwrap_or_default()),
        &payment.terminal_id.to_string(),
        if payment.settling.shipment.is_some() { "yes" } else { "no" },
        &or_nothing(paid.map(|paid| paid.payout_id.to_string())),
        paid.map_or("", |paid| paid.state.word()),
        &or_nothing(paid.and_then(|paid| paid.paid_at).map(|at| Rfc3339(at).to_string())),
    ]);
}
