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

/// As people write it in UTC+8, such as `2019-11-27 12:01:01`.
pub(crate) fn plain(at: Timestamp) -> String {
    let at = civil(at);
    let (day, time) = (at.date(), at.time());
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", day.year(), day.month(), day.day(), time.hour(), time.minute(), time.second())
}

/// Digits alone in UTC+8, such as `20191127120101`.
pub(crate) fn digits(at: Timestamp) -> String {
    plain(at).replace(['-', ' ', ':'], "")
}

/// Reads what [`digits`] writes.
pub(crate) fn parse_digits(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let (day, time) = ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(8, 10), part(10, 12), part(12, 14)].join(":"));
    parse_plain(&format!("{day} {time}"))
}

/// Reads what [`plain`] writes; a day alone is its first second.
pub(crate) fn parse_plain(text: &str) -> Option<Timestamp> {
    let (day, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let narrow = |number: i16| i8::try_from(number).ok();
    let civil = DateTime::new(year, narrow(month)?, narrow(day)?, narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()?;
    CHINA.to_timestamp(civil).ok().map(|at| Timestamp::from_us(at.as_microsecond()))
}

/// The last second of a day such as `2019-11-27` in UTC+8; nothing of any other text.
pub(crate) fn last_second_of_day(text: &str) -> Option<Timestamp> {
    if text.contains(' ') { None } else { parse_plain(&format!("{text} 23:59:59")) }
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i16; 3]> {
    let mut parts = text.split(separator).zip(digits);
    let mut next = || {
        let (part, digits) = parts.next()?;
        let fits = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if fits { part.parse().ok() } else { None }
    };
    let read = [next()?, next()?, next()?];
    (text.split(separator).count() == 3).then_some(read)
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

    #[test]
    fn plain_times_read_back_and_nothing_else_does() {
        let at = Timestamp::from_ms(1_574_827_261_000);
        assert_eq!(plain(at), "2019-11-27 12:01:01");
        assert_eq!(parse_plain("2019-11-27 12:01:01"), Some(at));
        assert_eq!(parse_plain("2019-11-27").map(plain).as_deref(), Some("2019-11-27 00:00:00"));
        assert_eq!(last_second_of_day("2019-11-27").map(plain).as_deref(), Some("2019-11-27 23:59:59"));
        assert_eq!(last_second_of_day("2019-11-27 12:01:01"), None);
        assert_eq!(digits(at), "20191127120101");
        assert_eq!(parse_digits("20191127120101"), Some(at));
        for text in ["", "2019112712010", "201911271201011", "20191127126001", "20190230120101", "2019-1-7120101", "+0191127120101"] {
            assert_eq!(parse_digits(text), None, "{text}");
        }
        for text in [
            "",
            "2019-13-01",
            "2019-02-30",
            "2019-1-1",
            "2019-11-27 12:01",
            "2019-11-27 12:01:01:01",
            "2019-11-27  12:01:01",
            "x",
            "２019-11-27",
        ] {
            assert_eq!(parse_plain(text), None, "{text}");
        }
    }
}
