"""The gallery: for each figure what is claimed, what was run, and what came of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from .harness import FIGURES, Finding, differing, kept, load_figure


@dataclass(frozen=True)
class Entry:
    """A figure in the gallery.

    Attributes
    ----------
    text : str
        Title, claims, settings and findings in Markdown.
    picture : bytes or None
        PNG, None where nothing has been run yet.
    done, wanted : int
        Runs that are there, and all of them.
    """

    text: str
    picture: bytes | None
    done: int
    wanted: int

    def _repr_markdown_(self) -> str:
        return self.text


def entry(figure: str, directory: Any, *, scale: str = "full") -> Entry:
    """Describe a figure by its script and by the data in a directory; nothing is run.

    Parameters
    ----------
    figure : str
        One of `FIGURES`.
    directory : path
        Where `reproduce` has kept the runs.
    scale : {"quick", "full"}, optional
    """
    script = load_figure(figure)
    records, wanted = kept(script, directory, scale)
    parts = [
        f"**{script.TITLE}.**",
        f"*Claimed.* {_flow(script.CLAIMS)}",
        f"*Run.* {_flow(script.SETTINGS)}",
        _extent(figure, len(records), wanted, scale),
    ]
    picture = None
    if records:
        try:
            found = script.findings(records)
            picture = _picture(script, records)
        except _TOO_FEW:
            if len(records) == wanted:
                raise
            parts.append("*Seen.* Too few of the runs are there to judge or to draw.")
        else:
            few = "*Seen.* Too few of the runs to judge."
            parts.append(_table(found, differing(script)) if found else few)
    return Entry("\n\n".join(parts) + "\n", picture, len(records), wanted)


def overview(directory: Any, *, scale: str = "full") -> str:
    """Return a table in Markdown: of each figure the runs that are there, and what they say.

    Parameters
    ----------
    directory : path
        Where `reproduce` has kept the runs.
    scale : {"quick", "full"}, optional
    """
    rows = ["| figure | of | runs | claims | agree | differ | undecided |", "|---" * 7 + "|"]
    for figure in FIGURES:
        script = load_figure(figure)
        records, wanted = kept(script, directory, scale)
        there = str(wanted) if len(records) == wanted else f"{len(records)} of {wanted}"
        said = "not judged before all runs are there | | | "
        if len(records) == wanted:
            verdicts = [finding.agrees for finding in script.findings(records)]
            counts = [len(verdicts), *(verdicts.count(x) for x in (True, False, None))]
            said = " | ".join(map(str, counts))
        rows.append(f"| {figure} | {_flow(script.TITLE)} | {there} | {said} |")
    return "\n".join(rows) + "\n"


#: What too few runs may raise in a script that expects all of them.
_TOO_FEW = (ValueError, IndexError, KeyError, TypeError, StopIteration)


def _extent(figure: str, done: int, wanted: int, scale: str) -> str:
    command = f"`lyapnet reproduce {figure} --scale {scale}`"
    if not done:
        return f"*Data.* **Not computed yet**: {wanted} runs, {command}."
    if done < wanted:
        return f"*Data.* **Not complete yet**: {done} of {wanted} runs, {command}."
    return f"*Data.* All of {wanted} runs, {command}."


def _table(findings: list[Finding], reasons: dict[str, str]) -> str:
    rows = ["| | claim | seen |", "|---|---|---|"]
    for finding in findings:
        verdict, seen = finding.verdict, finding.found
        if not finding.agrees:
            verdict = f"**{verdict}**"
            why = [text for start, text in reasons.items() if finding.claim.startswith(start)]
            seen = ": ".join([seen, *why])
        cells = (_flow(text).replace("|", "\\|") for text in (finding.claim, seen))
        rows.append(f"| {verdict} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _flow(text: str) -> str:
    """Write a text on one line, with nothing in it that Markdown would take for its own."""
    words = " ".join(text.split())
    for sign in ("\\", "<", "*", "_", "$", "^"):
        words = words.replace(sign, f"\\{sign}")
    return words


def _picture(script: Any, records: Any) -> bytes:
    import matplotlib.pyplot as plt

    from .style import STYLE

    buffer = io.BytesIO()
    with plt.rc_context(STYLE):
        drawn = script.plot(records)
        drawn.savefig(buffer, format="png", dpi=200)
        plt.close(drawn)
    return buffer.getvalue()
