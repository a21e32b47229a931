//! Parses number literals. A literal fits a column only if the column's type can represent it exactly.

const MAX_DIGITS: i64 = 19; // of an int64

/// A number literal as a sign, digits without leading and trailing zeros, and a power of ten.
struct Decimal {
    digits: Vec<u8>,
    scale: i64,
    negative: bool,
}

/// Splits a JSON number literal into its parts.
fn decimal(literal: &[u8]) -> Decimal {
    let negative = literal.first() == Some(&b'-');
    let (mut digits, mut scale, mut exponent) = (Vec::with_capacity(literal.len()), 0_i64, 0);
    let mut in_fraction = false;
    for (at, &byte) in literal.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte);
                scale -= i64::from(in_fraction);
            }
            b'.' => in_fraction = true,
            b'e' | b'E' => {
                exponent = power(&literal[at + 1..]);
                break;
            }
            _ => {}
        }
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
        scale += 1;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..zeros);
    Decimal { digits, scale: scale + exponent, negative }
}

/// Parses an exponent. A huge exponent is replaced by a number that is greater than the length of any text, because its
/// exact value does not matter.
fn power(exponent: &[u8]) -> i64 {
    let negative = exponent.first() == Some(&b'-');
    let size = exponent
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0_i64, |power, digit| (power * 10 + i64::from(digit - b'0')).min(1 << 58));
    if negative { -size } else { size }
}

/// Returns the value of a literal if it is an integer that fits int64.
pub fn integral(literal: &[u8]) -> Option<i64> {
    let parts = decimal(literal);
    if parts.digits.is_empty() {
        return Some(0);
    }
    if parts.scale < 0 || i64::try_from(parts.digits.len()).ok()?.saturating_add(parts.scale) > MAX_DIGITS {
        return None;
    }
    let digits = parts.digits.iter().fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    let size = digits * 10_i128.pow(u32::try_from(parts.scale).ok()?);
    i64::try_from(if parts.negative { -size } else { size }).ok()
}

const EXACT_POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Doubles in this range are normal, so every number of up to 15 digits equals its nearest double, rounded to as many
/// digits.
const PRESERVING: std::ops::RangeInclusive<f64> = 1e-292..=1e308;
const PRESERVED_DIGITS: usize = 15;

/// If doubles are rounded to this number of digits, no two of them are equal.
const MAX_ROUNDED_DIGITS: usize = 17;

/// No double has more significant digits.
const MAX_DIGITS_OF_DOUBLE: usize = 767;

/// Returns the double nearest to a literal, if the literal is a spelling of that double: its shortest form, or a form
/// of at most 17 digits that differs from the double by at most half a unit of the last digit.
pub fn double(literal: &[u8]) -> Option<f64> {
    // Both operands of the division are exact, so only the result is rounded.
    if literal.len() <= 15 && !literal.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        let (mut number, mut decimals, mut in_fraction) = (0_u64, 0, false);
        for &byte in literal {
            match byte {
                b'0'..=b'9' => {
                    number = number * 10 + u64::from(byte - b'0');
                    decimals += usize::from(in_fraction);
                }
                b'.' => in_fraction = true,
                _ => {}
            }
        }
        let size = number as f64 / EXACT_POWERS[decimals];
        return Some(if literal.first() == Some(&b'-') { -size } else { size });
    }
    let number: f64 = std::str::from_utf8(literal).ok()?.parse().ok()?;
    denotes(literal, number).then_some(number)
}

fn denotes(literal: &[u8], number: f64) -> bool {
    let digits = significant_digits(literal);
    if digits == 0 || number == 0.0 || number.is_infinite() {
        return digits == 0;
    }
    if digits <= PRESERVED_DIGITS && PRESERVING.contains(&number.abs()) {
        return true;
    }
    let wanted = decimal(literal);
    let equals = |text: String| {
        let found = decimal(text.as_bytes());
        found.digits == wanted.digits && found.scale == wanted.scale
    };
    equals(format!("{number:e}"))
        || (digits <= MAX_ROUNDED_DIGITS && (equals(format!("{number:.*e}", digits - 1)) || is_tie(&wanted, number)))
}

/// Whether the double lies exactly in the middle between `wanted` and another number with as many digits. In this case
/// formatting the double returns only the number whose last digit is even.
fn is_tie(wanted: &Decimal, number: f64) -> bool {
    let in_middle = |text: String| {
        let found = decimal(text.as_bytes());
        let value = |digits: &[u8]| digits.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        found.digits.len() == wanted.digits.len() + 1
            && found.scale + 1 == wanted.scale
            && (value(&found.digits) - 10 * value(&wanted.digits)).abs() == 5
    };
    in_middle(format!("{number:.*e}", wanted.digits.len())) && in_middle(format!("{number:.MAX_DIGITS_OF_DOUBLE$e}"))
}

