//! Cache of the text before values, such as `,"url":"`. Text that is already known is compared instead of parsed. A
//! hint is a cached text together with the known facts about the value after it.

use std::cmp::Reverse;

/// The number of bytes compared at once.
const HEAD: usize = 48;

/// The maximum length of a cached text, in bytes.
const LONGEST: usize = 128;

/// The maximum number of texts that are cached for one position in a struct.
const AT_A_PLACE: usize = 4;

/// The first bytes of the value after a hint's text. One enum covers all cases, since the processor predicts one branch
/// better than several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueStart {
    /// The value is `null`, and the text includes it.
    Null,
    /// The value is a string, and the text includes its opening quote.
    Quote,
    Int64,
    Timestamp,
    Int32,
    Boolean,
    /// Any other value.
    Value,
}

/// The text before a value, and what is known about that value. Most hints fit into one cache line of the processor.
#[repr(align(64))]
pub struct Hint {
    head: [u8; HEAD],
    /// The rest of the text, if it is longer than the head.
    more: Option<Box<Box<[u8]>>>,
    facts: Facts,
}

/// What is known about the value after a hint's text. Positions are indices into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    length: u8,
    value: u8,
    inner: u8,
    pub tagged: bool,
    pub then: ValueStart,
    field: u16,
}

impl Facts {
    /// Returns the length of the text in bytes.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.length.into()
    }

    /// Returns the index of the field, or of the branch of a union, to which the value belongs.
    #[inline(always)]
    pub fn field(self) -> usize {
        self.field.into()
    }

    /// Returns where the value begins, with its tag.
    #[inline(always)]
    pub fn value(self) -> usize {
        self.value.into()
    }

    /// Returns where the value inside the tag begins.
    #[inline(always)]
    pub fn inner(self) -> usize {
        self.inner.into()
    }
}

impl Hint {
    /// Returns a hint, or `None` for text that cannot be cached. `ends` has the two positions in the text where the
    /// value of `field` begins: with its tag, and inside its tag.
    pub fn new(text: &[u8], field: usize, ends: [usize; 2], (tagged, then): (bool, ValueStart)) -> Option<Self> {
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let (mut head, (first, more)) = ([0; HEAD], text.split_at(text.len().min(HEAD)));
        head[..first.len()].copy_from_slice(first);
        let [value, inner] = ends.map(u8::try_from);
        Some(Self {
            head,
            more: (!more.is_empty()).then(|| Box::new(more.into())),
            facts: Facts {
                length: text.len().try_into().ok()?,
                value: value.ok()?,
                inner: inner.ok()?,
                tagged,
                then,
                field: field.try_into().ok()?,
            },
        })
    }

    #[inline(always)]
    fn matches(&self, rest: &[u8], head: &[u8; HEAD]) -> bool {
        let others = (!0_u64).checked_shl(self.facts.length.into()).unwrap_or(0);
        !self.same(head) & !others & WHOLE == 0 && self.more.as_ref().is_none_or(|more| rest[HEAD..].starts_with(more))
    }

    /// Returns a bit mask of the bytes that are equal in both heads.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn same(&self, head: &[u8; HEAD]) -> u64 {
        use core::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8};
        let (ours, theirs) = (self.head.as_chunks::<16>().0, head.as_chunks::<16>().0);
        let part = |index: usize| {
            // SAFETY: SSE2 is part of x86_64. The loads need no alignment and read 16 valid bytes each.
            let same = unsafe {
                let ours = _mm_loadu_si128(ours[index].as_ptr().cast::<__m128i>());
                _mm_movemask_epi8(_mm_cmpeq_epi8(ours, _mm_loadu_si128(theirs[index].as_ptr().cast::<__m128i>())))
            };
            u64::from(same.cast_unsigned()) << (16 * index)
        };
        part(0) | part(1) | part(2)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn same(&self, head: &[u8; HEAD]) -> u64 {
        (0..HEAD).fold(0, |bits, at| bits | u64::from(self.head[at] == head[at]) << at)
    }

    /// Whether `rest`, which is shorter than a head, begins with the hint's text.
    fn begins(&self, rest: &[u8]) -> bool {
        self.more.is_none() && rest.starts_with(&self.head[..self.facts.len()])
    }

    fn is(&self, other: &Self) -> bool {
        (self.facts.length, self.head, &self.more) == (other.facts.length, other.head, &other.more)
    }
}

