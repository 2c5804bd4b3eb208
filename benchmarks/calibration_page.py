"""The page of the calibration tables, from what `calibration.py` has found."""

import json

HEAD = """# Calibration of the error bars

A nominal 95 % interval is calibrated if it holds the truth 95 times in 100; lyapnet's are to hold
it 92 to 98 times. Coverage is counted here in independent replications whose truth is exact, or
known from runs so long that their own error does not matter (3 % of that of the tested runs, or
less). The binomial error of a coverage of 95 % is 0.5 % with 2000 replications, 1 % with 500.

*Width* is the median half-width over that of an interval made with the actual error: 1 is ideal.
*Too short* counts the runs that got an infinite error, which holds the truth trivially; *width* is
that of the others, and means little where they are few.

All of this is computed again by

    {command}

## Correlated series

*Length* in blocks. Runs without a remark are worth 50 independent steps or more. The mean of all is
1, by which no run is so near zero that its interval is widened until it holds it (a sign is not
settled by a few nats).

{series}

Coverage above 98 stands where the spectrum of the growth rises steeply from frequency zero: growth
that is nearly the increment of a bounded function, such as MA(1) -0.8 on a short run. The
intervals are then too wide, not too narrow, and longer runs get better ones. It stands, too, where
most runs are refused: those worth fewer than 25 independent steps, and those worth fewer than 200
in which a slow component is hidden in faster noise.

## Systems with proved exponents

Through `lyapunov_spectrum`. Where growth is constant, the interval is the floor of rounding. The
logistic map at r = 4 has zero asymptotic variance: its intervals hold the truth always, and shrink
as 1/T.

{exact}

## Systems whose truth is a long run

*Length* in steps (of 0.01 time units for Lorenz 1963). The zero exponent of a flow has zero
asymptotic variance. For some hundred turns, the others of Lorenz 1963 are not far from that: the
growth swings within each turn, and little of it remains.

{reference}

## Ensembles

Members of 200 steps of AR(1) 0.5. *Heterogeneous* members differ by 3.5 times their errors, and the
truth is the mean of their population: two of them cannot be told from two that agree. Under a
*common input* half of the variance is shared.

{ensembles}

## Stopping at a tolerance

Looks are a factor {look} apart, and a run ends when `Estimate.settled` says so. The tolerance is
the half-width of a run worth so many independent steps; *length* is the median of the steps used.

{stopping}

## Drift test

Percentage of stationary runs that are called drifting at the levels 0.05 and 0.01. A slow component
that is hidden in much faster noise raises it, as half a run is not long enough to see it.

{drift}

## Why this estimator

Coverage, and width in parentheses, of 95 % intervals by other estimators, each as its literature
has it; the numbers of blocks stand in the head. The last column is a run worth 10 independent
steps, too short to tell: an estimator should refuse, or at least hold the truth.

{comparison}

The equally weighted cosine estimator (EWC: Müller 2007; Lazarus, Lewis, Stock and Watson 2018) is
exactly Student-t for white noise, and the one question is for how many cosines the spectrum is
flat. The usual n^(2/3) is too many at AR(1) 0.95. The AR(1) plug-in, at the most cautious of
several time scales, is right on all of these series, but not on chaotic flows whose growth has a
slow component under fast anticorrelation, or nearly is the increment of a bounded function: hence
24 cosines only where the power of bands of cosines is the same, and else 5, or 4 where the lowest
rise. Five numbers are low or high by chance: over the runs of 200 correlation times of
[70 chaotic systems](published.md), 1 % of such intervals missed the truth where the next eleven
cosines had least power beside the lowest five, and 16 % where they had most. So the level is moved
towards theirs. Growth $φ(x_{{b+1}}) - φ(x_b)$ puts $(φ_T - φ_0)/T$ into the mean, but twice the
square of it into each of the lowest cosines, as both ends meet $\\cos^2 = 1$ instead of 1/2: this
part is estimated from the higher cosines and taken off. Degrees of freedom are lost where few
batches carry the variance: of n independent ones with the excess kurtosis κ, the relative variance
of a variance is $2/ν + κ/n$. What the lowest cosines cannot see is refused: runs worth fewer than
25 independent steps ($\\sum d^2$ over the power of the lowest 8), and, up to 200, runs whose
spectrum still rises towards zero after it is whitened by an AR(1) process: correlations of several
scales.

Tried on these systems and left, as nothing was gained: shapes by an autoregression of up to 24
batches (the structure is at frequencies far below), a Bayesian mixture of 200 shapes of the lowest
48 cosines (as good, with 15 % wider intervals where the spectrum is flat), stricter tests of
flatness (chance then chooses the narrow ones), kurtosis of the slow part of the growth. Three
cosines with 2.3 degrees of freedom, or a parabola through the log power of six, hold the truth a
little more often, in intervals a seventh to a quarter wider. The best linear prediction by six
bands up to the 80th cosine is a twentieth narrower, but too narrow or too wide by the system: at
200 correlation times, it puts 61 to 72 % of the coverages between 92 and 98 %, and five cosines put
80 to 93 %.

Prewhitening does as well where growth is autoregressive, not where it is a moving average. Ten
batch means come close, with wider intervals, and never notice that a run is too short. Kernels and
initial sequences neglect the error of the error, and initial sequences presuppose a reversible
chain, which anticorrelated growth is unlike.
"""


def table(rows, columns):
    """Return a Markdown table of dictionaries."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    for row in rows:
        cells = [row.get(key) for key in columns.values()]
        lines.append(" | ".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(f"| {line} |" for line in lines)


def write(found, docs):
    """Write docs/data/calibration.json and docs/validation/calibration.md."""
    shown = {
        "case": "case",
        "length": "length",
        "runs": "replications",
        "coverage, %": "coverage",
        "width": "width",
        "too short, %": "too_short",
    }
    first = found["comparison"][0]
    compared = [
        {k: v if isinstance(v, str) else f"{v[0]} ({v[1]})" for k, v in row.items()}
        for row in found["comparison"]
    ]
    page = HEAD.format(
        command=found["command"],
        look=found["look_factor"],
        series=table(found["short_and_long"], shown),
        exact=table(found["exact_systems"], shown),
        reference=table(found["reference_systems"], shown),
        ensembles=table(found["ensembles"], shown),
        stopping=table(found["stopping"], shown | {"stopped, %": "stopped"}),
        drift=table(
            found["drift"],
            {"case": "case", "length": "length", "at 0.05, %": "at_5", "at 0.01, %": "at_1"},
        ),
        comparison=table(compared, {k: k for k in first}),
    )
    for folder in ("data", "validation"):
        (docs / folder).mkdir(exist_ok=True)
    (docs / "data" / "calibration.json").write_text(
        json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    )
    (docs / "validation" / "calibration.md").write_text(page)
