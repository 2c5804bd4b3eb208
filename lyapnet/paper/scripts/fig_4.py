"""Fig. 4: how far back a network learns, without flossing, with it before, and also during."""

from ..compare import gain, horizon, lag_points, learned, longer, most, quick
from ..draw import condition_looks, draw_lags
from ..fractions import CHANCE
from ..learning import learn

TITLE = "Binary XOR against its lag: no flossing, preflossing, flossing during training"
CLAIMS = """
Networks learn the temporal and the spatial XOR across longer lags with flossing before training
than without, and across longer ones again when they are flossed during training as well. At a
temporal lag of 70 steps: chance without, about chance with preflossing, above 80 % with both.
"""
SETTINGS = """
N = 80 tanh units, gain 1, batch 16, 300 steps, Adam at 1e-3, gradients clipped at 0.03 in each
parameter, 75 exponents flossed for 500 epochs in windows of 55 steps of which 39 are averaged,
10 000 epochs, accuracy on 200 fresh sequences. Flossing during training: once more, before epoch
500. The window is that of the author's example; clipping the gradients of flossing at 1 is ours.
Ten networks, the paper has twenty. Learned means above 90 %. A horizon is the longest lag that more
than half of the networks learn; in brackets the longest lag of which this is sure of all networks,
by Wilson's interval, and the shortest of which the reverse is.
"""

CONDITIONS = ("none", "before", "during")
LAGS = {"temporal": (20, 40, 50, 60, 70, 80, 100), "spatial": (20, 40, 50, 60, 70)}
#: Without flossing horizons are shorter.
SHORT_LAGS = {"temporal": (24, 30, 34), "spatial": (5, 10, 15)}
QUICK_LAGS = {"temporal": (12, 24, 36), "spatial": (6, 10, 16)}
run = learn


def points(scale):
    if scale == "quick":
        return lag_points(QUICK_LAGS, CONDITIONS, 4, quick)
    both = lag_points(LAGS, CONDITIONS, 10) + lag_points(SHORT_LAGS, CONDITIONS[:1], 10)
    return sorted(both, key=lambda point: point["network"])


def plot(records):
    return draw_lags(records, {t: f"{t} XOR" for t in LAGS}, condition_looks(CONDITIONS))


def findings(records):
    found = []
    for task in LAGS:
        some = records.where(task=task)
        for low, high in (("none", "before"), ("before", "during")):
            claim = f"{task} XOR, over all lags: more networks learn flossed {high} than {low}"
            found += gain(claim, some, "condition", low, high)
        reach = [horizon(some.where(condition=c)) for c in CONDITIONS]
        if all(some.where(condition=c) for c in CONDITIONS):
            claim = f"{task} XOR: flossing before and during training lengthens the horizon"
            found.append(longer(claim, CONDITIONS, reach))
    hard = records.where(task="temporal", lag=70)
    none, before, during = (hard.where(condition=c) for c in CONDITIONS)
    for some, name in ((none, "without flossing"), (before, "flossed before training alone")):
        if some:
            at_chance = some.values("accuracy") < CHANCE
            found.append(most(f"temporal XOR, lag 70: chance {name}", at_chance, shares(some)))
    if during:
        claim = "temporal XOR, lag 70: learned when flossed before and during training"
        found.append(most(claim, learned(during), shares(during)))
    return found


def shares(records):
    """Write down how many networks have learned, and how many are at chance."""
    chance = (records.values("accuracy") < CHANCE).sum()
    return f"{learned(records).sum()} learn, {chance} are at chance"
