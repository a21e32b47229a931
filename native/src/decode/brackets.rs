//! Finds the end of broken JSON, and the nesting depth of JSON, by counting brackets outside strings.

pub const MAX_DEPTH: usize = 128;

/// The result of the search for an element's end: the end, an error that more text cannot repair, or a need for more
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Found { end: usize, depth: usize },
    Broken,
    Open,
}

/// Finds the end of a string. Skips escapes without validating them. A line feed inside a string is an error.
fn string_end(data: &[u8], mut at: usize) -> Result<usize, Element> {
    loop {
        match data.get(at) {
            None => return Err(Element::Open),
            Some(b'"') => return Ok(at + 1),
            Some(b'\n') => return Err(Element::Broken),
            Some(b'\\') => match data.get(at + 1) {
                None => return Err(Element::Open),
                Some(b'\n') => return Err(Element::Broken),
                Some(_) => at += 2,
            },
            Some(_) => at += 1,
        }
    }
}

/// Finds the end of the array element that starts at `at`: the comma or closing bracket after the element.
pub fn element_end(data: &[u8], mut at: usize) -> Element {
    let mut open: Vec<u8> = Vec::new();
    let mut depth = 0;
    while let Some(&byte) = data.get(at) {
        match byte {
            b'"' => match string_end(data, at + 1) {
                Ok(end) => {
                    at = end;
                    continue;
                }
                Err(element) => return element,
            },
            b'{' | b'[' => {
                open.push(byte);
                depth = depth.max(open.len());
            }
            b',' | b']' if open.is_empty() => return Element::Found { end: at, depth },
            b'}' | b']' if open.pop() != Some(byte - 2) => return Element::Broken,
            _ => {}
        }
        at += 1;
    }
    Element::Open
}

/// Whether the nesting of complete JSON text exceeds the limit for records.
pub fn too_deep(raw: &[u8]) -> bool {
    raw.iter().filter(|&&byte| matches!(byte, b'{' | b'[')).count() > MAX_DEPTH
        && crate::decode::json::scan::value(raw, 0).is_ok_and(|(_, depth)| depth > MAX_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_ends_at_the_comma_or_bracket_behind_it() {
        assert_eq!(element_end(br#"{"a,]": [1}, 2]} x"#, 0), Element::Broken);
        assert_eq!(element_end(br#"{"a,]\"": [1, 2] oops} , x"#, 0), Element::Found { end: 23, depth: 2 });
        assert_eq!(element_end(b"oops]", 0), Element::Found { end: 4, depth: 0 });
        assert_eq!(element_end(b"}", 0), Element::Broken);
    }

    #[test]
    fn a_string_over_a_lines_end_is_broken_and_one_at_the_texts_end_open() {
        assert_eq!(element_end(b"\"a\n\",", 0), Element::Broken);
        assert_eq!(element_end(b"\"a\\\n\",", 0), Element::Broken);
        assert_eq!(element_end(b"\"a\\", 0), Element::Open);
        assert_eq!(element_end(b"\"a", 0), Element::Open);
        assert_eq!(element_end(b"[", 0), Element::Open);
    }
}
