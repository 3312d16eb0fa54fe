"""The parts that every notebook has: a rule yields one sentence for each thing that is missing."""

import ast
import re
import statistics
from collections.abc import Callable, Iterator

from reading import Notebook, anchors, code_lines, words

TAIL = ["What you learnt", "The statements, measured", "Still intractable", "In practice", "References"]
HEAD = ["**Question.**", "**You will be able to**", "**You need**", "**Time.**", "**Measured.**"]
SHOW = r"(?:plots\.)?(show)"
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
LIMITS = {
    "cells": (28, 70),  # an exercise, a bet, an explorer each has a cell of its own, to be run again alone
    "code cells for each text cell": (0.5, 2),
    "median lines of code in a cell": (0, 8),
    "most lines of code in a cell": (0, 20),
    "words": (1500, 2700),  # without the references: one looks them up
    "display equations": (5, 99),
    "figures": (4, 11),
    "explorers": (2, 4),
    "exercises": (3, 5),
    "bets": (2, 9),
    "statements measured": (1, 9),
    "cells of speaker notes": (3, 70),
    "kB": (0, 200),
}
START = LIMITS | {
    "cells": (6, 30),
    "words": (300, 1500),
    "display equations": (0, 99),
    "figures": (1, 10),
    "explorers": (1, 4),
    "exercises": (1, 5),
    "bets": (1, 9),
    "statements measured": (0, 9),
    "cells of speaker notes": (1, 30),
}


def figures_of(notebook: Notebook) -> dict[str, float]:
    """Return what `LIMITS` bounds."""
    lines = [code_lines(cell) for cell in notebook.code] or [0]
    equations = re.findall(r"\$\$.+?\$\$|\\begin\{(?:align|equation|gather)", notebook.prose, re.S)
    explorers = len(notebook.named(r"explorers\.(\w+)"))
    texts = len(notebook.cells) - len(notebook.code)
    slides = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    return {
        "cells": len(notebook.cells),
        "code cells for each text cell": len(notebook.code) / max(1, texts),
        "median lines of code in a cell": statistics.median(lines),
        "most lines of code in a cell": max(lines),
        "words": words(notebook.prose.partition("## References")[0]),
        "display equations": len(equations),
        "figures": len(notebook.named(SHOW)) + explorers,
        "explorers": explorers,
        "exercises": len({name for name, _ in notebook.named(r"check\.(\w+)")}),
        "bets": len({name for name, _ in notebook.named(r"bets\.(\w+)")}),
        "statements measured": len(notebook.named("(evidence)")),
        "cells of speaker notes": slides.count("notes"),
        "kB": notebook.path.stat().st_size / 1000,
    }


def size(notebook: Notebook) -> Iterator[str]:
    """Bound the counts."""
    limits = START if notebook.number == "00" else LIMITS
    for name, value in figures_of(notebook).items():
        low, high = limits[name]
        if not low <= value <= high:
            yield f"{name}: must be {low} to {high}; got {value:g}"


def head(notebook: Notebook) -> Iterator[str]:
    """Ask for the title, the question, the aims, the needs, the time and the measured line."""
    first = notebook.cells[0].source if notebook.cells[0].cell_type == "markdown" else ""
    if not re.match(rf"# {notebook.number} · \S", first):
        yield f"the first cell must begin `# {notebook.number} · Title`"
    for part in HEAD:
        if not re.search(rf"^{re.escape(part)}", first, re.M):
            yield f"the first cell must have a line that begins {part}"
    if not re.search(r"^\*\*Measured\.\*\*.* s\b.* MiB\b", first, re.M):
        yield "the line **Measured.** must tell seconds and MiB; run: make measure"
    aims = re.split(r"^(?:[-*]|\d\.) ", first.partition(HEAD[1])[2].partition(HEAD[2])[0], flags=re.M)[1:]
    if not 3 <= len(aims) <= 4:
        yield f"the first cell must list 3 or 4 aims; got {len(aims)}"
    for aim in aims:
        if not re.search(r"\(#exercise\b", aim, re.I):
            yield f"each aim must link to the exercise that proves it: {aim.strip()}"


def set_up(notebook: Notebook) -> Iterator[str]:
    """Ask for one cell directly after the head: at most six lines of imports, then at most two of torch's settings."""
    if notebook.cells[1].cell_type != "code" or not has_import(ast.parse(notebook.cells[1].source)):
        yield "the second cell must hold the imports"
    else:
        lines, _, settings = notebook.cells[1].source.partition("\ntorch.set_")
        if (imports := sum(map(bool, lines.splitlines()))) > 6:
            yield f"the imports must have at most 6 lines; got {imports}"
        if len(settings.splitlines()) > 2:
            yield f"at most 2 settings may follow the imports; got {settings}"
    title = ""
    for cell in notebook.cells[2:]:
        if cell.cell_type == "markdown":
            title = next(iter(re.findall(r"^## (.+)$", cell.source, re.M)[::-1]), title)
        elif has_import(ast.parse(cell.source)) and title != "In practice":
            yield f"an import must stand in the second cell or in the section In practice; got one in {title}"
        elif "torch.set_" in cell.source:
            yield f"torch is set up in the second cell, so that any section runs after it; got a setting in {title}"


def has_import(tree: ast.Module) -> bool:
    """Tell whether the code imports anything."""
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))


