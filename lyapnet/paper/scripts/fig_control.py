"""Section 7: penalties on the spectral radius or on single Jacobians, instead of flossing."""

from ..compare import (
    COMMON,
    accuracy_against,
    chance,
    differences,
    learning_curves,
    matched,
    percent,
    quick,
)
from ..harness import Finding, Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels

TITLE = "Controls: penalties on one step instead of on exponents"
CLAIMS = """
Regularising the spectral radius of the recurrent weights, or single Jacobians, does not give the
improvement that flossing gives.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, four networks. The penalties act throughout training, without flossing:
c (rho(W) - 1)^2, and c <(|D v|^2 - 1)^2> over all steps, each with a random unit vector v. The
strengths c are ours; the paper says neither what it penalised nor how strongly. Without a penalty
and with flossing: the runs of figure 4.
"""

CONDITIONS = ("none", "before", "during")
STRENGTHS = {"spectral_radius": (1.0, 10.0), "jacobian_norm": (1.0, 100.0)}
LABELS = {"spectral_radius": "spectral radius", "jacobian_norm": "Jacobian norm"}
PENALTY_COLOURS = {"spectral_radius": "0.25", "jacobian_norm": "#56B4E9"}
STYLES = ("-", "--")
LAGS, NETWORKS = (60, 70), 4
#: Of the full data.
DIFFERING = {
    f"lag {lag}: the Jacobian norm": "penalised strongly enough, in every epoch, the gain of "
    "single steps does what flossing does; the paper does not say how it penalised it"
    for lag in LAGS
}
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


def groups(records):
    """Yield the runs of each condition and of each penalty, with how they look."""
    for c in CONDITIONS:
        yield records.where(condition=c, penalty=None), dict(color=COLOURS[c], label=NAMES[c])
    for name in STRENGTHS:
        some = records.where(penalty=name)
        for strength, style in zip(some.each("strength"), STYLES, strict=False):
            label = f"{LABELS[name]}, c = {strength:g}"
            look = dict(color=PENALTY_COLOURS[name], ls=style, label=label)
            yield some.where(strength=strength), look


def plot(records):
    figure, axes = panels(2, height=2.7)
    lag = records.each("lag")[-1]
    for some, look in groups(records):
        accuracy_against(axes[0], some, "lag", **look)
        learning_curves(axes[1], some.where(lag=lag), **look)
    chance(axes[0], xlabel="lag (steps)")
    axes[0].set_xticks(records.each("lag"))
    chance(axes[1], xlabel="training epoch")
    axes[1].set_title(f"lag {lag} steps", fontsize=8)
    axes[0].set_title("after training", fontsize=8)
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    found = []
    plain = records.where(penalty=None)
    for lag in records.each("lag"):
        here = plain.where(lag=lag)
        flossing = 100 * differences(here, "condition", "none", "during")
        if not len(flossing):
            continue
        for name in STRENGTHS:
            gains, texts = [], []
            some = records.where(lag=lag, penalty=name)
            for strength in some.each("strength"):
                one = some.where(strength=strength)
                pairs = Records([{**r, "strength": None} for r in here.where(condition="none")])
                pairs += [{**r, "strength": None} for r in one]
                gain = 100 * differences(Records(pairs), "penalty", None, name)
                if len(gain):
                    gains.append(gain.mean())
                    texts.append(f"c = {strength:g}: {percent(one.values('accuracy'))}")
            if not gains:
                continue
            solved = matched(here, "condition", ("none", "during")).where(condition="during")
            found.append(
                Finding(
                    f"lag {lag}: the {LABELS[name]} brings less than half of flossing's gain",
                    f"{max(gains):+.1f} points at best, flossing {flossing.mean():+.1f}; "
                    + "; ".join(texts)
                    + f"; flossing {percent(solved.values('accuracy'))}",
                    bool(max(gains) < 0.5 * flossing.mean()),
                )
            )
    return found
