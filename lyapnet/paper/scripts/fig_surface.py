"""Beyond the paper: number, length and distance of flossing episodes, as one response surface."""

import numpy as np

from ..compare import COMMON, difference_of, learned
from ..fractions import FEWEST, fraction, is_more, is_no_less
from ..harness import Finding, Records
from ..learning import learn
from ..style import panels

TITLE = "How many episodes of flossing, how long, and when"
CLAIMS = """
The paper asks for better schedules. What counts, one expects, is first of all whether the exponents
are near zero when training begins: one episode that is long enough does as well as several; and
of short ones more are needed, soon after each other.
"""
SETTINGS = f"""{COMMON}
Instead: N = 16 units, 15 exponents, 3000 epochs of sequences of 60 steps, five networks. Temporal
XOR at a lag of 14. One or four episodes of 20, 60 or 180 flossing epochs each, the first before
training, the others every 50 or every 400 training epochs.
"""

TASKS = {"temporal": 14}
NUMBERS, LENGTHS, GAPS = (1, 4), (20, 60, 180), (50, 400)
NETWORKS = 5
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
    tasks = [task for task in TASKS if records.where(task=task)]
    figure, axes = panels(2, len(tasks), height=2.2, squeeze=False)
    image = None
    for row, task in zip(axes, tasks, strict=True):
        some = records.where(task=task)
        none = some.where(number=0)
        bare = f"; without: {learned(none).sum()} of {len(none)}" if none else ""
        for ax, gap in zip(row, GAPS, strict=True):
            here = Records(r for r in some if r["number"] and r["gap"] in (None, gap))
            image = surface(ax, here)
            name = f"{task}, lag {TASKS[task]}{bare}, every {gap} epochs"
            ax.set_title(name, fontsize=7, loc="right")
    figure.colorbar(image, ax=axes, label="networks above 90 % (%)", shrink=0.8)
    return figure


def surface(ax, records):
    """Draw the fraction that has learned over number and length, with the counts."""
    table = np.full((len(NUMBERS), len(LENGTHS)), np.nan)
    for i, number in enumerate(NUMBERS):
        for j, length in enumerate(LENGTHS):
            flags = learned(records.where(number=number, length=length))
            if flags.size:
                table[i, j] = 100 * flags.mean()
                low, high = 100 * np.array(fraction(flags)[1:])
                colour = "w" if table[i, j] < 60 else "k"
                text = f"{flags.sum()} of {flags.size}\n[{low:.0f}, {high:.0f}] %"
                ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color=colour)
    image = ax.imshow(table, vmin=0, vmax=100, cmap="viridis", origin="lower", aspect="auto")
    ax.set_xticks(range(len(LENGTHS)), LENGTHS)
    ax.set_yticks(range(len(NUMBERS)), NUMBERS)
    ax.set(xlabel="flossing epochs of an episode", ylabel="episodes")
    return image


def findings(records):
    records = with_schedule(records)
    if len(records.each("network")) < FEWEST:
        return []
    found = []
    for claim, low, high, judge in (
        ("one episode of 180 epochs is more than none", {"number": 0},
         {"number": 1, "length": 180}, is_more),
        ("one episode of 180 epochs is more than one of 20", {"number": 1, "length": 20},
         {"number": 1, "length": 180}, is_more),
        ("one of 180 is no less than four of 180", {"number": 4, "length": 180},
         {"number": 1, "length": 180}, is_no_less),
        ("four episodes of 20 are more than one", {"number": 1, "length": 20},
         {"number": 4, "length": 20}, is_more),
        ("episodes every 50 epochs are no less than every 400", {"gap": 400}, {"gap": 50},
         is_no_less),
    ):  # fmt: skip
        interval = difference_of(records, low, high, by=("task", "number", "length"))
        if interval is not None:
            text = f"{interval.percent('+')} points of the networks learn"
            found.append(Finding(claim, text, judge(interval)))
    return found
