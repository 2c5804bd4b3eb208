"""Section 7 and beyond: flossing against one-step isometry, at equal cost."""

from ..compare import COMMON, gain, quick
from ..draw import draw_arms
from ..harness import Records
from ..learning import learn
from ..style import PALETTE, panels

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
every epoch, or in the first 200 epochs alone, which costs 0.5 s, as much as adaptive flossing.
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
    figure, axes = panels(2, len(tasks), squeeze=False)
    for row, task in zip(axes, tasks, strict=True):
        some = records.where(task=task)
        arms = {arm: some.where(arm=arm) for arm in ARMS if arm not in WITHOUT[task]}
        draw_arms(*row, arms, dict(color=PALETTE[0], fmt="o"))
        row[0].set_title(f"{TASKS[task]}, lag {some[0]['lag']}", fontsize=8)
    return figure


def findings(records):
    records = with_arm(records)
    found = []
    for task, name in TASKS.items():
        some = records.where(task=task)
        best = "adaptive" if task == "temporal" else "adaptive, k = 4"
        for arm in ARMS:
            if arm != best:
                claim = f"{name}: more networks learn with {best} than with {arm}"
                found += gain(claim, some, "arm", arm, best)
    return found
