//! Finds the end of JSON strings, numbers, words, white space, and values. Enforces the same rules as Python's `json`.

/// The reason why reading stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The text is not JSON, no matter what follows: the message, and the index of the error.
    Syntax(&'static str, usize),
    /// The text ends inside a value that is valid so far.
    End,
    /// The fast path cannot read the record. The caller must read it again on the careful path.
    NeedsCareful,
    /// A column would exceed Arrow's 32-bit offsets.
    Overflow,
}

pub type Result<T> = std::result::Result<T, Stop>;

/// The range of a string's text between its quotes, and whether the text has escapes.
#[derive(Debug, Clone, Copy)]
pub struct Quoted {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
}

/// Returns the index of the first byte from `at` that is not white space.
#[inline(always)]
pub fn space(data: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = data.get(at) {
        at += 1;
    }
    at
}

/// Like `space`, but first skips all bytes that can be part of a number.
pub fn number_and_space(data: &[u8], mut at: usize) -> usize {
    while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = data.get(at) {
        at += 1;
    }
    space(data, at)
}

/// The number of bytes that are searched at once for the end of a string. Most strings are shorter.
pub const BLOCK: usize = 32;

/// Returns the index of the first quote, backslash, or control character in a block.
#[inline(always)]
pub fn stop_in(block: &[u8; BLOCK]) -> Option<usize> {
    let ([low, high], []) = block.as_chunks::<16>() else { return None };
    let found = stops(low) | stops(high) << 16;
    (found != 0).then(|| found.trailing_zeros() as usize)
}

/// Returns a bit mask of the positions of quotes, backslashes, and control characters.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn stops(half: &[u8; 16]) -> u32 {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    // SAFETY: `half` has 16 readable bytes, the load needs no alignment, and SSE2 is part of x86_64.
    unsafe {
        let bytes = _mm_loadu_si128(half.as_ptr().cast::<__m128i>());
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"'.cast_signed()));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\'.cast_signed()));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)).cast_unsigned()
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn stops(half: &[u8; 16]) -> u32 {
    let is_stop = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    half.iter().enumerate().fold(0, |found, (at, byte)| found | u32::from(is_stop(byte)) << at)
}

/// Returns the index of the first quote, backslash, or control character at or after `at`, or the text's length if the
/// text has no such character there.
#[inline(always)]
pub fn plain(data: &[u8], mut at: usize) -> usize {
    while let Some(block) = data.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        if let Some(stop) = stop_in(block) {
            return at + stop;
        }
        at += BLOCK;
    }
    plain_bytes(data, at)
}

fn plain_bytes(data: &[u8], mut at: usize) -> usize {
    while data.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// Reads the string whose opening quote is at `at`. The returned `end` is the index of the closing quote.
#[inline(always)]
pub fn string(data: &[u8], at: usize) -> Result<Quoted> {
    let start = at + 1;
    let end = plain(data, start);
    if data.get(end) == Some(&b'"') {
        return Ok(Quoted { start, end, escaped: false });
    }
    escaped_string(data, start, end)
}

#[cold]
fn escaped_string(data: &[u8], start: usize, mut at: usize) -> Result<Quoted> {
    loop {
        match data.get(at) {
            None => return Err(Stop::End),
            Some(b'"') => return Ok(Quoted { start, end: at, escaped: true }),
            Some(b'\\') => at = plain(data, escape(data, at)?),
            Some(_) => return Err(Stop::Syntax("invalid control character in a string", at)),
        }
    }
}

/// Returns the index after the escape whose backslash is at `at`.
fn escape(data: &[u8], at: usize) -> Result<usize> {
    match data.get(at + 1) {
        None => Err(Stop::End),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match data.get(at + 2..at + 6) {
            Some(digits) if hex4(digits).is_some() => Ok(at + 6),
            None if data[at + 2..].iter().all(u8::is_ascii_hexdigit) => Err(Stop::End),
            _ => Err(Stop::Syntax("invalid \\uXXXX escape", at)),
        },
        Some(_) => Err(Stop::Syntax("invalid \\escape", at)),
    }
}

/// Returns the index after a number. The byte at `at` is the first of the number: a minus sign or a digit.
pub fn number(data: &[u8], at: usize) -> Result<usize> {
    let digits = |mut at: usize| {
        while data.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let whole = at + usize::from(data[at] == b'-');
    let mut end = match data.get(whole) {
        None => return Err(Stop::End),
        Some(b'0') => whole + 1,
        Some(b'1'..=b'9') => digits(whole),
        Some(_) => return Err(Stop::Syntax("expected a value", at)),
    };
    if data.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if let Some(b'e' | b'E') = data.get(end) {
        let signed = end + 1 + usize::from(matches!(data.get(end + 1), Some(b'+' | b'-')));
        if digits(signed) > signed {
            end = digits(signed);
        }
    }
    Ok(end)
}

/// Returns the index after `word`. The caller has already checked that the byte at `at` is the first byte of `word`.
pub fn word(data: &[u8], at: usize, word: &[u8]) -> Result<usize> {
    let found = &data[at..data.len().min(at + word.len())];
    match found {
        _ if found == word => Ok(at + word.len()),
        _ if word.starts_with(found) => Err(Stop::End),
        _ => Err(Stop::Syntax("expected a value", at)),
    }
}

/// Returns the index after the scalar at `at`.
pub fn scalar(data: &[u8], at: usize) -> Result<usize> {
    match data.get(at) {
        None => Err(Stop::End),
        Some(b'"') => Ok(string(data, at)?.end + 1),
        Some(b't') => word(data, at, b"true"),
        Some(b'f') => word(data, at, b"false"),
        Some(b'n') => word(data, at, b"null"),
        Some(b'N') => word(data, at, b"NaN"),
        Some(b'I') => word(data, at, b"Infinity"),
        Some(b'-') if data.get(at + 1) == Some(&b'I') => word(data, at, b"-Infinity"),
        Some(b'-' | b'0'..=b'9') => number(data, at),
        Some(_) => Err(Stop::Syntax("expected a value", at)),
    }
}

/// Returns the key at `at` and the index of its value.
#[inline]
pub fn key(data: &[u8], at: usize) -> Result<(Quoted, usize)> {
    match data.get(at) {
        None => return Err(Stop::End),
        Some(b'"') => {}
        Some(_) => return Err(Stop::Syntax("expected a key in quotes", at)),
    }
    let key = string(data, at)?;
    let colon = space(data, key.end + 1);
    match data.get(colon) {
        None => Err(Stop::End),
        Some(b':') => Ok((key, space(data, colon + 1))),
        Some(_) => Err(Stop::Syntax("expected a colon after the key", colon)),
    }
}

/// A stack of the open brackets, with one bit for each level. Deep nesting uses heap memory instead of the call stack.
#[derive(Default)]
struct Open {
    last: u64,
    full: Vec<u64>,
    depth: usize,
}

impl Open {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.push(self.last);
        }
        self.last = self.last << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.last >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.last = self.full.pop().unwrap_or(0);
        }
    }

    fn in_object(&self) -> bool {
        self.last & 1 == 1
    }
}

