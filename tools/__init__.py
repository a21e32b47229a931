"""Programs for those who work on wsparquet; none of them is part of the package."""
