//! The commas and the closing bracket of a top-level array of containers (docs/decoding.md, "Input").

/// The top-level array; `is_open` says whether there is one. A comma that is not between two containers becomes an
/// item.
#[derive(Default)]
pub struct Array {
    pub is_open: bool,
    filled: bool,
    comma: Option<usize>,
}

impl Array {
    /// Enters an array before its first container.
    pub fn open(&mut self) {
        *self = Self { is_open: true, ..Self::default() };
    }

    /// Notes that a container or other text follows.
    pub fn fill(&mut self) {
        (self.filled, self.comma) = (true, None);
    }

    /// Consumes the comma or the closing bracket at the offset `offset`. Returns the offset of a comma that is not
    /// between two containers, and the reason.
    pub fn take(&mut self, mark: u8, offset: usize) -> Option<(usize, &'static str)> {
        if mark == b']' {
            self.is_open = false;
            return self.comma.map(|comma| (comma, "a comma without a container after it"));
        }
        if !self.filled {
            return Some((offset, "a comma without a container before it"));
        }
        (self.filled, self.comma) = (false, Some(offset));
        None
    }
}
