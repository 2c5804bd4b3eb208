"""Bases that are orthonormalised only when needed, against the plain loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.cells import vanilla_orbit
from lyapnet.systems.jacobian_orbit import JacobianOrbit
from lyapnet.tangent import deferred_qr, forward, gradient, stretches
from lyapnet.tangent.plan import Plan


def orbit_and_basis(n, k, n_steps, gain=1.0, lead=()):
    rng = np.random.default_rng(0)
    cell = ln.VanillaRNN.random(n, gain=gain, bias=0.1, rng=rng)
    inputs = rng.standard_normal((n_steps, *lead, 1))
    orbit = stretches.run_orbit(cell, rng.standard_normal((*lead, n)), inputs, 0, n_steps)
    basis = np.linalg.qr(rng.standard_normal((*lead, n, k)))[0].swapaxes(-1, -2)
    return cell, orbit, np.ascontiguousarray(basis)


@pytest.mark.parametrize("lead", [(), (3,)])
@pytest.mark.parametrize(("n", "k"), [(8, 3), (32, 16), (70, 20), (70, 66), (6, 6)])
def test_growth_is_that_of_the_plain_loop(n, k, lead):
    _, orbit, rows = orbit_and_basis(n, k, 40, lead=lead)
    plain = forward.forward(orbit, rows, 1, start=0, forgiving=True)
    found = deferred_qr.forward_in_blocks(orbit, rows, 0)
    assert len(found[0]) == len(found[3].blocks)
    assert_allclose(found[0].sum(axis=0), plain[0].sum(axis=0), rtol=0, atol=1e-10)
    assert_allclose(np.abs(np.einsum("...i,...i", found[1], plain[1])), 1.0, atol=1e-8)


def test_well_conditioned_bases_are_left_for_several_steps_and_others_not():
    few = deferred_qr.forward_in_blocks(*orbit_and_basis(32, 8, 60)[1:], 0)[3].blocks
    all_ = deferred_qr.forward_in_blocks(*orbit_and_basis(32, 32, 60)[1:], 0)[3].blocks
    assert len(few) < 20
    assert len(all_) > 50
    for blocks in (few, all_):
        assert [b[0] for b in blocks[1:]] == [b[1] for b in blocks[:-1]]
        assert (blocks[0][0], blocks[-1][1]) == (0, 60)


def test_a_basis_that_collapses_within_a_block_is_orthonormalised_before():
    # Six steps that preserve all angles, then one that brings two directions within 1e-6.
    angles = np.repeat(np.eye(2)[None], 20, axis=0)
    angles[6] = [[1.0, 1.0], [0.0, 1e-6]]
    states = np.zeros((21, 2))
    orbit = JacobianOrbit(states, jacobians=angles)
    growth, _, sine, tape = deferred_qr.forward_in_blocks(orbit, np.eye(2), 0)
    assert 1e-7 < sine < 1e-5
    at = [b[:2] for b in tape.blocks].index((6, 7))
    assert_allclose(growth[at].sum(), np.log(1e-6), rtol=1e-9)
    assert_allclose(np.delete(growth, at, axis=0), 0.0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("interval", [1, 8, 400])
@pytest.mark.parametrize("log_gain", [-368.0, -40.0, -1.0, 0.0, 1.0, 40.0, 368.0])
def test_growth_may_leave_the_range_whose_squares_are_numbers(k, interval, log_gain):
    # All exponents are the logarithm of the gain; its 700 / |log_gain|-th power leaves the range.
    if abs(log_gain) * interval > 690:
        interval = max(1, int(690 / abs(log_gain)))
    W = np.exp(log_gain) * np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    cell = ln.VanillaRNN(W, np.zeros((5, 0)), np.zeros(5), activation="linear")
    rows, plan = np.eye(5)[:k].copy(), Plan(0, 0, 1500, interval, forgiving=True)
    for keep in (False, True):
        lam, record = gradient.exponents(cell, np.zeros(5), rows, None, plan, keep=keep)
        assert_allclose(lam, log_gain, rtol=1e-10, atol=1e-10)
    # d lambda_i / d W sums to the derivative of k log gain in the gain: W_bar . W = k.
    W_bar = gradient.gradient(record, np.ones(k))[3]["W"]
    assert_allclose(np.sum(W_bar * W), k, rtol=1e-8)


@pytest.mark.parametrize("leak", [1.0, 0.4])
@pytest.mark.parametrize("n_steps", [1, 7, 150])
def test_formed_jacobians_and_factors_give_the_same_gradient(monkeypatch, leak, n_steps):
    rng = np.random.default_rng(1)
    n, k = 10, 6
    cell = ln.VanillaRNN.random(n, gain=1.2, leak=leak, bias=0.1, rng=rng)
    inputs, x = rng.standard_normal((n_steps, 1)), rng.standard_normal(n)
    rows = np.ascontiguousarray(np.linalg.qr(rng.standard_normal((n, k)))[0].T)
    found = []
    for small in (0, 48):
        monkeypatch.setattr(vanilla_orbit, "_SMALL", small)
        for interval in (1, 3):
            plan = Plan(0, 0, n_steps, interval, forgiving=True)
            lam, record = gradient.exponents(cell, x, rows, inputs, plan, keep=True)
            x_bar, rows_bar, inputs_bar, params = gradient.gradient(record, np.arange(1.0, k + 1))
            found.append([lam, x_bar, rows_bar, inputs_bar, *params.values()])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert_allclose(a, b, rtol=1e-8, atol=1e-9 * max(1.0, np.abs(a).max()))


@pytest.mark.parametrize("interval", [1, 3])
@pytest.mark.parametrize(("n", "k", "n_steps"), [(12, 7, 700), (80, 40, 200)])
def test_a_window_too_long_to_be_kept_has_the_same_gradient(monkeypatch, n, k, n_steps, interval):
    # The larger one's bases come from Cholesky's method in some steps and Householder's in others,
    # whose signs differ: a stretch that is run again must end in the very same basis.
    rng = np.random.default_rng(5)
    cell = ln.VanillaRNN.random(n, gain=1.5, bias=0.1, rng=rng)
    inputs, x = rng.standard_normal((n_steps + 9, 1)), rng.standard_normal(n)
    rows = np.ascontiguousarray(np.linalg.qr(rng.standard_normal((n, k)))[0].T)
    plan = Plan(4, 5, n_steps, interval, forgiving=True)
    found = []
    for tape in (2**26, 0):
        monkeypatch.setattr(gradient, "_TAPE", tape)
        monkeypatch.setattr(stretches, "_STRETCH", 64 * n * k)
        lam, record = gradient.exponents(cell, x, rows, inputs, plan, keep=True)
        assert (record.tapes[-1] is None) == (tape == 0)
        x_bar, rows_bar, inputs_bar, params = gradient.gradient(record, np.arange(1.0, k + 1))
        found.append([lam, x_bar, rows_bar, inputs_bar, *params.values()])
    for a, b in zip(*found, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-7 * np.abs(a).max())


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize(("n", "k", "interval"), [(24, 20, 4), (80, 75, 2), (80, 75, 3)])
def test_the_flags_of_bases_are_enough_for_a_gradient(monkeypatch, n, k, interval, lead):
    cell, orbit, rows = orbit_and_basis(n, k, 31, lead=lead)

    def run(interval):
        plan = Plan(0, 0, 31, interval, forgiving=True)
        x, u = orbit.states[0], orbit.inputs
        lam, record = gradient.exponents(cell, x, rows, u, plan, keep=True)
        ((_, tape),) = record.tapes
        ends = np.stack([tape.rows[last] for _, last, _ in tape.blocks])
        errors = np.abs(ends @ ends.swapaxes(-1, -2) - np.eye(k)).max(axis=(-1, -2))
        assert (errors[-1] < 3e-11).all()  # the last basis is orthonormal
        x_bar, rows_bar, _, params = gradient.gradient(record, lam)
        return errors.max(), [lam, x_bar, rows_bar, *params.values()]

    def deviation(found):
        pairs = zip(found, truth, strict=True)
        return np.array([np.abs(x - y).max() / np.abs(y).max() for x, y in pairs])

    truth = run(1)[1]
    error, found = run(interval)
    monkeypatch.setattr(forward, "_FLAG", 2.0)  # a sine that no basis has
    error_strict, strict = run(interval)
    assert error > 100 * error_strict
    for way in (found, strict):  # both lose rounding over the sine only
        assert (deviation(way) < 1e-7).all()
