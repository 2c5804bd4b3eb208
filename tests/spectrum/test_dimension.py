import numpy as np
import pytest

from lyapnet.spectrum.dimension import entropy, kaplan_yorke_dimension
from lyapnet.spectrum.uncertainty.stderr import linear_stderr


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [
        ([-0.1, -1.0], 0.0),  # fixed point
        ([0.0, -1.0], 1.0),  # limit cycle
        ([0.5, -1.0], 1.5),
        ([1.0, 0.0, -2.0], 2.5),
        ([1.0, -1.0], 2.0),  # volume kept
        ([1.0, 0.5], 2.0),  # expanding map: the whole space
        ([0.2, 0.0, -0.1, -0.3, -5.0], 3 + 0.1 / 0.3),
        ([0.3, -np.inf], 1.0),
        ([-np.inf, -np.inf], 0.0),
        ([2.0, -1.0, -0.5], 3.0),  # any order: sorted, the sums are 2, 1.5, 0.5
    ],
)
def test_kaplan_yorke_dimension_by_hand(exponents, dimension):
    np.testing.assert_allclose(kaplan_yorke_dimension(exponents)[0], dimension, rtol=1e-14)


def test_dimension_needs_enough_exponents():
    dimension, gradient = kaplan_yorke_dimension([[0.5, 0.1], [0.5, -1.0]], dim=3)
    np.testing.assert_allclose(dimension, [np.nan, 1.5])
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()
    assert np.isnan(entropy([0.5, 0.1], dim=3)[0])
    assert entropy([0.5, -0.1], dim=3)[0] == 0.5


@pytest.mark.parametrize("function", [kaplan_yorke_dimension, entropy])
def test_gradient_is_the_derivative(function):
    rng = np.random.default_rng(0)
    exponents = rng.standard_normal((50, 6)) - 0.4
    gradient, h = function(exponents)[1], 1e-7
    for i in range(6):
        step = h * np.eye(6)[i]
        slope = (function(exponents + step)[0] - function(exponents - step)[0]) / (2 * h)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=1e-5, atol=1e-7)


def test_ensembles_are_vectorised():
    exponents = np.random.default_rng(1).standard_normal((3, 4, 5))
    dimension, gradient = kaplan_yorke_dimension(exponents)
    assert dimension.shape == (3, 4)
    assert gradient.shape == (3, 4, 5)
    np.testing.assert_array_equal(dimension[2, 1], kaplan_yorke_dimension(exponents[2, 1])[0])


def test_delta_method_is_calibrated_for_the_dimension():
    # 2000 replications: binomial standard error 0.5 %; truth D = 2 + 0.4 / 3
    rng = np.random.default_rng(2)
    growth = np.array([0.5, -0.1, -3.0]) + 0.3 * rng.standard_normal((400, 2000, 3))
    growth[..., 2] = -2.6 - growth[..., 0] - growth[..., 1]
    dimension, gradient = kaplan_yorke_dimension(growth.mean(axis=0))
    half = linear_stderr(growth, np.ones(400), gradient).half_width()
    assert 0.92 <= np.mean(np.abs(dimension - (2 + 0.4 / 3)) <= half) <= 0.98


@pytest.mark.parametrize("function", [kaplan_yorke_dimension, entropy])
def test_bad_arguments_are_named(function):
    with pytest.raises(ValueError, match="dim"):
        function([1.0, 0.0], dim=1)
    with pytest.raises(ValueError, match="nan"):
        function([1.0, np.nan])
    with pytest.raises(ValueError, match="shape"):
        function(1.0)
