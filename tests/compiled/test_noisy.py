"""Compiled runs of stochastic flows are NumPy's, under the same noise."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

pytest.importorskip("numba")


def both(flow, n_steps, **options):
    """Run a flow by both engines, under the noise of one seed."""
    options = {"transient": 7, "basis_transient": 9, "rng": 4, **options}
    a, b = (
        ln.lyapunov_spectrum(ln.compiled(flow, engine), n_steps, **options)
        for engine in ("compiled", "numpy")
    )
    assert [s.settings["engine"] for s in (a, b)] == ["compiled", "numpy"]
    assert_allclose(a.state, b.state, rtol=1e-10, atol=1e-12)
    assert_allclose(a.log_growth, b.log_growth, rtol=1e-9, atol=1e-11)
    assert_allclose(a.stderr, b.stderr, rtol=1e-6, atol=1e-11)
    return a, b


@pytest.mark.parametrize("lead", [(), (5,)], ids=str)
@pytest.mark.parametrize("name", ["ornstein_uhlenbeck", "geometric_brownian", "noisy_double_well"])
def test_the_catalog(name, lead):
    flow = getattr(ln.catalog, name)()
    x0 = np.full((*lead, 1), 0.3)
    a, b = both(flow, 600, x0=x0)
    whole = ln.lyapunov_spectrum(flow, 600, x0=x0, transient=7, basis_transient=9, rng=4)
    assert whole.settings["engine"] == "compiled"  # by itself, too
    assert_array_equal(whole.exponents, a.exponents)
    longer = [s.extend(300) for s in (a, b)]  # beyond the noise that was drawn
    assert_allclose(*(s.exponents for s in longer), rtol=1e-9)
    if lead:  # each member has noise of its own
        assert len(np.unique(a.state)) == lead[0]


def test_an_extension_goes_through_the_noise_of_one_long_run():
    flow = ln.catalog.noisy_double_well()
    few = {"transient": 30, "basis_transient": 20, "qr_interval": 1, "rng": 5}
    whole = ln.lyapunov_spectrum(flow, 6000, **few)  # over an edge of the blocks it is drawn in
    parts = ln.lyapunov_spectrum(flow, 1000, **few).extend(5000)
    assert whole.settings["engine"] == parts.settings["engine"] == "compiled"
    assert_array_equal(whole.state, parts.state)
    assert_allclose(whole.exponents, parts.exponents, rtol=1e-12)


def drift(x, t, p):
    return anp.array([x[1] + p["c"] * anp.cos(t), -anp.sin(x[0]) - p["d"] * x[1]])


def components(x, t, p):
    return [0.1 * t, p["s"] * x[0]]


def matrix(x, t, p):
    return [[0.0, p["s"] * x[0], 0.0], [0.1 * anp.cos(t), 0.0, p["s"] * x[1]]]


def column(x, t, p):
    return p["s"] * anp.array([1.0, x[0]])


def number(x, t, p):
    return p["s"] * anp.cos(x[0] + t)


STRENGTHS = [(components, None), (number, None), (matrix, 3), (column, 1)]


@pytest.mark.parametrize("members", [(), (3,), (2, 5)], ids=str)
@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
@pytest.mark.parametrize(
    ("strength", "n_noise"), STRENGTHS, ids=lambda x: getattr(x, "__name__", x)
)
def test_time_parameters_and_matrices(strength, n_noise, calculus, members):
    spread = np.linspace(0, 1, int(np.prod(members))).reshape(members)
    params = {"c": 0.5, "d": 0.2 + 0.1 * spread, "s": 0.3}
    flow = ln.NoisyFlow(
        drift, strength, 2, dt=0.05, n_noise=n_noise, calculus=calculus, params=params, time=True
    )
    x0 = np.stack([0.4 + 0.1 * spread, -0.2 + spread], axis=-1)
    both(flow, 60, x0=x0, t0=0.7, k=2)
    common = flow.increments(80, rng=1)
    both(flow, None, inputs=common, x0=x0, t0=0.7, k=1, qr_interval=4)


def test_half_the_step_under_the_same_noise():
    well = ln.catalog.noisy_double_well(dt=0.05)
    found = [
        ln.check_step(ln.compiled(well, engine), 2000, rng=0) for engine in ("compiled", "numpy")
    ]
    assert_allclose(*(x.exponents for x in found), rtol=1e-8)


@pytest.mark.parametrize("where", ["drift", "diffusion"])
def test_what_cannot_be_compiled_is_said(where):
    plain, other = (
        lambda x: -0.5 * x,
        lambda x: -0.4 * anp.linalg.slogdet(x[0] * np.eye(1))[1] * np.ones(1),
    )
    functions = (other, plain) if where == "drift" else (plain, other)
    flow = ln.NoisyFlow(*functions, 1, dt=0.1)
    with pytest.raises(TypeError, match=r"`drift` or `diffusion`: `slogdet` cannot"):
        ln.compiled(flow)
    s = ln.lyapunov_spectrum(flow, 200, x0=[0.3], rng=0)
    assert s.settings["engine"] == "numpy"
    assert "`slogdet` cannot" in s.settings["engine_reason"]


def test_a_strength_of_the_wrong_shape_is_refused_as_ever():
    flow = ln.NoisyFlow(lambda x: -x, lambda x: np.ones(3), 2, dt=0.1)
    with pytest.raises(ValueError, match="`diffusion` must return an array of shape"):
        ln.lyapunov_spectrum(flow, 2000, x0=np.ones(2), rng=0)


def test_a_strength_that_draws_by_itself_is_refused():
    rng = np.random.default_rng(0)
    flow = ln.NoisyFlow(lambda x: -x, lambda x: rng.standard_normal(1), 1, dt=0.1)
    with pytest.raises(ValueError, match="does not return the same"):
        ln.lyapunov_spectrum(flow, 2000, x0=np.ones(1), rng=0)
