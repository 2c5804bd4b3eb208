"""Fig. 2C: differences between networks of finite size, measured and estimated."""

import numpy as np

from ... import (
    VanillaRNN,
    compare_networks,
    condition_number,
    lyapunov_spectrum,
    mean_field_exponent,
)
from ..harness import Finding, spread
from ..style import PALETTE, legend_below, panels

TITLE = "Differences between networks of finite size"
CLAIMS = """
The estimate by exponents predicts how the condition numbers of networks that are drawn from one
distribution differ. Mean-field theory, which is exact for large networks, cannot.
"""
SETTINGS = """
Tanh networks of gain 1 and N = 20, 40 and 80 units, 30 of each; m = N / 2 directions over 200
steps. The estimate takes the exponents of 2000 other steps. The paper leaves all of these open.
Mean-field theory asks for many inputs of the same variance: 32 normal ones over sqrt(32).
"""

T, INPUTS = 200, 32


def compare_finite_networks(n, networks, *, rng):
    conditions, spectra = [], []
    for i in range(networks):
        start = np.random.default_rng([n, i])
        cell = VanillaRNN.random(n, n_inputs=INPUTS, rng=start)
        u = start.standard_normal((2200 + T, INPUTS)) / np.sqrt(INPUTS)
        conditions.append(
            condition_number(
                cell, T, k=n // 2, times=[T], inputs=u[: 100 + T], transient=100, rng=rng
            )
        )
        spectra.append(
            lyapunov_spectrum(
                cell, inputs=u[100 + T :], k=n // 2, transient=50, basis_transient=50, rng=rng
            )
        )
    c = compare_networks(conditions, spectra)
    return {
        "measured": c.log10_measured,
        "estimate": c.log10_estimate,
        "correlation": [c.correlation, c.correlation_low, c.correlation_high],
        "slope": [c.slope, c.slope_stderr],
        "residual": c.log10_residual,
        "spread": c.log10_spread,
        "first": [s.exponents[0] for s in spectra],
        "first_stderr": [s.stderr[0] for s in spectra],
    }


run = compare_finite_networks


def points(scale):
    if scale == "quick":
        return [dict(n=n, networks=10) for n in (20, 40)]
    return [dict(n=n, networks=30) for n in (20, 40, 80)]


def mean_field():
    """Return the exponent that mean-field theory gives all of the networks."""
    return mean_field_exponent(1.0, input_variance=1.0)


def plot(records):
    figure, axes = panels(2, height=2.6)
    every = np.concatenate([r[name] for r in records for name in ("measured", "estimate")])
    ends = [every.min(), every.max()]
    axes[0].plot(ends, ends, color="0.6", lw=0.8, zorder=0)
    for r, colour in zip(records, PALETTE, strict=False):
        axes[0].plot(r["estimate"], r["measured"], "o", ms=3, color=colour, label=f"N = {r['n']}")
        x = r["n"] * np.linspace(0.93, 1.07, r["networks"])
        axes[1].errorbar(x, r["first"], r["first_stderr"], fmt="o", ms=2.5, lw=0.8, color=colour)
    axes[0].set(
        xlabel=r"$\log_{10}\,\kappa$ estimated by exponents",
        ylabel=rf"$\log_{{10}}\,\kappa$ measured, t = {T}",
    )
    axes[1].axhline(mean_field(), color="0.3", ls="--", label="mean-field theory")
    sizes = [r["n"] for r in records]
    axes[1].set(xlabel="N (units)", ylabel=r"$\lambda_1$ (nats per step)")
    axes[1].set_xscale("log")
    axes[1].set_xticks(sizes, map(str, sizes))
    axes[1].minorticks_off()
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    found = []
    for r in records:
        c, low, high = r["correlation"]
        left = (r["residual"] / r["spread"]) ** 2
        found.append(
            Finding(
                f"N = {r['n']}: exponents of other steps predict the differences of log kappa "
                "between networks: correlation above 0.7, and less than half of the variance left",
                f"correlation {c:.3f} [{low:.3f}, {high:.3f}], slope {r['slope'][0]:.2f} ± "
                f"{r['slope'][1]:.2f}, spread {r['spread']:.2f} orders of magnitude, left "
                f"{r['residual']:.2f} ({100 * left:.0f} % of the variance; a theory that gives "
                "all networks the same leaves 100 %)",
                bool(c > 0.7 and left < 0.5),
            )
        )
        first, error = np.array(r["first"]), np.mean(r["first_stderr"])
        found.append(
            Finding(
                f"N = {r['n']}: the first exponents differ by more than their errors, where "
                "mean-field theory has one for all",
                f"first exponent {spread(first, '.3f')}, standard deviation "
                f"{first.std(ddof=1):.4f}, of one measurement {error:.4f}; mean field "
                f"{mean_field():.3f}",
                bool(first.std(ddof=1) > 2 * error),
            )
        )
    gaps = [abs(np.mean(r["first"]) - mean_field()) for r in records]
    found.append(
        Finding(
            "mean-field theory becomes right as N grows",
            "mean first exponent off by "
            + ", ".join(f"{g:.3f} (N = {r['n']})" for g, r in zip(gaps, records, strict=True)),
            bool(np.all(np.diff(gaps) < 0)),
        )
    )
    return found
