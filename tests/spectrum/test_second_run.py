"""Runs of maps are held against what their orbits do later on."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln

pytest.importorskip("numba")  # NumPy would take seconds for each


def kicked_rotors(kicks, coupling):
    """Return standard maps that are coupled by the kick ``coupling sin(q_1 + q_2)``."""
    n = len(kicks)

    def step(x, p):
        q, m = x[:n], x[n:]
        m = m + p["kicks"] * anp.sin(q) + p["coupling"] * anp.sin(anp.sum(q))
        return anp.mod(anp.concatenate([q + m, m]), 2 * np.pi)

    return ln.Map(step, 2 * n, params={"kicks": np.array(kicks), "coupling": coupling})


def runs(system, n_starts, n_steps):
    """Return runs of orbits that have been mixed for 20 000 steps."""
    starts = 0.1 + 0.01 * np.random.default_rng(0).standard_normal((n_starts, system.dim))
    mixed = ln.lyapunov_spectrum(system, 1000, k=1, x0=starts, transient=20_000, rng=0).state
    return [ln.lyapunov_spectrum(system, n_steps, x0=x, rng=0) for x in mixed]


# Truth: a loop by hand, 200 orbits of 100 000 steps from there (0.006, 0.0014, 0.003).
@pytest.mark.parametrize(
    ("kicks", "coupling", "truth"),
    [
        ([2.3257], 0.0, 0.473),
        ([0.3986, 0.3144], 0.1993, 0.103),
        ([1.4209, 0.8327], 0.0197, 0.209),
    ],
)
def test_a_sea_that_has_not_been_seen_whole_is_not_called_converged(kicks, coupling, truth):
    found = runs(kicked_rotors(kicks, coupling), 20, 4000)
    wrong = []
    for s in found:
        half = np.diff(s.confidence_interval(), axis=0)[0, 0] / 2
        if np.isfinite(half) and abs(s.exponents[0] - truth) > half + 0.04 * truth:
            wrong.append(s)
    assert wrong  # their spectra look flat
    for s in wrong:
        d = s.diagnose()
        assert not d.converged
        assert d.verdict.startswith(("too short", "stationary", "drifting")), d.verdict


def test_chaos_without_islands_is_known():
    found = runs(kicked_rotors([20.0], 0.0), 10, 4000)
    known = [s for s in found if s.diagnose().converged]
    assert len(known) >= 7
    for s in known:
        assert abs(s.exponents[0] - np.log(10)) < 0.1  # log(K / 2), asymptotically


@pytest.mark.parametrize("members", [(), (3,)])
def test_an_orbit_that_goes_on_elsewhere_is_too_short(members):
    # Exact: log 2 until c has decayed to 1/1000, log 3 from there on.
    def step(x):
        return anp.array([anp.mod(anp.where(x[1] > 1e-3, 2, 3) * x[0] + 0.1, 1), 0.999 * x[1]])

    x0 = np.broadcast_to([0.3, 1.0], (*members, 2))
    s = ln.lyapunov_spectrum(ln.Map(step, 2), 3000, x0=x0, rng=0)
    np.testing.assert_allclose(s.exponents[..., 0], np.log(2), rtol=1e-9)
    d = s.diagnose()
    assert not d.converged
    assert d.verdict.startswith("too short: a run on from its end has 1.1 for 0.693")
    later = ln.lyapunov_spectrum(ln.Map(step, 2), 3000, x0=x0, transient=10_000, rng=0)
    assert later.diagnose().converged
    # within a tolerance nothing is settled either
    within = ln.lyapunov_spectrum(ln.Map(step, 2), 3000, x0=x0, tol=0.01, rng=0)
    assert within.converged is False


def test_what_is_driven_or_not_compiled_has_no_other_run():
    driven = ln.Map(lambda x, u: anp.mod(2 * x + u, 1), 1, n_inputs=1)
    by_numpy = ln.compiled(ln.Map(lambda x: anp.mod(2 * x + 0.1, 1), 1), "numpy")
    inputs = np.full((2000, 1), 0.1)
    runs = [
        ln.lyapunov_spectrum(driven, inputs=inputs, x0=[0.3], rng=0),
        ln.lyapunov_spectrum(by_numpy, 2000, x0=[0.3], rng=0),
    ]
    for s in runs:
        assert s._of_the_step[1] is None
        assert s.diagnose().converged
