"""Options that several commands share: each group has a decorator and a dataclass for its values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wsparquet.cli.arguments import group
from wsparquet.cli.parameter_types import BYTES

if TYPE_CHECKING:
    from wsparquet.conversion.options import ConvertOptions
    from wsparquet.dataset import Access
    from wsparquet.decode import Limits
    from wsparquet.privacy.policy import Policy
    from wsparquet.source import SourceLimits

__all__ = [
    "ConversionOptions",
    "LimitOptions",
    "PolicyOptions",
    "ProgressOptions",
    "RootOptions",
    "added",
    "conversion_options",
    "decoder_option",
    "extension_option",
    "force_account_option",
    "jobs_option",
    "key_file_option",
    "limit_options",
    "output_option",
    "policy_options",
    "progress_options",
    "quiet_option",
    "root_options",
    "storage_option",
    "to_option",
    "yes_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


def added(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Add all options to a command; its help shows them in this order."""
    return reduce(lambda inner, option: option(inner), reversed(options), command)


output_option = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the result: text for people, json for programs.",
)
yes_option = click.option("--yes", is_flag=True, help="Do it; without this option, the command changes nothing.")
quiet_option = click.option("--quiet", is_flag=True, help="Show nothing except JSON if the exit code is 0.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Number of sources to process at once.  [default: one for each core]"
)
to_option = click.option(
    "--to", "root", required=True, metavar="ROOT", help="The folder, or s3://BUCKET/PATH, that contains the datasets."
)
decoder_option = click.option(
    "--decoder",
    type=click.Choice(["auto", "native", "reference"]),
    default="auto",
    show_default=True,
    help="The decoder to use; auto means native if this installation has it, otherwise reference.",
)


# --- Progress ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProgressOptions:
    """How much a command shows while it runs."""

    quiet: bool
    verbose: bool

    def __post_init__(self) -> None:
        """Reject options that contradict each other."""
        if self.quiet and self.verbose:
            raise click.UsageError("expected one of --quiet and --verbose, found both")


def progress_options(command: Command) -> Command:
    """Add the options of ``ProgressOptions``."""
    verbose = click.option("--verbose", is_flag=True, help="Show a line for each file.")
    return added(command, quiet_option, verbose)


# --- Storage ----------------------------------------------------------------------------------------------------------


def _storage_options(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, object]:
    """Parse the values of ``--storage-option KEY=VALUE`` into a dictionary."""
    pairs = [value.partition("=") for value in values]
    for key, equals, _value in pairs:
        if not key or not equals:
            found = f"{_shown(key)} without =" if key else "nothing before ="
            raise click.BadParameter(f"expected KEY=VALUE, found {found}", param=parameter)
    return {key: _storage_value(value) for key, _equals, value in pairs}


def _shown(text: str) -> str:
    """Return ``text`` in quotes if it looks like a key, otherwise the word "text", because it may be a secret."""
    return repr(text) if re.fullmatch("[A-Za-z_.]{1,30}", text) else "text"


def _storage_value(text: str) -> object:
    """Parse the text as JSON if it is true, false, an object or a list; otherwise return the text itself."""
    if text not in {"true", "false"} and text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


storage_option = click.option(
    "--storage-option",
    "storage",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_storage_options,
    help="An option for fsspec or s3fs, such as endpoint_url or profile; repeatable. A VALUE of true, false or JSON is "
    "parsed. Sources on http(s) receive only the options that apply to them.",
)
extension_option = click.option(
    "--extension",
    type=click.Path(dir_okay=False, exists=True),
    metavar="FILE",
    help="A TOML file that adds fields, branches and tables to the documented schema.",
)
single_writer_option = click.option(
    "--single-writer",
    is_flag=True,
    help="Assert that no other run writes ROOT at the same time; needed for stores without conditional writes.",
)


@dataclass(frozen=True)
class RootOptions:
    """The options for access to a root that the command changes."""

    storage: dict[str, object] = field(repr=False)
    single_writer: bool

    @property
    def access(self) -> Access:
        """The library's ``Access`` object with these options."""
        from wsparquet.dataset import Access

        return Access(self.storage, single_writer=self.single_writer)


def root_options(command: Command) -> Command:
    """Add the options of ``RootOptions``."""
    return added(command, storage_option, single_writer_option)


# --- Limits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LimitOptions:
    """The limits for one source, in bytes, or in inflated bytes per stored byte."""

    max_inflated: int
    max_ratio: int | None
    max_record: int
    max_line: int

    @property
    def source_limits(self) -> SourceLimits:
        """The limits for reading."""
        from wsparquet.source import SourceLimits

        if self.max_ratio is None:
            return SourceLimits(max_inflated=self.max_inflated)
        return SourceLimits(max_inflated=self.max_inflated, max_ratio=self.max_ratio)

    @property
    def limits(self) -> Limits:
        """The limits for decoding."""
        from wsparquet.decode import Limits

        return Limits(max_record=self.max_record, max_line=self.max_line)


def _limit(name: str, kind: click.ParamType, default: str | None, text: str) -> Callable[[Command], Command]:
    shown = f"{text}; a source that exceeds this limit fails."
    return click.option(name, type=kind, default=default, show_default=default is not None, help=shown)


