"""Fig. 2A: the condition number against time, before and after flossing."""

import numpy as np
from scipy.stats import t as student

from ... import (
    VanillaRNN,
    condition_by_dimension,
    condition_number,
    condition_reduction,
    floss,
    lyapunov_spectrum,
)
from ..fractions import FEWEST
from ..harness import Finding, spread
from ..style import COLOURS, bands, legend_below, panels

TITLE = "The condition number of the long-term Jacobian against time, before and after flossing"
CLAIMS = """
The logarithm of the condition number grows linearly in time, at the rate that the exponents give
(eq. 10). Flossing reduces it by a factor that grows exponentially in time, by as much as 30
orders of magnitude; measured with 256 bits.
"""
SETTINGS = """
N = 80 tanh units, ten networks, 75 directions of 75 flossed exponents, 300 steps of normal inputs,
256 bits, and three networks once more with 1024; bounds proved by ball arithmetic. The paper
leaves open N, k, gain (here 1), times and how long is flossed: here 500 epochs as for its figure 4.
Gradients of flossing are clipped at 1, which the paper does not. The exponents of the estimate are
those of 2000 other steps.
"""

SAMPLE_AT = 100  # time at which figure 2B looks


def condition_before_and_after(network, *, n=80, k=75, epochs=500, t=300, precision=256, rng):
    start = np.random.default_rng(network)
    cell = VanillaRNN.random(n, rng=start)
    window = dict(n_steps=39, transient=10, basis_transient=6, clip_norm=1.0)
    cells = {"before": cell, "after": floss(cell, epochs, k=k, rng=start, **window).cell}
    u, more = start.standard_normal((100 + t, 1)), start.standard_normal((2200, 1))
    times = np.arange(25, t + 1, 25)
    found, measured = {"times": times}, {}
    for name, one in cells.items():
        c = measured[name] = condition_number(
            one, t, k=k, times=times, inputs=u, transient=100,
            precision=precision, certify=True, rng=network,
        )  # fmt: skip
        s = lyapunov_spectrum(
            one, inputs=more, k=k, transient=100, basis_transient=100, record=False, rng=network
        )
        by_m = condition_by_dimension(c, s, t=SAMPLE_AT)
        found[name] = {
            "measured": c.log10_measured,
            "estimate": s.log10_condition_number(times, k),
            "window": c.log10_predicted,
            "enclosure": np.max(c.log10_upper - c.log10_lower),
            "slope": c.slope_measured,
            "by_m": by_m.log10_measured,
            "by_m_estimate": by_m.log10_estimate,
        }
    reduction = condition_reduction(measured["before"], measured["after"])
    found["reduction"] = reduction.log10_reduction
    found["slope"] = reduction.slope
    return found


run = condition_before_and_after


def points(scale):
    if scale == "quick":
        return [dict(network=i, n=32, k=30, epochs=300, t=100) for i in range(3)]
    beyond = [dict(network=i, precision=1024) for i in range(3)]
    return [dict(network=i) for i in range(10)] + beyond


def plot(records):
    records = records.where(precision=None)
    times = records[0]["times"]
    figure, axes = panels(2, height=2.6)
    names = {"before": ("none", "no flossing"), "after": ("before", "flossed")}
    for name, (condition, label) in names.items():
        colour = COLOURS[condition]
        measured = np.array([r[name]["measured"] for r in records])
        estimate = np.median([r[name]["estimate"] for r in records], axis=0)
        axes[0].plot(times, measured.T, color=colour, lw=0.4, alpha=0.4)
        axes[0].plot(times, estimate, color=colour, label=f"{label}: by the exponents, eq. 10")
        axes[0].plot(
            times, np.median(measured, axis=0), "o", color=colour, mfc="white", ms=4,
            label=f"{label}: measured, 256 bits",
        )  # fmt: skip
    axes[0].set(xlabel="time t (steps)", ylabel=r"$\log_{10}\,\kappa(T_t)$")
    bands(axes[1], times, records.values("reduction"), color="0.3")
    axes[1].set(xlabel="time t (steps)", ylabel=r"$\log_{10}$ of the reduction of $\kappa$")
    for ax in axes:
        ax.set(xlim=(0, None), ylim=(0, None))
    legend_below(figure, axes, ncols=2)
    return figure


def mean_interval(x):
    """Return the 95 % interval of a mean over networks, unbounded for fewer than five."""
    if len(x) < FEWEST:
        return -np.inf, np.inf
    half = student.ppf(0.975, len(x) - 1) * np.std(x, ddof=1) / np.sqrt(len(x))
    return np.mean(x) - half, np.mean(x) + half


def findings(records):
    beyond = [r for r in records if r.get("precision")]
    records = records.where(precision=None)
    times = np.array(records[0]["times"], dtype=float)
    found = []
    for name in ("before", "after"):
        some = [r[name] for r in records]
        found += [linear(name, some, times), *rates(name, some, times)]
    found += [*reduced(records, times), resolved(records)]
    return [*found, same_beyond(records, beyond)] if beyond else found


def linear(name, some, times):
    fit = [np.corrcoef(times, one["measured"])[0, 1] ** 2 for one in some]
    return Finding(
        f"{name} flossing log kappa is linear in time: R² of a line above 0.95",
        f"R² {spread(fit, '.4f')}",
        bool(np.min(fit) > 0.95),
    )


def rates(name, some, times):
    for source, text in (("estimate", "of another 2000 steps"), ("window", "of the window")):
        ratio = [one["slope"] / np.log(10) / np.polyfit(times, one[source], 1)[0] for one in some]
        limit = 0.15 if source == "estimate" else 0.05
        low, high = mean_interval(ratio)
        within = True if 1 - limit < low and high < 1 + limit else None
        beyond_it = high < 1 - limit or low > 1 + limit
        yield Finding(
            f"{name} flossing it grows at the rate that the exponents {text} give, to "
            f"within {100 * limit:.0f} %, in the mean of the networks",
            f"measured over estimated rate {spread(ratio, '.3f')}, mean "
            f"{np.mean(ratio):.3f} [{low:.3f}, {high:.3f}]",
            False if beyond_it else within,
        )


def reduced(records, times):
    gain, slope = records.values("reduction")[:, -1], records.values("slope")
    yield Finding(
        f"flossing gains at least 30 orders of magnitude after {times[-1]:.0f} steps",
        f"{spread(gain, '.1f')} orders of magnitude",
        bool(gain.min() >= 30),
    )
    yield Finding(
        "the reduction grows exponentially in time",
        f"by {spread(slope, '.2f')} nats per step",
        bool(slope.min() > 0),
    )


def resolved(records):
    width = max(r[name]["enclosure"] for r in records for name in ("before", "after"))
    return Finding(
        "256 bits resolve all values: each is proved to 1e-9 in its decimal log",
        f"widest interval {width:.1e}",
        bool(width < 1e-9),
    )


def same_beyond(records, beyond):
    off = max(
        np.max(np.abs(np.subtract(r[name]["measured"], one[name]["measured"])))
        for r in beyond
        for one in records.where(network=r["network"])
        for name in ("before", "after")
    )
    return Finding(
        "1024 bits give the same, to the five digits that are kept",
        f"largest difference of the decimal logs {off:.1e} in {len(beyond)} networks",
        bool(off < 0.011),
    )
