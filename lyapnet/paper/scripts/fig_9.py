"""Fig. 9: the gradient across the lag grows before the accuracy leaves chance."""

import numpy as np

from ..compare import most
from ..draw import chance
from ..fractions import CHANCE, LEARNED
from ..harness import spread
from ..learning import FINE, learn
from ..style import COLOURS, panels
from . import fig_8

TITLE = "Growth of the gradient before the accuracy leaves chance"
CLAIMS = """
In networks that are flossed early in training, the norm of the gradient in the initial state grows
before the accuracy surpasses chance, sometimes hundreds of epochs before.
"""
SETTINGS = f"""
The runs with flossing episodes of figure 8. {fig_8.SETTINGS.strip()} Aligned here to the last ten
epochs with an accuracy below {100 * CHANCE:.0f} % (A) and to the first with a gradient more than
half way, in its logarithm, from the least after flossing to the end (B); networks that do not learn
are left out. The paper's thresholds are not known.
"""

run = learn


def points(scale):
    return [point for point in fig_8.points(scale) if point["condition"] == "episodes"]


def learned(records):
    """Return those that leave chance for good, and later learn."""
    return [r for r in records if r["fine_curve"][-1] > LEARNED and left(r) > 0]


def left(r):
    """Return the last block at chance."""
    return int(np.max(np.flatnonzero(np.array(r["fine_curve"]) < CHANCE), initial=-1))


def flossed(r):
    """Return the block that follows the last episode before the accuracy left chance."""
    return max([at // FINE for at in fig_8.episodes([r]) if at // FINE <= left(r)], default=0)


def half_way(x, start, low, high):
    """Return the first block after `start` in which x is above the middle of low and high."""
    above = np.flatnonzero(x[start:] > 0.5 * (low + high))
    return start + int(above[0]) if len(above) else len(x)


def growth(r, value):
    """Return by how much a value has grown when the accuracy leaves chance, and for how long."""
    last, start = left(r), flossed(r)
    lowest = start + int(np.argmin(value[start : last + 1]))
    return value[last] / value[lowest], FINE * (last - lowest)


def least(r):
    """Return the block with the least gradient between the last flossing and leaving chance."""
    return flossed(r) + int(np.argmin(r["fine_gradient"][flossed(r) : left(r) + 1]))


def middle_of_gradient(r):
    gradient = np.log(r["fine_gradient"])
    return half_way(gradient, least(r), gradient[least(r)], np.median(gradient[-10:]))


def middle_of_accuracy(r):
    curve = np.array(r["fine_curve"])
    return half_way(curve, flossed(r), 0.5, np.median(curve[-10:]))


def plot(records):
    figure, axes = panels(2)
    some = learned(records)
    for r, shade in zip(some, np.linspace(0.45, 1, len(some)), strict=True):
        look = dict(color=COLOURS["episodes"], alpha=shade, lw=0.9)
        x = FINE * np.arange(len(r["fine_curve"]))
        axes[0].plot(x - FINE * left(r), r["fine_gradient"], **look)
        axes[1].plot(x - FINE * middle_of_gradient(r), 100 * np.array(r["fine_curve"]), **look)
    reach = FINE * max([len(r["fine_curve"]) for r in some], default=100) / 4
    for ax in axes:
        ax.axvline(0, color="0.6", lw=0.8, ls=":", zorder=0)
        ax.set_xlim(-reach, reach)
    axes[0].set(yscale="log", ylabel=r"$|\partial L / \partial h_0|$")
    axes[0].set_xlabel(f"epochs since accuracy was below {100 * CHANCE:.0f} %")
    chance(axes[1], xlabel="epochs since gradient was half way")
    return figure


def findings(records):
    some = learned(records)
    if not some:
        return []
    factors, epochs = np.transpose([growth(r, np.array(r["fine_gradient"])) for r in some])
    halves = [FINE * (middle_of_accuracy(r) - middle_of_gradient(r)) for r in some]
    return [
        most(
            "since the last flossing the gradient has grown, by a factor of two at least, when the "
            "accuracy leaves chance",
            factors > 2,
            f"by a factor of {spread(factors, '.2g')}, growing for {spread(epochs, '.0f')} epochs",
        ),
        most(
            "the gradient is half way to its last level, in its logarithm, before the accuracy is",
            np.array(halves) > 0,
            f"by {spread(halves, '.0f')} epochs",
        ),
    ]
