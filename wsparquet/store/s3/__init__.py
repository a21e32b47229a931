"""The store for a root in a bucket, on S3 or on any object store with the S3 protocol."""
