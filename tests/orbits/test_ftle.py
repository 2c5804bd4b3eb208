"""Fields of finite-time exponents against singular values of the flow map."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def double_gyre(**kwargs):
    """The double gyre of Shadden, Lekien and Marsden (2005)."""
    A, eps, w = 0.1, 0.25, 2 * np.pi / 10

    def field(x, t):
        a = eps * anp.sin(w * t)
        f = a * x[..., 0] ** 2 + (1 - 2 * a) * x[..., 0]
        slope = 2 * a * x[..., 0] + 1 - 2 * a
        u = -np.pi * A * anp.sin(np.pi * f) * anp.cos(np.pi * x[..., 1])
        v = np.pi * A * anp.cos(np.pi * f) * anp.sin(np.pi * x[..., 1]) * slope
        return anp.stack([u, v], axis=-1)

    return ln.Flow(field, 2, dt=0.1, time=True, vectorized=True, **kwargs)


def test_the_field_is_that_of_the_flow_map_by_differences():
    flow = double_gyre()
    grid = np.stack(np.meshgrid(np.linspace(0.1, 1.9, 7), np.linspace(0.1, 0.9, 5)), axis=-1)
    found = ln.ftle_field(flow, 100, x0=grid, k=2, t0=2.0)
    h = 1e-6

    def end(x):
        return flow.orbit(x, flow.drive.rows(None, x.shape[:-1], 100, t0=2.0), 100).states[-1]

    columns = [(end(grid + h * e) - end(grid - h * e)) / (2 * h) for e in np.eye(2)]
    D = np.stack(columns, axis=-1)
    sigma = np.linalg.svd(D)[1]
    assert_allclose(found.exponents, np.log(sigma) / 10, atol=1e-6)
    assert_allclose(found.state, end(grid), atol=1e-12)
    stretched = np.linalg.norm((D @ found.directions[..., :1])[..., 0], axis=-1)
    assert_allclose(stretched, sigma[..., 0], rtol=1e-5)
    assert_allclose(found.exponents.sum(axis=-1), 0, atol=1e-6)  # no divergence
    assert found.plot().get_xlabel() == "$x_1$"
    assert np.ptp(found.exponents[..., 0]) > 0.05


def test_it_is_not_the_growth_of_a_chosen_basis():
    shear = ln.Map(lambda x: anp.array([x[0] + 2 * x[1], x[1]]), 2)
    field = ln.ftle_field(shear, 1, x0=[0.0, 0.0], k=2)
    assert_allclose(field.exponents, np.log([1 + np.sqrt(2), np.sqrt(2) - 1]), atol=1e-12)
    lam = ln.finite_time_exponents(shear, np.zeros(2), np.eye(2), n_steps=1)
    assert_allclose(lam, 0, atol=1e-12)


def test_long_runs_do_not_overflow():
    found = ln.ftle_field(ln.catalog.cat(), 5000, x0=[0.1, 0.2], k=2)
    assert_allclose(found.exponents[0], np.log((3 + np.sqrt(5)) / 2), rtol=1e-3)
    assert found.exponents[1] == -np.inf  # lost to rounding, as documented
    with pytest.raises(ValueError, match="on a grid"):
        found.plot()
