"""Beyond the paper: the longest lag that a network learns against its size."""

import numpy as np

from ..compare import COMMON, accuracy_against, chance, horizon, quick
from ..harness import Finding, Records
from ..learning import learn
from ..style import COLOURS, ORDERED, legend_below, panels

TITLE = "Longest lag against the number of units"
CLAIMS = """
Beyond the paper: because the task streams, a lag of d asks the network to hold d values, and N
units recall about N at most (the short-term memory capacity of linear networks, H. Jaeger, GMD
Report 152, 2001). The longest lag that flossed networks learn grows with N and stays below N.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks, flossing before training and again before epoch 500, N = 16 to
112 with 15/16 of N exponents flossed, lags of N/2, 3N/4, 7N/8, N and 5N/4. N = 80: the runs of
figure 4. Learned means that the median network is above 90 %.
"""

SIZES, NETWORKS = (16, 32, 64, 80, 112), 5
FRACTIONS = (0.5, 0.75, 0.875, 1.0, 1.25)
LEVEL = 0.9
#: Of the full data.
DIFFERING = {
    "the longest lag grows with N": "it does up to 80 units; of five networks of 112 two alone "
    "learn 84 steps, and one 98, with windows of 39 steps, those of 80 units",
}
run = learn


def points(scale):
    quickly = scale == "quick"
    sizes, networks = ((16, 24, 32, 48), 3) if quickly else (SIZES, NETWORKS)
    base = [
        dict(
            task="temporal",
            lag=2 * round(n * fraction / 2),
            condition="during",
            network=i,
            **({} if n == 80 else {"n": n}),
        )
        for i in range(networks)
        for n in sizes
        for fraction in FRACTIONS
    ]
    return [quick(**p, epochs=800) for p in base] if quickly else base


def with_n(records):
    return Records({**r, "n": r.get("n", 80)} for r in records)


def reach(records):
    """Return the sizes whose lags are all there, and the longest lag that each learned."""
    sizes = [n for n in records.each("n") if len(records.where(n=n).each("lag")) == len(FRACTIONS)]
    return sizes, [horizon(records.where(n=n), LEVEL) for n in sizes]


def plot(records):
    import matplotlib

    records = with_n(records)
    figure, axes = panels(2)
    sizes = records.each("n")
    for n, shade in zip(sizes, np.linspace(0, 0.88, len(sizes)), strict=True):
        colour = matplotlib.colormaps[ORDERED](shade)
        accuracy_against(axes[0], records.where(n=n), "lag", color=colour, label=f"N = {n}")
    chance(axes[0], xlabel="lag (steps)")
    done, longest = reach(records)
    axes[1].plot(done, longest, "o-", ms=4, color=COLOURS["during"], label="longest lag learned")
    bound = [0, max(sizes)]
    axes[1].plot(bound, bound, "k:", lw=0.9, label="memory capacity, d = N")
    axes[1].set(xlabel="number N of units", ylabel="lag (steps)", xlim=(0, None), ylim=(0, None))
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    sizes, longest = reach(with_n(records))
    if len(sizes) < 2:
        return []
    text = ", ".join(f"N = {n}: {lag}" for n, lag in zip(sizes, longest, strict=True))
    return [
        Finding(
            "the longest lag grows with N",
            text,
            bool(np.all(np.diff(longest) >= 0) and longest[-1] > longest[0]),
        ),
        Finding(
            "it stays below the memory capacity N",
            f"{min(x / n for n, x in zip(sizes, longest, strict=True)):.2f} to "
            f"{max(x / n for n, x in zip(sizes, longest, strict=True)):.2f} N",
            bool(all(x <= n for n, x in zip(sizes, longest, strict=True))),
        ),
    ]
