//! How records were seen to begin, up to what is in their header: text to be compared instead of understood.

use std::cmp::Reverse;

/// How many openings are remembered.
const MOST: usize = 16;

/// How many bytes tell most openings apart, behind what all have in common.
const OWN: usize = 8;

pub struct Opening {
    pub text: Vec<u8>,
    pub table: usize,
    pub tagged: bool,
    own: [u8; OWN],
}

#[derive(Default)]
pub struct Openings {
    known: Vec<Opening>,
    /// How many bytes all of them have in common.
    common: usize,
}

impl Openings {
    /// The opening that text begins with.
    pub fn find(&self, text: &[u8]) -> Option<&Opening> {
        let own = text.get(self.common..)?.first_chunk()?;
        self.known.iter().find(|opening| opening.own == *own && text.starts_with(&opening.text))
    }

    pub fn learn(&mut self, text: &[u8], table: usize, tagged: bool) {
        if self.known.len() == MOST {
            return;
        }
        self.known.push(Opening { text: text.to_vec(), table, tagged, own: [0; OWN] });
        // A longer one may go on where a shorter one ends.
        self.known.sort_by_key(|opening| Reverse(opening.text.len()));
        self.common = self.known.iter().map(|opening| common(&opening.text, text)).min().unwrap_or(0);
        self.common =
            self.common.min(self.known.iter().map(|opening| opening.text.len()).min().unwrap_or(0).saturating_sub(OWN));
        for opening in &mut self.known {
            opening.own.copy_from_slice(&opening.text[self.common..self.common + OWN]);
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
        let mut openings = Openings::default();
        for (table, text) in texts.iter().enumerate() {
            openings.learn(text.as_bytes(), table, false);
        }
        for (table, text) in texts.iter().enumerate() {
            let found = openings.find(format!("{text} and more").as_bytes()).map(|opening| opening.table);
            assert_eq!(found, Some(table));
        }
        assert!(openings.find(b"{\"body\":{\"a.Goat\":{\"header\":").is_none() && openings.find(b"{").is_none());
    }
}
