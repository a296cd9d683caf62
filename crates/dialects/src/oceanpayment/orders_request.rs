//! Questions about orders: by number, or in a period, page by page.

use refundry_engine::Timestamp;
use refundry_engine::payment::REFERENCE_LENGTH_MAX;

use super::call::Call;
use super::request::{value, wrong};
use crate::form::Form;
use crate::orders::{ExceptionTime, ORDER_NUMBERS_MAX, OrdersPage, OrdersQuestion, Period};
use crate::time_text::{last_second_of_day, parse_plain};
use crate::{Flaw, WireError};

/// Days of a period.
const PERIOD_DAYS_MAX: i64 = 366;
/// Days of a period of disputes.
const DISPUTE_PERIOD_DAYS_MAX: i64 = 31;
/// Rows of a page where the caller cannot choose.
const PAGE_ROWS: u32 = 50;
/// Rows of a page among which the caller can choose; the first is what it gets without a choice.
const PAGE_ROWS_CHOICE: [u32; 3] = [10, 50, 100];
/// Digits of a page's number.
const PAGE_DIGITS_MAX: usize = 6;

/// What is asked.
pub fn read(call: Call, form: &Form<'_>) -> Result<OrdersQuestion, WireError> {
    match call {
        Call::BusinessOrders => Ok(OrdersQuestion::Exceptions {
            period: period(form, PERIOD_DAYS_MAX)?,
            page: page(form, chosen_rows(form)?)?,
            dated: dated(form)?,
        }),
        Call::DisputeOrders => Ok(OrdersQuestion::Disputes {
            period: period(form, DISPUTE_PERIOD_DAYS_MAX)?,
            page: page(form, PAGE_ROWS)?,
            in_grace: in_grace(form)?,
        }),
        Call::PaidOrders => Ok(OrdersQuestion::Paid { period: period(form, PERIOD_DAYS_MAX)?, page: page(form, PAGE_ROWS)? }),
        Call::CheckOrders | Call::ApplyRefund | Call::QueryRefund | Call::Authorisation | Call::Tracking => {
            Ok(OrdersQuestion::ByNumber { numbers: numbers(form)? })
        }
    }
}

fn numbers(form: &Form<'_>) -> Result<Vec<String>, WireError> {
    const FIELD: &str = "order_number";
    let numbers: Vec<String> = value(form, FIELD).split(',').map(|number| number.trim().to_owned()).collect();
    if numbers.len() > ORDER_NUMBERS_MAX {
        return wrong(FIELD, Flaw::TooLong, &format!("must not name more than {ORDER_NUMBERS_MAX} orders"));
    }
    let is_one =
        |number: &String| !number.is_empty() && number.chars().nth(REFERENCE_LENGTH_MAX).is_none() && !number.chars().any(char::is_control);
    if !numbers.iter().all(is_one) {
        return wrong(FIELD, Flaw::Malformed, "must be order numbers of 1 to 64 characters, parted by commas");
    }
    Ok(numbers)
}

/// Both seconds belong to the period.
fn period(form: &Form<'_>, days_max: i64) -> Result<Period, WireError> {
    let from = instant(form, "order_beginDate", |_| None)?;
    let last = instant(form, "order_endDate", last_second_of_day)?;
    let until = last.plus_seconds(1);
    if until <= from {
        return wrong("order_endDate", Flaw::Malformed, "must not be before order_beginDate");
    }
    if until > from.plus_days(days_max) {
        return wrong("order_endDate", Flaw::Malformed, &format!("must be within {days_max} days of order_beginDate"));
    }
    Ok(Period { from, until })
}

/// `2023-12-25 15:29:42`, or a day, for which `of_day` may say another second than the first.
fn instant(form: &Form<'_>, name: &str, of_day: fn(&str) -> Option<Timestamp>) -> Result<Timestamp, WireError> {
    let text = value(form, name).trim();
    match of_day(text).or_else(|| parse_plain(text)) {
        Some(at) => Ok(at),
        None => wrong(name, Flaw::Malformed, "must be a time in UTC+8 such as 2023-12-25 15:29:42"),
    }
}

/// Pages count from 1; 0, which the vendor's sample sends, is the first one, too.
fn page(form: &Form<'_>, rows: u32) -> Result<OrdersPage, WireError> {
    let text = form.filled("pages").unwrap_or("1").trim();
    match text.parse::<u32>() {
        Ok(number) if text.len() <= PAGE_DIGITS_MAX => Ok(OrdersPage { number: number.max(1), rows }),
        Ok(_) | Err(_) => wrong("pages", Flaw::Malformed, "must be the number of a page"),
    }
}

fn chosen_rows(form: &Form<'_>) -> Result<u32, WireError> {
    let Some(text) = form.filled("count") else { return Ok(PAGE_ROWS_CHOICE[0]) };
    match PAGE_ROWS_CHOICE.into_iter().find(|rows| rows.to_string() == text.trim()) {
        Some(rows) => Ok(rows),
        None => wrong("count", Flaw::Malformed, "must be 10, 50 or 100"),
    }
}

fn dated(form: &Form<'_>) -> Result<ExceptionTime, WireError> {
    match form.filled("date_type").unwrap_or("0").trim() {
        "0" => Ok(ExceptionTime::Reviewed),
        "1" => Ok(ExceptionTime::Paid),
        "2" => Ok(ExceptionTime::Befell),
        _ => wrong("date_type", Flaw::Malformed, "must be 0 (review), 1 (transaction) or 2 (exception)"),
    }
}

fn in_grace(form: &Form<'_>) -> Result<bool, WireError> {
    match form.filled("notice_type").unwrap_or("dispute").trim() {
        "dispute" => Ok(false),
        "disputes-period" => Ok(true),
        _ => wrong("notice_type", Flaw::Malformed, "must be dispute or disputes-period"),
    }
}
