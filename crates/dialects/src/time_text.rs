//! Instants as people of one zone write them.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use refundry_engine::Timestamp;

/// China's time, which the vendors' samples are in.
const CHINA: Offset = Offset::constant(8);

/// ISO 8601 in UTC+8 to the second, such as `2019-11-27T12:01:01+08:00`.
pub(crate) fn iso_8601(at: Timestamp) -> String {
    format!("{}+08:00", civil(at))
}

/// RFC 3339 in UTC, as exact as the instant: `2019-11-27T04:01:01Z`, `2019-11-27T04:01:01.25Z`.
pub(crate) fn rfc_3339(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.us()).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// The day in UTC+8, such as `20191127`.
pub(crate) fn day(at: Timestamp) -> String {
    let day = civil(at).date();
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// To the second, rounded down. What no calendar reaches is its last second.
fn civil(at: Timestamp) -> DateTime {
    let instant = jiff::Timestamp::from_second(at.us().div_euclid(1_000_000)).unwrap_or(jiff::Timestamp::MAX);
    CHINA.to_datetime(instant).with().subsec_nanosecond(0).build().unwrap_or(DateTime::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_cut_to_the_second_and_moved_to_the_zone() {
        let at = Timestamp::from_us(1_574_827_261_999_999);
        assert_eq!(iso_8601(at), "2019-11-27T12:01:01+08:00");
        assert_eq!(rfc_3339(at), "2019-11-27T04:01:01.999999Z");
        assert_eq!(day(Timestamp::from_ms(1_574_870_400_000)), "20191128");
        assert_eq!(day(Timestamp::from_us(i64::MAX)), "99991231");
    }
}
