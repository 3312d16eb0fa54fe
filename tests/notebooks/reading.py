"""A notebook as the rules see it: its cells, its calls, its prose and its anchors."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode


@dataclass(frozen=True)
class Lesson:
    """The names that a lesson's module exports."""

    exercises: set[str]
    bets: set[str]
    explorers: set[str]


@dataclass(frozen=True)
class Call:
    """One call in a notebook's code: its dotted name, the number of its code cell, and its syntax tree."""

    name: str
    cell: int
    node: ast.Call


@dataclass(frozen=True)
class Notebook:
    """A notebook beside its lesson."""

    path: Path
    lesson: Lesson

    @cached_property
    def content(self) -> NotebookNode:
        return nbformat.read(self.path, as_version=4)

    @property
    def cells(self) -> list[NotebookNode]:
        return self.content.cells

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @cached_property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def trees(self) -> list[ast.Module]:
        return [ast.parse(cell.source) for cell in self.code]

    @cached_property
    def prose(self) -> str:
        """All markdown, without its fenced code."""
        markdown = [cell.source for cell in self.cells if cell.cell_type == "markdown"]
        return without_fences("\n\n".join(markdown))

    @cached_property
    def calls(self) -> list[Call]:
        """Every call, cell by cell."""
        return [
            Call(ast.unparse(node.func), cell, node)
            for cell, tree in enumerate(self.trees) for node in ast.walk(tree) if isinstance(node, ast.Call)
        ]

    def named(self, pattern: str) -> list[tuple[str, int]]:
        """Return the first group of every called name that matches, and its code cell's number."""
        found = ((re.fullmatch(pattern, call.name), call.cell) for call in self.calls)
        return [(match[1], cell) for match, cell in found if match]

    def section(self, title: str) -> str:
        """Return the prose under the second-level heading `title`."""
        sections = re.split(r"^## (.+)$", self.prose, flags=re.M)
        return dict(zip(sections[1::2], sections[2::2], strict=True)).get(title, "")


def without_fences(markdown: str) -> str:
    """Return the text without its fenced code."""
    return re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S)


def headings(markdown: str) -> list[str]:
    """Return the headings' text as the reader sees it."""
    return [re.sub(r"[*`]", "", title).strip() for title in re.findall(r"^#{1,6} (.+)$", markdown, re.M)]


def anchors(markdown: str) -> set[str]:
    """Return what JupyterLab resolves: a heading's text with hyphens for spaces, and every id."""
    written = set(re.findall(r"""\bid=["']([^"']+)""", markdown))
    return written | {title.replace(" ", "-") for title in headings(markdown)}


def code_lines(cell: NotebookNode) -> int:
    """Return the number of lines that are neither blank nor comments."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def words(prose: str) -> int:
    """Return the number of words outside formulas."""
    return len(re.findall(r"[A-Za-z][A-Za-z'’-]+", re.sub(r"\$\$.*?\$\$|\$.*?\$", " ", prose, flags=re.S)))
