"""Beyond the paper: networks with gates, LSTM and GRU, flossed as drawn and with open gates."""

from ..compare import COMMON, gain, learned, matched, most, no_loss, percent, quick
from ..draw import draw_arms
from ..harness import Records
from ..learning import learn
from ..style import COLOURS, legend_below, panels

TITLE = "Flossing networks with gates"
CLAIMS = """
Beyond the paper, which flosses LSTM networks but does not train them. Flossed as they are drawn,
networks with gates hold their state and ignore the input (figure "gates"). Opened first, and then
flossed adaptively, GRU and LSTM learn the temporal XOR at lags near the number of units, which they
do not learn as drawn, nor with chrono gates. On the task that gates are made for, to hold a bit,
no fewer LSTM learn, and hardly fewer GRU: the same start serves both.
"""
SETTINGS = f"""{COMMON}
Instead LSTM (dimension 2 N) or GRU, ten networks. N = 32: 5000 epochs of sequences of 100 steps,
30 exponents flossed for 150 epochs before training and 150 before epoch 500; or adaptively, before
training and each time again as long as it helps. N = 16: 2500 epochs of sequences of 60 steps, Adam
at 3e-3, 15 exponents, adaptively by the rule of figure "rule". Open means biases of 4 for a GRU's
reset and -4 for its update gate, 4 for an LSTM's input and output gates and -4 for its forget gate.
Chrono gates hold for times up to the lag (Tallec and Ollivier, 2018). Hold: a marked bit of a
stream has to be held for at least the lag, until the next one is marked. Older runs, as drawn, of
10 000 epochs: three networks of each cell at lags of 10, 20 and 30, not flossed or flossed for 500
epochs before training.
"""

CELLS = ("gru", "lstm")
#: How gates begin, and whether they are flossed.
ARMS = {
    "as drawn": {},
    "as drawn, flossed": {"condition": "during"},
    "open, flossed": {"gates": 4.0, "condition": "during"},
    "open, adaptive": {"gates": 4.0, "condition": "relative"},
    "chrono": {"gates": "chrono"},
}
#: What is run in both tasks, and of small networks.
BOTH = ("as drawn", "open, adaptive")
RULE = {"gates": 4.0, "condition": "rule"}
NETWORKS = 10
TASKS = {"temporal": "temporal XOR", "hold": "hold"}
LARGE = dict(n=32, n_steps=100, epochs=5000)
SMALL = dict(n=16, n_steps=60, epochs=2500, learning_rate=3e-3)
#: Of small networks; those of 32 units have lags of 28.
LAGS = {"temporal": (14,), "hold": (14,)}
run = learn


def points(scale):
    if scale == "quick":
        short = {**SMALL, "epochs": 600, "episode": 60}
        return [
            quick(**{**point, **short})
            for i in range(2)
            for cell in CELLS
            for point in runs(i, cell, "temporal", 12, ARMS)
        ]
    made = long_runs()
    for i in range(NETWORKS):
        for cell in CELLS:
            for task, lags in LAGS.items():
                arms = ARMS if task == "temporal" else BOTH
                made += [{**p, **LARGE} for p in runs(i, cell, task, 28, arms)]
                rule = {"as drawn": {}, "open, adaptive": RULE}
                made += [{**p, **SMALL} for x in lags for p in runs(i, cell, task, x, rule, rule)]
    return sorted(made, key=lambda point: point["network"])


def runs(i, cell, task, lag, names, arms=ARMS):
    """List what is done with a network, under the names of some arms."""
    base = dict(task=task, lag=lag, condition="none", network=i, cell=cell)
    made = [{**base, **arms[name]} for name in names]
    return [{**p, "episode": 150} if p["condition"] == "during" else p for p in made]


def long_runs():
    """List those of 10 000 epochs, as drawn, three networks at shorter lags."""
    return [
        dict(task="temporal", lag=lag, condition=c, network=i, cell=cell, n=32, n_steps=100)
        for i in range(3)
        for cell in CELLS
        for lag in (10, 20, 30)
        for c in ("none", "before")
    ]


def with_arm(records):
    """Write down how gates begin and whether they are flossed under one name."""
    arms = {**ARMS, "open, adaptive by the rule": RULE}
    names = {
        (arm.get("gates"), arm.get("condition", "none")): name.replace(" by the rule", "")
        for name, arm in arms.items()
    }
    plain = dict(gates=None, condition=None, episode=None, at=None)
    return Records(
        {**r, "arm": names[r.get("gates"), r["condition"]], **plain}
        for r in records
        if (r.get("gates"), r["condition"]) in names and "epochs" in r
    )


def plot(records):
    records = with_arm(records)
    shown = [
        (task, n, lag)
        for task in TASKS
        for n in records.each("n")[::-1]
        for lag in records.where(task=task, n=n).each("lag")
    ] or [("temporal", 32, 28)]
    figure, axes = panels(len(shown), 2, squeeze=False, sharey="row")
    for (above, below), (task, n, lag) in zip(axes.T, shown, strict=True):
        some = records.where(task=task, n=n, lag=lag)
        names = [name for name in ARMS if some.where(arm=name)]
        for shift, cell, colour in zip((-0.12, 0.12), CELLS, ("none", "before"), strict=True):
            arms = {name: some.where(cell=cell, arm=name) for name in names}
            look = dict(color=COLOURS[colour], label=cell.upper(), fmt="o")
            draw_arms(above, below, arms, look, shift)
        for ax in (above, below):
            ax.tick_params(axis="x", rotation=90)
            ax.set_xlim(-0.5, max(len(names), 1) - 0.5)
        above.set_xticklabels([])
        above.set_title(f"{TASKS[task]}\nN = {n}, lag {lag}", fontsize=7)
        if below is not axes[1, 0]:
            above.set_ylabel("")
            below.set_ylabel("")
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = harm(Records(r for r in records if "epochs" not in r and r["lag"] == 20))
    records = with_arm(records)
    for cell in CELLS:
        large, small = (records.where(cell=cell, n=n) for n in (32, 16))
        name = f"{cell.upper()}, temporal XOR"
        for low in ("as drawn", "as drawn, flossed", "chrono", "open, flossed"):
            claim = f"{name}, N = 32, lag 28: more learn opened and flossed adaptively than {low}"
            found += gain(claim, large.where(task="temporal"), "arm", low, "open, adaptive")
        claim = f"{name}, N = 16, lag 14: more learn opened and flossed by the rule than as drawn"
        found += gain(claim, small.where(task="temporal"), "arm", *BOTH)
        for some, n, lag in ((large, 32, 28), (small, 16, 14)):
            claim = f"{cell.upper()}, hold, N = {n}, lag {lag}: opened and flossed adaptively"
            ours = some.where(task="hold", arm="open, adaptive")
            if ours:
                text = percent(ours.values("accuracy"))
                found.append(most(f"{claim}, most learn", learned(ours), text))
            claim = f"{claim} against as drawn"
            found += no_loss(claim, some.where(task="hold"), "arm", *BOTH)
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
