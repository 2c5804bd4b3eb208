"""Figures that need training: points, findings that agree and that differ, the gallery.

Truth: *exact* where records are made up, so that what has to be found is known.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from lyapnet import GRU, LSTM
from lyapnet.paper import compare, gating, learning
from lyapnet.paper.gallery import entry, overview
from lyapnet.paper.harness import FIGURES, Records, load_figure
from lyapnet.results import storage
from lyapnet.training.adaptive import AdaptiveFlossing

pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
TRAINED = ["3", "4", "5", "7", "8", "9", "10", "11", "12", "13", "14"]
TRAINED += [
    "adaptive",
    "capacity",
    "choices",
    "control",
    "decay",
    "gated",
    "open",
    "rivals",
    "rule",
    "surface",
    "window",
]


def key(point):
    return json.dumps(storage.plain(point), sort_keys=True)


def full(point):
    """Write down what a point leaves at its default, and the window's length as `steps`."""
    usual = dict(n=80, init="gaussian", penalty=None, weight_decay=0.0, epochs=10_000, at=None)
    usual |= {"gates": None}
    whole = {**usual, **point}
    whole["steps"] = (point.get("window") or {}).get("n_steps", 39)
    return {"k": round(whole["n"] * 75 / 80), **whole}


# Which runs learn if the claims hold, by the figure and the longest lag that is asked for.
REACH = {"none": 0.3, "before": 0.6, "during": 0.85, "adaptive": 1.0, "episodes": 1.0}
REACH |= dict.fromkeys(("throughout", "rule"), 1.0)
ADAPTIVE = ("adaptive", "relative", "rule")


def by_condition(p, longest):
    return p["lag"] <= REACH[p["condition"]] * longest


#: With five networks, one against one, or judged at each lag by itself.
FEW = ("capacity", "choices", "control", "decay", "gated", "open", "rivals", "rule", "surface")
FEW += ("window",)

CLAIMED = dict.fromkeys(TRAINED, by_condition)
CLAIMED |= {
    "5": lambda p, _: p["lag"] <= p["k"],
    "7": lambda p, _: p["lag"] <= p["k"] * (1 if p["condition"] == "during" else 0.8),
    "14": lambda p, longest: (
        p["lag"] <= REACH[p["condition"]] * longest * (1.4 if p["init"] == "orthogonal" else 1)
    ),
    "capacity": lambda p, _: 0.6 if p["n"] <= 32 and p["lag"] > p["n"] else p["lag"] <= p["n"],
    "choices": lambda p, _: p["condition"] == "during",
    "control": lambda p, _: p["penalty"] is None and p["lag"] <= 100 * REACH[p["condition"]],
    "decay": lambda p, _: (
        p["weight_decay"] * p["lag"] <= {"before": 4, "during": 40}[p["condition"]]
    ),
    "gated": lambda p, _: (
        p["condition"] == "none"
        if p["epochs"] == 10_000
        else p["task"] == "hold" or (p["gates"] == 4 and p["condition"] in ADAPTIVE)
    ),
    "open": lambda p, _: p["condition"] == "rule" or p["lag"] == 10,
    "rivals": lambda p, _: p["condition"] == "rule" and (p["task"] != "hold" or p["k"] == 4),
    "rule": lambda p, _: p["condition"] == "rule",
    "surface": lambda p, _: (
        p["condition"] == "during" and (p["episode"] == 180 or p["at"][:1] == [50])
    ),
    "window": lambda p, _: 2 * p["steps"] >= p["lag"],
}


