"""Programs for developers of wsparquet; the package does not contain them."""
