"""Fig. 1B: the first exponent is driven to a target."""

import numpy as np

from ... import Adam, VanillaRNN, floss, lyapunov_spectrum
from ..compare import most
from ..harness import Finding, spread
from ..style import PALETTE, bands, legend_below, panels

TITLE = "The first exponent driven to a target"
CLAIMS = """
Flossing drives the first exponent of random networks, whose gains lie between 0 and 1, to the
targets 0, -0.5 and -1 in less than 100 epochs. A positive target is not reached.
"""
SETTINGS = """
N = 32 tanh units, gain uniform in (0, 1), normal inputs and input weights, one window (B = 1) of
56 steps per epoch, of which 40 are averaged; gradients not clipped. The paper leaves open the
targets, the window and the learning rate of Adam: here 0.01, with 0.003 and 0.001 beside it.
"""

TARGETS = (-1.0, -0.5, 0.0, 0.3)
RATES = (0.01, 0.003, 0.001)
BLOCK = 5  # epochs per point of the curves


def floss_to_target(target, network, *, epochs=200, learning_rate=0.01, rng):
    start = np.random.default_rng(network)
    gain = start.random()
    r = floss(
        VanillaRNN.random(32, gain=gain, rng=start),
        epochs,
        k=1,
        target=target,
        n_steps=40,
        transient=10,
        basis_transient=6,
        optimizer=Adam(learning_rate),
        rng=rng,
    )
    inputs = rng.standard_normal((5100, 1))
    s = lyapunov_spectrum(r.cell, inputs=inputs, k=1, transient=100, record=False, rng=rng)
    return {
        "gain": gain,
        "curve": r.exponents[:, 0].reshape(-1, BLOCK).mean(axis=1),
        "after": s.exponents[0],
        "stderr": s.stderr[0],
    }


run = floss_to_target


def points(scale):
    networks = range(3 if scale == "quick" else 10)
    rates = RATES[:1] if scale == "quick" else RATES
    return [
        dict(target=target, network=i, learning_rate=rate, epochs=200 if target <= 0 else 1000)
        for rate in rates
        for target in TARGETS
        for i in networks
    ]


def plot(records):
    figure, axes = panels(2, sharey=True, width_ratios=[2, 1])
    for at, (target, colour) in enumerate(zip(TARGETS, PALETTE, strict=False)):
        some = records.where(target=target, learning_rate=RATES[0])
        curves = some.values("curve")[:, : 200 // BLOCK]
        x = BLOCK * (np.arange(curves.shape[1]) + 0.5)
        bands(axes[0], x, curves, color=colour, label=f"target {target:g}")
        axes[0].axhline(target, color=colour, lw=0.8, ls=":")
        ends = some.values("curve")[:, 0], some.values("after")
        where = [at - 0.25, at + 0.25]
        axes[1].plot(where, ends, "-", color=colour, lw=0.4, alpha=0.5)
        axes[1].plot(np.full(len(some), where[0]), ends[0], "o", color=colour, mfc="white", ms=3)
        axes[1].plot(np.full(len(some), where[1]), ends[1], "o", color=colour, ms=3)
        axes[1].plot([at - 0.4, at + 0.4], [target, target], ":", color=colour, lw=0.8)
    axes[0].set(xlabel="flossing epoch", ylabel=r"$\lambda_1$ of a window (nats per step)")
    axes[1].set(xlabel="target: first epochs, long run after")
    axes[1].set_xticks(range(len(TARGETS)), [f"{t:g}" for t in TARGETS])
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    found = []
    for rate in records.each("learning_rate")[::-1]:
        some = records.where(learning_rate=rate)
        for target in (t for t in TARGETS if t <= 0):
            # Means over epochs 81 to 100: those of single windows scatter by 0.1.
            curves = some.where(target=target).values("curve")
            off = np.abs(curves[:, 80 // BLOCK : 100 // BLOCK].mean(axis=1) - target)
            claim = f"target {target:g} reached within 100 epochs, learning rate {rate:g}: to 0.1"
            found.append(most(claim, off < 0.1, f"distance {spread(off, '.3f')}"))
        after = some.where(target=0.3).values("after")
        found.append(
            Finding(
                f"target 0.3 not reached in 1000 epochs, learning rate {rate:g}: the first "
                "exponent of a long run stays below 0.05 in all networks",
                f"first exponent {spread(after, '.3f')}",
                bool(after.max() < 0.05),
            )
        )
    return found
