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
Temporal XOR is binary, at lags of 0.9 N: 28 with N = 32 units, 3000 epochs of sequences of 100
steps, five networks; 72 with N = 80, 216 steps, ten networks. At lags of 80 and 90 the two that
learn there are asked once more, in one cycle of step sizes as in figure "rule". To hold a bit among
distractors is the task of figure "gated", with 32 units, at 28. Adaptive: by the rule of figure
"rule", with 15/16 of N exponents, and with 4 for holding. The Jacobian's penalty is that of figure
"control": c = 100, the stronger one there, in every epoch, or in the first 200 alone, which costs
as much as adaptive flossing. Orthogonal: recurrent weights that are drawn so, and not flossed; the
others are Gaussian.
"""

TASKS = {"temporal": "temporal XOR", "hold": "hold among distractors"}
ARMS = {
    "none": {"condition": "none"},
    "adaptive": {"condition": "rule"},
    "adaptive, k = 4": {"condition": "rule", "k": 4},
    "Jacobian, c = 100": {"condition": "none", "penalty": "jacobian_norm", "strength": 100.0},
    "Jacobian, early": {
        "condition": "none", "penalty": "jacobian_norm", "strength": 100.0, "until": 200,
    },
    "orthogonal": {"condition": "none", "init": "orthogonal"},
}  # fmt: skip
#: What else distinguishes an arm from the others.
NAMES = ("condition", "k", "penalty", "strength", "until", "init")
SMALL = dict(lag=28, n=32, n_steps=100, epochs=3000)
LARGE = dict(lag=72, n=80, n_steps=216, epochs=10_000)
FARTHER = dict(lag=80, n=80, n_steps=240, epochs=10_000, learning_rate=5e-4, cycle=True)
FARTHEST = {**FARTHER, "lag": 90, "n_steps": 270}
ALWAYS = ("none", "adaptive", "Jacobian, c = 100")
#: Tasks, sizes, the arms of each, and how many networks.
ROWS = (
    ("temporal", SMALL, (*ALWAYS, "Jacobian, early"), 5),
    ("hold", SMALL, (*ALWAYS, "adaptive, k = 4"), 5),
    ("temporal", LARGE, (*ALWAYS, "Jacobian, early", "orthogonal"), 10),
    ("temporal", FARTHER, ALWAYS[1:], 10),
    ("temporal", FARTHEST, ALWAYS[1:], 10),
)
run = learn


def points(scale):
    if scale == "quick":
        rows = [(quick, task, dict(lag=24), arms, 2) for task, _, arms, _ in ROWS[:2]]
    else:
        rows = [(dict, *row) for row in ROWS]
    return [
        point(task=task, network=i, **_arm(name, scale), **size)
        for i in range(max(row[-1] for row in rows))
        for point, task, size, arms, networks in rows
        for name in arms
        if i < networks
    ]


def _arm(name, scale):
    """Return what an arm is made of; an early penalty ends with a sixth of the quick training."""
    arm = ARMS[name]
    return {**arm, "until": 100} if scale == "quick" and "until" in arm else arm


def with_arm(records):
    """Write down the arm of a run, and leave out what that is made of."""

    def key(r):
        return tuple(bool(r.get(x)) if x == "until" else r.get(x) for x in NAMES)

    names = {key(arm): name for name, arm in ARMS.items()}
    return Records(
        {**r, "arm": names[key(r)], **dict.fromkeys(NAMES)} for r in records if key(r) in names
    )


def in_rows(records):
    """Return the runs of each task, size and lag, under their names."""
    records = with_arm(records)
    rows = {
        f"{TASKS[task]}, N = {n}, lag {lag}": records.where(task=task, n=n, lag=lag)
        for task in TASKS
        for n in records.each("n")
        for lag in records.each("lag")
    }
    return {name: some for name, some in rows.items() if some}


def plot(records):
    rows = in_rows(records)
    figure, axes = panels(2, len(rows), squeeze=False)
    for row, (name, some) in zip(axes, rows.items(), strict=True):
        arms = {arm: some.where(arm=arm) for arm in ARMS if some.where(arm=arm)}
        draw_arms(*row, arms, dict(color=PALETTE[0], fmt="o"))
        row[0].set_title(name, fontsize=8)
    return figure


def findings(records):
    found = []
    for name, some in in_rows(records).items():
        best = "adaptive, k = 4" if some[0]["task"] == "hold" else "adaptive"
        for arm in ARMS:
            if arm != best:
                claim = f"{name}: more networks learn with {best} than with {arm}"
                found += gain(claim, some, "arm", arm, best)
    return found
