//! Parses timestamps as microseconds since 1970: numbers of milliseconds, and texts in the format
//! `YYYY-MM-DD[T ]hh:mm:ss[.fraction][Z|±hh:mm|±hhmm|±hh]`.

const EARLIEST_MS: i64 = 946_684_800_000; // 2000-01-01
const LATEST_MS: i64 = 4_102_444_800_000; // 2100-01-01, exclusive
const PER_MS: i64 = 1000;
const FRACTION_DIGITS: usize = 6;

/// Returns the timestamp of a number of milliseconds since 1970, if the timestamp is in the valid range.
#[inline(always)]
pub fn from_milliseconds(milliseconds: i64) -> Option<i64> {
    (EARLIEST_MS..LATEST_MS).contains(&milliseconds).then(|| milliseconds * PER_MS)
}

/// Returns the timestamp of a text, if the timestamp is in the valid range.
pub fn from_text(text: &[u8]) -> Option<i64> {
    microseconds(text).filter(|instant| (EARLIEST_MS * PER_MS..LATEST_MS * PER_MS).contains(instant))
}

/// Converts a timestamp from microseconds to milliseconds, rounded down.
pub fn floor_ms(microseconds: i64) -> i64 {
    microseconds.div_euclid(PER_MS)
}

/// Returns the UTC day of a timestamp, in days since 1970. Timestamps are in the valid range, so the day fits.
pub fn day_of(microseconds: i64) -> i32 {
    microseconds.div_euclid(86_400 * 1000 * PER_MS) as i32
}

/// Returns the first millisecond that is not before a timestamp.
pub fn ceiling_ms(microseconds: i64) -> i64 {
    -(-microseconds).div_euclid(PER_MS)
}

fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let number = head
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))?;
    Some((number, rest))
}

fn byte<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let (first, rest) = text.split_first()?;
    wanted.contains(first).then_some(rest)
}

/// Returns the instant that the text denotes. Returns `None` if the text is not a timestamp, or if it has digits beyond
/// microseconds.
fn microseconds(text: &[u8]) -> Option<i64> {
    let (year, text) = number(text, 4)?;
    let (month, text) = number(byte(text, b"-")?, 2)?;
    let (day, text) = number(byte(text, b"-")?, 2)?;
    let (hour, text) = number(byte(text, b"T ")?, 2)?;
    let (minute, text) = number(byte(text, b":")?, 2)?;
    let (second, text) = number(byte(text, b":")?, 2)?;
    let (fraction, text) = fraction(text)?;
    let shift = zone(text)?;
    if year == 0 || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - shift;
    Some((minutes * 60 + second) * 1_000_000 + fraction)
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = byte(text, b".") else { return Some((0, text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(length);
    if length == 0 || digits.iter().skip(FRACTION_DIGITS).any(|&digit| digit != b'0') {
        return None;
    }
    let digit = |at| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let value = (0..FRACTION_DIGITS).fold(0, |value, at| value * 10 + digit(at));
    Some((value, rest))
}

/// Parses a UTC offset as minutes east of UTC.
fn zone(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text == b"Z" {
        return Some(0);
    }
    let (hours, rest) = number(byte(text, b"+-")?, 2)?;
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { number(byte(rest, b":").unwrap_or(rest), 2)? };
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    Some(if text[0] == b'-' { -(hours * 60 + minutes) } else { hours * 60 + minutes })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns a Gregorian date as days since 1970.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let of_years = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    of_years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_form() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2016-06-30 12:34:56.789", 1_467_290_096_789_000),
            ("2016-06-30T12:34:56.7890010000Z", 1_467_290_096_789_001),
            ("2016-06-30T12:34:56.7+02:00", 1_467_282_896_700_000),
            ("2016-06-30T12:34:56.7+0200", 1_467_282_896_700_000),
            ("2016-06-30T12:34:56.7+02", 1_467_282_896_700_000),
            ("2016-06-30T12:34:56-00:30", 1_467_291_896_000_000),
            ("2016-06-30T12:34:56-0030", 1_467_291_896_000_000),
            ("2000-02-29T23:59:59", 951_868_799_000_000),
            ("0001-01-01T00:00:00", -62_135_596_800_000_000),
        ];
        for (text, number) in cases {
            assert_eq!(microseconds(text.as_bytes()), Some(number), "{text}");
        }
    }

    #[test]
    fn text_that_names_no_instant_or_loses_a_digit_is_refused() {
        for text in [
            "",
            "2016-06-30",
            "2016-06-30T12:34:56.",
            "2016-06-30T12:34:56.0000001",
            "2016-02-30T00:00:00",
            "0000-01-01T00:00:00",
            "2016-06-30T24:00:00",
            "2016-06-30T23:60:00",
            "2016-06-30T23:59:60",
            "2016-06-30T12:34:56+24:00",
            "2016-06-30T12:34:56+01:60",
            "2016-06-30T12:34:56+0160",
            "2016-06-30T12:34:56+2400",
            "2016-06-30T12:34:56+24",
            "2016-06-30T12:34:56+1",
            "2016-06-30T12:34:56+020",
            "2016-06-30T12:34:56+02:",
            "2016-06-30T12:34:56+02:0",
            "2016-06-30T12:34:56+02000",
            "2016-06-30T12:34:56+02:00:00",
            "2016-06-30T12:34:56 Z",
            "2016-13-01T00:00:00",
            "2100-02-29T00:00:00",
            "2016-06-30t12:34:56",
        ] {
            assert_eq!(microseconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn only_timestamps_of_the_century_are_valid() {
        assert_eq!(from_milliseconds(LATEST_MS - 1), Some(4_102_444_799_999_000));
        assert_eq!((from_milliseconds(LATEST_MS), from_milliseconds(EARLIEST_MS - 1)), (None, None));
        assert_eq!(from_text(b"2099-12-31T23:59:59.999999Z"), Some(4_102_444_799_999_999));
        assert_eq!((from_text(b"2100-01-01T00:00:00"), from_text(b"1999-12-31T23:59:59.999999")), (None, None));
    }

    #[test]
    fn milliseconds_enclose_a_timestamp() {
        assert_eq!((floor_ms(1_999), ceiling_ms(1_001)), (1, 2));
        assert_eq!((floor_ms(2_000), ceiling_ms(2_000)), (2, 2));
    }
}