/// Returns the index after the value at `at`, and the value's nesting depth.
pub fn value(data: &[u8], mut at: usize) -> Result<(usize, usize)> {
    let mut open = Open::default();
    let mut deepest = 0;
    loop {
        match data.get(at) {
            Some(&bracket @ (b'{' | b'[')) => {
                open.push(bracket == b'{');
                deepest = deepest.max(open.depth);
                at = space(data, at + 1);
                if data.get(at) == Some(&(bracket + 2)) {
                    open.pop();
                    at += 1;
                } else {
                    if bracket == b'{' {
                        at = key(data, at)?.1;
                    }
                    continue;
                }
            }
            _ => at = scalar(data, at)?,
        }
        // After a value, either close brackets or continue with the next value.
        loop {
            if open.depth == 0 {
                return Ok((at, deepest));
            }
            at = space(data, at);
            let object = open.in_object();
            match data.get(at) {
                None => return Err(Stop::End),
                Some(b',') => {
                    at = space(data, at + 1);
                    if object {
                        at = key(data, at)?.1;
                    }
                    break;
                }
                Some(b'}') if object => open.pop(),
                Some(b']') if !object => open.pop(),
                Some(_) => return Err(Stop::Syntax("expected a comma or a closing bracket", at)),
            }
            at += 1;
        }
    }
}

/// Parses four hexadecimal digits.
pub fn hex4(digits: &[u8]) -> Option<u32> {
    if digits.len() != 4 {
        return None;
    }
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Result<usize> {
        value(text.as_bytes(), 0).map(|(end, _)| end)
    }

    #[test]
    fn values_end_where_json_ends_them() {
        for text in [r#"{"a":[1,{"b":null}],"c":"\u00e9\\"}"#, "[]", "{ }", "-Infinity", "1e+5", "-0.0", "\"\""] {
            assert_eq!(end(&format!("{text},")), Ok(text.len()), "{text}");
        }
        assert_eq!(end("01"), Ok(1));
        assert_eq!(end("1.x"), Ok(1));
        assert_eq!(end("1e,"), Ok(1));
    }

    #[test]
    fn unfinished_text_is_told_from_wrong_text() {
        for text in ["", "{", "[1,", "{\"a", "{\"a\":", "tru", "-", "-Inf", "\"\\u00", "\"\\", "[[", "[1"] {
            assert_eq!(end(text), Err(Stop::End), "{text}");
        }
        for text in ["}", "[1 2]", "[1}", "{1:2}", "{\"a\" 1}", "trx", "-x", "\"\\x\"", "\"\\u0g\"", "\"\n\"", "[1,]"] {
            assert!(matches!(end(text), Err(Stop::Syntax(..))), "{text}");
        }
    }

    #[test]
    fn nesting_is_counted_beyond_a_word_of_levels() {
        for depth in [1, 63, 64, 65, 128, 129, 1000] {
            let text = "[{\"k\":".repeat(depth) + "0" + &"}]".repeat(depth);
            assert_eq!(value(text.as_bytes(), 0), Ok((text.len(), 2 * depth)));
        }
    }

    #[test]
    fn a_million_levels_cost_no_stack() {
        assert_eq!(end(&"[".repeat(1 << 20)), Err(Stop::End));
    }

    #[test]
    fn the_scan_of_plain_text_stops_at_the_same_byte_wherever_it_stands() {
        for length in 0..70 {
            for stop in [b'"', b'\\', 0x1f, 0] {
                let mut text = vec![0x7f_u8; length];
                text.push(stop);
                text.extend([0xff; 20]);
                assert_eq!(plain(&text, 0), length);
            }
        }
        assert_eq!(plain(&[0xff; 33], 0), 33);
    }
}
