"""Section 7 and beyond: flossing against one-step isometry, at equal cost."""

from ..compare import COMMON, gain, horizon, quick
from ..draw import draw_learning
from ..harness import Finding, Records
from ..learning import learn
from ..style import PALETTE, legend_below, panels

TITLE = "Flossing or one-step isometry?"
CLAIMS = """
Section 7 says that regularising single Jacobians does not do what flossing does; penalised in every
epoch they did, at lags 60 and 70 of 80 units and 3.6 times the cost (figure "control"). We expect
the two to part where the cost is equal, where lags are longer, and where a network has to forget:
on a stream of distractors between items that must be held, a few exponents near zero are enough,
and isometry in all directions harms.
"""
SETTINGS = f"""{COMMON}
Instead: N = 32 units, 30 exponents, 3000 epochs of sequences of 100 steps, five networks. Binary
temporal XOR at a lag of 28, which is 0.9 N, and the task of figure "gated", to hold a bit among
distractors, at 28. Adaptive: by the rule of figure "rule", with 30 exponents, and with 4 for
holding. The Jacobian's penalty is that of figure "control": c = 100, the stronger one there, in
every epoch, or in the first 200 epochs alone, which costs about as much as adaptive flossing.
"""

LAGS = {"temporal": (28,), "hold": (28,)}
TASKS = {"temporal": "temporal XOR", "hold": "hold among distractors"}
ARMS = {
    "none": {"condition": "none"},
    "adaptive": {"condition": "rule"},
    "adaptive, k = 4": {"condition": "rule", "k": 4},
    "Jacobian, c = 100": {"condition": "none", "penalty": "jacobian_norm", "strength": 100.0},
    "Jacobian, early": {
        "condition": "none", "penalty": "jacobian_norm", "strength": 100.0, "until": 200,
    },
}  # fmt: skip
#: What else distinguishes an arm from the others.
NAMES = ("condition", "k", "penalty", "strength", "until")
NETWORKS = 5
SMALL = dict(n=32, n_steps=100, epochs=3000)
run = learn


def points(scale):
    quickly = scale == "quick"
    lags = {"temporal": (24,), "hold": (24,)} if quickly else LAGS
    early = {"until": 100} if quickly else {}
    more = {} if quickly else SMALL
    return [
        (quick if quickly else dict)(
            task=task, lag=lag, network=i, **{**arm, **(early if "until" in arm else {})}, **more
        )
        for i in range(2 if quickly else NETWORKS)
        for task, each in lags.items()
        for lag in each
        for name, arm in ARMS.items()
        if name not in WITHOUT[task]
    ]


#: What is not run in a task.
WITHOUT = {"temporal": ("adaptive, k = 4",), "hold": ("Jacobian, early",)}


def with_arm(records):
    """Write down the arm of a run, and leave out what that is made of."""

    def key(r):
        return tuple(bool(r.get(x)) if x == "until" else r.get(x) for x in NAMES)

    names = {key(arm): name for name, arm in ARMS.items()}
    return Records(
        {**r, "arm": names[key(r)], **dict.fromkeys(NAMES)} for r in records if key(r) in names
    )


def plot(records):
    records = with_arm(records)
    tasks = [task for task in TASKS if records.where(task=task)]
    figure, axes = panels(len(tasks), 2, squeeze=False)
    colours = dict(zip(ARMS, PALETTE, strict=False))
    for (above, below), task in zip(axes.T, tasks, strict=True):
        groups = [
            (records.where(task=task, arm=arm), dict(color=colours[arm], label=arm)) for arm in ARMS
        ]
        draw_learning(above, below, groups, "lag", "lag (steps)")
        above.set_title(TASKS[task], fontsize=8)
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    records = with_arm(records)
    found = []
    for task, name in TASKS.items():
        some = records.where(task=task)
        best = "adaptive" if task == "temporal" else "adaptive, k = 4"
        for arm in ARMS:
            if arm != best:
                claim = f"{name}, over all lags: more networks learn with {best} than with {arm}"
                found += gain(claim, some, "arm", arm, best)
    reach = {arm: horizon(records.where(task="temporal", arm=arm)) for arm in ARMS}
    if reach["adaptive"].value:
        text = ", ".join(f"{arm} {x}" for arm, x in reach.items() if x.value or x.high < 1e9)
        longest = max(x.low for arm, x in reach.items() if "Jacobian" in arm)
        shortest = reach["adaptive"]
        agrees = True if shortest.low > longest else False if shortest.high <= longest else None
        claim = "temporal XOR: flossing reaches longer lags than any of the penalties"
        found.append(Finding(claim, text, agrees))
    return found
