use crate::funds::{acquirer_settlement, exposure, release_waiting, reserve, settle, top_up};
use crate::refund::{cancel, create, edit, record_arn, record_result, record_return, release, review, send_now, start_submission};
use crate::{
    Act, Command, Snapshot, Verdict, adjustment, authorisation, delivery, dispute, mark_payment, payout, people, rate, record_payment,
    settings, shipment,
};

/// Decides one command against a snapshot.
pub fn decide(snapshot: &Snapshot, command: &Command) -> Verdict {
    let stamp = &command.stamp;
    match &command.act {
        Act::CreateRefund(act) => create::decide(snapshot, stamp, act),
        Act::CancelRefund(act) => cancel::decide(snapshot, stamp, act),
        Act::ReviewRefund(act) => review::decide(snapshot, stamp, act),
        Act::EditRefund(act) => edit::decide(snapshot, stamp, act),
        Act::SendNow(act) => send_now::decide(snapshot, stamp, act),
        Act::ReleaseRefund(act) => release::decide(snapshot, stamp, act),
        Act::ReleaseWaiting(act) => release_waiting::decide(snapshot, stamp, act),
        Act::StartSubmission(act) => start_submission::decide(snapshot, stamp, act),
        Act::RecordResult(act) => record_result::decide(snapshot, stamp, act),
        Act::RecordArn(act) => record_arn::decide(snapshot, stamp, act),
        Act::RecordReturn(act) => record_return::decide(snapshot, stamp, act),
        Act::RecordPayment(act) => record_payment::decide(snapshot, stamp, act),
        Act::CapturePayment(act) => authorisation::capture(snapshot, stamp, act),
        Act::VoidPayment(act) => authorisation::void(snapshot, stamp, act),
        Act::RecordDispute(act) => dispute::record::decide(snapshot, stamp, act),
        Act::ChangeDispute(act) => dispute::change::decide(snapshot, stamp, act),
        Act::PutRates(act) => rate::put(stamp, act),
        Act::SettlePayment(act) => settle::decide(snapshot, stamp, act),
        Act::SettleDue(act) => settle::decide_due(snapshot, stamp, act),
        Act::EndSettling(act) => settle::decide_end(snapshot, stamp, act),
        Act::ReleaseReserve(act) => reserve::decide(snapshot, stamp, act),
        Act::ReleaseFixedReserve(act) => reserve::decide_fixed(snapshot, stamp, act),
        Act::MarkPayment(act) => mark_payment::decide(snapshot, stamp, act),
        Act::RecordTracking(act) => shipment::record_tracking(snapshot, stamp, act),
        Act::RecordShipmentState(act) => shipment::record_state(snapshot, stamp, act),
        Act::TopUp(act) => top_up::decide(snapshot, stamp, act),
        Act::PreparePayout(act) => payout::prepare::decide(snapshot, stamp, act),
        Act::AdvancePayout(act) => payout::advance::decide(snapshot, stamp, act),
        Act::ProposeAdjustment(act) => adjustment::propose(snapshot, stamp, act),
        Act::DecideAdjustment(act) => adjustment::decide(snapshot, stamp, act),
        Act::RecordAcquirerSettlement(act) => acquirer_settlement::decide(snapshot, stamp, act),
        Act::CollectExposure(act) => exposure::collect(snapshot, stamp, act),
        Act::RecordDelivery(act) => delivery::record(snapshot, stamp, act),
        Act::ReplayNotification(act) => delivery::replay(snapshot, stamp, act),
        Act::PutMerchant(merchant) => settings::put_merchant(snapshot, stamp, merchant),
        Act::PutTerminal(terminal) => settings::put_terminal(snapshot, stamp, terminal),
        Act::ChangeMerchant(change) => settings::change_merchant(snapshot, stamp, change),
        Act::ChangeTerminal(change) => settings::change_terminal(snapshot, stamp, change),
        Act::ChangeCredential(change) => settings::change_credential(snapshot, stamp, change),
        Act::PutEndpoint(act) => settings::put_endpoint(snapshot, stamp, act),
        Act::RemoveEndpoint(act) => settings::remove_endpoint(snapshot, stamp, act),
        Act::PutPerson(person) => people::put(snapshot, stamp, person),
        Act::ChangePerson(change) => people::change(snapshot, stamp, change),
        Act::PutCredential(credential) => settings::put_credential(snapshot, stamp, credential),
        Act::RevokeCredential(act) => settings::revoke_credential(snapshot, stamp, act),
    }
}
