"""Transversal and conditional exponents against what is known of them."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def test_coupling_by_all_components_shifts_the_exponents_of_a_flow():
    alpha = np.array([0.0, 0.5, 2.0])
    m = ln.master_stability(ln.catalog.lorenz63(), alpha, 4000, k=3, rng=0)
    assert_allclose(m.exponents - m.exponents[0], -alpha[:, None] * np.ones(3), atol=6e-3)
    assert m.stable.tolist() == [False, False, True]
    assert m.plot().get_title() == "transversal"


def test_coupled_maps_have_their_exponents_exactly():
    H = np.diag([1.0, 0.0])
    m = ln.master_stability(ln.catalog.henon(), [0.0, 0.4, 1.5], 3000, k=2, coupling=H, rng=0)
    # The volume: log |det (1 - alpha H)| + log 0.3
    expected = np.log(0.3) + np.log(np.abs(1 - np.array([0.0, 0.4, 1.5])))
    assert_allclose(m.exponents.sum(axis=1), expected, atol=1e-9)
    plain = ln.lyapunov_spectrum(ln.catalog.henon(), 3000, rng=1)
    assert_allclose(m.exponents[0], plain.exponents, atol=0.02)


def test_two_coupled_lorenz_systems_synchronise_where_the_function_says():
    """Coupled by y with H = diag(0, 1, 0): alpha = 2 sigma for two systems."""
    H = np.diag([0.0, 1.0, 0.0])
    lorenz = ln.catalog.lorenz63()
    m = ln.master_stability(lorenz, [0.5, 6.0], 15_000, coupling=H, rng=0)
    assert m.low[0] > 0
    assert m.high[1] < 0

    def pair(x, s):
        a, b = x[:3], x[3:]
        out = []
        for own, other in ((a, b), (b, a)):
            out += [10 * (own[1] - own[0]),
                    own[0] * (28 - own[2]) - own[1] + s * (other[1] - own[1]),
                    own[0] * own[1] - 8 / 3 * own[2]]  # fmt: skip
        return anp.array(out)

    x0 = np.array([1.0, 1.0, 20.0, 1.1, 0.9, 20.3])
    for s, together in ((0.25, False), (3.0, True)):
        flow = ln.Flow(pair, 6, dt=0.01, params=s)
        x = flow.orbit(x0, None, 6000).states[-1]
        assert (np.abs(x[:3] - x[3:]).max() < 1e-6) == together


def test_pecora_and_carrolls_conditional_exponents_of_lorenz():
    # By laws that hold for any parameters: Phys. Rev. Lett. 64, 821 (1990)
    lorenz = ln.catalog.lorenz63()
    x = ln.conditional_exponents(lorenz, [1, 2], 5000, rng=0)
    assert_allclose(x.exponents.sum(), -1 - 8 / 3, atol=1e-4)
    y = ln.conditional_exponents(lorenz, [0, 2], 5000, rng=0)
    assert_allclose(y.exponents, [-8 / 3, -10], atol=1e-4)  # driven by y both parts are linear
    z = ln.conditional_exponents(lorenz, [0, 1], 20_000, rng=0)
    assert_allclose(z.exponents.sum(), -11, atol=1e-4)
    low, high = z.confidence_interval()
    assert low[0] - 0.02 < 0 < high[0] + 0.02  # neutral: (x, y) are scaled by symmetry
    assert x.confidence_interval()[1][0] < 0
    assert np.abs(y.basis[1]).max() == 0


def test_conditional_exponents_of_a_driven_map():
    # y' = 0.5 y + x-dependent forcing: conditional exponent log 0.5 whatever x does
    skew = ln.Map(lambda v: anp.array([4 * v[0] * (1 - v[0]), 0.5 * v[1] + v[0] ** 2]), 2)
    s = ln.conditional_exponents(skew, [1], 500, x0=[0.3, 0.1], rng=0)
    assert_allclose(s.exponents, np.log(0.5), atol=1e-12)


def test_arguments():
    with pytest.raises(ValueError, match="leave others to drive"):
        ln.conditional_exponents(ln.catalog.henon(), [0, 1], 100)
    with pytest.raises(TypeError, match="`system` must be a Map or a Flow"):
        ln.master_stability(ln.VanillaRNN.random(3, rng=0), [1.0], 100)
    with pytest.raises(ValueError, match="coupling"):
        ln.master_stability(ln.catalog.henon(), [1.0], 100, coupling=np.eye(3))
    stiff = ln.Flow(lambda x: -x, 1, dt=0.1, method="implicit")
    with pytest.raises(ValueError, match="implicit"):
        ln.master_stability(stiff, [1.0], 100, x0=[1.0])


def test_fields_with_kinks_are_varied_as_well():
    # |x| in Chua's circuit: coupled by all components the exponents are shifted by alpha
    chua = ln.Flow(
        lambda x: anp.array([
            9 * (x[1] - 2 / 7 * x[0] + 3 / 14 * (anp.abs(x[0] + 1) - anp.abs(x[0] - 1))),
            x[0] - x[1] + x[2],
            -14.286 * x[1],
        ]), 3, dt=0.02,
    )  # fmt: skip
    m = ln.master_stability(chua, [0.0, 1.0], 1500, k=3, x0=[0.1, 0.0, 0.6], rng=0)
    assert_allclose(m.exponents[1], m.exponents[0] - 1, atol=0.05)
    s = ln.conditional_exponents(chua, [1, 2], 1500, x0=[0.1, 0.0, 0.6], rng=0)
    assert_allclose(s.exponents.sum(), -1, atol=1e-4)  # driven by x it is linear