def limit_options(command: Command) -> Command:
    """Add the options of ``LimitOptions``."""
    return added(
        command,
        _limit("--max-inflated", BYTES, "64GiB", "Maximum inflated size in bytes of one source"),
        _limit("--max-ratio", click.IntRange(min=1), None, "Maximum number of inflated bytes per stored byte"),
        _limit("--max-record", BYTES, "64MiB", "Maximum size in bytes of one record"),
        _limit("--max-line", BYTES, "256MiB", "Maximum size in bytes of a stretch of text outside readable containers"),
    )


# --- Privacy ----------------------------------------------------------------------------------------------------------

key_file_option = click.option(
    "--key-file",
    metavar="FILE",
    help="File with the secret key of hashes, which only its owner may read.  [default: the key in WSPARQUET_KEY]",
)


def _masks(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Parse the values of ``--mask PATH=ACTION`` into a dictionary."""
    masks: dict[str, str] = {}
    for value in values:
        path, equals, action = value.rpartition("=")
        if not equals or not path:
            raise click.BadParameter(f"expected PATH=ACTION such as visitorId=hash, found {value!r}", param=parameter)
        if masks.setdefault(path, action) != action:
            raise click.BadParameter(
                f"expected one action for {path}, found {masks[path]} and {action}", param=parameter
            )
    return masks


@dataclass(frozen=True)
class PolicyOptions:
    """The policy of masks, from a file, presets and single masks."""

    policy: str | None
    mask: dict[str, str]
    mask_pii: bool
    mask_network: bool
    key_file: str | None

    def made(self) -> Policy | None:
        """Return the library's ``Policy`` with these options, or None if none of them is given."""
        if not (self.policy or self.mask or self.mask_pii or self.mask_network):
            return None
        from wsparquet.privacy.policy import Policy

        presets = [name for name, wanted in (("pii", self.mask_pii), ("network", self.mask_network)) if wanted]
        return Policy.make(self.mask, presets=presets, file=self.policy)


def policy_options(command: Command) -> Command:
    """Add the options of ``PolicyOptions``."""
    policy = click.option("--policy", metavar="FILE", help="TOML file with the policy of masks of a new root.")
    mask = click.option(
        "--mask",
        multiple=True,
        metavar="PATH=ACTION",
        callback=_masks,
        help="Mask a column of a new root, such as visitorId=hash or geo.iPV4=truncate; repeatable. ACTION is drop, "
        "hash, truncate, redact, or keep, which exempts a column from a preset.",
    )
    pii = click.option("--mask-pii", is_flag=True, help="Mask all columns of a new root that identify people.")
    network = click.option(
        "--mask-network", is_flag=True, help="Truncate IP addresses to /24 and /48, and URLs to their paths."
    )
    return added(command, policy, mask, pii, network, key_file_option)


# --- Conversion -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConversionOptions:
    """The options of every command that converts into a root."""

    jobs: int | None
    memory: int
    max_days: int
    max_quarantined: int | None
    decoder: str
    limits: LimitOptions = field(metadata=group(LimitOptions))
    root_options: RootOptions = field(metadata=group(RootOptions))
    masks: PolicyOptions = field(metadata=group(PolicyOptions))

    def made(
        self,
        *,
        account: str | None = None,
        dry_run: bool = False,
        compact: bool = False,
        again: bool = False,
        force_account: bool = False,
        max_failures: int = 0,
        shard: str | None = None,
    ) -> ConvertOptions:
        """Return these options as the library's ``ConvertOptions``, together with the options specific to a command."""
        from wsparquet.conversion.options import ConvertOptions, default_jobs

        return ConvertOptions(
            jobs=self.jobs or default_jobs(),
            memory=self.memory,
            max_days=self.max_days,
            account=account,
            dry_run=dry_run,
            max_quarantined=self.max_quarantined,
            max_failures=max_failures,
            compact=compact,
            again=again,
            force_account=force_account,
            decoder=self.decoder,
            source_limits=self.limits.source_limits,
            limits=self.limits.limits,
            storage_options=self.root_options.storage or None,
            single_writer=self.root_options.single_writer,
            shard=shard,
            policy=self.masks.made(),
            key_file=self.masks.key_file,
        )


force_account_option = click.option(
    "--force-account",
    is_flag=True,
    help="Use the account given by --account or by the folder for all rows, even if a source states another account.",
)


def conversion_options(command: Command) -> Command:
    """Add the options of ``ConversionOptions``."""
    quarantined = click.option(
        "--max-quarantined",
        type=click.IntRange(min=0),
        metavar="N",
        help="Maximum number of quarantined records and items of one source; a source with more of them fails.  "
        "[default: no limit]",
    )
    memory = click.option(
        "--memory",
        type=BYTES,
        default="384MiB",
        show_default=True,
        help="Memory that the run may take; if it is not enough, the run has fewer jobs and smaller row groups.",
    )
    days = click.option(
        "--max-days",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        metavar="N",
        help="Maximum number of days in the rows of one source; a source with more days fails.",
    )
    return added(
        command, jobs_option, memory, quarantined, days, decoder_option, limit_options, root_options, policy_options
    )
