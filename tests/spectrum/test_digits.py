"""Orbits that rounding makes periodic: chaos on a cycle is no chaos, and must not be believed."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln


def driven_by(base):
    """Return a contraction driven by a map, whose second exponent is log 0.4."""

    def step(x):
        slope = 0.5 + 0.4 * anp.cos(2 * np.pi * x[..., 0])
        return anp.stack([base(x[..., 0]), slope * x[..., 1] + 0.1], axis=-1)

    return ln.Map(step, 2, vectorized=True)


def top():
    """Return Euler's equations of a rigid body with moments of inertia 1, 2, 3, up to scale."""
    return ln.Flow(lambda x: anp.array([x[1] * x[2], -2 * x[0] * x[2], x[0] * x[1]]), 3, dt=0.02)


def single(r):
    """Return the logistic map in single precision."""
    r = np.float32(r)

    def step(x):
        x = x.astype(np.float32)
        return r * x * (1 - x)

    return ln.Map(step, 1, jacobian=lambda x: r - 2 * r * x[:, None])


# Before: "converged" at -0.105 +- 1e-14 for -0.916, at 0.5024 +- 0.0002 for 0.496, at 1.386.
@pytest.mark.parametrize(
    ("system", "x0", "words"),
    [
        (driven_by(lambda x: 2 * x % 1), [0.31, 0.2], "unstable fixed point"),
        (driven_by(lambda x: 1 - 2 * anp.abs(x - 0.5)), [0.31, 0.2], "unstable fixed point"),
        (driven_by(lambda x: 2 * x % 1), [[0.31, 0.2], [0.7, 0.1]], "state of member 0"),
        (single(3.9), [0.3], "unstable cycle of"),
        (ln.Map(lambda x: 4 * x * (1 - x), 1), [0.5], "unstable fixed point"),
        # A cycle of six, of which only some states are short of digits: 23.57 for 3.418.
        (ln.Map(lambda x: anp.abs(1 / x - anp.floor(1 / x + 0.5)), 1), [0.2345], "cycle of 6"),
        # Euler's top near its unstable axis, a cycle: 0.9975 +- 0.03 for 0.
        (top(), [1e-9, 1.0, 0.0], "come to rest at an unstable fixed point"),
        # On the axis of symmetry of a pitchfork the saddle attracts.
        (
            ln.Map(lambda x: anp.array([x[0] / 2, 3 * x[1] - x[1] ** 3]), 2),
            [1.0, 0.0],
            "come to rest at an unstable fixed point",
        ),
    ],
    ids=[
        "doubling",
        "tent",
        "ensemble",
        "single precision",
        "preimage of zero",
        "fractions",
        "top",
        "saddle",
    ],
)
def test_an_orbit_that_rounding_has_ended_is_unreliable(system, x0, words):
    with pytest.warns(UserWarning, match=words):
        found = ln.lyapunov_spectrum(system, 20_000, x0=np.array(x0), rng=0)
    verdict = found.diagnose().verdict
    assert verdict.startswith("unreliable:")
    assert words in verdict


@pytest.mark.parametrize(
    ("system", "x0", "exponents"),
    [
        (ln.catalog.tent(), [0.31], [np.log(2)]),  # ends at 0, and grows alike everywhere
        (ln.catalog.baker(), [0.31, 0.2], [np.log(2), -np.log(2)]),
        (ln.catalog.cat(), [0.5, 0.25], [np.log((3 + 5**0.5) / 2), -np.log((3 + 5**0.5) / 2)]),
        (ln.Map(lambda x: 4 * x * (1 - x), 1), [0.0], [np.log(4)]),  # at rest on purpose
        (ln.Map(lambda x: 4 * x * (1 - x) / 2, 1), [0.3], [-np.inf]),  # a stable state, 1/2
        (
            driven_by(lambda x: 1.9999999 * x % 1),
            [0.31, 0.2],
            [np.log(2), np.log(0.4)],
        ),
    ],
    ids=["tent", "baker", "cat", "fixed point", "stable", "remedy"],
)
def test_other_exact_states_are_left_alone(system, x0, exponents):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ln.lyapunov_spectrum(system, 4000, x0=np.array(x0), rng=0)
    assert not found.settings["reservations"]
    low, high = found.confidence_interval(0.999)
    finite = np.isfinite(exponents)
    assert np.all((low - 1e-7 <= exponents) & (exponents <= high + 1e-7), where=finite)


# Before, these were given for the cycle without a word.
def test_vectors_and_condition_numbers_of_such_orbits_are_unreliable():
    fractions = ln.Map(lambda x: anp.abs(1 / x - anp.floor(1 / x + 0.5)), 1)
    with pytest.warns(UserWarning, match="vectors and exponents are unreliable: .* cycle of 6"):
        ln.covariant_vectors(fractions, 500, x0=[0.2345], rng=0)
    doubling = driven_by(lambda x: 2 * x % 1)
    with pytest.warns(UserWarning, match="condition numbers are unreliable: .* unstable fixed"):
        c = ln.condition_number(doubling, 100, x0=[0.31, 0.2], transient=500, rng=0)
    assert c.note.startswith("unreliable")


def leaky(x):
    """Slopes 1 and 1/2, so that a state below zero halves: log 1/2, and none at 0."""
    return anp.maximum(x, 0) - 0.5 * anp.maximum(-x, 0)


RECTIFIED = ln.VanillaRNN(
    np.array([[0.5, 0.1], [0.2, 0.4]]), np.zeros((2, 1)), np.zeros(2), activation="relu"
)


# Before, "converged" at -0.64 and at -inf, though exponents are log 1/2, and log 0.6 and log 0.3,
# until states become 0 after some thousand steps.
@pytest.mark.parametrize(
    ("system", "x0", "rates"),
    [(ln.Map(leaky, 1), [-0.3], [0.5]), (RECTIFIED, [1.0, 1.0], [0.6, 0.3])],
    ids=["leaky", "network"],
)
def test_rest_on_a_kink_is_no_rest_on_a_fixed_point(system, x0, rates):
    with pytest.warns(UserWarning, match="has come to rest on a kink"):
        s = ln.lyapunov_spectrum(system, 3000, x0=np.array(x0), rng=0)
    assert s.diagnose().verdict.startswith("unreliable: the state has come to rest on a kink")
    short = ln.lyapunov_spectrum(system, 200, x0=np.array(x0), rng=0)
    np.testing.assert_allclose(short.exponents, np.log(rates), atol=1e-9)
    assert short.diagnose().converged


@pytest.mark.parametrize(
    ("step", "x0"),
    [
        (lambda x: anp.maximum(x - 0.1, 0.0), [0.35]),  # rests at 0, far from the kink at 0.1
        (lambda x: anp.abs(x) / 2 + 0.5, [0.3]),
        (lambda x: x / 2 - x**3, [0.3]),  # vanishes as well
    ],
)
def test_rest_beside_a_kink_is_left_alone(step, x0):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        s = ln.lyapunov_spectrum(ln.Map(step, 1), 3000, x0=x0, rng=0)
    assert s.diagnose().converged
