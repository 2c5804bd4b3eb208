"""The API pages: every public name of lyapnet, in the section of the folder that defines it."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import lyapnet

# Title, and the folders whose names stand there; what has no place comes at the end.
SECTIONS = {
    "Systems and networks": ("systems", "cells"),
    "Spectrum": ("spectrum",),
    "Condition numbers": ("condition",),
    "Flossing": ("flossing",),
    "Training": ("training", "optimize"),
    "Networks from elsewhere": ("weights",),
    "Results and sweeps": ("results", "runs"),
    "Errors": ("errors",),
    "More": (),
}
HEAD = """\
API reference
=============

.. currentmodule:: lyapnet

.. code-block:: python

   import lyapnet as ln

Arrays are NumPy float64, and time is axis 0. A state is ``(..., n)``, a tangent basis
``(..., n, k)``, an input sequence ``(n_steps, ..., n_inputs)``; the leading ``...`` is an ensemble.
Exponents are in nats per unit time. Bad arguments raise `ValueError` or `TypeError` before any
work, numerical failure a subclass of `LyapnetError`; a damaged file raises `FileError`, which is a
`ValueError`, too.
"""


def table(names):
    """Return the directive that lists names and makes a page for each."""
    lines = "".join(f"   {name}\n" for name in names)
    return f".. autosummary::\n   :toctree: .\n   :nosignatures:\n\n{lines}\n"


def members(module):
    """Return the public names of a module."""
    found = getattr(module, "__all__", None)
    return found or [
        name
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
    ]


def heading(title):
    return f"\n{title}\n{'-' * len(title)}\n\n"


def section_of(name):
    module = getattr(getattr(lyapnet, name), "__module__", "") or ""
    room = module.removeprefix("lyapnet.").split(".")[0]
    return next((title for title, rooms in SECTIONS.items() if room in rooms), "More")


def page():
    """Return the page of the public names as reStructuredText."""
    modules = [n for n in lyapnet.__all__ if isinstance(getattr(lyapnet, n), ModuleType)]
    others = [n for n in lyapnet.__all__ if n not in modules]
    text = HEAD
    for title in SECTIONS:
        names = [name for name in others if section_of(name) == title]
        # classes, then functions, each from A to Z
        names.sort(key=lambda name: (not inspect.isclass(getattr(lyapnet, name)), name))
        if names:
            text += heading(title) + table(names)
    for name in modules:
        module = getattr(lyapnet, name)
        summary = (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        text += heading(f"lyapnet.{name}") + f"{summary}\n\n"
        text += table(f"{name}.{member}" for member in members(module))
    return text


def write(app, config):
    """Write the page before Sphinx reads any, and take away the pages of names that are gone."""
    folder = Path(app.srcdir) / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    text = page()
    index = folder / "index.rst"
    if not index.exists() or index.read_text(encoding="utf-8") != text:
        for old in folder.glob("*.rst"):
            old.unlink()
        index.write_text(text, encoding="utf-8")


def keep_initials(app, what, name, thing, options, lines):
    """Keep a reference that begins with an author's initial from becoming a list, A., B., C."""
    initial = re.compile(r"^(\s*(?:\.\. \[\w+\] )?)([A-Z]\. )")
    lines[:] = [initial.sub(r"\1\\\2", line) for line in lines]


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", write)
    app.connect("autodoc-process-docstring", keep_initials, priority=100)  # before numpydoc
    return {"parallel_read_safe": True}
