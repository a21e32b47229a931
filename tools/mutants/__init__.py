"""Mutation testing: small faults are put into a copy of the package, and the tests should notice each of them."""
