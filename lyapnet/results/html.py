"""Tables as Jupyter shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(caption: str, rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Return an HTML table, whose rows begin with their names; all text is shown as it is."""

    def row(cells: Sequence[str], tags: Sequence[str]) -> str:
        left = " style='text-align:left'"
        inner = (f"<{t}{left}>{escape(c)}</{t}>" for c, t in zip(cells, tags, strict=True))
        return f"<tr>{''.join(inner)}</tr>"

    body = [row(cells, ["th", *["td"] * (len(cells) - 1)]) for cells in rows]
    top = f"<thead>{row(head, ['th'] * len(head))}</thead>" if head else ""
    return f"<table><caption>{escape(caption)}</caption>{top}<tbody>{''.join(body)}</tbody></table>"
