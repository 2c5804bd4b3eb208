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

    OMP_NUM_THREADS=1 python benchmarks/interval_coverage.py --keep FOLDER
    OMP_NUM_THREADS=1 python benchmarks/published_exponents.py

{summary}

The leading exponent and the last one that was measured are shown; ± is half of the 95 % interval.
Of what is printed, the values of the Hénon, standard, Lorenz and Rössler systems were read again on
Sprott's page *Common Chaotic Systems* (revised 2004), that of Linz and Sprott's flow in examples of
LyapunovExponents.jl, which cite that page, and that of the simplest quadratic flow in a table of
another program. The book itself could not be read: equations and leading exponents of its appendix
A were held against a transcription by others (a test suite of the University of Nebraska at Omaha,
whose authors read it against the print), and agree in all rows that name it; those of 1994 against
a list that follows Wang, Kuznetsov and Chen, *Chaotic Systems with Multistability and Hidden
Attractors* (Springer, 2021), and agree in all. The last exponents add up with them to the
divergence where that is constant; those of maps whose contraction varies, and Wolf's and
Viswanath's values, stand as they were noted, and could not be read again.
The 1.65 of the Lorenz-96 model is a doubling time of 2.1 days, which as printed allows 1.61 to
1.69.

{table}

## What differs

{differences}

The exponent of a sticky sea falls as runs grow and meet islands: that of the standard map at K = 1
is 0.153 over 5000 steps from starts side by side, and {sticky} over 290 000 steps of 120 members
that had as many to mix (the loop of its own); 0.10497 is printed. Labyrinth chaos has a sea without
bounds, of which starts are drawn from one cell, and its print another start.

