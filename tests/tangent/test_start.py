"""What runs start from, and trajectories in stretches."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lyapnet as ln
from lyapnet.errors import DivergedError
from lyapnet.systems import as_system
from lyapnet.tangent.plan import Plan
from lyapnet.tangent.start import Start
from lyapnet.tangent.stretches import run_orbit, run_stretches


def test_everything_has_the_axes_of_the_whole_ensemble():
    family = ln.VanillaRNN.random(5, gain=[0.5, 1.0, 1.5], rng=0)
    u = np.random.default_rng(1).standard_normal((20, 1))
    start = Start.of(family, u, 20, x0=np.ones(5), t0=0.0, rng=np.random.default_rng(2), k=2)
    assert start.x.shape == (3, 5)
    assert start.rows.shape == (3, 2, 5)
    assert start.inputs.shape[-1] == 1
    assert not start.of_one_system
    assert start.settings == {"k": 2, "dt": 1.0, "driven": True, "t0": 0.0}
    inner = start.rows @ start.rows.swapaxes(-1, -2)
    np.testing.assert_allclose(inner, np.broadcast_to(np.eye(2), (3, 2, 2)), atol=1e-14)


def logistic(r, **kwargs):
    return ln.Map(lambda x, p: p["r"] * x * (1 - x), 1, params={"r": r}, **kwargs)


@pytest.mark.parametrize(
    ("system", "one"),
    [
        (logistic(np.linspace(3.7, 4, 5)), False),  # was "disagreeing: several attractors"
        (logistic(np.linspace(3.7, 4, 5)[:, None], vectorized=True), False),
        (logistic(np.full(5, 3.9)), True),
        (logistic(3.9), True),
        (ln.Flow(lambda x, p: -p[1] * x, 1, dt=0.1, params=(1.0, np.arange(1.0, 6.0))), False),
    ],
)
def test_members_with_parameters_of_their_own_are_not_of_one_system(system, one):
    s = ln.lyapunov_spectrum(system, 2000, x0=np.full((5, 1), 0.3), rng=0)
    assert s.settings["one_system"] is one
    assert not s.diagnose().verdict.startswith("disagreeing")


def test_state_basis_and_noise_are_drawn_in_this_order():
    noisy = ln.NoisyFlow(lambda x: -x, lambda x: 0.1, 1, dt=0.1)
    cell = ln.VanillaRNN.random(4, n_inputs=0, rng=0)
    rng = np.random.default_rng(3)
    start = Start.of(cell, None, 9, x0=None, t0=0.0, rng=rng)
    again = np.random.default_rng(3)
    assert_array_equal(start.x, cell.default_state(again))
    again.standard_normal((4, 4))
    assert rng.bit_generator.state == again.bit_generator.state
    assert start.seed is None
    assert Start.of(noisy, None, 9, x0=[1.0], t0=0.0, rng=rng).seed is not None


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_stretches_are_one_trajectory(engine):
    system = as_system(ln.catalog.henon())
    if engine == "compiled":
        pytest.importorskip("numba")
        system = system.prepared(np.array([0.1, 0.1]), None, 2, 10**6)
    x = np.array([0.1, 0.1])
    whole = run_orbit(as_system(ln.catalog.henon()), x, None, 0, 40).states
    seen = 0
    for phase, start, orbit in run_stretches(system, x, None, Plan(10, 0, 30).stretches(7)):
        assert (phase == "transient") == (start < 10)
        assert start == seen
        np.testing.assert_allclose(
            orbit.states, whole[start : start + orbit.n_steps + 1], rtol=1e-9
        )
        seen += orbit.n_steps
    assert seen == 40


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_states_that_nobody_looked_at_are_checked_before_the_next_stretch(engine):
    system = as_system(ln.Map(lambda x: 2.0 * x**2, 1))
    x = np.array([3.0])
    if engine == "compiled":
        pytest.importorskip("numba")
        system = system.prepared(x, None, 1, 10**6)
    with pytest.raises(DivergedError, match="not finite after step 9"):  # 6**(2**9) / 2
        for _ in run_stretches(system, x, None, Plan(30, 0, 1).stretches(64)):
            pass
