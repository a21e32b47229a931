"""A local S3 server, and a proxy that causes faults, for tests and benchmarks."""
