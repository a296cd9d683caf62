//! Receivers of shares, by the name that the giver has for them: the account number by which dialects name a merchant, or our id.

use refundry_engine::merchant::ACCOUNT_LENGTH_MAX;
use refundry_engine::share::AskedLine;
use refundry_engine::{MerchantId, Mode};
use refundry_ledger::Money;
use refundry_store::StoreError;

use crate::Service;

/// A line of a share or a refund as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLine {
    /// The receiver's account number, or our id of it.
    pub receiver: String,
    /// How much.
    pub amount: Money,
}

/// The lines with the merchants that they name. Only merchants of the mode are found: whoever is of the other mode is nobody.
pub(crate) async fn resolved(service: &Service, mode: Mode, lines: Vec<NamedLine>) -> Result<Vec<AskedLine>, StoreError> {
    let mut asked = Vec::with_capacity(lines.len());
    for NamedLine { receiver, amount } in lines {
        let receiver_id = find(service, mode, &receiver).await?;
        asked.push(AskedLine { account: receiver, receiver_id, amount });
    }
    Ok(asked)
}

/// The merchant of that name, if there is one in the mode.
pub(crate) async fn find(service: &Service, mode: Mode, receiver: &str) -> Result<Option<MerchantId>, StoreError> {
    let store = &service.world.store;
    let found = match receiver.parse::<MerchantId>() {
        Ok(merchant_id) => store.merchant(merchant_id).await?.filter(|merchant| merchant.mode == mode),
        Err(_) if is_account(receiver) => store.merchant_by_account(mode, receiver).await?,
        Err(_) => None,
    };
    Ok(found.map(|merchant| merchant.id))
}

/// What cannot be an account number is not looked for: it may hold what no database keeps.
fn is_account(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= ACCOUNT_LENGTH_MAX && !text.chars().any(char::is_control)
}