Two flows of appendix A jump with the sign of a coordinate, and stand in the tests. Of the flow
x''' = -0.8 (x'' + x' + x - sign x), 0.0497 is printed, the real part of an eigenvalue of its field
without the jump; the exact solution has 0.073 over 2000 units of time. Of the complex butterfly at
a = 0.55, 0.1690 is printed; the exact solution has 0.142.

## A collection of estimates

{collection}

## Coverage

How often 95 % intervals of single runs hold the truth, over {n_systems} chaotic systems. Runs are
worth 50, 200 and 1000 *correlation times*. The correlation time is that after which the variance of
window means, times the window, is within 37 % of its limit, over 2.5: the time constant of
correlations that die out exponentially. Members start in different phases, and have forgotten it.
The truth is exact where it is known, else the mean of 120 to 1000 members over 1000 correlation
times. *Held* counts runs that are called too short, whose error is infinite, as held; *of known*
leaves them out. *Sign open* counts runs whose whole growth is no more than a power of time could
be, $2 \\log n$ nats in n blocks, and whose intervals hold zero, widened if need be: so short a run
does not know the sign, and its verdict asks for a longer one. *Width* is the median
half-width of those that are not too short over that of an interval made with the actual error. With
120 runs the binomial error of a coverage is 2 %, with 1000 it is 0.7 %.

{coverage_summary}

A coverage counts as right if it is between 92 and 98 %, or if half of the runs or more say that
they are too short, or that their sign is open, and it is not below 92 %; in brackets, if it is that
within twice its binomial error.
{halves}

{outside}

What these are:

- Too wide, by growth of only a dozen nats (WINDMI, Duffing, finance): a fifth to a third of the
  runs do not know the sign, and their intervals, which reach down to zero, hold any small exponent.
- Too wide, by growth that is nearly the increment of a bounded function (the simplest flows,
  Moore-Spiegel, Rössler, the diffusionless Lorenz system): the spectrum still falls at the lowest
  frequencies of a short run, and both ends of the run add twice as much to each of the lowest
  cosines as to the mean, up to half of the level at zero. Taken off here, as it is where the
  spectrum does not fall, it brought most of these down, but four others to 87 to 90 %: runs whose
  level chance has made low lose most.
- Too narrow, 90 % at 200 (the third exponent of the network): a component that is slower than a
  third of the run doubles the level between the tenth cosine and zero, under swings ten times as
  strong at the eightieth. A run of 1000 correlation times sees it.
- Intermittent chaos near a neutral point: the runs that look best have met no long phase. They are
  refused by what single phases show, growth that stays near zero and never goes below (`laminar`),
  or have four degrees of freedom where it is skewed; see below.
- Sticky chaos where volumes are conserved: fast swings hide long stays near islands. Such runs have
  to show a flat spectrum and 30 nats of growth before a number is given (that a volume is conserved
  is seen by all exponents, or by determinants). Without that, intervals held the truth
  in 71 % (Hénon-Heiles) and 78 % (Nosé-Hoover) of the runs worth 1000 correlation times. In 240 to
  400 runs 8 and 31 times as long (Hénon-Heiles), and 2 and 8 times (Nosé-Hoover), they held it in
  82, 85, 76 and 71 %, and do now in 90, 96, 93 and 82 %, 64 to 95 % of them too short. What is
  missed seems to be runs that stay at an island from end to end, and look regular.

{coverage}

## Intermittent maps

Phases near a neutral fixed point have lengths whose distribution falls off like n^(-1/a), with
a = z - 1: without a variance from a = 1/2 on. Exponents come from the map of first return to the
other branch (`benchmarks/return_map.py`), to six digits and without any orbit; runs by
`benchmarks/intermittent.py`, from uniform starts after transients of a fifth. *Known* runs are not
called too short or drifting; *missed* are those of them whose interval does not hold the exponent,
of {intermittent_runs} runs each. Before single phases were looked at, 12 to 82 % of the known runs
missed it at a = 0.5 and above, nearly all too high, and at 10^6 steps still 7 % (a = 0.5), 24 %
(0.6), 64 % (0.7) and 87 % (0.8). The truth of z = 1.8 stood here as 0.329,
the mean of 120 long runs.

{intermittent}
"""

FIRST_LATER = "Sprott S"  # from here on, systems were run after the rules had been set
COLUMNS = "exponent", "worth", "runs", "coverage", "of_known", "width", "too_short", "sign_open"


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
            f"{row['measured'][i]:.5g} ± {row['half_width'][i]:.1g}".replace("± inf", "± ?")
            for i in shown
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
            rounding = max(rounding, row.get("uncertainty", [0.0] * (i + 1))[i])
            off = abs(row["measured"][i] - printed)
            if np.isinf(row["half_width"][i]):
                continue
            compared += 1
            kept = 1e-9 + 5e-7 * abs(printed)  # what is measured is kept to seven digits
            if off <= row["half_width"][i] + rounding + kept:
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


def judged(r: dict, errors: float = 0.0) -> str:
    """Return "low", "wide" or "": what a coverage is, by so many binomial errors."""
    low, high = 92.0, 98.0
    if r["coverage"] < low - errors * 100 * np.sqrt(0.92 * 0.08 / r["runs"]):
        return "low"
    refused = r["too_short"] + r["sign_open"] >= 50
    wide = r["coverage"] > high + errors * 100 * np.sqrt(0.98 * 0.02 / r["runs"])
    return "wide" if wide and not refused else ""


def share(rows: list[dict], errors: float = 0.0) -> str:
    return f"{100 * np.mean([not judged(r, errors) for r in rows]):.0f}"


def coverage_table(found: dict) -> tuple[str, str, str, str]:
    """Return the table, what is outside, a summary of each length, and of halves of the systems."""
    lines = [
        "| system | steps in a correlation time | exponent | worth | runs | held, % "
        "| of known, % | width | too short, % | sign open, % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in found.items():
        for r in row["rows"]:
            cells = [name, row["correlation_steps"], *(r[key] for key in COLUMNS)]
            lines.append(f"| {' | '.join('' if c is None else str(c) for c in cells)} |")
    parts, outside, halves = [], [], []
    names = list(found)
    later = set(names[names.index(FIRST_LATER) :]) if FIRST_LATER in names else set()
    for worth in (50, 200, 1000):
        named = [(n, r) for n in found for r in found[n]["rows"] if r["worth"] == worth]
        rows = [r for _, r in named]
        values = [r["coverage"] for r in rows]
        parts.append(
            f"- {worth} correlation times: {len(rows)} exponents, median {np.median(values):.1f} "
            f"%, from {min(values):.1f} to {max(values):.1f} %; {share(rows)} % ({share(rows, 2)} "
            f"%) of them right, {np.mean([r['too_short'] for r in rows]):.0f} % of the runs called "
            f"too short; median width {np.median([r['width'] for r in rows if r['width']]):.2f}"
        )
        split = [[r for n, r in named if (n in later) == is_later] for is_later in (False, True)]
        halves.append(" and ".join(share(part, 2) for part in split if part) + " %")
        each = [(n, r, judged(r, 2)) for n, r in named]
        for word in ("low", "wide"):
            listed = [
                f"{n}{'' if r['exponent'] == 1 else ' λ' + str(r['exponent'])} {r['coverage']:.1f}"
                for n, r, is_ in each
                if is_ == word
            ]
            if listed:
                which = "Below 92 %" if word == "low" else "Above 98 %"
                outside.append(f"- {which} at {worth}: {', '.join(listed)}")
    text = (
        f"The rules were set while the systems before {FIRST_LATER} were at hand, all of which\n"
        f"were looked at; the {len(later)} from there on came afterwards, and changed nothing\n"
        "then. In brackets as above, the ones and the others are right in "
        + "; ".join(halves)
        + "\nat the three lengths. The weight of the next cosines in the level\n"
        "(`low_frequencies`) was chosen by every second system of the table, and halved the\n"
        "number of coverages below 92 % at 50 correlation times among these and among the\n"
        "others alike, from 6 to 3. Where spectra fall towards zero, the number of cosines and\n"
        "the fall from which on one is seen were chosen by all of the table. The best parabola\n"
        "alone, as it was fitted before, left the coverage of four exponents at 90 to 92 % and\n"
        "of nine at 99 to 100 % at 50 correlation times: it takes what chance has made low for\n"
        "the level. The rule for conserved volumes was set by the six such systems, all of\n"
        "which were looked at."
    )
    after = "Outside by more than twice the binomial error:\n\n" + "\n".join(outside)
    return "\n".join(lines), after if outside else "", "\n".join(parts), text


def intermittent_table(found: dict) -> tuple[str, int]:
    """Return the table of intermittent maps, and the runs in each of its numbers."""
    lengths = [r["length"] for r in next(iter(found.values()))["rows"]]
    lines = [
        "| map | exponent | " + " | ".join(f"{n} steps" for n in lengths) + " |",
        "| --- | --- |" + " --- |" * len(lengths),
    ]
    for name, row in found.items():
        cells = [f"{r['known']} known, {r['missed']} missed" for r in row["rows"]]
        lines.append(f"| {name} | {row['exponent']} | {' | '.join(cells)} |")
    return "\n".join(lines), row["rows"][0]["runs"]


def write(root: Path) -> None:
    """Write docs/validation/published.md."""
    data = root / "benchmarks" / "data"
    done = json.loads((data / "published_exponents.json").read_text())
    found = json.loads((data / "interval_coverage.json").read_text())
    text, held, compared = differences(done)
    intermittent = json.loads((data / "intermittent.json").read_text())
    intermittent, intermittent_runs = intermittent_table(intermittent)
    rows, outside, coverage_summary, halves = coverage_table(found)
    summary = (
        f"{len(done)} systems; of {compared} exponents that are printed or exact, the interval "
        f"holds {held}, the rounding of what is printed included."
    )
    page = HEAD.format(
        summary=summary,
        table=table(done),
        differences=text,
        sticky=f"{found['standard map, K = 1']['exponents'][0]:.3f}",
        collection=collection(done),
        n_systems=len(found),
        coverage_summary=coverage_summary,
        coverage=rows,
        outside=outside,
        halves=halves,
        intermittent=intermittent,
        intermittent_runs=intermittent_runs,
    )
    (root / "docs" / "validation" / "published.md").write_text(page)
