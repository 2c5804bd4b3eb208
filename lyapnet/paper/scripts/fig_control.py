"""Section 7: penalties on the spectral radius or on single Jacobians, instead of flossing."""

from ..compare import COMMON, gain, quick
from ..draw import condition_looks, draw_arms
from ..harness import Records
from ..learning import learn
from ..style import legend_below, panels

TITLE = "Controls: penalties on one step instead of on exponents"
CLAIMS = """
Regularising the spectral radius of the recurrent weights, or single Jacobians, does not give the
improvement that flossing gives.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks. The penalties act throughout training, without flossing:
c (rho(W) - 1)^2, and c <(|D v|^2 - 1)^2> over all steps, each with a random unit vector v. The
strengths c are ours; the paper says neither what it penalised nor how strongly. Without a penalty
and with flossing: the runs of figure 4.
"""

CONDITIONS = ("none", "before", "during")
STRENGTHS = {"spectral_radius": (1.0, 10.0), "jacobian_norm": (1.0, 100.0)}
LABELS = {"spectral_radius": "radius", "jacobian_norm": "Jacobian"}
PENALTIES = [f"{LABELS[name]}, c = {c:g}" for name, each in STRENGTHS.items() for c in each]
LAGS, NETWORKS = (60, 70), 5
run = learn


def points(scale):
    if scale == "quick":
        base = [
            quick(task="temporal", lag=lag, condition=c, network=i)
            for i in range(3)
            for lag in (24, 36)
            for c in CONDITIONS
        ]
    else:
        base = [
            dict(task="temporal", lag=lag, condition=c, network=i)
            for i in range(NETWORKS)
            for lag in LAGS
            for c in CONDITIONS
        ]
    penalised = [
        {**point, "penalty": name, "strength": strength}
        for point in base
        if point["condition"] == "none"
        for name, strengths in STRENGTHS.items()
        for strength in strengths
    ]
    return sorted(base + penalised, key=lambda point: point["network"])


def with_arm(records):
    """Write down what a run was given, under one name, and leave out what that was made of."""

    def name(r):
        penalty = r.get("penalty")
        return r["condition"] if penalty is None else f"{LABELS[penalty]}, c = {r['strength']:g}"

    plain = dict(condition=None, penalty=None, strength=None)
    return Records({**r, "arm": name(r), **plain} for r in records)


def plot(records):
    lags = records.each("lag")
    records = with_arm(records)
    figure, axes = panels(len(lags), 2, squeeze=False)
    looks = condition_looks(CONDITIONS)
    for (above, below), lag in zip(axes.T, lags, strict=True):
        some = records.where(lag=lag)
        names = [*CONDITIONS, *PENALTIES]
        shown = {**looks, None: dict(color="0.3", label="penalty, no flossing")}
        for chosen, look in shown.items():
            arms = {
                arm: some.where(arm=arm if (arm if arm in looks else None) == chosen else "")
                for arm in names
            }
            draw_arms(above, below, arms, {**look, "fmt": "o"})
        above.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    named = with_arm(records)
    found = []
    for arm in PENALTIES:
        claim = (
            f"over all lags, more networks learn with flossing during training than with the {arm}"
        )
        found += gain(claim, named, "arm", arm, "during")
    return found
