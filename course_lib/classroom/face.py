"""The look of what the course says: a card and a table, each as HTML and as plain text."""

import html
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

FONT = "font-family:var(--jp-ui-font-family,sans-serif);color:var(--jp-ui-font-color1,inherit)"
RULE = "1px solid var(--jp-border-color1,#9e9e9e)"
ACCENTS = {"✓": "var(--jp-success-color1,#2e7d32)", "✗": "var(--jp-warn-color1,#b85c00)"}
CELL = f"padding:.3em .8em;text-align:left;vertical-align:top;border-bottom:{RULE}"


def strict() -> bool:
    """Whether COURSE_STRICT=1 asks for an error where a reader would get a kind sentence."""
    return os.environ.get("COURSE_STRICT") == "1"


def inline(text: str) -> str:
    """`text` as safe HTML: its markup escaped, `backticks` as code, **stars** as bold, line ends and p^* kept."""
    code = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
    bold = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", code)
    return re.sub(r"(?<![*\w^])\*([^*\s][^*]*)\*(?![*\w])", r"<em>\1</em>", bold).replace("\n", "<br>")


@dataclass(frozen=True)
class Card:
    """A short message: a symbol, a title in words, a text, and what a reader's code printed."""

    symbol: str
    title: str
    text: str = ""
    printed: str = ""

    def __str__(self) -> str:
        printed = f"It printed:\n{self.printed}" if self.printed else ""
        return "\n".join(part for part in (f"{self.symbol} {self.title}", self.text, printed) if part)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        accent = ACCENTS.get(self.symbol, "var(--jp-border-color1,#9e9e9e)")
        title = f'<strong><span aria-hidden="true">{self.symbol}</span> {inline(self.title)}</strong>'
        text = f'<div style="margin-top:.3em">{inline(self.text)}</div>' if self.text else ""
        printed = f"<div>It printed:</div><pre>{html.escape(self.printed)}</pre>" if self.printed else ""
        style = f"{FONT};border-left:4px solid {accent};padding:.4em 1em;margin:.3em 0;max-width:48em"
        return f'<div style="{style}">{title}{text}{printed}</div>'


@dataclass(frozen=True)
class Table:
    """A small table with a caption; cells are text and may hold `code` and $formulas$."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (self.head, *self.rows)]
        return "\n".join([self.caption, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{CELL}">{inline(cell)}</th>' for cell in self.head)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{CELL}">{inline(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        caption = f'<caption style="text-align:left;padding:.3em 0">{inline(self.caption)}</caption>'
        style = f"{FONT};border-collapse:collapse;margin:.3em 0"
        return f'<table style="{style}">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
