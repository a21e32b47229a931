//! JSON as bytes: where values end, and what numbers, strings and timestamps mean.

pub mod numbers;
pub mod scan;
pub mod text;
pub mod timestamps;
