"""Reads sources as Arrow tables in memory, without a dataset."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.decode import Decoded, DecoderOptions, Limits, Quarantined, make_decoder
from wsparquet.errors import OptionError
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.options import check_privacy, loaded
from wsparquet.privacy.policy import Policy
from wsparquet.redaction import printable_url
from wsparquet.schema import DOCUMENTED
from wsparquet.schema.extended import read_extension
from wsparquet.source import Failed, Source, SourceLimits, Sources, as_list, expand
from wsparquet.stream import check_common, decoded

if TYPE_CHECKING:
    from wsparquet.decode.masks import Masks

__all__ = ["QuarantineWarning", "decoder_options", "read"]


class QuarantineWarning(UserWarning):
    """Some text of a source could not be converted to rows, so it is missing from the tables that ``read`` returns.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", wsparquet.QuarantineWarning)
    ...     tables = wsparquet.read("session.gz")
    >>> sum(table.num_rows for table in tables.values())
    20
    """


def read(
    sources: Sources,
    *,
    decoder: str = "auto",
    on_quarantined: Callable[[Quarantined], None] | None = None,
    limits: Limits | None = None,
    source_limits: SourceLimits | None = None,
    storage_options: Mapping[str, Any] | None = None,
    extension: str | os.PathLike[str] | None = None,
    policy: Policy | None = None,
    key_file: str | os.PathLike[str] | SecretKey | None = None,
) -> dict[str, pa.Table]:
    """Return all tables by name, in the order of the schema, with the rows of all sources.

    ``sources`` is a path, glob, folder or fsspec URL, ``-`` for standard input, or a list of these. The tables must fit
    in memory. ``on_quarantined`` is called with each text that could not be converted to a row. Without
    ``on_quarantined``, a ``QuarantineWarning`` reports the number of these texts. ``limits`` and ``source_limits`` are
    in bytes. ``storage_options`` are options of fsspec. ``extension`` is the TOML file of an extension of the schema.
    ``policy`` masks the rows and the texts as a conversion with this policy does; it cannot be combined with an
    extension. ``key_file`` is the file with the secret key of hashes, or a ``SecretKey``; by default the key is in the
    environment variable ``WSPARQUET_KEY``.

    >>> tables = wsparquet.read("session.gz")
    >>> sum(table.num_rows for table in tables.values())
    20

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        SourceError: a source cannot be read.
        DecodeError: a source is not a Web Session file.
        SchemaError: the extension is not valid.

    """
    limits, source_limits = limits or Limits(), source_limits or SourceLimits()
    check_common(decoder, source_limits, limits, storage_options)
    given = as_list(sources)
    found = expand(given, storage_options=storage_options)
    options = replace(decoder_options(extension, policy, key_file), limits=limits)
    schema = options.schema
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in schema.tables}
    quarantined = 0
    for piece in _pieces(found, decoder, options, source_limits):
        for table, batch in piece.batches:
            batches[table].append(batch)
        for entry in piece.quarantined:
            quarantined += not entry.continued
            if on_quarantined is not None:
                on_quarantined(entry)
    if quarantined and on_quarantined is None:
        warnings.warn(
            f"{quarantined} records or items of {_named(given)} could not be converted to rows; "
            "get them with `on_quarantined`",
            QuarantineWarning,
            stacklevel=2,
        )
    return {name: pa.Table.from_batches(parts, schema=schema.tables[name].schema) for name, parts in batches.items()}


def decoder_options(
    extension: str | os.PathLike[str] | None,
    policy: Policy | None,
    key_file: str | os.PathLike[str] | SecretKey | None,
) -> DecoderOptions:
    """Return the options of decoders that read without a root. The parameters are those of ``read``.

    Raises:
        OptionError: there is both an extension and a policy, or the policy needs a key and there is none.
        SchemaError: the extension is not valid.

    """
    schema = DOCUMENTED if extension is None else read_extension(extension)
    if extension is not None and policy is not None:
        raise OptionError("policy", "expected a policy or an extension, found both; leave out one of them")
    return DecoderOptions(schema=schema, masks=_masks(policy, key_file))


def _masks(policy: Policy | None, key_file: str | os.PathLike[str] | SecretKey | None) -> Masks | None:
    """Return the masks of a policy. Raises OptionError if the policy needs a key and there is none."""
    check_privacy(policy, key_file)
    if policy is None:
        return None
    # Imported only here, because most calls have no policy.
    from wsparquet.decode.masks import Masks

    return Masks.of(policy, loaded(key_file))


def _named(given: Sequence[str | os.PathLike[str]]) -> str:
    first = printable_url(os.fspath(given[0]))
    return first if len(given) == 1 else f"{first} and {len(given) - 1} more"


def _pieces(
    sources: list[Source | Failed], decoder: str, options: DecoderOptions, source_limits: SourceLimits
) -> Iterator[Decoded]:
    for source in sources:
        if isinstance(source, Failed):
            raise source.error
        with source.open(source_limits) as reader:
            active = make_decoder(replace(options, source_file=source.name), decoder=decoder)
            yield from decoded(source, reader, active)