/// Returns the number of digits between the first and the last digit other than zero.
fn significant_digits(literal: &[u8]) -> usize {
    let (mut digits, mut zeros) = (0, 0);
    for &byte in literal {
        match byte {
            b'0' => zeros += usize::from(digits > 0),
            b'1'..=b'9' => (digits, zeros) = (digits + zeros + 1, 0),
            b'e' | b'E' => break,
            _ => {}
        }
    }
    digits
}

/// Whether the double nearest to a literal is infinite.
pub fn is_beyond_doubles(literal: &[u8]) -> bool {
    const SAFE_LENGTH: usize = 300;
    if literal.len() < SAFE_LENGTH && !literal.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return false;
    }
    std::str::from_utf8(literal).ok().and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_infinite)
}

/// Returns the double for a string such as `NaN` or `-Infinity`.
pub fn named_double(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"Infinity" | b"INF" => Some(f64::INFINITY),
        b"-Infinity" | b"-INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Returns the integer at the start of the text and its length in bytes, if it has at most 15 digits. Nearly all
/// integers are that short.
#[inline(always)]
pub fn short(text: &[u8; 17]) -> Option<(i64, usize)> {
    let (mut number, mut length) = digits(text);
    if length == 8 {
        let (more, count) = digits(&text[8..]);
        (number, length) = (number * TENS[count] + more, 8 + count);
    }
    let ends = matches!(text[length], b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
    (ends && length > 0 && (text[0] != b'0' || length == 1)).then(|| (number.cast_signed(), length))
}

const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Parses the leading digits of the text, at most eight. Returns the number and how many digits it has. Combines digits
/// into pairs first, then pairs into larger groups.
#[inline(always)]
fn digits(text: &[u8]) -> (u64, usize) {
    let Some(eight) = text.first_chunk::<8>() else { return (0, 0) };
    let values = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
    // Sets the high bit of every byte greater than nine.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // Shifts out the bytes after the digits; zeros fill the space before the digits.
    let values = values << (64 - 8 * count);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integral_literals_have_exact_values() {
        let cases: [(&str, i64); 9] = [
            ("7", 7),
            ("-7", -7),
            ("7.0", 7),
            ("1e2", 100),
            ("1200e-2", 12),
            ("0e99999999999999999999", 0),
            ("-0", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ];
        for (literal, number) in cases {
            assert_eq!(integral(literal.as_bytes()), Some(number), "{literal}");
        }
        for literal in
            ["1.5", "1e-1", "9223372036854775808", "1e19", "1e99999999999999999999", "12345678901234567890123"]
        {
            assert_eq!(integral(literal.as_bytes()), None, "{literal}");
        }
    }

    #[test]
    fn spellings_of_a_double_are_that_double() {
        for literal in [
            "0.1",
            "-0.0",
            "1e22",
            "1e2",
            "123456789.012345",
            "1.7976931348623157e308",
            "5e-324",
            "4.9E-324",
            "4.9406564584124654e-324",
            "0e999",
            "100000000000000000000",
            "816.45000000000005",
            "5.960464477539063e-08",
            "5.960464477539062e-08",
            "5.684341886080802e-14",
            "5.684341886080801e-14",
            "2.9802322387695312e-08",
            "2.9802322387695313e-08",
            "8.344650268554687e-07",
            "-8.344650268554688e-07",
            "0.10000000000000000",
        ] {
            let number = double(literal.as_bytes());
            assert_eq!(number.map(f64::to_bits), literal.parse::<f64>().ok().map(f64::to_bits), "{literal}");
        }
        for literal in [
            "9007199254740993",
            "1e400",
            "1e-400",
            "2e-324",
            "3e-324",
            "0.1000000000000000055511151231257827",
            "0.100000000000000006",
            "1.7976931348623158e308",
            "816.45000000000006",
            "2.9802322387695314e-08",
            "2.9802322387695311e-08",
        ] {
            assert_eq!(double(literal.as_bytes()), None, "{literal}");
        }
    }

    #[test]
    fn a_number_is_beyond_doubles_if_its_nearest_double_is_infinite() {
        let (nines, smaller) = ("9".repeat(309), "1".repeat(309));
        for literal in ["1e309", "-1e309", "1.7976931348623159e308", "1e99999999999999999999", nines.as_str()] {
            assert!(is_beyond_doubles(literal.as_bytes()), "{literal}");
        }
        for literal in ["1e308", "1.7976931348623158e308", "0e999", "1e-999", "7", smaller.as_str()] {
            assert!(!is_beyond_doubles(literal.as_bytes()), "{literal}");
        }
    }

    #[test]
    fn digits_are_read_up_to_eight_at_once() {
        for text in ["00000000", "12345678", "99999999", "1", "10", "907", "0042", "12345", "999999", "1234567"] {
            for after in ["", "}", ",", ".", "e", "/", ":", "\u{0}", "\u{80}", "é", " "] {
                let padded = format!("{text}{after}xxxxxxxx");
                assert_eq!(Some(digits(padded.as_bytes())), text.parse().ok().map(|number| (number, text.len())));
            }
        }
        assert_eq!(digits(b"x1234567"), (0, 0));
    }
}
