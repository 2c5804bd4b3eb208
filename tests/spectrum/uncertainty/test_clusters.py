"""Exponents that nearly coincide: the run says what it knows of them together."""

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.spectrum.uncertainty.diagnosis import diagnose


def rotation(angle, modulus):
    c, s = np.cos(angle), np.sin(angle)
    return modulus * np.array([[c, -s], [s, c]])


def block_diagonal(*blocks):
    n = sum(len(b) for b in blocks)
    W, at = np.zeros((n, n)), 0
    for b in blocks:
        W[at : at + len(b), at : at + len(b)] = b
        at += len(b)
    return W


# Before: "too short" and nothing else, at any of these lengths.
@pytest.mark.parametrize(
    ("W", "total", "members", "n"),
    [
        (np.array([[0.5, 1.0], [0.0, 0.4995]]), np.log(0.5 * 0.4995), [1, 2], 1000),
        (np.array([[0.5, 1.0], [0.0, 0.5]]), 2 * np.log(0.5), [1, 2], 4000),
        (np.eye(3) * 0.8 + np.eye(3, k=1), 3 * np.log(0.8), [1, 2, 3], 1000),
        (block_diagonal(rotation(np.pi / 4 + 1e-5, 0.9), [[0.3]]), 2 * np.log(0.9), [1, 2], 4000),
    ],
    ids=["close", "Jordan block of two", "Jordan block of three", "slow beats"],
)
def test_sum_and_mean_of_a_cluster(W, total, members, n):
    P = np.random.default_rng(0).standard_normal(W.shape)
    W = np.linalg.solve(P, W @ P)
    s = ln.spectrum_from_jacobians(np.tile(W, (n, 1, 1)), basis_transient=100, rng=0)
    found = s.diagnose()
    assert not found.converged
    (cluster,) = found.clusters
    assert cluster["exponents"] == members
    assert abs(cluster["sum"] - total) < 1e-9
    assert cluster["mean"] == pytest.approx(total / len(members), abs=1e-9)
    assert "are not told apart: their sum is" in found.verdict
    assert f"their mean {total / len(members):.6g}" in found.verdict


def test_no_cluster_where_the_sum_is_as_uncertain_as_its_parts():
    growth = np.random.default_rng(1).standard_normal((8, 3))
    found = diagnose(growth, np.ones(8))
    assert found.verdict.startswith("too short")
    assert found.clusters == []


def test_clusters_are_saved(tmp_path):
    W = np.array([[0.5, 1.0], [0.0, 0.5]])
    found = ln.spectrum_from_jacobians(np.tile(W, (1000, 1, 1)), rng=0).diagnose()
    assert ln.load(found.save(tmp_path / "found.npz")).clusters == found.clusters
