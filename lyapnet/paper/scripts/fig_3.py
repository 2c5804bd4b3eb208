"""Fig. 3: delayed copy and temporal XOR, without flossing and with flossing before training."""

from ..compare import COMMON, gain, horizon, lag_points, learning_time, longer, most, quick
from ..draw import condition_looks, draw_lags
from ..fractions import LEARNED
from ..harness import spread
from ..learning import learn
from . import fig_4

TITLE = "Preflossing: delayed copy and temporal XOR at longer lags"
CLAIMS = """
Networks that are flossed before training learn the delayed copy and the temporal XOR at
substantially longer lags than those that are not, and faster.
"""
SETTINGS = f"""{COMMON}
Ten networks. The temporal XOR has binary inputs, and its runs are those of figure 4; the paper's
inputs, loss and number of flossed exponents here are not known. The copy has uniform inputs and
the squared error; its accuracy is R². A horizon is the longest lag that more than half of the
networks learn to 90 %; in brackets the longest lag of which this is sure of all networks, by
Wilson's interval, and the shortest of which the reverse is.
"""

CONDITIONS = ("none", "before")
LAGS = {"copy": (20, 30, 40, 50, 60, 80), "temporal": fig_4.LAGS["temporal"]}
QUICK_LAGS = {"copy": (8, 16, 24), "temporal": (12, 24, 36)}
NAME = {"copy": "delayed copy", "temporal": "temporal XOR"}
run = learn


def points(scale):
    if scale == "quick":
        return lag_points(QUICK_LAGS, CONDITIONS, 4, quick)
    shared = [p for p in fig_4.points(scale) if p["task"] == "temporal"]
    both = lag_points({"copy": LAGS["copy"]}, CONDITIONS, 10)
    both += [p for p in shared if p["condition"] in CONDITIONS]
    return sorted(both, key=lambda point: point["network"])


def plot(records):
    squares = dict(ylabel="accuracy, R² (%)", ylim=(-30, 104), level=0)
    return draw_lags(records, NAME, condition_looks(CONDITIONS), own={"copy": squares})


def findings(records):
    found = []
    for task, name in NAME.items():
        some = records.where(task=task)
        claim = f"{name}, over all lags: more networks learn when flossed before"
        more = gain(claim, some, "condition", *CONDITIONS)
        if not more:
            continue
        reach = [horizon(some.where(condition=c)) for c in CONDITIONS]
        found += [*more, longer(f"{name}: flossing lengthens the horizon", CONDITIONS, reach)]
        easy = some.where(lag=some.each("lag")[0])
        times = [learning_time(easy.where(condition=c)) for c in CONDITIONS]
        count = min(map(len, times))
        texts = (spread(x, ".0f") for x in times)
        found.append(
            most(
                f"{name}: flossed networks learn faster at the shortest lag, "
                f"{easy[0]['lag']} steps",
                times[1][:count] < times[0][:count],
                f"epochs to {100 * LEARNED:.0f} %: {' and '.join(texts)}",
            )
        )
    return found
