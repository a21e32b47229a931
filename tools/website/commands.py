"""Renders the reference of the command line in Markdown, from the click commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from tools.website.markdown import escaped, table

__all__ = ["render"]

# click keeps the line breaks of a paragraph that begins with this character.
_KEEP_LINES = "\b\n"


def render(group: click.Group, *, program: str) -> str:
    """Return the reference of a group: a section for the program, then a section for each command, in order."""
    context = click.Context(group, info_name=program, **group.context_settings)
    sections = [_section(group, context)]
    for name, command in group.commands.items():
        sections.append(_section(command, click.Context(command, info_name=name, parent=context)))
    return "\n".join(sections)


def _section(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", "```text", usage, "```", "", *_description(command.help or "")]
    if isinstance(command, click.Group):
        lines += [*table(("Command", "Purpose"), _purposes(command, context)), ""]
    lines += [*table(("Option", "Meaning"), _options(command, context)), ""]
    return "\n".join(lines)


def _purposes(group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        purpose = escaped(command.get_short_help_str(limit=200))
        yield f"[`{name}`](#{context.command_path}-{name})", purpose


def _description(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text. A paragraph whose line breaks click keeps becomes a code block."""
    for paragraph in re.split(r"\n{2,}", inspect.cleandoc(text)):
        if not paragraph.startswith(_KEEP_LINES):
            yield from (escaped(paragraph.replace("\n", " ")), "")
            continue
        title, *examples = paragraph.removeprefix(_KEEP_LINES).splitlines()
        yield from (escaped(title), "", "```console")
        yield from (f"$ {line.strip()}" for line in examples)
        yield from ("```", "")


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:  # an argument has no help of its own; the text of the command describes it
            names, meaning = record
            yield f"`{names.strip()}`", escaped(" ".join(meaning.split()))
