"""`wsparquet schema`: print the definitions of the tables, or compare them with the server's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wsparquet.cli.api_options import ServerOptions, api_options
from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import extension_option, output_option, storage_option
from wsparquet.cli.output import present, say, say_error
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.api import Retry
    from wsparquet.schema import Schema

__all__ = ["schema"]

FORMS = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery", "snowflake", "iceberg")
VIEW_FORMS = ("duckdb", "spark", "athena", "trino", "bigquery", "snowflake", "markdown")
LOCATED = ("duckdb", "athena", "spark")
"""The forms whose definitions can name the files of a root."""
JSON_FORMS = ("arrow", "avro", "spark", "bigquery", "iceberg")
"""The forms that can be printed as JSON. In JSON, the form ``arrow`` is a description of the columns."""
ONLY_REMOTE = {"--version", "--account", "--region", "--base-url", "--pause", "--credentials", "--profile"}


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet schema`; ``file`` is a saved schema of the server."""

    table: str | None
    form: str
    views: bool
    root: str | None
    extension: str | None
    proposed: tuple[str, ...]
    storage: dict[str, object] = field(repr=False)
    remote: bool
    file: str | None
    diff: bool
    additions: bool
    version: str
    output: str
    server: ServerOptions = field(metadata=group(ServerOptions))


