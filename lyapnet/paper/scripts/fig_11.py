"""Fig. 11: singular values of dL/dW in a network that learns early and in one that learns late."""

import numpy as np

from ..compare import most
from ..draw import chance
from ..harness import spread
from ..learning import FINE, learn
from ..style import PALETTE, legend_below, panels
from . import fig_8, fig_9
from .fig_10 import LABELS, NAMES_OF_VALUES

TITLE = "Singular values of dL/dW in an early and in a late learner"
CLAIMS = """
The subordinate singular values of dL/dW grow before the accuracy leaves chance, in a network that
learns early and in one that learns late.
"""
SETTINGS = f"""
Of the runs of figure 8 with flossing episodes the one that leaves chance first and the one that
leaves it last; the numbers are of all that learn. {fig_8.SETTINGS.strip()}
"""

run = learn
points = fig_9.points


def plot(records):
    figure, axes = panels(2, 2, sharex="col")
    some = sorted(fig_9.learned(records), key=fig_9.left)
    for column, r in enumerate([some[0], some[-1]] if some else []):
        above, below = axes[:, column]
        x = FINE * (np.arange(len(r["fine_curve"])) + 0.5)
        for i, colour in enumerate(PALETTE[1:4]):
            above.plot(x, np.array(r["singular_values"])[:, i], color=colour, label=LABELS[i])
        below.plot(x, 100 * np.array(r["fine_curve"]), color="0.2")
        for ax in (above, below):
            ax.axvline(FINE * (fig_9.left(r) + 1), color="0.6", lw=0.8, ls=":", zorder=0)
        above.set(yscale="log", ylabel="singular value of dL/dW")
        above.set_title(f"network {r['network']} (dotted: leaves chance)", fontsize=8)
        chance(below, xlabel="training epoch")
        below.set_xlim(0, min(x[-1], 2.5 * FINE * fig_9.left(some[-1])))
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    some = fig_9.learned(records)
    found = []
    for i in (1, 2) if some else ():
        pairs = [fig_9.growth(r, np.array(r["singular_values"])[:, i]) for r in some]
        factors, epochs = np.transpose(pairs)
        claim = (
            f"since the last flossing the {NAMES_OF_VALUES[i]} singular value has grown, by half "
            "at least, when the accuracy leaves chance"
        )
        text = (
            f"by a factor of {spread(factors, '.2g')}, growing for {spread(epochs, '.0f')} epochs"
        )
        found.append(most(claim, factors > 1.5, text))
    return found
