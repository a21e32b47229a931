//! What earlier records looked like, so that the next one is compared instead of parsed again.

pub mod fields;
pub mod records;
