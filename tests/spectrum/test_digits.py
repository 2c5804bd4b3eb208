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
    ],
    ids=["doubling", "tent", "ensemble", "single precision", "preimage of zero"],
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