def _tables(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Return the names of the tables that begin with ``begun``, for shell completion."""
    from wsparquet.schema import TABLES

    return [table for table in TABLES if table.startswith(begun)]


@click.command(short_help="Print table definitions; compare the server's schema.")
@click.argument("table", required=False, shell_complete=_tables)
@click.option(
    "--as",
    "form",
    type=click.Choice((*FORMS, "trino")),
    default="arrow",
    show_default=True,
    help="Form of the definition; trino only has views.",
)
@click.option("--views", is_flag=True, help="Print the flat views and `visits` instead of the tables.")
@click.option(
    "--root",
    metavar="ROOT",
    help="The root whose files and extension the definitions for duckdb, athena and spark have; SQL for spark.",
)
@extension_option
@click.option(
    "--propose",
    "proposed",
    multiple=True,
    metavar="ROOT|SOURCE",
    help="Print an extension for what a root, or sources, have and the documentation lacks; repeatable for sources.",
)
@storage_option
@click.option("--remote", is_flag=True, help="Print the schema that the Data Access API publishes, as JSON.")
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    help="A file with a saved schema of the Data Access API, or - for standard input.",
)
@click.option(
    "--diff", is_flag=True, help="Compare the API's schema with wsparquet's field by field; exit code 1 if they differ."
)
@click.option(
    "--additions",
    is_flag=True,
    help="Print an extension with the fields, branches, values and tables that only the API's schema has.",
)
@click.option("--version", default="latest", show_default=True, help="Version of the API's schema.")
@api_options(required=False)
@output_option
@takes(Arguments)
def schema(given: Arguments) -> int:
    """Print the definition of TABLE, or of all tables.

    With --root, definitions for duckdb, athena and spark name the files of that root, have the columns of its
    extension, and can run without changes. For athena, the root need not exist yet.
    With --views, the command prints the statements that create the flat views, which read the tables by their names.
    With --output json, the columns are printed as JSON. With --remote, the command prints the server's schema instead.
    With --remote --diff, the command compares the server's schema with these definitions.

    With --extension, it prints the schema with what the file adds. With --propose, it prints such a file, with the
    types, the numbers and the first and last days of all values that were rescued, and of all records that were not
    recognized; what it cannot propose is listed at its end, with the reason.

    To compare a saved schema, use `--from schema.json --diff`. The exit codes of --diff are those of the program diff:
    0 means no difference; 1 means a difference, or that there was nothing to compare.

    \b
    Examples:
      wsparquet schema navigation --as markdown
      wsparquet schema geo --output json
      wsparquet schema --as duckdb --root lake > views.sql
      wsparquet schema --as spark --root lake > tables.sql
      wsparquet schema --views --as athena > views.sql
      wsparquet schema --propose lake > more.toml
      wsparquet schema navigation --extension more.toml
      wsparquet schema --remote --account 75555851 > schema.json
      wsparquet schema --remote --account 75555851 --diff
      wsparquet schema --remote --account 75555851 --additions > more.toml
    """
    _check(click.get_current_context())
    if given.proposed:
        return _propose(given)
    if not given.remote and given.file is None:
        schema = _schema(given)
        if given.root is None:
            _check_table(given.table, schema)
        say(_definition(given, schema), nl=False)
        return ExitCode.DONE
    answer = _ask(given) if given.file is None else _read(given.file)
    if given.additions:
        return _add(answer)
    return _compare(answer, given.output) if given.diff else _print(answer)


def _add(answer: Any) -> int:
    from wsparquet.remote_schema import propose_additions

    say(propose_additions(answer).text, nl=False)
    return ExitCode.DONE


def _check(context: click.Context) -> None:
    """Reject options that contradict each other."""
    flags = {each.name: each.opts[0] for each in context.command.params if each.name is not None}
    flags["table"] = "TABLE"
    given = [flag for name, flag in flags.items() if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    whence = [flag for flag in given if flag in {"TABLE", "--remote", "--from"}]
    if len(whence) > 1:
        raise click.UsageError(f"expected one of TABLE, --remote and --from, found {' and '.join(whence)}")
    if "--propose" in given:
        _check_proposal(given)
        return
    if "--diff" in given and not {"--remote", "--from"} & {*given}:
        raise click.UsageError("expected --remote or --from FILE with --diff, found neither")
    _check_additions(given)
    if "--remote" in given and context.params["account"] is None:
        raise click.UsageError("expected --account with --remote, found none")
    remote = whence not in ([], ["TABLE"])
    needed = {**dict.fromkeys(ONLY_REMOTE, "--remote"), "--storage-option": "--root"}
    if remote:
        needed["--output"] = "--diff"
    for flag in given:
        if flag in needed and needed[flag] not in given:
            raise click.UsageError(f"expected {needed[flag]} with {flag}, found none")
        if flag in {"--as", "--root", "--views", "--extension"} and remote:
            raise click.UsageError(f"expected {flag} with wsparquet's own definitions, found {flag} with {whence[0]}")
    if not remote and context.params["views"]:
        _check_views(given, context.params["form"])
    elif not remote:
        if context.params["root"] is not None and context.params["extension"] is not None:
            raise click.UsageError("expected one of --root and --extension, found both; a root has its own extension")
        _check_form(context.params["form"], context.params["root"], context.params["output"])


def _check_proposal(given: Sequence[str]) -> None:
    if other := [flag for flag in given if flag not in {"--propose", "--storage-option", "--output"}]:
        raise click.UsageError(f"expected only --storage-option with --propose, found {' and '.join(other)}")


def _check_additions(given: Sequence[str]) -> None:
    if "--additions" in given and ("--diff" in given or not {"--remote", "--from"} & {*given}):
        raise click.UsageError("expected --remote or --from FILE with --additions, and no --diff")


def _check_views(given: Sequence[str], form: str) -> None:
    """Reject options that cannot be combined with --views, and forms without views."""
    other = [flag for flag in given if flag not in {"--views", "--as"}]
    if other:
        raise click.UsageError(f"expected only --as with --views, found {' and '.join(other)}")
    if form not in VIEW_FORMS:
        raise click.UsageError(f"expected --as {_any(VIEW_FORMS)} with --views, found --as {form}")


def _check_form(form: str, root: str | None, output: str) -> None:
    """Reject --root with a form that names no files, and --output json with a form that is not JSON."""
    if form not in FORMS:
        raise click.UsageError(f"expected --views with --as {form}, found none")
    if root is not None and form not in LOCATED:
        raise click.UsageError(f"expected --as {_any(LOCATED)} with --root, found --as {form}")
    if output == "json" and (root is not None or form not in JSON_FORMS):
        found = f"--as {form}" if root is None else "--root"
        raise click.UsageError(f"expected --as {_any(JSON_FORMS)} with --output json, found {found}")


def _any(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _propose(given: Arguments) -> int:
    from wsparquet.extensions import propose_extension

    found = propose_extension(list(given.proposed), storage_options=given.storage)
    if given.output == "json":
        present(found, given.output)
    else:
        say(found.text, nl=False)
    return ExitCode.DONE


def _schema(given: Arguments) -> Schema:
    """Return the schema to print without a root: that of the extension, or else the documented one."""
    from wsparquet.schema import DOCUMENTED

    if given.extension is None:
        return DOCUMENTED
    from wsparquet.schema.extended import read_extension

    return read_extension(given.extension)


def _definition(given: Arguments, schema: Schema) -> str:
    from wsparquet.render import Location, describe, render, schema_text

    if given.views:
        return schema_text(form=given.form, views=True)

    if given.root is None:
        described = (given.form, given.output) == ("arrow", "json")
        return describe(given.table, schema) if described else render(given.table, given.form, schema=schema)
    known, empty = _of_root(given.root, given)
    _check_table(given.table, known)
    return render(given.table, given.form, location=Location.of(given.root, empty=empty), schema=known)


def _of_root(path: str, given: Arguments) -> tuple[Schema, Sequence[str]]:
    """Return the schema of a root, and its tables without files if the form has to know them."""
    from wsparquet.dataset import Access, Root, open_dataset
    from wsparquet.preflight import check_root
    from wsparquet.schema import DOCUMENTED

    check_root(path)
    if given.form == "athena":
        # Athena accepts tables without files, also before the first conversion creates the root.
        root = Root.open_if_exists(path, access=Access(given.storage))
        return (DOCUMENTED if root is None else root.schema), ()
    lake = open_dataset(path, storage_options=given.storage)
    return lake.schema, lake.empty_tables


def _check_table(table: str | None, schema: Schema) -> None:
    """Reject an unknown table, and suggest the most similar name."""
    from wsparquet.options import did_you_mean

    if table is not None and table not in schema.tables:
        found = f"{printable(table)!r}{did_you_mean(table, schema.tables)}"
        raise click.UsageError(f"expected a table, one of {', '.join(schema.tables)}; found {found}")


def _ask(given: Arguments) -> Any:
    from wsparquet.api import Client
    from wsparquet.synchronisation.loop import run_coroutine

    api, credentials = given.server.api(), given.server.loaded_credentials()

    async def ask() -> Any:
        async with Client(given.server.account, credentials, options=api, on_retry=_say_retry) as client:
            return await client.schema(given.version)

    return run_coroutine(ask())


def _say_retry(retry: Retry) -> None:
    say_error(printable(f"{retry.reason}; retrying in {retry.wait_seconds:.0f} s"))


def _read(file: str) -> Any:
    from wsparquet.remote_schema import parse_schema

    with click.open_file(file, "rb") as opened:
        return parse_schema(opened.read(), place="standard input" if file == "-" else file)


def _print(answer: Any) -> int:
    import json

    say(json.dumps(answer, indent=2))
    return ExitCode.DONE


def _compare(answer: Any, output: str) -> int:
    from wsparquet.remote_schema import compare_schema

    comparison = compare_schema(answer)
    present(comparison, output)
    return ExitCode.FAILED if comparison.differences else ExitCode.DONE
