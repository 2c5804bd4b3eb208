"""Beyond the paper: networks with gates, LSTM and GRU, on the temporal XOR."""

from ..compare import COMMON, accuracy_against, chance, gain, learning_curves, quick
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels

TITLE = "Preflossing networks with gates"
CLAIMS = """
Beyond the paper, which flosses LSTM networks but does not train them: we expected flossing before
training to help LSTM and GRU networks to learn the temporal XOR as it helps vanilla ones.
"""
SETTINGS = f"""{COMMON}
Instead: N = 32 units with LSTM (dimension 64) or GRU, three networks, 30 exponents flossed before
training, lags of 10, 20 and 30 steps in sequences of 100.
"""

CELLS = ("lstm", "gru")
CONDITIONS = ("none", "before")
LAGS = (10, 20, 30)
#: Of the full data.
DIFFERING = {
    f"{cell.upper()}, mean over all lags": "on the contrary, at a lag of 20 steps all learn less "
    "when they are flossed"
    for cell in CELLS
}
run = learn


def points(scale):
    if scale == "quick":
        small = dict(n=24, n_steps=60, epochs=800)
        return [
            quick(task="temporal", lag=lag, condition=c, network=i, cell=cell, **small)
            for i in range(2)
            for cell in CELLS
            for lag in (8, 12, 16)
            for c in CONDITIONS
        ]
    return [
        dict(task="temporal", lag=lag, condition=c, network=i, cell=cell, n=32, n_steps=100)
        for i in range(3)
        for cell in CELLS
        for lag in LAGS
        for c in CONDITIONS
    ]


def plot(records):
    figure, axes = panels(2, 2)
    for column, cell in enumerate(CELLS):
        above, below = axes[:, column]
        lags = records.each("lag")
        shown = lags[len(lags) // 2]
        for c in CONDITIONS:
            some = records.where(cell=cell, condition=c)
            look = dict(color=COLOURS[c], label=NAMES[c])
            learning_curves(above, some.where(lag=shown), **look)
            accuracy_against(below, some, "lag", **look)
        chance(above, xlabel="training epoch")
        above.set_title(f"{cell.upper()}, lag {shown} steps", fontsize=8)
        chance(below, xlabel="lag (steps)")
        below.set_title(cell.upper(), fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = []
    for cell in CELLS:
        some = records.where(cell=cell)
        claim = f"{cell.upper()}, mean over all lags: before above none"
        found += gain(claim, some, "condition", *CONDITIONS)
    return found
