"""The map of the package's rooms, drawn from their docstrings and imports at every build.

A line ``<!-- rooms -->`` of a page becomes a drawing: each room above all that it imports from.
"""

import ast
from functools import cache
from html import escape
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "lyapnet"
MARK = "<!-- rooms -->"
#: They use lyapnet as its users do, and so stand above all else.
OUTSIDE = ("paper", "torch", "jax", "cli")


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def rooms():
    """Return the files of each room: a folder, or a file beside the folders."""
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            found[path.name] = sorted(path.rglob("*.py"))
        elif path.suffix == ".py" and not path.stem.startswith("__"):
            found[path.stem] = [path]
    return found


def summary(room):
    """Return the first sentence of a room's docstring."""
    files = rooms()[room]
    first = next(
        (path for path in files if path.parent.name == room and path.stem == "__init__"), files[0]
    )
    text = ast.get_docstring(parsed(first)) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "").rstrip(".")


@cache
def below(room):
    """Return the rooms that a room imports from."""
    found = set()
    for path in rooms()[room]:
        package = ("lyapnet", *path.relative_to(PACKAGE).parts[:-1])
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) + 1 - node.level]
                names = [*base, *(node.module or "").split(".")] if node.module else [*base]
                tails = [names] if len(names) > 1 else [[*names, a.name] for a in node.names]
                found.update(tail[1] for tail in tails)
    return frozenset((found & rooms().keys()) - {room})


@cache
def floor(room):
    """Return how far above the ground a room stands: one more than the highest below it."""
    return 1 + max((floor(other) for other in below(room)), default=-1)


def drawing():
    """Return the map as HTML, the outside at the top."""
    inner = [room for room in rooms() if room not in OUTSIDE]
    lines = [[room for room in OUTSIDE if room in rooms()]]
    for level in sorted({floor(room) for room in inner}, reverse=True):
        lines.append([room for room in inner if floor(room) == level])
    boxes = "\n".join(
        '<div class="floor">'
        + "".join(f"<div><b>{r}</b><br>{escape(summary(r))}</div>" for r in line)
        + "</div>"
        for line in lines
    )
    return f'```{{raw}} html\n<div class="rooms">\n{boxes}\n</div>\n```'


def on_read(app, docname, source):
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, drawing())


def setup(app):
    app.connect("source-read", on_read)
    return {"parallel_read_safe": True}
