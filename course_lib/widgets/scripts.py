"""The widgets' scripts and styles: anywidget takes each as one text, so files are put together here."""

from pathlib import Path

FOLDER = Path(__file__).parent


def text(*names: str) -> str:
    """Files of this folder, one after another."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def module(render: str, *names: str) -> str:
    """The ES module of an explorer: scripts that share all they have, and the name of the function that renders."""
    scripts = text("elements.js", *(f"{name}.js" for name in names))
    return f"{scripts}\nconst render = emptied({render});\nexport default {{ render }};\n"
