"""An S3 server on this machine, and a proxy that makes it fail: for tests and benchmarks."""
