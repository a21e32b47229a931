"""The documentation site: the pages that are derived from the code, and the build.

``python -m tools.website`` builds the site; ``make docs`` runs it.
"""
