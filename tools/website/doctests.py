"""Show the examples of docstrings as code on the site, wherever in a docstring they are."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

__all__ = ["Doctests", "fenced"]

# A paragraph that begins with a prompt; an empty line ends it, as it ends the output of an example.
_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


class Doctests(Extension):
    """The extension of Griffe that zensical.toml names; Griffe reads the code for mkdocstrings."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Put the examples of an object's docstring between fences."""
        del kwargs
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """The docstring with each example between fences, which Markdown would take for a quotation otherwise."""
    return _EXAMPLE.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```", text)
