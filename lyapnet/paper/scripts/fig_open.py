"""Beyond the paper: gates opened and flossed, at lags up to 0.9 N, and in larger networks."""

from ..compare import COMMON, gain, learned, most, no_loss, percent, quick
from ..draw import draw_learning
from ..harness import Records
from ..learning import learn
from ..style import COLOURS, legend_below, panels

TITLE = "Gates opened and flossed, at every lag up to 0.9 N"
CLAIMS = """
Beyond the paper: LSTM and GRU that begin with open gates and are flossed by the rule of figure
"rule" learn the temporal XOR at every lag up to 0.9 N, in networks of 32 and of 80 units. As they
are drawn, networks learn the short lags alone, and there opening and flossing does no harm.
"""
SETTINGS = f"""{COMMON}
Instead LSTM (dimension 2 N) and GRU with N of 32 and 80, ten networks, 5000 epochs, sequences of
100 steps or of three lags; LSTM of 80 units at a lag of 72, which came to 85 to 94 % so, 10 000
epochs in one cycle of step sizes, from 2.5e-4 up to 1e-3 and down to zero. Open gates as in
figure "gated": biases of 4 and -4. Flossed are 15/16 of N exponents.
"""

CELLS = ("gru", "lstm")
#: How gates begin, and how they are flossed.
ARMS = {"none": dict(condition="none"), "rule": dict(condition="rule", gates=4.0)}
LABELS = {"none": "as drawn", "rule": "open, adaptive"}
#: Lags of each size; 0.9 N is the last.
LAGS = {32: (10, 20, 28), 80: (40, 72)}
#: What LSTM need at their longest lag: smaller steps at first, and at the end.
GENTLY = {("lstm", 80, 72): {"learning_rate": 2.5e-4, "cycle": True, "epochs": 10_000}}
NETWORKS = 10
run = learn


def points(scale):
    if scale == "quick":
        small = dict(n=16, n_steps=60, epochs=2500, learning_rate=3e-3)
        return [quick(**{**p, **small}) for lag in (4, 14) for p in runs(0, "gru", lag)]
    return [
        {
            **point, "n": n, "n_steps": max(100, 3 * lag), "epochs": 5000,
            **GENTLY.get((cell, n, lag), {}),
        }
        for i in range(NETWORKS)
        for n, lags in LAGS.items()
        for lag in lags
        for cell in CELLS
        for point in runs(i, cell, lag)
    ]  # fmt: skip


def runs(i, cell, lag):
    """List what is done with a network."""
    base = dict(task="temporal", lag=lag, network=i, cell=cell)
    return [{**base, **arm} for arm in ARMS.values()]


def with_arm(records):
    """Leave out the gates, which the condition tells."""
    return Records({**r, "gates": None} for r in records)


def plot(records):
    columns = [(c, n) for n in records.each("n") for c in records.each("cell")] or [("gru", 32)]
    figure, axes = panels(len(columns), 2, squeeze=False, sharey="row")
    for (above, below), (cell, n) in zip(axes.T, columns, strict=True):
        some = records.where(cell=cell, n=n)
        groups = [(some.where(condition=c), dict(color=COLOURS[c], label=LABELS[c])) for c in ARMS]
        draw_learning(above, below, groups, "lag", "lag (steps)")
        above.set_title(f"{cell.upper()}, N = {n}", fontsize=8)
        if below is not axes[1, 0]:
            above.set_ylabel("")
            below.set_ylabel("")
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = with_arm(records)
    each = sorted({(r["n"], r["cell"], r["lag"]) for r in records})
    return [finding for n, cell, lag in each for finding in judged(records, n, cell, lag)]


def judged(records, n, cell, lag):
    """Judge networks of one size at one lag."""
    some = records.where(n=n, cell=cell, lag=lag)
    drawn, ours = (some.where(condition=c) for c in ARMS)
    name = f"{cell.upper()}, N = {n}, lag {lag}: opened and flossed"
    if not ours:
        return []
    found = most(f"{name}, most learn", learned(ours), percent(ours.values("accuracy")))
    if learned(drawn).any():
        return [found, *no_loss(f"{name} against as drawn", some, "condition", *ARMS)]
    return [found, *gain(f"{name}, more learn than as drawn", some, "condition", *ARMS)]
