//! What a terminal's dialect asks beside keys and an address, as people and programs see it.

use refundry_engine::merchant::{NoticeForm, WireSettings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a terminal's dialect asks beside keys and an address. Only some dialects do.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WireSettings)]
pub struct WireView {
    /// The account number that callers send beside the terminal's. Only the operator may set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "995378")]
    pub account: Option<String>,
    /// Whether only callers from `callers` are answered.
    pub checks_callers: bool,
    /// Where callers come from: at most 64 addresses and networks, IPv4 or IPv6.
    #[schema(example = json!(["203.0.113.7", "2001:db8::/32"]))]
    pub callers: Vec<String>,
    /// Oceanpayment: whether a request without `X-Signed-Timestamp` is refused as if its signature were wrong.
    pub demands_signed_time: bool,
    /// How notices are written.
    pub notice_form: NoticeFormView,
    /// Whether a refund that came back after it had succeeded is announced as failed.
    pub announces_returns: bool,
    /// Baofoo: whether a refund of an unknown payment is answered `SUCCESS` with the state `ABNORMAL`, as the vendor's sandbox does, instead of `FAIL`.
    pub unknown_payment_is_abnormal: bool,
}

/// How notices are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NoticeForm)]
pub enum NoticeFormView {
    /// As XML.
    #[default]
    Xml,
    /// As the fields of a form.
    Form,
}

impl From<WireView> for WireSettings {
    fn from(view: WireView) -> Self {
        let WireView { account, checks_callers, callers, demands_signed_time, notice_form, announces_returns, unknown_payment_is_abnormal } =
            view;
        let notice_form = match notice_form {
            NoticeFormView::Xml => NoticeForm::Xml,
            NoticeFormView::Form => NoticeForm::Form,
        };
        Self { account, checks_callers, callers, demands_signed_time, notice_form, announces_returns, unknown_payment_is_abnormal }
    }
}

impl From<WireSettings> for WireView {
    fn from(settings: WireSettings) -> Self {
        let WireSettings {
            account,
            checks_callers,
            callers,
            demands_signed_time,
            notice_form,
            announces_returns,
            unknown_payment_is_abnormal,
        } = settings;
        let notice_form = match notice_form {
            NoticeForm::Xml => NoticeFormView::Xml,
            NoticeForm::Form => NoticeFormView::Form,
        };
        Self { account, checks_callers, callers, demands_signed_time, notice_form, announces_returns, unknown_payment_is_abnormal }
    }
}
