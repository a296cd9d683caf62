//! Marketplaces: a merchant shares a payment with the other merchants of the run.

use refundry_engine::command::CreateShare;
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::payment::PaymentKey;
use refundry_engine::share::{AskedLine, SHARE_SCOPE};
use refundry_engine::{Act, Command, Mode, Outcome, ShareId};
use refundry_ledger::Money;
use refundry_service::world::Clock as _;
use refundry_service::{Caller, Service};

use super::{Try, currency_of, merchant_id};
use crate::cast::host;
use crate::plan::ShareWish;
use crate::stage::Stage;

/// Shares it, or hears again that it was shared.
pub async fn share(stage: &Stage, service: &Service, wish: &ShareWish) -> Try {
    let Ok(id) = service.world.ids.one(stage.clock.now()) else { return Try::Again };
    let Ok(stamp) = service.world.stamp(Caller::operator("marketplace", Mode::Live).actor()) else { return Try::Again };
    let giver_id = merchant_id(stage, wish.merchant);
    let line = |(receiver, minor): &(usize, i64)| AskedLine {
        account: host(*receiver),
        receiver_id: Some(merchant_id(stage, *receiver)),
        amount: Money::new(*minor, currency_of(wish.currency)),
    };
    let lines: Vec<AskedLine> = wish.lines.iter().map(line).collect();
    let compared = lines.iter().map(|line| (line.account.clone(), line.amount.to_string()));
    let act = CreateShare {
        share_id: ShareId::new(id),
        merchant_id: giver_id,
        terminal_id: None,
        mode: Mode::Live,
        payment: PaymentKey::Reference(wish.reference.clone()),
        key: IdempotencyKey {
            merchant_id: giver_id,
            dialect: "native".to_owned(),
            scope: SHARE_SCOPE.to_owned(),
            number: wish.number.clone(),
        },
        compared: compared.chain([("payment".to_owned(), wish.reference.clone())]).collect(),
        lines,
        due_at: wish.begins_ms.map(|begins_ms| stage.begin.plus_ms(begins_ms)),
        notify_url: None,
        asked_at_text: None,
    };
    stage.model().wants_to_share(wish);
    match service.world.commit(Command { stamp, act: Act::CreateShare(Box::new(act)) }).await {
        Ok(Outcome::Share { share, replayed }) => {
            stage.trace.line(&format!("{} is shared as {}: {} {replayed}", wish.reference, wish.number, share.state.name().word()));
            stage.model().shared(wish, share.id);
            Try::Done
        }
        Ok(Outcome::Refused { refusal, .. }) => {
            stage.trace.line(&format!("{} of {}: {refusal:?}", wish.number, wish.reference));
            Try::Done
        }
        Ok(other) => {
            stage.model().broke("no_internal_fault", format!("a share ended with {other:?}"));
            Try::Done
        }
        Err(_) => Try::Again,
    }
}
