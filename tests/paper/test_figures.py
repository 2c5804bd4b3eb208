"""The figures of the paper: what their data say, and small live runs of the same effects.

Truth: *published*, the claims of the paper, held against the data that are kept.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from lyapnet.paper import FIGURES, Records, load_figure
from lyapnet.paper.harness import differing, kept

DATA = Path(__file__).parents[2] / "notebooks" / "paper" / "data"
#: How many networks there are at least, where it is not ten.
LEAST = dict.fromkeys(("capacity", "control", "decay", "overlap"), 5)
LEAST |= dict.fromkeys(("solutions", "window"), 5)
LEAST |= {"16": 1, "cost": 1, "large": 1}
#: How many claims the runs do not decide.
UNDECIDED = {
    "1B": 4,
    "1C": 2,
    "2B": 1,
    "4": 1,
    "6": 1,
    "7": 1,
    "adaptive": 1,
    "basis": 1,
    "capacity": 1,
}
UNDECIDED |= {"control": 1, "rule": 1, "gated": 7, "overlap": 2, "rivals": 5, "surface": 1}
UNDECIDED["open"] = 3
UNDECIDED |= {"choices": 5, "decay": 4, "gates": 1, "linear": 2, "window": 2}
RNG = np.random.default_rng


def committed(figure):
    """Return the runs of a figure that are kept; skip where they are not all there."""
    records, wanted = kept(load_figure(figure), DATA)
    if len(records) < wanted:
        pytest.skip(f"{len(records)} of {wanted} runs of the full scale are kept")
    return records


@pytest.mark.parametrize("figure", FIGURES)
def test_committed_data_agree_with_the_claims(figure):
    script = load_figure(figure)
    records, wanted = kept(script, DATA)
    if not records:
        pytest.skip(f"none of {wanted} runs of the full scale is kept")
    findings = script.findings(records)
    remarks = tuple(differing(script))
    for start in remarks:
        said = [finding for finding in findings if finding.claim.startswith(start)]
        assert any(finding.agrees is not True for finding in said), start
    for finding in findings:
        assert finding.agrees is not False or finding.claim.startswith(remarks), str(finding)
    if len(records) == wanted:
        undecided = sum(finding.agrees is None for finding in findings)
        assert undecided == UNDECIDED.get(figure, 0)


@pytest.mark.parametrize("figure", FIGURES)
def test_committed_figures_are_whole_and_pictured(figure):
    records = committed(figure)
    if not (DATA.parents[2] / "PKG-INFO").exists():  # source distributions leave out pictures
        assert (DATA / f"{FIGURES[figure]}.png").read_bytes().startswith(b"\x89PNG")
    networks = {record.get("network") for record in records}
    networks |= set(range(max(record.get("networks", 0) for record in records)))
    assert len(networks) >= LEAST.get(figure, 10)


def test_committed_data_are_small():
    for path in DATA.glob("*.jsonl"):
        assert path.stat().st_size < 10_000_000, path.name
        for line in path.read_text().splitlines():
            assert json.loads(line).keys() == {"point", "value", "seconds", "with"}, path.name


def differs(figure, change, *words):
    """Assert that no claim with these words agrees with runs in which something has changed."""
    records = Records({**r, **change(r)} for r in kept(load_figure(figure), DATA)[0])
    found = load_figure(figure).findings(records)
    for some in words:
        chosen = [f for f in found if some in f.claim]
        assert chosen, f"{figure}: {some}"
        assert not any(f.agrees for f in chosen), f"{figure}: {some}"


def test_findings_can_fail():
    """Data in which flossing does the reverse bear out no claim about it."""

    def swapped(r):
        return {"before": r["after"], "after": r["before"]}

    def worse(r):
        return {"reduction": [-x for x in r["reduction"]], "slope": -r["slope"]}

    def upwards(r):
        return {"after": 0.3, "curve": np.zeros(len(r["curve"]))}

    differs("1B", upwards, "not reached")
    differs("1B", upwards, "target -0.5 reached")
    differs("1D", swapped, "are close to zero")
    differs("2A", worse, "gains at least 30")
    differs("2A", worse, "grows exponentially")
    differs("2B", swapped, "raises the number")
    differs("6", swapped, "fall towards zero")


def test_findings_about_learning_can_fail():
    """So do runs whose conditions, numbers of exponents or accuracies change places."""

    def exchanged(one, other):
        names = {one: other, other: one}
        return lambda r: {"condition": names.get(r["condition"], r["condition"])}

    def worse(r):
        return {"accuracy": 1.5 - r["accuracy"]}

    def fewer(r):
        return {"k": 88 - (r.get("k") or 75)}

    def shorter(r):
        steps = (r.get("window") or {"n_steps": 39})["n_steps"]
        return {"window": {"n_steps": 90 - steps if steps in (10, 80) else steps}}

    def later(r):
        return {"lag": 110 - r["lag"]}

    def turned(r):
        return {"gates": {None: 4.0, 4.0: None}[r["gates"]]}

    more, horizon = "more networks learn", "lengthens the horizon"
    differs("3", exchanged("none", "before"), more, horizon, "faster")
    differs("4", exchanged("none", "during"), more, horizon, "lag 70: learned")
    differs("5", fewer, "more learn with")
    differs("5", later, "longer lags need more")
    differs("7", fewer, "more learn with")
    differs("8", exchanged("none", "episodes"), "is larger with", "leave chance", "at chance")
    differs("10", exchanged("none", "episodes"), "are smaller without")
    differs("12", exchanged("throughout", "episodes"), "drops", "more accurate", "never reaches")
    differs("13", worse, "lies below")
    differs("14", exchanged("none", "during"), "orthogonal: temporal", "orthogonal: spatial")
    differs("adaptive", exchanged("during", "adaptive"), more, "fewer flossing epochs")
    differs("capacity", lambda r: {"accuracy": 1.0}, "below 1.25 N")
    differs("capacity", lambda r: {"accuracy": 0.5}, "beyond that of", "at least 0.9", "no sharp")
    differs("gates", turned, "hold stay closed", "the gates that hold open")
    differs("window", shorter, more, "beyond that of")


def run(figure, *points):
    """Run some points of a figure; return what they give."""
    script = load_figure(figure)
    records = [{**point, **script.run(**point, rng=RNG(i))} for i, point in enumerate(points)]
    return records


def test_first_exponent_reaches_a_negative_target_and_no_positive_one():
    low, high = run("1B", dict(target=-0.5, network=0), dict(target=0.3, network=0, epochs=300))
    assert abs(low["after"] + 0.5) < 0.15
    assert high["after"] < 0.05


def test_sixteen_exponents_reach_zero_and_the_others_do_not():
    (r,) = run("1C", dict(k=16, network=0, epochs=500, clip_norm=1.0))
    assert np.sqrt(np.mean(np.square(r["before"][:16]))) > 0.6
    assert np.sqrt(np.mean(np.square(r["after"][:16]))) < 0.15
    assert np.mean(r["after"][16:]) < -1


def test_flossing_gains_thirty_orders_of_magnitude():
    (r,) = run("2A", dict(network=0, n=32, k=30, epochs=200, t=100))
    assert r["reduction"][-1] > 30
    assert r["before"]["enclosure"] < 1e-9
    np.testing.assert_allclose(r["before"]["measured"], r["before"]["window"], rtol=0.1)
    count = [np.sum(np.array(r[name]["by_m"]) <= 6) for name in ("before", "after")]
    assert count[0] < count[1]


def test_exponents_tell_finite_networks_apart():
    (r,) = run("2C", dict(n=20, networks=20))
    assert r["correlation"][0] > 0.7
    assert r["residual"] < r["spread"]


def test_lstm_and_relu_networks_are_flossed():
    lstm, relu = run(
        "6",
        dict(cell="lstm", k=32, network=0, epochs=60),
        dict(cell="relu", k=1, network=0, epochs=60),
    )
    assert np.mean(np.square(lstm["after"])) < 0.1 * np.mean(np.square(lstm["before"]))
    assert abs(relu["after"][0]) < 0.05 < relu["before"][0]


def test_rare_factorisation_gives_the_same_gradient():
    (r,) = run("interval", dict(interval=5, k=40, network=0, epochs=5))
    assert max(r["loss_off"], r["gradient_off"]) < 1e-8
    (r,) = run("interval", dict(interval=10, k=75, network=0, epochs=5))
    assert r == {"interval": 10, "k": 75, "network": 0, "epochs": 5, "refused": True}


def test_basis_of_flossing_does_not_matter():
    (r,) = run("basis", dict(bases="one", network=0, epochs=60, windows=20))
    own, other = r["after"]["own"], r["after"]["random"]
    assert other[1] == pytest.approx(own[1], rel=0.15)
    assert other[1] < r["before"]["random"][1]


def test_linear_networks_learn_no_xor():
    (r,) = run(
        "linear",
        dict(task="temporal", lag=4, condition="none", network=0, epochs=60, n=16),
    )
    assert 0.45 < r["accuracy"] < 0.55


def test_basis_is_orthonormal_again_in_the_picture():
    records = run("15", dict(network=45))
    for basis in records[0]["bases"]:
        np.testing.assert_allclose(basis[0].T @ basis[0], np.eye(2), atol=1e-14)
    assert records[0]["off"] < 1e-13
