"""What networks of all sizes learned: `benchmarks/data/principal_directions.json`."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[2] / "benchmarks" / "data" / "principal_directions.json"


@pytest.fixture(scope="module")
def sizes():
    """Return the runs of each size and optimiser, all at a lag of nine tenths of the size."""
    found = defaultdict(list)
    for run in json.loads(DATA.read_text(encoding="utf-8"))["runs"]:
        assert run["lag"] == 2 * round(0.45 * run["n"])
        assert run["flossing_epochs"] <= 0.0516 * run["epochs"]
        found[run["n"], run["optimizer"]].append(run)
    return found


@pytest.mark.parametrize("n", [16, 32, 64, 80])
def test_nine_of_ten_networks_learn_a_lag_of_nine_tenths_of_their_size(sizes, n):
    runs = sizes[n, "soap"]
    assert sorted(run["network"] for run in runs) == list(range(10))
    assert sum(run["accuracy"] > 0.99 for run in runs) >= 9
    assert np.median([epochs_until(0.9, run) for run in runs]) < 1500


def test_adam_takes_longer_or_fails_in_networks_of_the_papers_size(sizes):
    adam = {run["network"]: run for run in sizes[80, "adam"]}
    soap = {run["network"]: run for run in sizes[80, "soap"]}
    assert sum(run["accuracy"] < 0.6 for run in adam.values()) == 2
    for network, run in adam.items():
        assert epochs_until(0.9, soap[network]) < epochs_until(0.9, run)


def test_a_network_of_320_units_learns_a_lag_of_288(sizes):
    (run,) = sizes[320, "soap"]
    assert run["accuracy"] > 0.99
    assert epochs_until(0.9, run) < run["epochs"] / 2


def epochs_until(level, run):
    """Return the epoch by which a run has come to an accuracy, infinite if it never did."""
    at = np.flatnonzero(np.array(run["curve"]) >= level)
    return 50 * (at[0] + 1) if at.size else np.inf
