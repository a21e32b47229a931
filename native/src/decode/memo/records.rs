//! Cache of record prefixes: a known prefix is not parsed again. A prefix is the text of a record up to the first field
//! of its header.

use std::cmp::Reverse;

/// The maximum number of cached prefixes.
const MOST: usize = 16;

/// The number of bytes that are compared first. These bytes follow the common part and distinguish most prefixes.
const OWN: usize = 8;

pub struct RecordPrefix {
    pub text: Vec<u8>,
    pub table: usize,
    pub tagged: bool,
    own: [u8; OWN],
}

#[derive(Default)]
pub struct RecordPrefixes {
    known: Vec<RecordPrefix>,
    /// The length of the common part: the bytes with which all prefixes begin.
    common: usize,
}

impl RecordPrefixes {
    /// Returns the cached prefix that the text begins with.
    pub fn find(&self, text: &[u8]) -> Option<&RecordPrefix> {
        let own = text.get(self.common..)?.first_chunk()?;
        self.known.iter().find(|prefix| prefix.own == *own && text.starts_with(&prefix.text))
    }

    pub fn learn(&mut self, text: &[u8], table: usize, tagged: bool) {
        if self.known.len() == MOST {
            return;
        }
        self.known.push(RecordPrefix { text: text.to_vec(), table, tagged, own: [0; OWN] });
        // Longer prefixes come first, since a shorter prefix may be the beginning of a longer prefix.
        self.known.sort_by_key(|prefix| Reverse(prefix.text.len()));
        self.common = self.known.iter().map(|prefix| common(&prefix.text, text)).min().unwrap_or(0);
        self.common =
            self.common.min(self.known.iter().map(|prefix| prefix.text.len()).min().unwrap_or(0).saturating_sub(OWN));
        for prefix in &mut self.known {
            prefix.own.copy_from_slice(&prefix.text[self.common..self.common + OWN]);
        }
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_told_apart_however_alike() {
        let texts = [
            "{\"body\":{\"a.Geo\":{\"header\":",
            "{\"body\":{\"a.Geo\":{\"header\":{\"x\":",
            "{\"body\":{\"a.Good\":{\"header\":",
        ];
        let mut prefixes = RecordPrefixes::default();
        for (table, text) in texts.iter().enumerate() {
            prefixes.learn(text.as_bytes(), table, false);
        }
        for (table, text) in texts.iter().enumerate() {
            let found = prefixes.find(format!("{text} and more").as_bytes()).map(|prefix| prefix.table);
            assert_eq!(found, Some(table));
        }
        assert!(prefixes.find(b"{\"body\":{\"a.Goat\":{\"header\":").is_none() && prefixes.find(b"{").is_none());
    }
}
