"""Beyond the paper: numbers that its text leaves open, and that are ours, varied once."""

from ..compare import COMMON, gain, learned, quick
from ..draw import condition_looks, draw_arms
from ..fractions import EQUIVALENT, difference, is_same
from ..harness import Finding, Records
from ..learning import learn
from ..style import legend_below, panels

TITLE = "Numbers that are ours, varied once"
CLAIMS = """
That flossing during training does better than flossing before it alone does not hang on what we
chose where the paper is silent or where we differ from it.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR of lag 70, ten networks. One thing at a time is different: gradients of
flossing are not clipped; the loss is the mean of the squared exponents, as in the author's
example, instead of their sum, as in the paper; sequences have 200 steps; the second episode is
at epoch 250. The others: runs of figure 4.
"""

#: What is different, by its name, and which conditions it concerns.
CHOICES = {
    "as elsewhere": {},
    "not clipped": {"window": {"clip_norm": None}},
    "mean, not sum": {"window": {"reduction": "mean"}},
    "200 steps": {"n_steps": 200},
    "at epoch 250": {"at": [250]},
}
QUICK_CHOICES = {**CHOICES, "200 steps": {"n_steps": 80}, "at epoch 250": {"at": [50]}}
CONDITIONS = ("before", "during")
LAG, NETWORKS = 70, 10
#: Of the full data.
DIFFERING = {
    "200 steps: of networks": "of sequences of 200 steps fewer have targets, and lag 70 is beyond "
    "most networks",
}
run = learn


def points(scale):
    def point(i, condition, choice):
        what = dict(task="temporal", condition=condition, network=i, **choice)
        return quick(**what, lag=36, epochs=900) if quickly else {**what, "lag": LAG}

    quickly = scale == "quick"
    choices, networks = (QUICK_CHOICES, 4) if quickly else (CHOICES, NETWORKS)
    return [
        point(i, condition, choice)
        for i in range(networks)
        for choice in choices.values()
        for condition in CONDITIONS
        if condition == "during" or "at" not in choice
    ]


def named(records):
    """Write down which choice a run has made."""
    choices = [*CHOICES.items(), *QUICK_CHOICES.items()]

    def name(r):
        for name, changed in choices:
            if changed and all(r.get(key) == x for key, x in changed.items()):
                return name
        return "as elsewhere"

    return Records({**r, "choice": name(r)} for r in records)


def plot(records):
    records = named(records)
    names = [name for name in CHOICES if records.where(choice=name)]
    figure, axes = panels(2)
    looks = condition_looks(CONDITIONS)
    for shift, (condition, look) in zip((-0.12, 0.12), looks.items(), strict=True):
        some = records.where(condition=condition)
        arms = {name: some.where(choice=name) for name in names}
        draw_arms(*axes, arms, {**look, "fmt": "o"}, shift)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = named(records)
    found = []
    for name in CHOICES:
        some = records.where(choice=name)
        before = some.where(condition="before")
        if name == "at epoch 250":  # when the second episode is does not concern them
            before = records.where(choice="as elsewhere", condition="before")
        pairs = Records([*before, *some.where(condition="during")])
        claim = f"{name}: more networks learn flossed during training than before alone"
        found += gain(claim, pairs, "condition", *CONDITIONS)
    during = records.where(condition="during")
    usual = learned(during.where(choice="as elsewhere"))
    for name in list(CHOICES)[1:]:
        other = learned(during.where(choice=name))
        if len(usual) and len(other):
            found.append(
                Finding(
                    f"{name}: of networks flossed during training as many learn, but for "
                    f"{100 * EQUIVALENT:.0f} %",
                    f"{other.sum()} of {len(other)}, elsewhere {usual.sum()} of {len(usual)}",
                    is_same(difference([(usual, other)])),
                )
            )
    return found
