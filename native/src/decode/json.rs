//! Parses JSON bytes: finds the ends of values, and reads numbers, strings, and timestamps.

pub mod numbers;
pub mod scan;
pub mod strict;
pub mod text;
pub mod timestamps;
