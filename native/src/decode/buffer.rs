//! The stream's unread text, and the lines in it that start a container in every state (docs/decoding.md, "Input").

use std::collections::VecDeque;

use memchr::memmem;

use crate::decode::json::scan;

const BOM: &[u8] = b"\xef\xbb\xbf";
const KEYS: [&[u8]; 3] = [b"dataType", b"metaData", b"recordCollection"];

/// Unread text. `position` is where reading stands, `limit` where it has to stop: at the next border, or at the end of
/// what is there. `complete` says that nothing more can come before `limit`. All three are indices into `data`, which
/// begins at the stream's byte `base`. `begun` turns true once it is known whether a byte order mark stands first;
/// `undecided` is where a line begins that may turn out a border when more of it is there.
#[derive(Default)]
pub struct Buffer {
    pub data: Vec<u8>,
    pub base: usize,
    pub position: usize,
    pub limit: usize,
    pub complete: bool,
    pub begun: bool,
    pub undecided: Option<usize>,
    end_seen: bool,
    borders: VecDeque<usize>,
    searched: usize,
}

enum Border {
    Yes,
    No,
    Begun,
}

/// Whether the line that `text` begins with starts a container.
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
    /// Adds text behind what is unread; true where that showed a new border.
    pub fn append(&mut self, text: &[u8]) -> bool {
        // The byte before the position stays: it may be the line end that makes a border of what follows.
        let read = self.position.saturating_sub(1);
        self.data.drain(..read);
        self.data.extend_from_slice(text);
        self.base += read;
        self.position -= read;
        self.skip_byte_order_mark();
        self.search()
    }

    /// Makes `limit` and `complete` true of `data`.
    pub fn ready(&mut self) {
        self.complete = self.end_seen || !self.borders.is_empty();
        self.limit = self.borders.front().map_or(self.data.len(), |border| border - self.base);
    }

    /// No more text will come.
    pub fn end(&mut self) {
        self.end_seen = true;
        self.begun = true;
        self.ready();
    }

    /// Goes beyond the border at `position`, which is `limit`; false where it is the end of the text instead.
    pub fn cross(&mut self) -> bool {
        let crossed = self.borders.pop_front().is_some();
        if crossed {
            self.ready();
        }
        crossed
    }

    /// Whether reading stands at a line that may turn out a border when more of it is there.
    pub fn at_undecided(&self) -> bool {
        !self.complete && self.undecided.is_some_and(|line| self.position >= line)
    }

    /// The text up to `limit`.
    pub fn text(&self) -> &[u8] {
        &self.data[..self.limit]
    }

    /// The index of the first byte from `at` that is no white space, `limit` at most.
    pub fn skip_space(&self, at: usize) -> usize {
        scan::space(self.text(), at)
    }

    fn skip_byte_order_mark(&mut self) {
        if self.begun || (self.data.len() < BOM.len() && BOM.starts_with(&self.data)) {
            return;
        }
        self.begun = true;
        if self.data.starts_with(BOM) {
            self.position = BOM.len();
        }
    }

    /// Looks for borders in text that has not been searched; the last candidate may need more text to decide.
    fn search(&mut self) -> bool {
        let known = self.borders.len();
        let from = self.searched.saturating_sub(self.base);
        self.undecided = None;
        for found in memmem::find_iter(&self.data[from..], b"\n{") {
            let line = from + found + 1;
            match border(&self.data[line..]) {
                Border::Yes => self.borders.push_back(self.base + line),
                Border::No => {}
                Border::Begun => {
                    self.undecided = Some(line);
                    break;
                }
            }
        }
        let stop = self.undecided.unwrap_or(self.data.len());
        self.searched = self.base + stop.saturating_sub(1);
        self.borders.len() > known
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
