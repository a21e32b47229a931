"""The places that can hold a root: a local disk, and a bucket."""
