"""Bytes of containers in, Arrow batches per table out; which decoder does it."""
