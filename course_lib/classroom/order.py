"""Where a notebook makes a name: said to a reader who runs a cell before the cells that it needs."""

import json
import os
import re
import symtable
from pathlib import Path
from types import TracebackType

from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from .face import Card


def binds(source: str) -> set[str]:
    """Return the names that a cell binds at its top level; none if the cell is not plain Python."""
    try:
        symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    except SyntaxError:  # half-written, or a magic
        return set()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def section(cells: list[dict], failed: str, name: str) -> str | None:
    """Return the heading under which `name` was last made above the cell whose source is `failed`; None if nowhere."""
    heading = found = None
    for cell in cells:
        source = "".join(cell["source"])  # on disk a list of lines
        if cell["cell_type"] == "markdown":
            heading = next(iter(re.findall(r"^#+ (.+)$", source, re.M)[::-1]), heading)
        elif source.strip() == failed.strip():
            break
        elif name in binds(source):
            found = heading
    return found


def advice(name: str, heading: str) -> Card:
    """Return what a reader is told who lacks `name`."""
    return Card("✗", f"`{name}` does not exist yet.", f"The section **{heading}** makes it. "
                "Run that section first, or choose *Run > Run All Above Selected Cell*.")


def explain(
    shell: InteractiveShell, kind: type[NameError], error: NameError, trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show the error as usual, and below it where the notebook makes the missing name, if it does."""
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))  # Jupyter Server tells a kernel whose it is
    if notebook.suffix == ".ipynb" and notebook.exists():
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        failed = shell.history_manager.input_hist_raw[-1]
        if heading := section(cells, failed, error.name):
            display(advice(error.name, heading))


def watch() -> None:
    """Have this kernel explain each missing name; outside IPython do nothing."""
    if shell := get_ipython():
        shell.set_custom_exc((NameError,), explain)
