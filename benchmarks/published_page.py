"""The page of published exponents and of coverage, from what the two scripts have found."""

import json
from pathlib import Path

import numpy as np
from published import DYSTS

HEAD = """# Published exponents, and how often the intervals hold

Systems from books and papers, measured by `lyapunov_spectrum` on an ensemble and pooled.
*Independent* is a compiled loop that shares no code with lyapnet: its derivatives are central
differences of whole steps. *Published* is what is printed, to its last digit, or exact. All of it
is run again, and resumed where it stopped, by

    OMP_NUM_THREADS=1 python benchmarks/interval_coverage.py
    OMP_NUM_THREADS=1 python benchmarks/published_exponents.py

{summary}

The leading exponent and the last one that was measured are shown; ± is half of the 95 % interval.

{table}

## What differs

{differences}

## A collection of estimates

{collection}

## Coverage

How often 95 % intervals of single runs hold the truth, over {n_systems} chaotic systems. Runs are
worth 50, 200 and 1000 *correlation times* (of slow flows not all, where they would take too long).
The correlation time is that after which the variance of window means, times the window, is within
37 % of its limit, over 2.5: the time constant of correlations that die out exponentially. The truth
is the mean of all runs, of 120 to 1000 members. *Held* counts runs that are called too short, whose
error is infinite, as held; *of known* leaves them out. *Width* is the median half-width of these
over that of an interval made with the actual error. With 120 runs the binomial error of a coverage
is 2 %, with 960 it is 0.7 %.

{coverage_summary}

{coverage}

{outside}
"""

COLUMNS = "exponent", "worth", "runs", "coverage", "of_known", "width", "too_short"


def sides(row: dict) -> list[int]:
    """Return which exponents to show: the first and the last."""
    last = len(row["measured"]) - 1
    return [0, last] if last else [0]


def number(values: list, i: int, digits: int | None = None) -> str:
    if i >= len(values):
        return ""
    return f"{values[i]:.5g}" if digits is None else f"{values[i]:.{digits}f}"


def table(done: dict) -> str:
    lines = [
        "| system | published | independent | measured | verdict |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in done.items():
        shown = sides(row)
        published = ", ".join(
            x for x in (number(row["published"], i, row["digits"]) for i in shown) if x
        )
        independent = ", ".join(x for x in (number(row["independent"], i) for i in shown) if x)
        measured = ", ".join(
            f"{row['measured'][i]:.5g} ± {row['half_width'][i]:.1g}" for i in shown
        )
        verdict = row["verdict"].split(":")[0]
        lines.append(f"| {name} | {published} | {independent} | {measured} | {verdict} |")
    return "\n".join(lines)


def differences(done: dict) -> tuple[str, int, int]:
    """Say where an interval does not hold what is printed; count exponents and those held."""
    lines, held, compared = [], 0, 0
    for name, row in done.items():
        for i, printed in enumerate(row["published"][: len(row["measured"])]):
            rounding = 0.0 if row["digits"] is None else 0.5 * 10.0 ** -row["digits"]
            off = abs(row["measured"][i] - printed)
            compared += 1
            if off <= row["half_width"][i] + rounding + 1e-9:
                held += 1
            elif off > max(0.02 * abs(printed), 2 * row["half_width"][i]):
                lines.append(
                    f"- {name}, exponent {i + 1}: printed {number([printed], 0, row['digits'])}, "
                    f"measured {row['measured'][i]:.5g} ± {row['half_width'][i]:.1g} "
                    f"({row['verdict'].split(':')[0]}), independent "
                    f"{number(row['independent'], i) or 'not run'}. {row['source']}."
                )
    return "\n".join(lines) or "Nothing by more than twice its error and 2 %.", held, compared


def collection(done: dict) -> str:
    """Say how far the estimates of a collection are from what is measured."""
    lines, off = [], []
    for name, estimate in DYSTS.items():
        if name not in done:
            continue
        measured, half = done[name]["measured"][0], done[name]["half_width"][0]
        off.append(abs(estimate / measured - 1))
        if abs(estimate - measured) > max(half, 0.02 * measured):
            lines.append(f"| {name} | {estimate:.4f} | {measured:.4f} ± {half:.1g} |")
    if not off:
        return ""
    return (
        "The collection dysts (W. Gilpin, NeurIPS 2021) has the leading exponents of spectra of "
        f"{len(off)} of these systems, with the same equations and parameters. They differ from "
        f"what is measured here by {100 * np.median(off):.0f} % in the median and by up to "
        f"{100 * np.max(off):.0f} %; {len(lines)} lie outside of the interval and off by more than "
        "2 %:\n\n| system | dysts | measured |\n| --- | --- | --- |\n" + "\n".join(lines)
    )


def coverage_table(found: dict) -> tuple[str, list[str], str]:
    lines = [
        "| system | steps in a correlation time | exponent | worth | runs | held, % "
        "| of known, % | width | too short, % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    outside, values = [], []
    for name, row in found.items():
        for r in row["rows"]:
            error = 100 * np.sqrt(0.05 * 0.95 / r["runs"])
            values.append((r["worth"], r["coverage"], error))
            cells = [name, row["correlation_steps"], *(r[key] for key in COLUMNS)]
            lines.append(f"| {' | '.join('' if c is None else str(c) for c in cells)} |")
            if not 92 - 2 * error <= r["coverage"] <= 98 + 2 * error:
                outside.append(f"{name} ({r['worth']}, {r['coverage']} %)")
    parts = []
    for worth in (50, 200, 1000):
        these = [c for w, c, _ in values if w == worth]
        if these:
            inside = np.mean([92 <= c <= 98 for c in these])
            parts.append(
                f"{worth} correlation times: {len(these)} exponents, median "
                f"{np.median(these):.1f} %, "
                f"from {min(these):.1f} to {max(these):.1f} %, {100 * inside:.0f} % of them "
                "between 92 and 98 %"
            )
    return "\n".join(lines), outside, "\n".join(f"- {part}" for part in parts)


def write(root: Path) -> None:
    """Write docs/validation/published.md."""
    data = root / "benchmarks" / "data"
    done = json.loads((data / "published_exponents.json").read_text())
    found = json.loads((data / "interval_coverage.json").read_text())
    text, held, compared = differences(done)
    rows, outside, coverage_summary = coverage_table(found)
    summary = (
        f"{len(done)} systems; of {compared} exponents that are printed or exact, the interval "
        f"holds {held}, the rounding of what is printed included."
    )
    after = (
        "Outside of 92 to 98 % by more than twice the binomial error: " + "; ".join(outside) + "."
        if outside
        else "None lies outside of 92 to 98 % by more than twice its binomial error."
    )
    page = HEAD.format(
        summary=summary,
        table=table(done),
        differences=text,
        collection=collection(done),
        n_systems=len(found),
        coverage_summary=coverage_summary,
        coverage=rows,
        outside=after,
    )
    (root / "docs" / "validation" / "published.md").write_text(page)
