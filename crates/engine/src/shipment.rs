//! The goods of a payment: their tracking numbers and whether they arrived. Settlement may wait for either.

use crate::command::{RecordShipmentState, RecordTracking};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::settle;
use crate::notify::fact;
use crate::payment::{Payment, PaymentStatus};
use crate::refund::URL_LENGTH_MAX;
use crate::settlement::{Shipment, ShipmentState, TRACKING_NUMBER_LENGTH_MAX, TRACKING_NUMBERS_MAX};
use crate::{MerchantId, Mode, Outcome, PaymentId, Refusal, Snapshot, Stamp, Verdict};

/// Sites that show parcels of many carriers: a number there proves nothing, so the carrier's own page is asked for.
const COLLECTORS_OF_CARRIERS: [&str; 8] = [
    "17track.net",
    "aftership.com",
    "parcelsapp.com",
    "track123.com",
    "trackingmore.com",
    "ship24.com",
    "packagetrackr.com",
    "51tracking.com",
];

/// Writes the numbers down; the same again changes nothing.
pub fn record_tracking(snapshot: &Snapshot, stamp: &Stamp, act: &RecordTracking) -> Verdict {
    track(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn track(mut draft: Draft<'_>, snapshot: &Snapshot, act: &RecordTracking) -> Result<Verdict, Refusal> {
    let mut payment = captured(snapshot, act.merchant_id, act.payment_id, act.mode)?;
    check_numbers(&act.numbers)?;
    check_carrier_url(&act.carrier_url)?;
    let before = payment.settling.shipment.as_ref();
    if before.is_some_and(|before| before.numbers == act.numbers && before.carrier_url == act.carrier_url) {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(payment), created: false }));
    }
    let (numbers, carrier_url) = (act.numbers.clone(), act.carrier_url.clone());
    payment.settling.shipment = Some(Shipment { numbers, carrier_url, recorded_at: draft.now() });
    let numbers = fact("tracking_numbers", act.numbers.join(","));
    let facts = vec![fact("payment_reference", &payment.payment_reference), numbers, fact("carrier_url", &act.carrier_url)];
    draft.tell(EventKind::TrackingRecorded, About::payment(&payment), facts.clone());
    draft.audit("payment.record_tracking", About::payment(&payment), facts);
    settle::follow_terms(&mut draft, &mut payment)?;
    Ok(settle::write(draft, payment))
}

/// Writes down where the goods are; the same again changes nothing. What was settled stays so.
pub fn record_state(snapshot: &Snapshot, stamp: &Stamp, act: &RecordShipmentState) -> Verdict {
    change_state(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn change_state(mut draft: Draft<'_>, snapshot: &Snapshot, act: &RecordShipmentState) -> Result<Verdict, Refusal> {
    let mut payment = captured(snapshot, act.merchant_id, act.payment_id, act.mode)?;
    if act.state == ShipmentState::None {
        return Err(invalid("state", "under_way, delivered or exception"));
    }
    if payment.settling.shipment_state == act.state {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(payment), created: false }));
    }
    payment.settling.shipment_state = act.state;
    let facts = vec![fact("payment_reference", &payment.payment_reference), fact("state", act.state.word())];
    draft.tell(EventKind::ShipmentChanged, About::payment(&payment), facts.clone());
    draft.audit("payment.record_shipment_state", About::payment(&payment), facts);
    settle::follow_terms(&mut draft, &mut payment)?;
    Ok(settle::write(draft, payment))
}

fn captured(snapshot: &Snapshot, merchant_id: MerchantId, payment_id: PaymentId, mode: Mode) -> Result<Payment, Refusal> {
    let payment = snapshot.payments.get(&(merchant_id, payment_id)).filter(|payment| payment.mode == mode);
    let payment = payment.ok_or(Refusal::UnknownPayment)?;
    match payment.status {
        PaymentStatus::Captured => Ok(payment.clone()),
        status => Err(Refusal::PaymentNotCaptured { status }),
    }
}

fn check_numbers(numbers: &[String]) -> Result<(), Refusal> {
    if !(1..=TRACKING_NUMBERS_MAX).contains(&numbers.len()) {
        return Err(invalid("tracking_numbers", &format!("1 to {TRACKING_NUMBERS_MAX} numbers")));
    }
    let fits = |number: &String| {
        (1..=TRACKING_NUMBER_LENGTH_MAX).contains(&number.len()) && number.bytes().all(|letter| letter.is_ascii_alphanumeric())
    };
    if !numbers.iter().all(fits) {
        let rule = format!("letters and digits only, {TRACKING_NUMBER_LENGTH_MAX} at most, several numbers with commas between them");
        return Err(invalid("tracking_numbers", &rule));
    }
    Ok(())
}

fn check_carrier_url(url: &str) -> Result<(), Refusal> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let printable = url.len() <= URL_LENGTH_MAX && url.bytes().all(|letter| letter.is_ascii_graphic());
    let host = rest.map(|rest| rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase());
    let Some(host) = host.filter(|host| printable && host.contains('.') && !host.contains('@')) else {
        return Err(invalid(
            "carrier_url",
            &format!("a web address of the carrier, with http:// or https://, {URL_LENGTH_MAX} letters at most"),
        ));
    };
    let is_collector = |site: &&str| host == **site || host.strip_suffix(*site).is_some_and(|rest| rest.ends_with('.'));
    match COLLECTORS_OF_CARRIERS.iter().any(is_collector) {
        true => Err(invalid("carrier_url", "the carrier's own site, not one that collects those of many")),
        false => Ok(()),
    }
}

fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
