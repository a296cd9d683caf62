use refundry_store::{PAGE_LIMIT, PAGE_LIMIT_MAX, Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// The page that is meant.
    pub fn request(&self) -> Result<PageRequest, Problem> {
        page_request(self.cursor.as_deref(), self.limit)
    }
}

/// The page that a cursor and a limit mean.
pub fn page_request(cursor: Option<&str>, limit: Option<u32>) -> Result<PageRequest, Problem> {
    let limit = limit.unwrap_or(PAGE_LIMIT);
    if !(1..=PAGE_LIMIT_MAX).contains(&limit) {
        return Err(
            Problem::parameter("limit", "limit is a number from 1 to 200.", "limit 应为 1 到 200 的整数。").fact("limit", PAGE_LIMIT_MAX)
        );
    }
    let wrong = |_| Problem::parameter("cursor", "cursor is `next` of the page before.", "cursor 应为上一页返回的 `next`。");
    let after = cursor.map(|text| i64::from_str_radix(text, 16).map_err(wrong)).transpose()?;
    Ok(PageRequest { after, limit })
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    /// The rows; a filter that fits rarely may give fewer than `limit`, or none, and still a `next`.
    pub items: Vec<T>,
    /// The cursor of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A page, row by row.
    pub fn of<Row>(page: Page<Row>, view: impl FnMut(Row) -> T) -> Self {
        Self { items: page.rows.into_iter().map(view).collect(), next: page.next.map(|cursor| format!("{cursor:x}")) }
    }

    /// A list without further pages.
    pub fn whole<Row>(rows: Vec<Row>, view: impl FnMut(Row) -> T) -> Self {
        Self { items: rows.into_iter().map(view).collect(), next: None }
    }
}
