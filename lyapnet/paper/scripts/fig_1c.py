"""Fig. 1C: flossing brings the squares of one, several or all exponents to zero."""

import numpy as np

from ... import Adam, VanillaRNN, floss, lyapunov_spectrum
from ..compare import most
from ..harness import spread
from ..style import PALETTE, bands, legend_below, panels

TITLE = "Squared exponents during flossing"
CLAIMS = """
The mean square of 1, 16 or all 32 flossed exponents falls towards zero over the epochs.
"""
SETTINGS = """
N = 32 tanh units, ten networks, normal inputs and input weights, one window (B = 1) of 56 steps
per epoch, of which 40 are averaged. The paper leaves open the gain, here 1, the window, the number
of epochs, here 2000, and the learning rate of Adam, here 0.003. Gradients are clipped at 1 in each
parameter, and in a second run of each network not at all, as in the paper.
"""

N = 32
DIRECTIONS = (1, 16, 32)
BLOCK = 10


def floss_exponents(k, network, *, epochs=2000, clip_norm=None, rng):
    cell = VanillaRNN.random(N, rng=np.random.default_rng(network))
    window = dict(n_steps=40, transient=10, basis_transient=6)
    r = floss(cell, epochs, k=k, optimizer=Adam(0.003), clip_norm=clip_norm, rng=rng, **window)
    inputs = rng.standard_normal((5200, 1))
    found = {"squares": (r.exponents**2).mean(axis=1).reshape(-1, BLOCK).mean(axis=1)}
    for name, one in (("before", cell), ("after", r.cell)):
        s = lyapunov_spectrum(
            one, inputs=inputs, transient=100, basis_transient=100, record=False, rng=rng
        )
        found[name] = s.exponents
    return found


run = floss_exponents


def points(scale):
    if scale == "quick":
        some = dict(epochs=1000, clip_norm=1.0)
        return [dict(k=k, network=i, **some) for k in DIRECTIONS for i in range(3)]
    return [
        dict(k=k, network=i, clip_norm=clip)
        for clip in (1.0, None)
        for k in DIRECTIONS
        for i in range(10)
    ]


def plot(records):
    figure, ax = panels()
    for k, colour in zip(DIRECTIONS, PALETTE, strict=False):
        curves = records.where(k=k, clip_norm=1.0).values("squares")
        x = BLOCK * (np.arange(curves.shape[1]) + 0.5)
        bands(ax, x, curves, color=colour, label=f"k = {k}")
        free = records.where(k=k, clip_norm=None)
        if free:
            middle = np.median(free.values("squares"), axis=0)
            ax.plot(x, middle, ":", color=colour)
    if records.where(clip_norm=None):
        ax.plot([], [], ":", color="0.3", label="not clipped")
    ax.set(xlabel="flossing epoch", ylabel=r"mean $\lambda_i^2$, $i \leq k$", yscale="log")
    legend_below(figure, ax, ncols=2)
    return figure


def findings(records):
    found = []
    for clip in records.each("clip_norm"):
        for k in DIRECTIONS:
            some = records.where(k=k, clip_norm=clip)
            first = (some.values("before")[:, :k] ** 2).mean(axis=1)
            last = some.values("squares")[:, -10:].mean(axis=1)
            claim = (
                f"mean square of {k} exponents falls towards zero, "
                f"{'not clipped' if clip is None else 'clipped'}: below 0.01 in the last 100 epochs"
            )
            text = f"from {spread(first, '.2g')} to {spread(last, '.2g')}"
            found.append(most(claim, (last < 0.01) & (first > 0.01), text))
    return found
