//! What of a payment no decision reads, as the API's document describes it.

use utoipa::ToSchema;

/// Attributes that no decision reads. A card number is never among them: first six and last four only.
#[derive(ToSchema)]
#[schema(as = PaymentDetails)]
#[expect(dead_code, reason = "describes the engine's PaymentDetails, which knows nothing of OpenAPI")]
pub struct PaymentDetailsView {
    /// Visa, Mastercard and so on.
    card_scheme: Option<String>,
    /// First six digits.
    card_first6: Option<String>,
    /// Last four digits.
    card_last4: Option<String>,
    /// ISO 3166 alpha-2.
    issuer_country: Option<String>,
    /// Of the payment's answer.
    response_code: Option<String>,
    /// Of the payment's answer.
    response_text: Option<String>,
    /// Was a pre-authorisation.
    pre_authorised: Option<bool>,
    /// Was authenticated with 3-D Secure.
    three_d_secure: Option<bool>,
    /// The shopper's.
    shopper_email: Option<String>,
    /// The shopper's.
    shopper_ip: Option<String>,
    /// The shop's.
    site_url: Option<String>,
    /// Carrier's number.
    tracking_number: Option<String>,
    /// Whatever else is to be found again.
    note: Option<String>,
    /// What the fee is made of, as far as it is told; together at most the fee.
    fee_parts: Option<FeePartsView>,
}

/// Parts of a fee that statements show apart, in minor units of the payment's currency.
#[derive(ToSchema)]
#[schema(as = FeeParts)]
#[expect(dead_code, reason = "describes the engine's FeeParts, which knows nothing of OpenAPI")]
pub struct FeePartsView {
    /// To the issuer.
    interchange_minor: Option<i64>,
    /// To the network, for a card of another country.
    cross_border_minor: Option<i64>,
    /// To the network.
    scheme_minor: Option<i64>,
    /// For each payment, whatever its amount.
    fixed_minor: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use refundry_engine::payment::PaymentDetails;

    #[test]
    fn every_detail_of_the_engine_is_described() {
        let all = serde_json::json!({
            "card_scheme": "x", "card_first6": "x", "card_last4": "x", "issuer_country": "x", "response_code": "x", "response_text": "x",
            "pre_authorised": true, "three_d_secure": true, "shopper_email": "x", "shopper_ip": "x", "site_url": "x",
            "tracking_number": "x", "note": "x",
            "fee_parts": {"interchange_minor": 1, "cross_border_minor": 2, "scheme_minor": 3, "fixed_minor": 4},
        });
        let details: PaymentDetails = serde_json::from_value(all.clone()).unwrap();
        assert_eq!(serde_json::to_value(&details).unwrap(), all);
        let schema = serde_json::to_value(<PaymentDetailsView as utoipa::PartialSchema>::schema()).unwrap();
        let described: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let stored: Vec<&String> = all.as_object().unwrap().keys().collect();
        assert_eq!(described, stored);
    }
}
