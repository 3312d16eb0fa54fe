"""What the book shows in place of outputs that need a kernel, or that belong to one reader's computer."""

import html
import re
from typing import Any

from course_lib.widgets.browser import alive_html

from nbformat import NotebookNode
from nbformat.v4 import new_output

VIEW, STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
HOW = '<p class="run-it">{} <a href="index.html#run-it-yourself">How to run it.</a></p>'
EXPLORER = HOW.format("The picture is computed in Python: in JupyterLab you can move it.")
BET = HOW.format("Spread your belief over the answers before you read on; in JupyterLab it is scored, in nats.")
EXERCISE = HOW.format("In JupyterLab a check says whether your function is right or names your mistake; it has hints.")
PERSONAL = HOW.format("What this cell answers depends on your computer and on what you did: run it in JupyterLab.")
PERSONAL_CALLS = ("doctor()", "dashboard(", "evidence.table()")
NOT_PLACED = re.compile(r"Nothing was placed;[^<]*Placing first is the point\.(<br>)?")
ALIVE = "<style>{css}</style><div class=\"alive\">{alive}<noscript>{still}</noscript></div>"


def widgets(notebook: NotebookNode) -> dict[str, Any]:
    """Every widget that the run of the notebook left, by the number of its model."""
    return notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


def readable(cell: NotebookNode, models: dict[str, Any]) -> list[NotebookNode]:
    """The outputs of a code cell as a reader without Python sees them."""
    if "exercise" in cell.metadata.get("tags", []):
        return [shown(EXERCISE)]
    if cell.source.strip().splitlines()[-1].startswith(PERSONAL_CALLS):
        return [shown(PERSONAL)]
    return [output for old in cell.outputs if (output := without_kernel(old, models)) is not None]


def without_kernel(output: NotebookNode, models: dict[str, Any]) -> NotebookNode | None:
    """One output, or None for the bar of a loop that has ended.

    Raises:     ValueError for a widget that the book does not know.
    """
    data = output.get("data", {})
    if VIEW not in data:
        return shown(NOT_PLACED.sub("", data["text/html"])) if "text/html" in data else output
    number = data[VIEW]["model_id"]
    model = models[number]
    if "listening" in model["state"]:
        return shown(alive(number, model, data["text/html"]))
    if "answer" in model["state"]:
        return shown(data["text/html"] + EXPLORER)
    parts = [models[part.removeprefix("IPY_MODEL_")] for part in model["state"]["children"]]
    kinds = [part["model_name"] for part in parts]
    if "FloatProgressModel" in kinds:
        return None
    if kinds[0] == "HTMLMathModel":
        return shown(bet(parts, models))
    raise ValueError(f"A widget must be an explorer, a bet or a bar; got {', '.join(kinds)}.")


def alive(number: str, model: dict[str, Any], still: str) -> str:
    """An explorer that the browser computes, with all that it needs; `still` stands in where scripts are off."""
    state = {name: value for name, value in model["state"].items() if not name.startswith("_") and name != "layout"}
    packed = {buffer["path"][0]: {"base64": buffer["data"]} for buffer in model["buffers"]}
    piece = alive_html(f"explorer-{number}", model["state"]["_esm"], state | packed)
    return ALIVE.format(css=model["state"]["_css"], alive=piece, still=still)


def bet(parts: list[dict[str, Any]], models: dict[str, Any]) -> str:
    """The question of a bet and its answers."""
    question, *rows = parts
    fields = [models[row["state"]["children"][0].removeprefix("IPY_MODEL_")]["state"]
              for row in rows if row["model_name"] == "HBoxModel"]
    answers = "".join(f"<li>{html.escape(field['description'])}</li>" for field in fields)
    return f'<div class="bet"><p>{question["state"]["value"]}</p><ul>{answers}</ul>{BET}</div>'


def shown(content: str) -> NotebookNode:
    """An output of HTML."""
    return new_output("display_data", {"text/html": content})
