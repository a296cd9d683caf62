//! What is told of a payment on its way to settlement: tracking numbers by the merchant, where the goods are, and that the operator looked at it.

use refundry_engine::command::{MarkPayment, PaymentMark, RecordShipmentState, RecordTracking};
use refundry_engine::payment::PaymentKey;
use refundry_engine::settlement::ShipmentState;
use refundry_engine::{Act, Command, Mode, Outcome};
use refundry_service::{Caller, Service, payments};

use super::{Try, merchant_id, operator, unless_busy};
use crate::plan::Goods;
use crate::stage::Stage;

/// Tells it; a payment that is not there yet is nobody's.
pub async fn tell(stage: &Stage, service: &Service, (merchant, reference): (usize, &str), goods: Goods) -> Try {
    let merchant_id = merchant_id(stage, merchant);
    let key = PaymentKey::Reference(reference.to_owned());
    let payment = match payments::find(service, &operator(), Some(merchant_id), &key).await {
        Ok(payment) => payment,
        Err(error) => return unless_busy(stage, "goods", &error),
    };
    let (payment_id, mode) = (payment.id, Mode::Live);
    stage.model().goods(merchant, reference, goods);
    let act = match goods {
        Goods::Tracked => {
            let (numbers, carrier_url) = (vec!["SIM123".to_owned()], "https://carrier.example/track".to_owned());
            Act::RecordTracking(RecordTracking { merchant_id, mode, payment_id, numbers, carrier_url })
        }
        Goods::Delivered => {
            Act::RecordShipmentState(RecordShipmentState { merchant_id, mode, payment_id, state: ShipmentState::Delivered })
        }
        Goods::Reviewed => Act::MarkPayment(MarkPayment { merchant_id, mode, payment_id, mark: PaymentMark::Reviewed }),
    };
    let Ok(stamp) = service.world.stamp(Caller::operator("logistics", mode).actor()) else { return Try::Again };
    match service.world.store.transact(Command { stamp, act }).await {
        Ok(Outcome::Refused { refusal, .. }) => {
            stage.trace.line(&format!("{reference} is not {goods:?}: {refusal:?}"));
            Try::Done
        }
        Ok(_) => Try::Done,
        Err(error) => {
            stage.trace.line(&format!("{reference} {goods:?}: {error}"));
            Try::Again
        }
    }
}
