"""Exponents that nearly coincide: the run says what it knows of them together."""

import mpmath
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.spectrum.uncertainty.clusters import clusters_between, not_mixed
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


def layered(cell, seed, n=10, n_steps=3000):
    """Return a driven stack of two layers, its arguments, and the exponents of each layer.

    The Jacobian is block triangular, so that the layers' own blocks have all of the exponents:
    along each, no direction of the other takes part.
    """
    rng = np.random.default_rng(seed)
    stack = ln.Stack([cell(n, m, rng) for m in (1, n)])
    u = rng.standard_normal((n_steps + 200, 1))
    asked = dict(inputs=u, transient=200, basis_transient=0, x0=np.zeros(stack.dim), rng=0)
    D = np.asarray(stack.orbit(asked["x0"], u, len(u)).jacobians[200:])
    own = stack.dim // 2
    assert not D[:, :own, own:].any()
    blocks = [np.ascontiguousarray(D[:, i : i + own, i : i + own]) for i in (0, own)]
    each = [ln.spectrum_from_jacobians(block, rng=0).exponents for block in blocks]
    return stack, asked, -np.sort(-np.concatenate(each))


def vanilla(n, m, rng):
    return ln.VanillaRNN.random(n, n_inputs=m, gain=1.2, rng=rng)


def gru(n, m, rng):
    return ln.GRU.random(n, n_inputs=m, gain=2.0, rng=rng)


# Before: sums of pairs were right, their members off by as much as these, and no word of either.
@pytest.mark.parametrize(
    ("cell", "seed", "off"), [(vanilla, 3, 0.05), (vanilla, 4, 0.015), (gru, 0, 0.0)]
)
def test_layers_of_which_one_drives_the_next(cell, seed, off):
    stack, asked, truth = layered(cell, seed)
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(stack, **asked)
    found = s.diagnose()
    assert found.verdict.startswith("unreliable:")
    assert found.clusters
    worst = 0.0
    for cluster in found.clusters:
        which = np.array(cluster["exponents"]) - 1
        assert abs(cluster["sum"] - truth[which].sum()) < 2e-3  # a few nats in 3000 steps
        assert cluster["mean"] == pytest.approx(cluster["sum"] / len(which))
        assert f"exponents {', '.join(map(str, which + 1))} are not told apart" in found.verdict
        worst = max(worst, np.abs(s.exponents - truth)[which].max())
    assert worst > off


def exact_exponents(jacobians, Q):
    """Gram and Schmidt's method with 200 bits, which errors that grow by e^100 do not reach."""
    growth = np.zeros(Q.shape[1])
    number = np.vectorize(mpmath.mpf, otypes=[object])
    with mpmath.workprec(200):
        Q = number(Q)
        for D in jacobians:
            Q = number(D) @ Q
            for j in range(len(growth)):
                for i in range(j):
                    Q[:, j] -= (Q[:, i] @ Q[:, j]) * Q[:, i]
                length = mpmath.sqrt(Q[:, j] @ Q[:, j])
                growth[j] += mpmath.log(length)
                Q[:, j] /= length
    return -np.sort(-growth) / len(jacobians)


def test_exponents_that_rounding_does_not_change_are_named():
    stack, asked, _ = layered(vanilla, 6, n=4, n_steps=600)
    asked["basis"] = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))[0]
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(stack, **asked)
    u = asked["inputs"]
    D = stack.orbit(asked["x0"], u, len(u)).jacobians[200:]
    off = np.abs(s.exponents - exact_exponents(D, asked["basis"])) * len(D)
    assert "; it does not change exponents 1, 2, 5, 8; exponents 3, 4 are" in s.diagnose().verdict
    assert (off[[0, 1, 4, 7]] < 1e-6).all()  # nats
    assert (off[[2, 3, 5, 6]] > 1).all()


def test_sums_are_those_of_vectors_in_their_own_order():
    # Growth of five vectors, the third less than the fourth; the second and third are mixed.
    growth = np.tile([-0.1, -1.0, -2.0, -1.9, -3.0], (20, 1))
    known = [1, 3, 4, 5]
    (group,) = clusters_between(growth, np.ones(20), known)
    assert group["exponents"] == [2, 4]
    assert group["sum"] == pytest.approx(-3.0)
    assert not_mixed(growth, known).tolist() == [True, False, True, False, True]


def test_no_sum_is_claimed_of_which_rounding_changes_all():
    """The leading vector of a turned chain alone: nothing that it spans is known."""
    O = np.linalg.qr(np.random.default_rng(1).standard_normal((20, 20)))[0]
    W = O @ (0.99 * np.eye(20) + np.eye(20, k=-1)) @ O.T
    with pytest.warns(UserWarning, match="rounding in the products"):
        some = ln.spectrum_from_jacobians(np.tile(W, (1500, 1, 1)), k=3, rng=0)
    assert some.diagnose().clusters == []
    with pytest.warns(UserWarning, match="rounding in the products"):
        every = ln.spectrum_from_jacobians(np.tile(W, (1500, 1, 1)), rng=0)
    (cluster,) = every.diagnose().clusters
    assert cluster["exponents"] == list(range(1, 21))
    assert cluster["mean"] == pytest.approx(np.log(0.99), rel=1e-6)


def test_clusters_are_saved(tmp_path):
    W = np.array([[0.5, 1.0], [0.0, 0.5]])
    found = ln.spectrum_from_jacobians(np.tile(W, (1000, 1, 1)), rng=0).diagnose()
    assert ln.load(found.save(tmp_path / "found.npz")).clusters == found.clusters
