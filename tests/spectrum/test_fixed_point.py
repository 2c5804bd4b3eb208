"""Runs that have come to rest: exponents are known by eigenvalues, though vectors rotate slowly."""

import numpy as np
import pytest

import lyapnet as ln

SLOW = 0.003  # radians a step: no run of some hundred steps sees a turn
TURN = 0.9 * np.array([[np.cos(SLOW), -3 * np.sin(SLOW)], [np.sin(SLOW) / 3, np.cos(SLOW)]])


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("shift", [0.0, 1.0])  # the fixed point is 0, or not
def test_slow_rotation_at_rest_has_a_finite_error_that_holds_the_truth(k, shift):
    s = ln.lyapunov_spectrum(ln.Map(lambda x: TURN @ x + shift, 2), 500, k=k, x0=[0.3, 0.2], rng=0)
    assert s.settings["at_rest"] == pytest.approx(np.full(k, np.log(0.9)), abs=1e-9)
    low, high = s.confidence_interval()
    assert (low <= np.log(0.9)).all()
    assert (np.log(0.9) <= high).all()
    assert (high - low < 0.02).all()
    found = s.diagnose()
    assert found.verdict.startswith("converged: at rest on a fixed point")
    assert "-0.105361" in found.verdict
    assert s.diagnose(tol=1e-6).verdict.startswith("not yet: at rest")


def test_networks_that_rest():
    for seed in range(3):
        cell = ln.GRU.random(32, n_inputs=1, rng=seed)
        s = ln.lyapunov_spectrum(cell, 200, rng=0)
        truth = np.log(np.abs(np.linalg.eigvals(cell.jacobian(s.state, np.zeros(1)))))
        low, high = s.confidence_interval()
        inside = (low <= -np.sort(-truth)) & (-np.sort(-truth) <= high)
        assert inside.mean() > 0.9
        assert np.isfinite(s.stderr).all()


def test_members_that_do_not_rest_and_inputs_that_change_are_as_they_were():
    turns = ln.Map(lambda x, p: p * (TURN @ x), 2, params=np.array(1 / 0.9))  # goes round for ever
    s = ln.lyapunov_spectrum(turns, 300, x0=[0.3, 0.2], rng=0)
    assert "at_rest" not in s.settings
    cell = ln.GRU.random(16, n_inputs=1, rng=1)
    s = ln.lyapunov_spectrum(
        cell, inputs=np.random.default_rng(0).standard_normal((60, 1)), transient=10,
        basis_transient=10, rng=0,
    )  # fmt: skip
    assert "at_rest" not in s.settings
    # A chain far from normal: eigenvalues are as wrong as a computer can make them.
    n = 20
    cell = ln.VanillaRNN(0.9 * np.eye(n) + np.eye(n, k=-1) + 1e-13, activation="linear")
    s = ln.lyapunov_spectrum(cell, 300, x0=np.zeros(n), rng=0)
    assert not s.diagnose().verdict.startswith("converged: at rest")


def test_a_state_that_underflow_has_brought_to_rest_is_not_believed():
    # A heteroclinic cycle (May and Leonard), whose averages have no limit. Before: "converged".
    def field(x):
        following, last = x[[1, 2, 0]], x[[2, 0, 1]]
        return x * (1 - x - 0.8 * following - 1.5 * last)

    cycle = ln.Flow(field, 3, dt=0.05)
    s = ln.lyapunov_spectrum(cycle, 60_000, x0=[0.5, 0.3, 0.2], rng=0)
    verdict = s.diagnose().verdict
    assert "at_rest" in s.settings
    assert verdict.startswith("unreliable: at rest")
    assert "It is unstable" in verdict


# Before: -0.0904 +- 0.0001 for -0.1, the spread of members that a Jordan block puts off alike.
@pytest.mark.parametrize("matrix", [
    np.exp(-0.1) * (np.eye(3) + np.eye(3, k=1)), TURN, 0.5 * np.array([[1.0, 1.0], [0.0, 0.999]])
], ids=["Jordan block", "slow rotation", "nearly one"])  # fmt: skip
def test_members_that_are_off_alike_hold_the_truth_together(matrix):
    n = len(matrix)
    x0 = 1 + 0.1 * np.random.default_rng(0).standard_normal((6, n))
    s = ln.lyapunov_spectrum(ln.Map(lambda x: matrix @ x, n), 1000, x0=x0, rng=0).pooled()
    truth = -np.sort(-np.log(np.abs(np.linalg.eigvals(matrix))))
    low, high = s.confidence_interval()
    assert ((low <= truth + 1e-12) & (truth - 1e-12 <= high)).all()
    assert (high - low < 0.06).all()
