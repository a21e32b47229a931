"""Shows the examples of docstrings as code on the site, at any position in a docstring."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

__all__ = ["Doctests", "fenced"]

# An example: a paragraph that begins with a prompt. An empty line ends the paragraph, and so the output of the example.
_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


class Doctests(Extension):
    """The extension of Griffe that zensical.toml names; Griffe reads the code for mkdocstrings."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Put the examples of an object's docstring between fences."""
        del kwargs
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Return the docstring with fences around each example, because Markdown would read ``>>>`` as a quotation."""
    return _EXAMPLE.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```", text)
