"""README.md, and the page on extending: Python runs as printed, in order, in one namespace."""

import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python_blocks(text):
    """Return the Python blocks of a Markdown text, each with the number of its first line."""
    opening = re.compile(r"^```\s*(?:\{code-cell\}\s*)?\{?(?:python|py)\b.*\n", re.MULTILINE)
    blocks = []
    for match in opening.finditer(text):
        end = text.index("\n```", match.end() - 1)
        block = re.sub(r"^:tags:.*", "", text[match.end() : end + 1])
        blocks.append((text.count("\n", 0, match.end()), block))
    return blocks


def test_blocks_are_found_with_their_lines():
    text = "words\n\n```python\na = 1\n\nb = 2\n```\n```bash\nmake\n```\n\n``` py\nc = 3\n```\n"
    assert python_blocks(text) == [(3, "a = 1\n\nb = 2\n"), (12, "c = 3\n")]


@pytest.mark.parametrize("page", ["README.md", "docs/extending.md"])
def test_page_runs_as_printed(page, tmp_path, monkeypatch):
    blocks = python_blocks((ROOT / page).read_text(encoding="utf-8"))
    assert blocks, f"{page} shows no Python"
    monkeypatch.chdir(tmp_path)  # for the files that it may write
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace = {"__name__": "page"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
        for line, block in blocks:
            # the empty lines make a traceback name the line of the page
            exec(compile("\n" * line + block, page, "exec"), namespace)
