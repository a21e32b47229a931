"""One file per contender: each has ``PACKAGES``, the distributions that it needs, and ``convert(sources, output)``.

``sources`` are gzip'd files of the field's form in one folder; ``output`` becomes
``record_type=<table>/date=<day>/*.parquet``. What a contender does otherwise than wsparquet stands in its
file's docstring; ``missing()``, where there is one, says why it cannot run here.
"""
