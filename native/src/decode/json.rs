//! JSON as bytes: finds where values end, and reads numbers, strings, and timestamps.

pub mod numbers;
pub mod scan;
pub mod text;
pub mod timestamps;
