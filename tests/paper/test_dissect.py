"""What a look at a trained network finds, and the figures of such runs.

Truth: *exact* where a network or its runs are made up.
"""

import numpy as np
import pytest

from lyapnet import VanillaRNN
from lyapnet.paper import dissect, load_figure
from lyapnet.paper.harness import Records
from lyapnet.paper.scripts import fig_large, fig_overlap

RNG = np.random.default_rng
ZEROS = np.zeros((2 * dissect.WARM + dissect.STEPS, 1))


def diagonal(values):
    """Return a linear network whose exponents are the logarithms of these values."""
    cell = VanillaRNN.random(len(values), n_inputs=1, activation="linear", rng=0)
    return cell.with_params({**cell.params, "W": np.diag(values)})


@pytest.mark.parametrize(("at", "share"), [(0, 1.0), (1, 1.0), (2, 0.0)])
def test_overlap_is_the_share_within_the_slow_directions(at, share):
    trained = dissect.Trained(diagonal([0.99, 0.9, 0.2, 0.1]), np.eye(4)[at : at + 1])
    found = dissect.look(trained, 20, ZEROS)
    assert found["near"] == 2  # 0.9 to the 20 is 0.12, 0.2 to the 20 nothing
    assert found["overlap"] == pytest.approx(share, abs=1e-9)
    assert dissect.look(trained, 60, ZEROS)["near"] == 1


def test_shares_are_those_of_what_the_readout_sees():
    trained = dissect.Trained(diagonal([0.9, 0.7, 0.5, 0.3]), np.array([[0.0, 1.0, 3.0, 9.0]]))
    found = dissect.shares(trained, ZEROS)
    np.testing.assert_allclose(found, np.array([0, 1, 9, 81]) / 91, atol=1e-9)


def test_ranks_and_dimensions():
    assert dissect.effective_rank(np.diag([1.0, 1.0, 1.0, 0.0])) == pytest.approx(3)
    inputs = RNG(0).integers(0, 2, (280, 1)).astype(float)
    one = dissect.portrait(VanillaRNN.random(8, gain=0.01, rng=0), inputs)
    assert 1 <= one["dimension"] < 1.1  # the input alone
    assert one["kaplan_yorke"] == 0
    assert dissect.portrait(VanillaRNN.random(30, gain=3.0, rng=0), inputs)["kaplan_yorke"] > 2


@pytest.mark.parametrize("used", [False, True, "random"])
def test_a_run_is_looked_at(used):
    small = dict(n=8, n_steps=20, epochs=400, episode=5)
    found = dissect.dissect(4, "before", 0, k=3, used=used, rng=RNG(0), **small)
    assert found["flossing_epochs"] == 5
    assert len(found["overlap"]) == len(found["near"]) == 3
    assert len(found["curve"]) == 2
    assert 1 <= found["update_rank"] <= 8


def made_up(figure, *, as_claimed, scale="full"):
    """Return runs in which soon goes with overlap, long lags with slow exponents; or reversed."""
    made = []
    for p in load_figure(figure).points(scale):
        sign = 1 if as_claimed else -1
        network, flossed = p["network"], p["condition"] == "before"
        size = (network + 1) / 8
        learned = int(5 - sign * 4 * size) if as_claimed or not p.get("k") else 99
        curve = np.where(np.arange(10) > learned, 0.99, 0.5)
        leading = -1.0 - sign * 3 / p["lag"] + 0.01 * network
        good = not p.get("k") or (p["used"] is True) == as_claimed
        made.append({
            **p,
            "accuracy": 0.99 if good else 0.5,
            "curve": curve,
            "near": [0, 2, 2],
            "overlap": [0, size + 0.001 * flossed, 1],
            "update_rank": 5 if as_claimed else 20,
            "dimension": 3 + sign * p["lag"] / 10 + 0.1 * network,
            "kaplan_yorke": 0.0,
            "exponents": [leading if as_claimed else 3.0 + leading + flossed, -3],
        })  # fmt: skip
    return Records(made)


@pytest.mark.parametrize("figure", ["overlap", "solutions"])
def test_findings_about_trained_networks_can_fail(figure):
    script = load_figure(figure)
    right, wrong = (script.findings(made_up(figure, as_claimed=x)) for x in (True, False))
    assert len(right) == len(wrong) > 2
    assert all(f.agrees for f in right), [str(f) for f in right]
    assert all(f.agrees is False for f in wrong), [str(f) for f in wrong]


@pytest.mark.parametrize("figure", ["overlap", "solutions"])
@pytest.mark.parametrize("done", [0, 1, 9, 40])
def test_some_of_the_runs_are_judged_and_drawn(figure, done):
    import matplotlib.pyplot as plt

    script = load_figure(figure)
    some = Records(made_up(figure, as_claimed=True)[:done])
    script.findings(some)
    if done in (1, 40):
        plt.close(script.plot(some))


def test_ranks_are_those_within_a_lag():
    # Between lags overlap and learning go together, within each of them they are opposed.
    made = Records(
        dict(
            lag=lag,
            network=i,
            overlap=[0, lag + i],
            near=[0, 0],
            curve=[0.5] * j + [1.0] * (30 - j),
        )
        for lag, most in ((6, 20), (12, 10))
        for i, j in enumerate(range(most, most + 6))
    )
    found = fig_overlap.ranked(made, "overlap")
    assert found.value == found.high == -1
    assert found.finding("c").agrees is False


def test_what_arrives_in_an_orthogonal_linear_network_is_all_that_was_sent():
    cell = VanillaRNN.random(20, init="orthogonal", activation="linear", rng=0)
    inputs = RNG(0).standard_normal((150, 1))
    np.testing.assert_allclose(fig_large.arriving(cell, inputs), 1, rtol=1e-10)
    W = 0.9 * cell.params["W"]
    found = fig_large.arriving(cell.with_params({**cell.params, "W": W}), inputs)
    np.testing.assert_allclose(found, 0.9 ** np.array(fig_large.LAGS), rtol=1e-10)


def test_large_networks_gain_in_small():
    found = fig_large.measure_large(200, k=40, epochs=40, n_steps=30, trained=2, rng=RNG(0))
    arrives = {name: x[fig_large.LAGS.index(40)] for name, x in found["arrives"].items()}
    assert arrives["flossed"] > 1e3 * max(arrives["gaussian"], arrives["orthogonal"])
    assert found["squares"][-1] < found["squares"][0] / 2
    judged = fig_large.findings(Records([dict(n=200, **found)]))
    assert judged[1].agrees
    turned = {"flossed": found["arrives"]["gaussian"], "gaussian": found["arrives"]["flossed"]}
    worse = {**found, "arrives": {**found["arrives"], **turned}, "floss_seconds": 9.0}
    assert not any(f.agrees for f in fig_large.findings(Records([dict(n=200, **worse)])))
