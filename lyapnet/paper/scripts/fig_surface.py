"""Beyond the paper: number, length and distance of flossing episodes, as one response surface."""

import numpy as np

from ..compare import COMMON, learning_time, most
from ..fractions import FEWEST
from ..harness import Records, spread
from ..learning import learn
from ..style import legend_below, panels

TITLE = "How many episodes of flossing, how long, and when"
CLAIMS = """
The paper asks for better schedules. What counts, one expects, is first of all whether the exponents
are near zero when training begins: one episode that is long enough does as well as several, and a
longer one better than a short one; of short ones several are better, and the sooner the better.
"""
SETTINGS = f"""{COMMON}
Instead: N = 16 units, 15 exponents, 3000 epochs of sequences of 60 steps, five networks. Temporal
XOR at a lag of 14. One or four episodes of 20, 60 or 180 flossing epochs each, the first before
training, the others every 50 or every 400 training epochs. Learned: the first 50 epochs whose mean
accuracy is above 90 %; never counts as 4000.
"""

TASKS = {"temporal": 14}
NUMBERS, LENGTHS, GAPS = (1, 4), (20, 60, 180), (50, 400)
NETWORKS = 5
#: What stands for never, in epochs.
NEVER = 4000
run = learn


def points(scale):
    quickly = scale == "quick"
    more = dict(n=16, n_steps=60, epochs=600 if quickly else 3000)
    tasks = {"temporal": 12} if quickly else TASKS
    each = [dict(condition="none"), *episodes((1, 2), (20, 60), (50,))] if quickly else [
        dict(condition="none"), *episodes(NUMBERS, LENGTHS, GAPS)
    ]  # fmt: skip
    return [
        dict(task=task, lag=lag, network=i, **point, **more)
        for i in range(2 if quickly else NETWORKS)
        for task, lag in tasks.items()
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
    """Write down number, length and distance of a run's episodes."""
    made = Records()
    for r in records:
        at = r.get("at") or []
        none = r["condition"] == "none"
        plan = dict(
            number=0 if none else 1 + len(at),
            length=0 if none else r["episode"],
            gap=at[0] if at else None,
        )
        made.append({**r, **plan, "at": None, "episode": None, "condition": None})
    return made


def plot(records):
    records = with_schedule(records)
    figure, axes = panels(2)
    shades = dict(zip(LENGTHS, np.linspace(0.75, 0.05, len(LENGTHS)), strict=True))
    for ax, gap in zip(axes, GAPS, strict=True):
        for shift, (length, shade) in zip((-0.06, 0, 0.06), shades.items(), strict=True):
            here = [r for r in records.where(length=length) if r["gap"] in (None, gap)]
            draw(ax, Records(here), shift, shade, f"{length} epochs each")
        draw(ax, records.where(number=0), 0, None, "no flossing")
        ax.axhline(NEVER * 0.9, color="0.6", lw=0.6, ls=":")
        ax.text(4.3, NEVER * 1.03, "not learned", fontsize=6.5, ha="right")
        ax.set(xlabel=f"episodes, every {gap} epochs", ylabel="epoch at which it has learned")
        ax.set(xticks=(0, *NUMBERS), xlim=(-0.4, 4.4), ylim=(0, NEVER * 1.1))
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
        ratio = sooner(records, low, high)
        if ratio is not None:
            times = f"{spread(ratio, '.2f')} of the epochs"
            found.append(most(f"{claim}: learned sooner", ratio < 1, times))
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
