//! Rescued values, which have no matching column: their paths and their JSON text.

use std::collections::HashMap;

use crate::decode::json::strict::push_value;
use crate::decode::json::text::push_ascii;
use crate::decode::keys::is_identifier;

/// One step of a path.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    Root(&'static str),
    Key(&'a [u8]),
    Index(usize),
}

/// A position in a record, as a linked list on the stack. The list is converted to text only if a value is rescued.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    pub parent: Option<&'a Path<'a>>,
    pub step: Step<'a>,
}

pub static ROOT: Path<'static> = Path::root("$");

impl<'a> Path<'a> {
    pub const fn root(name: &'static str) -> Self {
        Self { parent: None, step: Step::Root(name) }
    }

    pub fn key(&'a self, key: &'a [u8]) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// Returns the last key of the path, or nothing if the path ends with an index.
    pub fn last_key(&self) -> &'a [u8] {
        match self.step {
            Step::Key(key) => key,
            Step::Root(_) | Step::Index(_) => b"",
        }
    }

    pub fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// Returns the path as text, such as `$.navigationData[0].url`. If `starred`, every index is written as `[*]`.
    pub fn text(&self, starred: bool) -> String {
        let mut out = self.parent.map_or_else(String::new, |parent| parent.text(starred));
        match self.step {
            Step::Root(name) => out.push_str(name),
            Step::Index(_) if starred => out.push_str("[*]"),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
            Step::Key(key) => push_key(&mut out, key),
        }
        out
    }
}

fn push_key(out: &mut String, key: &[u8]) {
    if is_identifier(key) {
        out.push('.');
        out.extend(key.iter().copied().map(char::from));
    } else {
        out.push_str("['");
        push_ascii(out, key);
        out.push_str("']");
    }
}

/// A rescued value: its path, its path with `[*]` instead of indices, and the range of its text.
pub struct Rescued {
    pub path: String,
    pub starred: String,
    /// The last key of the path as in the source; empty if the path ends with an index.
    pub key: Vec<u8>,
    pub start: usize,
    pub end: usize,
}

/// Returns the path and the JSON text of each rescued value, in order of appearance.
pub fn texts(rescue: &[Rescued], data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = |rescued: &Rescued| {
        let mut text = Vec::with_capacity(rescued.end - rescued.start);
        push_value(&mut text, &data[rescued.start..rescued.end]);
        (rescued.path.clone(), text)
    };
    rescue.iter().map(text).collect()
}

/// Makes paths unique: appends `#2` to the path of the second value with the same path, `#3` to that of the third.
pub fn numbered(mut texts: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for (path, _) in &mut texts {
        let count = uses.entry(path.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count > 1 {
            path.push_str(&format!("#{count}"));
        }
    }
    texts
}

/// Returns a JSON object that maps paths to values.
pub fn json_object(texts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (index, (path, text)) in texts.iter().enumerate() {
        if index > 0 {
            out.extend(b", ");
        }
        let mut quoted = String::from("\"");
        push_ascii(&mut quoted, path.as_bytes());
        quoted.push_str("\": ");
        out.extend(quoted.as_bytes());
        out.extend(text);
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_with_quotes_where_a_key_is_no_identifier() {
        let list = ROOT.key(b"list");
        let element = list.index(3);
        let path = element.key("ö'\u{7f}".as_bytes());
        assert_eq!(path.text(false), r"$.list[3]['\u00f6'\u007f']");
        assert_eq!(path.text(true), r"$.list[*]['\u00f6'\u007f']");
    }

    #[test]
    fn a_path_that_is_used_already_is_numbered() {
        let one = |start, end| Rescued { path: "$.a".into(), starred: "$.a".into(), key: b"a".to_vec(), start, end };
        let texts = numbered(texts(&[one(0, 1), one(1, 2), one(2, 3)], b"123"));
        assert_eq!(json_object(&texts), br##"{"$.a": 1, "$.a#2": 2, "$.a#3": 3}"##);
    }
}