const WHOLE: u64 = (1 << HEAD) - 1;

/// The hints of a struct by position (`place`): 0 is the start of the struct, and `n` is the position after field `n -
/// 1`. Longer hints come first, since a shorter hint may be the beginning of a longer hint.
pub struct Hints {
    places: Vec<Vec<Hint>>,
    learned: usize,
}

impl Hints {
    pub fn new(places: usize) -> Self {
        Self { places: (0..places).map(|_| Vec::new()).collect(), learned: 0 }
    }

    /// Returns the facts of a hint of this position, if `rest` begins with the hint's text.
    #[inline(always)]
    pub fn find(&self, place: usize, rest: &[u8]) -> Option<Facts> {
        let known = self.places.get(place)?;
        let Some(head) = rest.first_chunk() else { return Self::find_short(known, rest) };
        known.iter().find(|hint| hint.matches(rest, head)).map(|hint| hint.facts)
    }

    #[cold]
    fn find_short(known: &[Hint], rest: &[u8]) -> Option<Facts> {
        known.iter().find(|hint| hint.begins(rest)).map(|hint| hint.facts)
    }

    /// Like `find`, but tries the hints of all positions.
    pub fn find_any(&self, rest: &[u8]) -> Option<Facts> {
        (0..self.places.len()).find_map(|place| self.find(place, rest))
    }

    /// Caches a hint for a position.
    pub fn learn(&mut self, place: usize, hint: Option<Hint>) {
        let (Some(known), Some(hint)) = (self.places.get_mut(place), hint) else { return };
        if known.iter().any(|other| other.is(&hint)) {
            return;
        }
        if known.len() == AT_A_PLACE {
            known.remove(self.learned % AT_A_PLACE);
        }
        self.learned += 1;
        known.push(hint);
        known.sort_by_key(|hint| Reverse(hint.facts.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(hints: &Hints, rest: &[u8]) -> Option<usize> {
        hints.find(0, rest).map(Facts::field)
    }

    #[test]
    fn hints_match_what_begins_as_they_do() {
        for length in [1, 7, 15, 16, 17, 31, 32, 33, 47, 48, 49, 100, LONGEST] {
            let text: Vec<u8> = (0..length).map(|at| b'a' + (at % 20) as u8).collect();
            let mut hints = Hints::new(1);
            hints.learn(0, Hint::new(&text, 3, [0, 0], (true, ValueStart::Value)));
            let mut longer = text.clone();
            longer.extend([b'x'; 64]);
            assert_eq!((field(&hints, &text), field(&hints, &longer)), (Some(3), Some(3)));
            for at in 0..length {
                let mut other = longer.clone();
                other[at] ^= 1;
                assert_eq!((field(&hints, &other), field(&hints, &other[..length])), (None, None));
            }
            assert_eq!(field(&hints, &text[..length - 1]), None);
        }
    }

    #[test]
    fn what_is_empty_or_too_long_is_not_remembered() {
        let mut hints = Hints::new(1);
        hints.learn(0, Hint::new(&[], 0, [0, 0], (false, ValueStart::Value)));
        hints.learn(0, Hint::new(&[b'a'; LONGEST + 1], 0, [0, 0], (false, ValueStart::Value)));
        assert_eq!(field(&hints, &[b'a'; 2 * LONGEST]), None);
    }

    #[test]
    fn longer_hints_are_tried_first_however_many_were_learned() {
        let mut hints = Hints::new(1);
        for length in [3, 1, 2, 5, 4, 6, 7] {
            hints.learn(0, Hint::new(&[b'a'; 7][..length], length, [0, 0], (false, ValueStart::Value)));
            assert_eq!(field(&hints, &[b'a'; 7][..length]), Some(length));
            assert_eq!(field(&hints, &[b'a'; HEAD]), hints.places[0].iter().map(|hint| hint.facts.len()).max());
        }
        assert_eq!(hints.places[0].len(), AT_A_PLACE);
    }
}
