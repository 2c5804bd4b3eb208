"""Beyond the paper: networks with gates, LSTM and GRU, flossed as drawn and with open gates."""

from ..compare import COMMON, gain, matched, most, percent, quick
from ..draw import draw_arms
from ..harness import Records
from ..learning import learn
from ..style import COLOURS, legend_below, panels

TITLE = "Flossing networks with gates"
CLAIMS = """
Beyond the paper, which flosses LSTM networks but does not train them. Flossed as they are drawn,
networks with gates hold their state and ignore the input (figure "gates"). Opened first, and then
flossed, GRU and LSTM learn the temporal XOR at lags near the number of units, which they do not
learn as drawn, nor with chrono or uniform gates. On the task that gates are made for, to hold a
bit, open gates do worse.
"""
SETTINGS = f"""{COMMON}
Instead: N = 32 units with LSTM (dimension 64) or GRU, 5000 epochs of sequences of 100 steps, five
networks, 30 exponents flossed for 150 epochs before training and 150 before epoch 500; or
adaptively, by the rule of figure "rule". Open means biases of 4 for a GRU's reset and -4 for its
update gate, 4 for an LSTM's input and output gates and -4 for its forget gate. Chrono gates hold
for times up to the lag (Tallec and Ollivier, 2018), uniform ones have all openings (Gu et al.,
2020). Hold: a marked bit of a stream has to be held for at least the lag, until the next one is
marked. Older runs, as drawn, of 10 000 epochs: three networks of each cell at lags of 10, 20 and
30, not flossed or flossed for 500 epochs before training.
"""

CELLS = ("gru", "lstm")
#: How gates begin, and whether they are flossed.
ARMS = {
    "as drawn": {},
    "as drawn, flossed": {"condition": "during"},
    "open": {"gates": 4.0},
    "open, flossed": {"gates": 4.0, "condition": "during"},
    "open, adaptive": {"gates": 4.0, "condition": "relative"},
    "chrono": {"gates": "chrono"},
    "uniform": {"gates": "uniform"},
}
LAGS, NETWORKS = {"temporal": (28,), "hold": (28,)}, 5
TASKS = {"temporal": "temporal XOR", "hold": "hold"}
run = learn


def points(scale):
    quickly = scale == "quick"
    small = dict(n=16, n_steps=60, epochs=600, episode=60, learning_rate=3e-3)
    full = dict(n=32, n_steps=100, epochs=5000)
    lags = {"temporal": (12,), "hold": (12,)} if quickly else LAGS
    new = [
        point(task, lag, cell, arm, i, quickly, small if quickly else full)
        for i in range(2 if quickly else NETWORKS)
        for task, each in lags.items()
        for lag in each
        for cell in CELLS
        for arm in ARMS.values()
    ]
    return new if quickly else sorted(new + long_runs(), key=lambda made: made["network"])


def long_runs():
    """List those of 10 000 epochs, as drawn, three networks at shorter lags."""
    return [
        dict(task="temporal", lag=lag, condition=c, network=i, cell=cell, n=32, n_steps=100)
        for i in range(3)
        for cell in CELLS
        for lag in (10, 20, 30)
        for c in ("none", "before")
    ]


def point(task, lag, cell, arm, i, quickly, settings):
    made = {**dict(task=task, lag=lag, condition="none", network=i, cell=cell), **settings, **arm}
    if quickly:
        return quick(**made)
    return {**made, "episode": 150} if made["condition"] == "during" else made


def with_arm(records):
    """Write down how gates begin and whether they are flossed under one name."""
    names = {(arm.get("gates"), arm.get("condition", "none")): name for name, arm in ARMS.items()}
    plain = dict(gates=None, condition=None, episode=None, at=None)
    return Records(
        {**r, "arm": names[r.get("gates"), r["condition"]], **plain}
        for r in records
        if (r.get("gates"), r["condition"]) in names and "epochs" in r
    )


def plot(records):
    records = with_arm(records)
    shown = [(task, lag) for task in TASKS for lag in records.where(task=task).each("lag")]
    figure, axes = panels(len(shown), 2, squeeze=False)
    for (above, below), (task, lag) in zip(axes.T, shown, strict=True):
        some = records.where(task=task, lag=lag)
        for shift, cell, colour in zip((-0.12, 0.12), CELLS, ("none", "before"), strict=True):
            arms = {name: some.where(cell=cell, arm=name) for name in ARMS}
            look = dict(color=COLOURS[colour], label=cell.upper(), fmt="o")
            draw_arms(above, below, arms, look, shift)
        for ax in (above, below):
            ax.tick_params(axis="x", rotation=60)
        above.set_title(f"{TASKS[task]}, lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = harm(Records(r for r in records if "epochs" not in r and r["lag"] == 20))
    records = with_arm(records)
    for cell in CELLS:
        name = cell.upper()
        some = records.where(cell=cell, task="temporal")
        for low in ("as drawn", "as drawn, flossed", "open", "chrono", "uniform", "open, flossed"):
            claim = f"{name}, temporal XOR: more learn opened and flossed adaptively than {low}"
            found += gain(claim, some, "arm", low, "open, adaptive")
        some = records.where(cell=cell, task="hold")
        for high in ("as drawn", "chrono"):
            claim = f"{name}, hold: more learn {high} than opened and flossed adaptively"
            found += gain(claim, some, "arm", "open, adaptive", high)
    return found


def harm(records):
    """Judge what flossing does to networks as drawn, of both cells, in the long runs."""
    pairs = matched(records, "condition", ("none", "before"))
    if not pairs:
        return []
    none, before = (pairs.where(condition=c).values("accuracy") for c in ("none", "before"))
    claim = "as drawn, lag 20, 10 000 epochs: a network is less accurate when flossed before"
    text = f"{percent(before)} flossed, {percent(none)} not"
    return [most(claim, before < none, text)]
