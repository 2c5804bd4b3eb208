"""Sequences of Jacobians by compiled loops and by NumPy: the same exponents."""

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.systems.given_jacobians import GivenJacobians

pytest.importorskip("numba")


def both(monkeypatch, D, **given):
    """The spectrum by either engine."""
    found = []
    for engine in ("compiled", "numpy"):
        monkeypatch.setattr(GivenJacobians, "engine", engine)
        found.append(ln.spectrum_from_jacobians(D, rng=0, **given))
        assert found[-1].settings["engine"] == engine
    return found


@pytest.mark.parametrize("qr_interval", [1, 3, "auto"])
@pytest.mark.parametrize(("lead", "n", "k"), [((), 2, 2), ((), 9, 4), ((3,), 5, 5), ((2, 2), 3, 1)])
def test_both_engines_agree(monkeypatch, lead, n, k, qr_interval):
    D = np.random.default_rng(n).normal(size=(700, *lead, n, n))  # some intervals are left over
    one, other = both(monkeypatch, D, k=k, qr_interval=qr_interval, basis_transient=20)
    np.testing.assert_allclose(one.exponents, other.exponents, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(one.stderr, other.stderr, rtol=1e-6)
    assert one.settings["qr_interval"] == other.settings["qr_interval"]


def test_members_whose_blocks_collapse_at_other_steps(monkeypatch):
    D = np.random.default_rng(1).normal(size=(600, 3, 3, 3))
    D[100:103, 1] = D[400:404, 2] = np.diag([1.0, 1e-2, 1e-3])
    D[250, 0] = np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 1.0])  # singular
    one, other = both(monkeypatch, D, qr_interval=6)
    assert np.isneginf(one.exponents[0, 1:]).all()
    np.testing.assert_array_equal(np.isneginf(one.exponents), np.isneginf(other.exponents))
    np.testing.assert_allclose(one.exponents[1:], other.exponents[1:], rtol=1e-6, atol=1e-9)


def test_transposed_or_in_another_order_they_are_others():
    """Of alternating shears, by the trace of their product: (3 + sqrt 5) / 2."""
    D = np.tile([[[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]], (1000, 1, 1))
    s = ln.spectrum_from_jacobians(D, rng=0)
    assert s.settings["engine"] == "compiled"
    golden = np.log((3 + np.sqrt(5)) / 2) / 2
    np.testing.assert_allclose(s.exponents, [golden, -golden], rtol=1e-3)
    triangular = np.tile([[2.0, 5.0], [0.0, 0.5]], (2000, 1, 1))
    s = ln.spectrum_from_jacobians(triangular, k=1, basis=[[1.0], [0.0]])
    assert s.exponents[0] == pytest.approx(np.log(2), rel=1e-14)  # (1, 0) keeps its direction
    s = ln.spectrum_from_jacobians(triangular.swapaxes(1, 2), k=1, basis=[[0.0], [1.0]])
    assert s.exponents[0] == pytest.approx(np.log(0.5), rel=1e-12)


def test_short_sequences_and_many_members_are_numpy_s():
    D = np.random.default_rng(2).normal(size=(50, 2, 2))
    assert ln.spectrum_from_jacobians(D, rng=0).settings["engine"] == "numpy"
    D = np.random.default_rng(2).normal(size=(1000, 500, 2, 2))
    assert ln.spectrum_from_jacobians(D, rng=0).settings["engine"] == "numpy"
