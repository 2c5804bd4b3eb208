"""Beyond the paper: number, length and distance of flossing episodes, as one response surface."""

import numpy as np

from ..compare import COMMON, learning_time, most
from ..fractions import FEWEST
from ..harness import Records
from ..learning import learn
from ..style import legend_below, panels

TITLE = "How many episodes of flossing, how long, and when"
CLAIMS = """
The paper asks for better schedules. What counts, one expects, is first of all whether the exponents
are near zero when training begins: one episode that is long enough does as well as several, and a
longer one better than a short one; of short ones several are better, and the sooner the better.
"""
SETTINGS = f"""{COMMON}
Instead: N = 16 units, 15/16 of all exponents, 3000 epochs of sequences of 60 steps, ten networks.
Temporal XOR at a lag of 14 by tanh units, and by GRU and LSTM with open gates (as in figure
"gated", Adam at 3e-3); the copy at a lag of 10. One or four episodes of 20, 60 or 180 flossing
epochs each, the first before training, the others every 50 or every 400 training epochs. Learned:
the first 50 epochs whose mean accuracy is above 90 %; never counts as 4000.
"""

GATED = dict(task="temporal", lag=14, gates=4.0, learning_rate=3e-3)
#: Tasks and cells, by their names.
CASES = {
    "temporal XOR": dict(task="temporal", lag=14),
    "copy": dict(task="copy", lag=10),
    "XOR, GRU": {**GATED, "cell": "gru"},
    "XOR, LSTM": {**GATED, "cell": "lstm"},
}
NUMBERS, LENGTHS, GAPS = (1, 4), (20, 60, 180), (50, 400)
NETWORKS = 10
#: What stands for never, in epochs.
NEVER = 4000
run = learn


def points(scale):
    quickly = scale == "quick"
    more = dict(n=16, n_steps=60, epochs=600 if quickly else 3000)
    cases = {"temporal XOR": dict(task="temporal", lag=12)} if quickly else CASES
    each = [dict(condition="none"), *episodes((1, 2), (20, 60), (50,))] if quickly else [
        dict(condition="none"), *episodes(NUMBERS, LENGTHS, GAPS)
    ]  # fmt: skip
    return [
        dict(network=i, **case, **point, **more)
        for i in range(2 if quickly else NETWORKS)
        for case in cases.values()
        for point in each
    ]


def episodes(numbers, lengths, gaps):
    """List the schedules; of one episode there is no distance."""
    return [
        dict(condition="during", episode=length, at=[gap * j for j in range(1, number)])
        for number in numbers
        for length in lengths
        for gap in (gaps if number > 1 else gaps[:1])
    ]


def with_schedule(records):
    """Write down the case of a run, and number, length and distance of its episodes."""
    names = {(case["task"], case.get("cell")): name for name, case in CASES.items()}
    made = Records()
    for r in records:
        at = r.get("at") or []
        none = r["condition"] == "none"
        plan = dict(
            case=names[r["task"], r.get("cell")],
            number=0 if none else 1 + len(at),
            length=0 if none else r["episode"],
            gap=at[0] if at else None,
        )
        made.append({**r, **plan, "at": None, "episode": None, "condition": None})
    return made


def plot(records):
    records = with_schedule(records)
    cases = [case for case in CASES if records.where(case=case)] or list(CASES)[:1]
    figure, axes = panels(len(cases), len(GAPS), squeeze=False, sharex=True, sharey=True)
    shades = dict(zip(LENGTHS, np.linspace(0.75, 0.05, len(LENGTHS)), strict=True))
    for row, gap in zip(axes, GAPS, strict=True):
        for ax, case in zip(row, cases, strict=True):
            some = records.where(case=case)
            for shift, (length, shade) in zip((-0.1, 0, 0.1), shades.items(), strict=True):
                here = [r for r in some.where(length=length) if r["gap"] in (None, gap)]
                draw(ax, Records(here), shift, shade, f"{length} epochs each")
            draw(ax, some.where(number=0), 0, None, "no flossing")
            ax.axhline(NEVER * 0.9, color="0.6", lw=0.6, ls=":")
        row[-1].text(4.4, NEVER * 1.03, "not learned", fontsize=6.5, ha="right")
        row[0].set_ylabel("epoch at which it has learned")
    for ax, case in zip(axes[0], cases, strict=True):
        ax.set_title(case, fontsize=8)
    for row, gap in zip(axes, GAPS, strict=True):
        for ax in row:
            ax.set(xlabel=f"episodes, every {gap} epochs", xticks=(0, *NUMBERS))
            ax.tick_params(labelbottom=True)
    axes[0, 0].set(xlim=(-0.5, 4.5), ylim=(0, NEVER * 1.1))
    legend_below(figure, axes, ncols=4)
    return figure


def draw(ax, records, shift, shade, label):
    """Draw each network, and the median, over the number of episodes."""
    import matplotlib

    if not records:
        return
    colour = "0.4" if shade is None else matplotlib.colormaps["viridis"](shade)
    x = records.values("number") + shift
    when = np.minimum(learning_time(records), NEVER)
    ax.plot(x, when, "o", ms=3, mew=0, alpha=0.6, color=colour)
    places = np.unique(x)
    ax.plot(
        places, [np.median(when[x == at]) for at in places], "o-", ms=4.5, color=colour, label=label
    )


def findings(records):
    records = with_schedule(records)
    if len(records.each("network")) < FEWEST:
        return []
    found = []
    for claim, low, high in (
        ("one episode of 180 epochs before training", {"number": 0}, {"number": 1, "length": 180}),
        ("one episode of 180 epochs instead of 20", {"number": 1, "length": 20},
         {"number": 1, "length": 180}),
        ("one episode of 180 epochs instead of four of 60", {"number": 4, "length": 60},
         {"number": 1, "length": 180}),
        ("four episodes of 20 epochs, every 50 epochs, instead of one of 20",
         {"number": 1, "length": 20}, {"number": 4, "length": 20, "gap": 50}),
        ("four episodes every 50 epochs instead of every 400", {"number": 4, "gap": 400},
         {"number": 4, "gap": 50}),
    ):  # fmt: skip
        ratios = {
            case: ratio
            for case in CASES
            if (ratio := sooner(records.where(case=case), low, high)) is not None
        }
        if ratios:
            times = ", ".join(f"{case} {np.median(x):.2f}" for case, x in ratios.items())
            flags = np.concatenate(list(ratios.values())) < 1
            found.append(most(f"{claim}: learned sooner", flags, f"of the epochs: {times}"))
    return found


def sooner(records, low, high):
    """Return the ratios of the epochs at which the same networks learn, high over low."""
    some, other = records.where(**high), records.where(**low)
    networks = sorted(set(some.each("network")) & set(other.each("network")))
    if len(networks) < FEWEST:
        return None
    each = [
        [np.exp(np.mean(np.log(np.minimum(learning_time(one.where(network=i)), NEVER))))
         for one in (some, other)]
        for i in networks
    ]  # fmt: skip
    return np.divide(*np.transpose(each))
