"""Stores for the files of a root: a local disk, or a bucket on an object store."""
