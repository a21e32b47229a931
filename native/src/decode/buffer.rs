//! The unread text of the stream, and its borders: starts of lines that always start a container (docs/decoding.md,
//! "Input").

use std::collections::VecDeque;

use memchr::memmem;

use crate::decode::json::scan;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The keys with which the line of a border starts.
pub const KEYS: [&[u8]; 3] = [b"dataType", b"metaData", b"recordCollection"];

/// Unread text. `position` is the next byte to read. `limit` is the next border. Without a border, `limit` is the end
/// of the text so far, or the start of a last line that may become a border. `complete` is true if no more text can
/// come before `limit`. Indices refer to `data`, which begins at the stream's byte `base`.
#[derive(Default)]
pub struct Buffer {
    pub data: Vec<u8>,
    pub base: usize,
    pub position: usize,
    pub limit: usize,
    pub complete: bool,
    undecided: Option<usize>,
    /// Whether the complete text begins with a byte order mark. Only then may its lines begin with such a mark, too.
    marked: bool,
    end_seen: bool,
    borders: VecDeque<usize>,
    searched: usize,
}

enum Border {
    Yes,
    No,
    Begun,
}

/// Returns whether the line at the start of `text` is a border, or may become a border with more text.
fn border(text: &[u8]) -> Border {
    let quote = scan::space(text, 1);
    match text.get(quote) {
        None => return Border::Begun,
        Some(b'"') => {}
        Some(_) => return Border::No,
    }
    let key = &text[quote + 1..];
    let length = key.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    match key.get(length) {
        None => return Border::Begun,
        Some(b'"') => {}
        Some(_) => return Border::No,
    }
    let colon = scan::space(key, length + 1);
    match key.get(colon) {
        None => Border::Begun,
        Some(b':') if KEYS.contains(&&key[..length]) => Border::Yes,
        Some(_) => Border::No,
    }
}

impl Buffer {
    /// Appends text. Returns true if the text completes a new border.
    pub fn append(&mut self, text: &[u8]) -> bool {
        // Keeps the byte before the position, which may be the line feed before a border.
        let read = self.position.saturating_sub(1);
        self.data.drain(..read);
        self.data.extend_from_slice(text);
        self.base += read;
        self.position -= read;
        self.search()
    }

    /// Updates `limit` and `complete` after a change of `data`.
    pub fn ready(&mut self) {
        self.complete = self.end_seen || !self.borders.is_empty();
        let undecided = self.undecided.filter(|_| !self.end_seen);
        let open_end = undecided.unwrap_or(self.data.len());
        self.limit = self.borders.front().map_or(open_end, |border| border - self.base);
    }

    /// Notes that the text has ended.
    pub fn end(&mut self) {
        self.end_seen = true;
        self.ready();
    }

    /// Moves `limit` from the border at `position` to the next border. Returns false if `position` is at the end of the
    /// text instead of a border.
    pub fn cross(&mut self) -> bool {
        let crossed = self.borders.pop_front().is_some();
        if crossed {
            self.ready();
        }
        crossed
    }

    /// Returns the text up to `limit`.
    pub fn text(&self) -> &[u8] {
        &self.data[..self.limit]
    }

    /// Returns the index of the first byte from `at` on that is not white space, but at most `limit`.
    pub fn skip_space(&self, at: usize) -> usize {
        scan::space(self.text(), at)
    }

    /// Whether the text has ended and no border is left.
    pub fn at_end(&self) -> bool {
        self.end_seen && self.borders.is_empty()
    }

    /// Like `skip_space`, but also skips NULs and byte order marks, which may stand between documents.
    pub fn skip_between(&self, at: usize) -> usize {
        let text = self.text();
        let mut at = scan::space(text, at);
        loop {
            match text.get(at) {
                Some(0) => at = scan::space(text, at + 1),
                Some(&mark) if mark == BOM[0] && text[at..].starts_with(BOM) => at = scan::space(text, at + BOM.len()),
                _ => return at,
            }
        }
    }

    /// Whether more text may complete a byte order mark that starts at `at`.
    pub fn may_be_mark(&self, at: usize) -> bool {
        !self.complete && BOM.starts_with(&self.text()[at..])
    }

    /// Searches new text for borders. If the text ends inside the last candidate, that candidate stays undecided.
    fn search(&mut self) -> bool {
        let known = self.borders.len();
        let from = self.searched.saturating_sub(self.base);
        self.undecided = None;
        self.marked |= self.base == 0 && self.data.starts_with(BOM);
        let text = &self.data[from..];
        let mut lines: Vec<_> = memmem::find_iter(text, b"\n{").map(|found| (found, 1)).collect();
        if self.marked {
            lines.extend(memmem::find_iter(text, b"\n\xef\xbb\xbf{").map(|found| (found, 1 + BOM.len())));
            lines.sort_unstable();
        }
        for (found, brace) in lines {
            let line = from + found + 1;
            match border(&self.data[from + found + brace..]) {
                Border::Yes => self.borders.push_back(self.base + line),
                Border::No => {}
                Border::Begun => {
                    self.undecided = Some(line);
                    break;
                }
            }
        }
        if self.undecided.is_none() && self.marked {
            self.undecided = self.marked_line();
        }
        let stop = self.undecided.unwrap_or(self.data.len());
        self.searched = self.base + stop.saturating_sub(1);
        self.borders.len() > known
    }

    /// Returns the start of the last line if this line so far consists only of a byte order mark or its beginning.
    fn marked_line(&self) -> Option<usize> {
        let line = memchr::memrchr(b'\n', &self.data[self.data.len().saturating_sub(BOM.len() + 1)..])?;
        let line = self.data.len().saturating_sub(BOM.len() + 1) + line + 1;
        (line < self.data.len() && BOM.starts_with(&self.data[line..])).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_keys_at_a_lines_start_make_a_border() {
        let mut buffer = Buffer::default();
        assert!(buffer.append(
            b"{\"dataType\":1}\n{ \"metaData\"\t:\n {\"dataType\":2}\n{\"other\":1}\n{\"dataTypes\":1}\n{\"data"
        ));
        assert_eq!(buffer.borders, [15]);
        assert_eq!(buffer.undecided, Some(buffer.data.len() - 6));
        assert!(buffer.append(b"Type\" :"));
        assert_eq!(buffer.undecided, None);
    }
}