def tail(notebook: Notebook) -> Iterator[str]:
    """Ask for the closing sections, in order."""
    titles = re.findall(r"^## (.+)$", notebook.prose, re.M)
    if titles[-len(TAIL):] != TAIL:
        yield f"the last sections must be {', '.join(TAIL)}; got {', '.join(titles[-len(TAIL):])}"


def forbidden(notebook: Notebook) -> Iterator[str]:
    """Refuse plumbing: pyplot, observers, questions that block the kernel."""
    for tree in notebook.trees:
        for node in ast.walk(tree):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if name in ("plt", "pyplot", "observe", "clear_output", "input"):
                yield f"a notebook must not use `{name}`"


def alternative_text(notebook: Notebook) -> Iterator[str]:
    """Ask for an `alt` with a computed value for every figure."""
    for call in notebook.calls:
        if re.fullmatch(SHOW, call.name):
            alt = next((keyword.value for keyword in call.node.keywords if keyword.arg == "alt"), None)
            if alt is None or not has_computed_value(alt):
                yield f"`alt` must hold an f-string with a computed value: {ast.unparse(call.node)}"


def has_computed_value(expression: ast.expr) -> bool:
    """Tell whether an f-string in the expression formats anything that has a name."""
    formatted = [node for node in ast.walk(expression) if isinstance(node, ast.FormattedValue)]
    return any(isinstance(node, ast.Name) for value in formatted for node in ast.walk(value))


def clean(notebook: Notebook) -> Iterator[str]:
    """Refuse outputs and execution counts; ask for slide types and the kernel that JupyterLab knows."""
    for number, cell in enumerate(notebook.cells):
        if cell.get("outputs") or cell.get("execution_count"):
            yield f"cell {number} must have no output and no execution count"
        if cell.metadata.get("slideshow", {}).get("slide_type") not in SLIDES:
            yield f"cell {number} must have a slide type"
    if notebook.content.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel must be python3"
    if "jupytext" in notebook.content.metadata:
        yield "the notebook must not be paired: JupyterLab refuses to open a pair that differs"


def links(notebook: Notebook) -> Iterator[str]:
    """Ask that every link has an end: anchors, files, and outside addresses only in the last two sections."""
    outside = notebook.section("In practice") + notebook.section("References")
    for target in re.findall(r"\]\(([^)\s]+)\)", notebook.prose):
        if re.match(r"[a-z]+:", target):
            if target not in outside:
                yield f"an outside link must stand in In practice or References: {target}"
            if not re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/\S*)?", target):
                yield f"an outside link must be an https address: {target}"
        else:
            yield from inside_link(notebook, target)


def inside_link(notebook: Notebook, target: str) -> Iterator[str]:
    """Ask that the file exists, and the anchor in it; JupyterLab finds no anchor outside ASCII."""
    name, _, fragment = target.partition("#")
    path = notebook.path.parent / name if name else notebook.path
    if not path.exists():
        yield f"no such file: {target}"
    elif fragment and path.suffix == ".ipynb":
        if fragment not in anchors(Notebook(path, notebook.lesson).prose):
            yield f"no such heading: {target}"
        if not re.fullmatch(r"[\w.,:;!'*~-]+", fragment, re.A):
            yield f"a heading that is linked to must be plain ASCII: {target}"


def exercises(notebook: Notebook) -> Iterator[str]:
    """Ask that lesson and notebook have the same exercises, each a tagged stub with its check below."""
    checked = {name for name, _ in notebook.named(r"check\.(\w+)")}
    yield from differences("exercises", checked, notebook.lesson.exercises)
    tagged = [cell for cell in notebook.code if "exercise" in cell.metadata.get("tags", [])]
    for name in sorted(checked):
        stub = rf"^def {name}\(.*?^    raise NotImplementedError.*?^check\.{name}\({name}\)"
        if not any(re.search(stub, cell.source, re.M | re.S) for cell in tagged):
            yield f"`{name}` must be a stub in a cell tagged exercise, with `check.{name}({name})` below it"


def bets(notebook: Notebook) -> Iterator[str]:
    """Ask that every bet is shown, and settled only after another code cell."""
    shown = dict(reversed(notebook.named(r"bets\.(\w+)")))  # reversed: the first of each name counts
    settled = dict(reversed(notebook.named(r"bets\.(\w+)\.settle")))
    yield from differences("bets", set(shown), notebook.lesson.bets)
    for name, cell in shown.items():
        if settled.get(name, -1) < cell + 2:
            yield f"`bets.{name}` must be settled at least two code cells after it is shown"


def explorers(notebook: Notebook) -> Iterator[str]:
    """Ask that lesson and notebook have the same explorers."""
    shown = {name for name, _ in notebook.named(r"explorers\.(\w+)")}
    yield from differences("explorers", shown, notebook.lesson.explorers)


def differences(kind: str, shown: set[str], known: set[str]) -> Iterator[str]:
    """Name what stands on one side only."""
    if shown != known:
        sides = f"notebook only: {sorted(shown - known)}; lesson only: {sorted(known - shown)}"
        yield f"notebook and lesson must have the same {kind}; {sides}"


RULES: list[Callable[[Notebook], Iterator[str]]] = [
    head, set_up, tail, size, forbidden, alternative_text, clean, links, exercises, bets, explorers,
]