def run(point, good, *, as_claimed):
    """Return a made-up run of a point; one that is not as claimed learns, whatever it is."""
    p = full(point)
    good = good or not as_claimed
    blocks = p["epochs"] // learning.FINE
    time = np.arange(blocks)
    leaves = blocks // 4 + 3 * p["network"] + (0 if p["condition"] != "none" else blocks // 4)
    fine = 0.5 + 0.49 * good * np.clip((time - leaves) / 40, 0, 1)
    grows = leaves + (-60 if as_claimed else 60)  # the gradient, before the accuracy or after
    gradient = 10.0 ** (-2.5 + 1.5 * np.clip((time - grows) / 40, 0, 1))
    gradient *= 1 if good else 1e-4
    at = p["at"] or learning.EPISODES.get(p["condition"], ())
    for block in (epoch // learning.FINE for epoch in at if epoch < p["epochs"]):
        gradient[block] *= 20 if as_claimed else 0.9
        if p["condition"] == "throughout":
            fine[block] = 0.55 if as_claimed else 1.0
    lag = p["lag"] if as_claimed else 50 + 20 * (p["lag"] % 3) + p["network"]
    exponents = np.full(p["n"], -2.0)
    scatter = 1 + 0.01 * (7 * p["network"] % 10 - 4.5)
    exponents[[0, 9]] = scatter * np.array([-3.0, -4.0]) / lag - 0.5 * (not good)
    block = learning.BLOCK // learning.FINE
    return {
        "accuracy": fine[-1],
        "curve": fine[: blocks // block * block].reshape(-1, block).mean(axis=1),
        "flossing_epochs": 400 if as_claimed == (p["condition"] in ADAPTIVE) else 1000,
        "exponents": exponents,
        "fine_curve": fine,
        "fine_gradient": gradient,
        "singular_values": np.stack([gradient**0, gradient, gradient], axis=1),
    }


def made_up(figure, *, as_claimed=True, scale="full"):
    """Return made-up runs of a figure's points, as it claims or not at all so."""
    points = load_figure(figure).points(scale)
    longest = {p["task"]: max(q["lag"] for q in points if q["task"] == p["task"]) for p in points}
    good = [CLAIMED[figure](full(p), longest[p["task"]]) for p in points]
    return Records(
        {**p, **run(p, x, as_claimed=as_claimed)} for p, x in zip(points, good, strict=True)
    )


@pytest.mark.parametrize("figure", TRAINED)
def test_runs_that_follow_the_claims_agree(figure):
    # Undecided is allowed: where ten networks against ten are not enough for "as many".
    found = load_figure(figure).findings(made_up(figure))
    assert [str(f) for f in found if f.agrees is False] == []
    assert sum(f.agrees is True for f in found) > len(found) / 2


@pytest.mark.parametrize("figure", TRAINED)
def test_runs_that_do_not_are_found_to_differ(figure):
    found = load_figure(figure).findings(made_up(figure, as_claimed=False))
    assert not all(f.agrees for f in found)
    if figure not in ("5", *FEW):  # of few networks the reverse is not sure either
        assert any(f.agrees is False for f in found)


@pytest.mark.parametrize("figure", TRAINED)
@pytest.mark.parametrize("done", [1, 2, 3, 7, 20])
def test_findings_and_pictures_cope_with_what_is_not_there_yet(figure, done):
    import matplotlib.pyplot as plt

    script = load_figure(figure)
    some = Records(made_up(figure)[:done])
    script.findings(some)
    if done in (1, 7):
        plt.close(script.plot(some))


@pytest.mark.parametrize("figure", TRAINED)
def test_points_are_different_plain_calls_of_learn_with_networks_outermost(figure):
    script = load_figure(figure)
    assert script.run is learning.learn
    for scale in ("quick", "full"):
        points = script.points(scale)
        assert len({key(p) for p in points}) == len(points)
        assert all(set(p) - {"at"} <= compare.PARAMETERS | {"epochs", "watch"} for p in points)
        networks = [p["network"] for p in points]
        if figure != "7":  # two grids, one after the other
            assert networks == sorted(networks)
        for p in points:
            learning.schedule(p["condition"], p.get("n", 80), p.get("k"), **p.get("window", {}))


def test_the_points_of_figure_4_mean_what_they_meant():
    # A point is the key of a run that may have taken hours: these must never change.
    points = {key(p) for p in load_figure("4").points("full")}
    assert key(dict(task="temporal", lag=70, condition="during", network=9)) in points
    assert len(points) == 420
    during = learning.schedule("during", 80)
    assert during.settings["k"] == 75
    assert during.settings["clip_norm"] == 1.0
    assert (during.before, during.at, during.epochs) == (500, (500,), 500)
    assert learning.schedule("before", 80).at == ()
    assert learning.schedule("none", 80) is None
    assert isinstance(learning.schedule("adaptive", 80), AdaptiveFlossing)


def test_the_table_of_costs_counts_the_runs():
    text = (ROOT / "notebooks/paper/README.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]*)", text, re.M)
    assert {row[0] for row in rows} == set(TRAINED)
    lines = (ROOT / "notebooks/paper/data/learn.jsonl").read_text().splitlines()
    kept = {key(json.loads(line)["point"]) for line in lines}
    seen, there, hours = set(), 0, 0.0
    for figure, *counts, cost in rows:
        points = {key(p) for p in load_figure(figure).points("full")}
        own = points - seen
        done = len(own & kept)
        assert [len(points), len(own), done] == [int(x) for x in counts], figure
        seen |= points
        there += done
        hours += float(cost or 0)
    total = re.search(r"^\| all \| \| (\d+) \| (\d+) \| ([\d.]+)", text, re.M)
    assert (len(seen), there, round(hours, 1)) == (int(total[1]), int(total[2]), float(total[3]))


def runs(accuracies):
    """Return runs of networks by task, lag and condition."""
    return Records(
        dict(task="temporal", lag=lag, condition=c, network=i, accuracy=x)
        for (lag, c), each in accuracies.items()
        for i, x in enumerate(each)
    )


def test_only_runs_with_partners_are_compared():
    some = runs({(20, "none"): [0.5] * 6, (20, "before"): [0.95] * 7, (40, "none"): [0.5] * 6})
    pairs, change = compare.change(some, "condition", "none", "before")
    assert len(pairs) == 12
    assert change.value == 1
    (found,) = compare.gain("c", some, "condition", "none", "before")
    assert found.agrees
    assert "0 and 100 % learn: +100 [+45, +100] points, 6 pairs of runs, 6 networks" in found.found
    assert compare.gain("c", some, "condition", "none", "during") == []


def test_few_networks_are_not_agreement():
    low, high = [0.5] * 4, [0.95] * 4
    (found,) = compare.gain("c", runs({(20, "a"): low, (20, "b"): high}), "condition", "a", "b")
    assert found.agrees is None
    same = runs({(20, "a"): [0.5, 0.99] * 5, (20, "b"): [0.99, 0.5] * 5})
    (found,) = compare.no_loss("c", same, "condition", "a", "b")
    assert found.agrees is None  # 24 points either way would pass, too
    many = runs({(20, "a"): [0.99] * 40, (20, "b"): [0.99] * 40})
    (found,) = compare.no_loss("c", many, "condition", "a", "b")
    assert found.agrees is True
    (found,) = compare.gain("c", many, "condition", "a", "b")
    assert found.agrees is False
    assert compare.most("c", [True] * 4, "").agrees is None
    assert compare.most("c", [True] * 9 + [False], "").agrees is True
    assert compare.most("c", [True] * 6 + [False] * 4, "").agrees is None
    assert compare.most("c", [False] * 5, "").agrees is False


def test_a_horizon_lies_between_the_lags_that_are_sure():
    good, bad, mixed = [0.99] * 10, [0.5] * 10, [0.99, 0.99, 0.99, 0.5, 0.5] * 2
    flossed = {(40, "b"): good, (60, "b"): mixed, (80, "b"): bad}
    plain = {(10, "a"): good, (20, "a"): mixed, (30, "a"): bad}
    some = runs({**flossed, **plain})
    a, b = (compare.horizon(some.where(condition=c)) for c in "ab")
    assert a == (20, 10, 30)
    assert b == (60, 40, 80)
    assert b.over(a) == "3.0 [1.3, 8.0] times"
    assert compare.longer("c", "ab", (a, b)).agrees is True
    assert compare.longer("c", "ba", (b, a)).agrees is False
    assert compare.longer("c", "aa", (a, a)).agrees is None
    nothing = compare.horizon(some.where(condition="a", lag=30))
    assert nothing == (0, 0, 30)
    assert str(nothing) == "0 [0, below 30]"


def test_a_run_that_is_watched_and_penalised():
    small = dict(n=8, n_steps=16, epochs=100, episode=3, learning_rate=0.01)
    found = learning.learn(
        "temporal", 2, "episodes", 0, watch=True, at=[5], rng=np.random.default_rng(0), **small
    )
    assert found["flossing_epochs"] == 6
    assert np.shape(found["singular_values"]) == (10, 3)
    assert np.shape(found["fine_gradient"]) == np.shape(found["fine_curve"]) == (10,)
    plain, held, short, whole = (
        learning.learn(
            "temporal", 2, "none", 0, penalty=name, strength=10.0, until=until,
            rng=np.random.default_rng(0), **small,
        )["exponents"][0]
        for name, until in (
            (None, None), ("jacobian_norm", None), ("jacobian_norm", 50), ("jacobian_norm", 100)
        )
    )  # fmt: skip
    assert len({plain, held, short}) == 3
    assert whole == held
    with pytest.raises(ValueError, match="penalty"):
        learning.learn(
            "temporal", 2, "none", 0, penalty="wish", rng=np.random.default_rng(0), **small
        )


def test_steps_go_through_one_cycle(monkeypatch):
    seen, train = [], learning.train

    def noted(*args, **settings):
        seen.append(settings["learning_rate"])
        return train(*args, **settings)

    monkeypatch.setattr(learning, "train", noted)
    for cycle in (False, True):
        learning.learn(
            "temporal", 2, "none", 0, n=8, n_steps=16, epochs=100, learning_rate=0.01,
            cycle=cycle, rng=np.random.default_rng(0),
        )  # fmt: skip
    constant, rate = seen
    assert constant is None
    rates = [rate(e) for e in (0, 25, 50, 75, 100)]
    np.testing.assert_allclose(rates, [0.01, 0.025, 0.04, 0.02, 0.0], atol=1e-17)
    assert 0 < rate(99) < 1e-4


def test_flossing_makes_the_difference_live():
    # Quick points of figure 4, whose outcome at lag 24 was the same for all networks seen.
    points = [
        p
        for p in load_figure("4").points("quick")
        if (p["task"], p["lag"], p["network"]) == ("temporal", 24, 0) and p["condition"] != "during"
    ]
    low, high = (learning.learn(**p, rng=np.random.default_rng(0))["accuracy"] for p in points)
    assert low < 0.55
    assert high > 0.9


def test_the_gallery_says_what_is_there(tmp_path):
    nothing = entry("adaptive", tmp_path)
    assert "Not computed yet" in nothing.text
    assert nothing.picture is None
    points = load_figure("adaptive").points("full")
    runs = [run(p, by_condition(p, 80), as_claimed=True) for p in points]
    lines = [
        json.dumps({"point": p, "value": value}, default=np.ndarray.tolist)
        for p, value in zip(points, runs, strict=True)
    ]
    (tmp_path / "learn.jsonl").write_text("\n".join(lines[:40]))
    some = entry("adaptive", tmp_path)
    assert "40 of 60 runs" in some.text
    assert "| agrees |" in some.text
    assert some.picture[:4] == b"\x89PNG"
    (tmp_path / "learn.jsonl").write_text("\n".join(lines))
    assert "All of 60 runs" in entry("adaptive", tmp_path).text
    table = overview(tmp_path)
    assert re.search(r"\| adaptive \| .* \| 60 \| 5 \| 5 \| 0 \| 0 \|", table)
    assert re.search(r"\| 2A \| .* \| 0 of \d+ \| not judged", table)


def test_every_figure_is_in_the_gallery_once():
    text = (ROOT / "docs/paper.md").read_text()
    assert sorted(re.findall(r'show\("(\w+)"\)', text)) == sorted(FIGURES)


def test_items_are_held_from_one_mark_to_the_next():
    u, y, mask = gating.Hold(3).sample(200, 5, np.random.default_rng(0))
    assert u.shape == (200, 5, 2)
    assert 0.05 < u[1:, :, 1].mean() < 0.3
    for member in range(5):
        held, age = None, 0
        for step in range(200):
            bit, marked = u[step, member]
            held, age = (bit, 0) if marked or not step else (held, age + 1)
            assert y[step, member, 0] == held
            assert mask[step, member] == (age >= 3)


@pytest.mark.parametrize("cell", [GRU, LSTM])
def test_gates_begin_where_they_are_told(cell):
    drawn = cell.random(400, rng=0)

    def biases(gates, name):
        made = gating.with_gates(drawn, gates, 50, np.random.default_rng(0))
        at = drawn.gate_names.index(name) * 400
        assert (made.params["W"] == drawn.params["W"]).all()
        return made.params["b"][at : at + 400]

    holding, through = ("update", "reset") if cell is GRU else ("forget", "input")
    assert (biases(4.0, holding) == -4).all()
    assert (biases(4.0, through) == 4).all()
    times = 1 + np.exp(biases("chrono", holding))  # steps for which a unit holds
    assert 2 <= times.min() < 4
    assert 46 < times.max() <= 50
    opening = expit(biases("uniform", holding))
    assert opening.mean() == pytest.approx(0.5, abs=0.05)
    if cell is LSTM:
        assert (biases("chrono", through) == -biases("chrono", holding)).all()
