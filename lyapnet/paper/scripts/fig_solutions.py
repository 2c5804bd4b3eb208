"""Beyond the paper: what trained networks have in common, over lags and seeds."""

import numpy as np

from ..compare import most
from ..dissect import dissect
from ..fractions import FEWEST, LEARNED
from ..harness import Finding, Records, spread
from ..style import COLOURS, legend_below, panels
from . import fig_overlap

TITLE = "Exponents, attractor and solution: trained networks over their lags"
CLAIMS = """
The paper's summary asks how exponents and the space of solutions belong together. One expects that
the longer the lag, the closer to zero are a trained network's exponents, and the more dimensions
has its attractor; that training changes weights along few directions; and that flossing is a way
to solutions of the same kind, not to others.
"""
SETTINGS = f"""
The runs of figure "overlap". {fig_overlap.SETTINGS.strip()} Here networks that have learned:
the dimension is the participation ratio of the covariance of the rates over 120 steps, the rank
that of Roy and Vetterli (2007) of the change of W from epoch 200 on, the first exponent that over
280 steps under the task's input; the dimension by Kaplan and Yorke is zero where no exponent is
positive.
"""

#: Of the full data.
DIFFERING = {
    "the dimension of their attractor": "the longer the lag, the fewer directions hold most of the "
    "variance, though more exponents are near zero",
    "training changes W": "the update has two thirds of the full rank, flossed or not",
}
CONDITIONS = {"none": "no flossing", "before": "flossed before"}
SHOWN = {
    "first": r"$\lambda_1$ (nats per step)",
    "dimension": "dimension of the attractor",
    "update_rank": "effective rank of the update",
}
run = dissect


def points(scale):
    return [p for p in fig_overlap.points(scale) if "k" not in p]


def solved(records):
    """Keep the networks that have learned, with their first exponent."""
    return Records({**r, "first": r["exponents"][0]} for r in records if r["accuracy"] > LEARNED)


def plot(records):
    figure, axes = panels(3)
    some = solved(records)
    for ax, (name, label) in zip(axes, SHOWN.items(), strict=True):
        for shift, (condition, text) in zip((-0.4, 0.4), CONDITIONS.items(), strict=True):
            here = some.where(condition=condition)
            if not here:
                continue
            lag, y, colour = here.values("lag"), here.values(name), COLOURS[condition]
            ax.plot(lag + shift, y, "o", ms=3.5, mew=0, alpha=0.6, color=colour, label=text)
            lags = np.unique(lag)
            ax.plot(lags + shift, [np.median(y[lag == x]) for x in lags], color=colour)
        ax.set(xlabel="lag (steps)", ylabel=label)
    axes[0].axhline(0, color="0.6", lw=0.8, ls=":")
    axes[1].set_ylim(bottom=0)
    axes[2].axhline(32, color="0.6", lw=0.8, ls=":")
    axes[2].set_ylim(0, 33)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    some = solved(records)
    found = []
    for name, what in (
        ("first", "the first exponent of networks that have learned"),
        ("dimension", "the dimension of their attractor"),
    ):
        value = slope(some, name)
        if value is not None:
            claim = f"{what} grows with the lag"
            agrees = True if value[1] > 0 else False if value[2] < 0 else None
            text = "{:+.3f} [{:+.3f}, {:+.3f}] per step of the lag".format(*value)
            found.append(Finding(claim, f"{text}, {len(some)} networks", agrees))
    if some:
        rank = some.values("update_rank")
        units = np.array([r.get("n", 32) for r in some])
        claim = "training changes W along few directions: effective rank below a quarter of N"
        found.append(most(claim, rank < units / 4, spread(rank, ".1f")))
        dims = some.values("kaplan_yorke")
        claim = "trained networks are not chaotic: no positive exponent"
        found.append(most(claim, some.values("first") <= 0, f"dimensions {spread(dims, '.1f')}"))
    pairs = both(some)
    if pairs is not None and len(pairs) >= FEWEST:
        claim = "flossed or not, the first exponent ends at the same value, to 0.05"
        mean, error = pairs.mean(), 2.0 * pairs.std(ddof=1) / np.sqrt(len(pairs))
        inside, outside = abs(mean) + error < 0.05, abs(mean) - error > 0.05
        text = f"{mean:+.3f} ± {error:.3f} flossed, {len(pairs)} pairs of networks"
        found.append(Finding(claim, text, True if inside else False if outside else None))
    return found


def slope(records, name):
    """Return the slope of a value in the lag, and its interval, with a mean for each condition."""
    if len(records.each("network")) < FEWEST or len(records.each("lag")) < 3:
        return None
    lag, y = records.values("lag"), records.values(name)
    flossed = np.array([r["condition"] == "before" for r in records], dtype=float)
    basis = np.stack([lag, flossed, np.ones_like(lag)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, y)
    rest = y - basis @ fit
    # Sandwich: the scatter differs from lag to lag.
    bread = np.linalg.pinv(basis.T @ basis)
    error = np.sqrt((bread @ (basis.T * rest**2) @ basis @ bread)[0, 0])
    return fit[0], fit[0] - 2 * error, fit[0] + 2 * error


def both(some):
    """Return by how much the first exponent is larger flossed, of networks that learn both ways."""
    at = {(r["lag"], r["network"], r["condition"]): r["first"] for r in some}
    pairs = [
        x - at[lag, network, "none"]
        for (lag, network, condition), x in at.items()
        if condition == "before" and (lag, network, "none") in at
    ]
    return np.array(pairs) if pairs else None
