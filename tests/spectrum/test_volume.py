"""Chaos that conserves a volume is judged alike, however many exponents are asked for."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln

CONSERVATIVE = [
    (ln.catalog.standard(k=1.0), 4000),  # areas, exactly
    (ln.catalog.henon_heiles(), 4000),  # by the divergence
    (ln.catalog.nose_hoover(), 20_000),  # in other coordinates: returns to where it was
]


@pytest.mark.parametrize(("system", "n_steps"), CONSERVATIVE)
def test_one_exponent_is_held_to_the_rules_of_all(system, n_steps):
    one = ln.lyapunov_spectrum(system, n_steps, k=1, rng=0)
    every = ln.lyapunov_spectrum(system, n_steps, rng=0)
    assert one.statistics.conserved is True
    assert one.exponents[0] == pytest.approx(every.exponents[0], abs=0.01)
    words = [s.diagnose().verdict.split(":")[0] for s in (one, every)]
    assert words[0] == words[1]


def test_dissipation_is_seen_and_time_dependence_too():
    for system in (ln.catalog.lorenz63(), ln.catalog.roessler(), ln.catalog.henon(),
                   ln.catalog.ikeda()):  # fmt: skip
        assert ln.lyapunov_spectrum(system, 1000, k=1, rng=0).statistics.conserved is False
    forced = ln.Flow(
        lambda x, t: anp.stack([x[..., 1], x[..., 0] - x[..., 0] ** 3 + 0.3 * anp.cos(t)], axis=-1),
        2, dt=0.05, time=True, vectorized=True,
    )  # fmt: skip
    s = ln.lyapunov_spectrum(forced, 2000, k=1, x0=[0.1, 0.1], rng=0)
    assert s.statistics.conserved is True
    members = ln.catalog.henon(b=np.array([0.3, 0.2]))
    s = ln.lyapunov_spectrum(members, 1000, k=1, x0=np.full((2, 2), 0.1), rng=0)
    assert s.statistics.conserved.tolist() == [False, False]


def test_it_is_known_to_tolerances_pools_and_files_and_where_a_run_goes_on(tmp_path):
    x0 = np.random.default_rng(0).uniform(0, 6, (6, 2))
    s = ln.lyapunov_spectrum(ln.catalog.standard(k=1.0), 2000, k=1, x0=x0, rng=0, tol=0.2)
    assert s.statistics.conserved.all()
    assert "volumes are conserved" in s.diagnose().verdict
    s.save(tmp_path / "s.npz")
    again = ln.load(tmp_path / "s.npz")
    assert again.diagnose().verdict == s.diagnose().verdict
    np.testing.assert_array_equal(again.statistics.estimate().stderr, s.stderr)
    assert s.extend(500).statistics.conserved.all()
    assert s.pooled().statistics.conserved.all()
