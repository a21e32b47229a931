"""How fast wsparquet is; every figure also as a ratio against something in the same run."""
