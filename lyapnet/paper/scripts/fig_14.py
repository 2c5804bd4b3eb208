"""Fig. 14: as figure 4, from orthogonal weights."""

from ..compare import COMMON, gain, lag_points, quick
from ..harness import Finding, Records
from ..learning import learn
from . import fig_4

TITLE = "Binary XOR from orthogonal initial weights"
CLAIMS = """
From orthogonal recurrent weights networks learn longer lags than from Gaussian ones, and flossing
before and during training helps in the same order.
"""
SETTINGS = f"""{COMMON}
Ten networks with W an orthogonal matrix; 10 000 epochs for both tasks, where the paper trained
the spatial XOR less, its number not being known. Flossing during training: again before epoch
500. Compared with the runs of figure 4, on Gaussian weights from the same numbers. The lags are
those at which these lie between chance and 100 %, each for another of the conditions.
"""

LAGS = {"temporal": (40, 70, 80), "spatial": (20, 40, 60)}
QUICK_LAGS = {"temporal": (24, 32), "spatial": (12, 20)}
NETWORKS = 10
run = learn

#: Of the full data.
DIFFERING = {
    f"{condition}: orthogonal above Gaussian": "at these lags orthogonal weights do as Gaussian "
    "ones, within a point or two; the order of the conditions is the paper's"
    for condition in fig_4.CONDITIONS
}


def points(scale):
    if scale == "quick":
        some = lag_points(QUICK_LAGS, fig_4.CONDITIONS, 4, quick)
    else:
        some = [
            point
            for point in fig_4.points(scale)
            if point["network"] < NETWORKS and point["lag"] in LAGS[point["task"]]
        ]
    return [{**point, **more} for point in some for more in ({}, {"init": "orthogonal"})]


def plot(records):
    return fig_4.plot(records.where(init="orthogonal"))


def findings(records):
    found = [
        Finding(f"orthogonal: {f.claim}", f.found, f.agrees)
        for f in fig_4.findings(records.where(init="orthogonal"))
        if "median of at least" not in f.claim
    ]
    records = Records({**r, "init": r.get("init", "gaussian")} for r in records)
    for condition in fig_4.CONDITIONS:
        some = records.where(condition=condition)
        claim = f"{condition}: orthogonal above Gaussian weights, mean over tasks and lags"
        found += gain(claim, some, "init", "gaussian", "orthogonal")
    return found
