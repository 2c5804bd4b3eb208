"""The catalog: each system against its reference, in tiers: exact, published, invariant."""

from __future__ import annotations

import itertools
import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd import jacobian as autograd_jacobian
from scipy.special import lambertw

import lyapnet as ln
from lyapnet import catalog
from lyapnet.catalog.piecewise import LENGTH

EXACT = {
    "logistic at 4": catalog.logistic,
    "logistic, fixed point 0": lambda: catalog.logistic(r=0.5),
    "logistic, fixed point": lambda: catalog.logistic(r=2.5),
    "logistic, period 2": lambda: catalog.logistic(r=3.3),
    "tent": catalog.tent,
    "tent, lower": lambda: catalog.tent(slope=1.7),
    "skew tent": catalog.skew_tent,
    "baker": catalog.baker,
    "baker, cut elsewhere": lambda: catalog.baker(cut=0.3),
    "cat": catalog.cat,
    "cat, dimension 3": lambda: catalog.cat(matrix=[[0, 1, 0], [0, 0, 1], [1, 0, 1]]),
    "lattice": lambda: catalog.bernoulli_lattice(5),
    "rate network, contracting": lambda: catalog.rate_network(4, gain=0.3, rng=3),
    "linear flow": catalog.linear_flow,
    "linear flow, stable": lambda: catalog.linear_flow([[-1.0, 5.0], [0.0, -2.0]]),
}


def spread_out(system, members, rng, size=1e-3):
    """Return starting states near the system's own, different for each member."""
    start = system.default_state(rng)
    return start + size * rng.standard_normal((members, system.dim))


def mean_exponents(
    system, members, n_steps, *, rng=0, k=None, size=1e-3, transient=1000, warm_up=500
):
    """Return the exponents averaged over an ensemble, and their standard error."""
    rng = np.random.default_rng(rng)
    k = system.dim if k is None else k
    lam = ln.finite_time_exponents(
        system,
        spread_out(system, members, rng, size),
        rng.standard_normal((members, system.dim, k)),
        n_steps=n_steps,
        transient=transient,
        basis_transient=warm_up,
    )
    return lam.mean(axis=0), lam.std(axis=0) / np.sqrt(members)


@pytest.mark.parametrize("name", EXACT)
def test_exact_exponents(name):
    system = EXACT[name]()
    assert system.reference.exact
    lam, error = mean_exponents(system, 8, 5000, size=1e-2, warm_up=5000)
    # Where the growth fluctuates: five standard errors; else rounding, the integrator's error
    # of |a|^5 dt^4 / 120, and for a rotating pair the rest of a period over the run's length.
    floor = 2e-3 if name == "linear flow" else 1e-8
    np.testing.assert_allclose(lam, system.reference.exponents, atol=floor + 5 * error.max())
    assert error.max() < 5e-3


def test_sums_of_exponents_are_exact():
    for n in (2, 3, 5):
        system = catalog.generalized_henon(n)
        lam, _ = mean_exponents(system, 2, 1000)
        np.testing.assert_allclose(lam.sum(), np.log(0.1), rtol=1e-10)
    # n - 1 positive exponents, as the title of the paper says, for n = 3.
    lam, error = mean_exponents(catalog.generalized_henon(3), 50, 2000)
    assert (lam[:2] > 5 * error[:2]).all()
    lam, _ = mean_exponents(catalog.lorenz96(8), 2, 1000, transient=100)
    np.testing.assert_allclose(lam.sum(), -8.0, rtol=1e-2)  # of the integrated flow


def test_delay_equation_at_its_fixed_point():
    """Exponents of y' = -b y + s y(t - τ) are -b + W_k(s τ exp(b τ)) / τ, Lambert's branches."""
    system = catalog.mackey_glass(60, delay=3.0)
    at = system.history([1.0])
    slope = 0.2 * (1 - 9) / 4  # F'(1), and x = 1 is the fixed point
    branches = np.array([lambertw(slope * 3.0 * np.exp(0.3), k) for k in (0, 1)])
    rates = (-0.1 + branches / 3.0).real
    lam = ln.finite_time_exponents(
        system,
        at,
        np.random.default_rng(0).standard_normal((system.dim, 4)),
        n_steps=4000,
        basis_transient=4000,
    )
    np.testing.assert_allclose(system.step(at), 1.0)
    # The pairs rotate: only their sums settle faster than 1/t.
    np.testing.assert_allclose([lam[:2].mean(), lam[2:].mean()], rates[:2], atol=1e-3)


def test_superstable_fixed_point_has_minus_infinity():
    assert catalog.logistic(r=2).reference.exponents == (-np.inf,)


@pytest.mark.parametrize(
    ("system", "members", "n_steps", "options"),
    [
        (catalog.henon(), 400, 5_000, {}),
        (catalog.standard(), 200, 10_000, {"size": 0.1}),
        (catalog.lorenz63(), 64, 15_000, {"size": 0.1}),
        (catalog.roessler(), 48, 20_000, {"size": 0.1}),
        (catalog.lorenz96(), 24, 1_500, {"size": 0.1, "transient": 300, "warm_up": 200}),
        # Two exponents as close as these take long to separate.
        (catalog.hyperchaotic_roessler(dt=0.01), 16, 20_000, {"size": 0.1, "warm_up": 8000}),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_published_exponents(system, members, n_steps, options):
    reference = system.reference
    known = len(reference.exponents)
    lam, error = mean_exponents(system, members, n_steps, k=known, **options)
    # One per cent, or the uncertainty on either side; a flow's zero exponent tends to 0 as 1/t.
    allowed = 0.01 * np.abs(reference.exponents) + 4 * error + reference.uncertainty + 3e-4
    assert (np.abs(lam - reference.exponents) < allowed).all(), (lam, error)
    assert (error < 0.004 + 0.01 * np.abs(reference.exponents)).all()  # the test can fail


@pytest.mark.parametrize("system", [catalog.tent(), catalog.baker(), catalog.skew_tent(peak=0.5)])
def test_doubling_does_not_die(system):
    """On [0, 1] in floating point these orbits are at 0 after 53 steps."""
    rng = np.random.default_rng(0)
    for start in (system.default_state(rng), np.full(system.dim, 0.25), rng.random(system.dim)):
        x = system.orbit(start, None, 20_000).states[:, 0]
        assert x.min() > 0
        assert x.max() <= LENGTH
        assert len(np.unique(x)) == len(x)
        # Lebesgue measure is invariant: moments of the uniform distribution, 5 standard errors.
        np.testing.assert_allclose([x.mean(), x.var()], [1 / 2, 1 / 12], atol=5 * 0.3 / 141)


def test_tent_orbit_is_exact_integer_arithmetic():
    M = 2**52 + 21
    system = catalog.tent()
    x = system.orbit(np.array([123456789 * 2.0**-52]), None, 1000).states[:, 0]
    m = 123456789
    for s in range(1000):
        m = 2 * min(m, M - m)
        assert x[s + 1] == m * 2.0**-52


def test_two_is_a_primitive_root():
    """The period of doubling modulo M is M - 1, as the module says."""
    M, primes = 2**52 + 21, (2, 3, 23, 612229, 987127)
    rest = M - 1
    for prime in primes:
        assert all(prime % d for d in range(2, int(prime**0.5) + 1))
        assert pow(2, (M - 1) // prime, M) != 1
        while rest % prime == 0:
            rest //= prime
    assert rest == 1
    assert pow(2, M - 1, M) == 1  # an order of M - 1 also proves M prime (Lucas)


def test_cat_map_is_a_permutation_of_its_grid():
    system = catalog.cat()
    x = system.orbit(system.default_state(np.random.default_rng(0)), None, 5000).states
    grid = 2.0**51
    m = x[100:] * grid  # at first, rounding takes bits away that the grid does not have
    assert (m == np.rint(m)).all()
    m = [[int(a) for a in row] for row in m]
    for now, then in itertools.pairwise(m):
        assert then == [(now[0] + now[1]) % 2**51, (now[0] + 2 * now[1]) % 2**51]
    assert len({tuple(row) for row in m}) == len(m)
    np.testing.assert_allclose(x.mean(axis=0), 0.5, atol=0.03)


def run(system, x, n_steps):
    """Return the states from x on, under noise where there is some."""
    return system.orbit(x, system.drive.rows(None, (), n_steps, seed=0), n_steps).states


def short(system):
    """Return a stiff flow with a step that takes few parts."""
    return system.with_dt(1e-4) if getattr(system, "method", "") == "implicit" else system


SYSTEMS = [getattr(catalog, name)() for name in catalog.__all__ if name.islower()]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_jacobian_is_the_derivative_of_the_step(system):
    rng = np.random.default_rng(1)
    system = short(system)
    x = run(system, system.default_state(rng) + 1e-3 * rng.random(system.dim), 20)
    by_autograd = autograd_jacobian(system.step)
    for state in x[[0, 7, 20]]:
        expected = by_autograd(state)
        scale = 1 + np.abs(expected).max()
        np.testing.assert_allclose(system.jacobian(state), expected, atol=1e-12 * scale)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_states_come_in_any_shape(system):
    rng = np.random.default_rng(2)
    system = short(system)
    x = system.default_state(rng) + 1e-3 * rng.random((2, 3, system.dim))
    step, jacobian = system.step(x), system.jacobian(x)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(step[i], system.step(x[i]), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(jacobian[i], system.jacobian(x[i]), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_system_stays_on_its_attractor(system):
    assert system.name in repr(system)
    implicit = getattr(system, "method", "") == "implicit"
    x = run(system, system.default_state(np.random.default_rng(0)), 100 if implicit else 5000)
    assert np.isfinite(x).all()
    assert np.abs(x).max() < (2e5 if implicit else 300)


def test_exponents_are_differentiable_in_parameters():
    system = catalog.lorenz63(dt=0.02)
    x0, basis = np.array([1.0, 2.0, 20.0]), np.eye(3)[:, :2]

    def first(rho):
        with_rho = system.with_params({**system.params, "rho": rho})
        return anp.sum(ln.finite_time_exponents(with_rho, x0, basis, n_steps=30))

    h = 1e-5
    expected = (first(28.0 + h) - first(28.0 - h)) / (2 * h)
    np.testing.assert_allclose(grad(first)(28.0), expected, rtol=1e-6)
    slope = grad(
        lambda mu: ln.finite_time_exponents(
            catalog.tent(slope=mu), np.array([0.2]), np.eye(1), n_steps=10
        )[0]
    )(1.8)
    np.testing.assert_allclose(slope, 1 / 1.8, rtol=1e-12)


def test_parameters_per_member():
    r = np.array([0.5, 2.5, 3.3])
    system = catalog.logistic(r=r)
    assert system.reference is None
    lam = ln.finite_time_exponents(
        system, np.full((3, 1), 0.3), np.ones((3, 1, 1)), n_steps=500, transient=2000
    )
    expected = [catalog.logistic(r=x).reference.exponents for x in r]
    np.testing.assert_allclose(lam, expected, atol=1e-10)
    mixed = catalog.henon(a=np.array([1.2, 1.4]), b=0.3)
    x0 = np.zeros((2, 2))
    lam = ln.finite_time_exponents(mixed, x0, np.eye(2), n_steps=50)
    alone = ln.finite_time_exponents(catalog.henon(a=1.2), x0[0], np.eye(2), n_steps=50)
    np.testing.assert_allclose(lam[0], alone, rtol=1e-10)


def test_reference_belongs_to_the_parameters():
    henon = catalog.henon()
    assert henon.reference is not None
    assert henon.with_params({"a": 1.2, "b": 0.3}).reference is None
    tent = catalog.tent().with_params({"slope": 1.5})
    assert tent.reference.exponents == (pytest.approx(np.log(1.5)),)
    assert all(x >= 0 for x in henon.reference.uncertainty)
    with pytest.raises(AttributeError):
        henon.reference.exact = True


def test_bad_arguments():
    with pytest.raises(ValueError, match="determinant 1 or -1"):
        catalog.cat(matrix=[[2, 0], [0, 1]])
    with pytest.raises(ValueError, match="`matrix` must have shape"):
        catalog.linear_flow(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="`r`"):
        catalog.logistic(r="four")


def test_dir_lists_the_systems_and_no_files():
    assert dir(catalog) == sorted(catalog.__all__)


def test_a_system_without_a_reference_says_why():
    for name in catalog.__all__:
        make = getattr(catalog, name)
        if name[0].islower() and make().reference is None:
            assert re.search(r"None(:| otherwise).*no\s+formula", make.__doc__, re.DOTALL), name


def test_mackey_glass_has_its_published_exponents():
    system = catalog.mackey_glass(60, delay=31.8)
    rng = np.random.default_rng(0)
    past = system.history([0.9]) * (1 + 0.2 * rng.standard_normal((16, 1)))
    s = ln.lyapunov_spectrum(
        system, 8000, k=4, x0=past, transient=4000, record=False, rng=1
    ).pooled()  # fmt: skip
    reference = system.reference
    off = np.abs(s.exponents - reference.exponents)
    assert (off < 4 * s.stderr + reference.uncertainty).all(), (s.exponents, s.stderr)
    assert s.stderr[0] < 0.001  # as bits the first would be 0.0044
    assert catalog.mackey_glass(60, delay=17.0).reference is None
    assert system.with_params({**system.params, "a": 0.21}).reference is None


def test_rucklidge_is_as_chaotic_by_scipy():
    from scipy.integrate import solve_ivp

    def both(t, s):
        (x, y, z), Q = s[:3], s[3:].reshape(3, 1)
        D = np.array([[-2.0, 6.7 - z, -y], [1, 0, 0], [0, 2 * y, -1]])
        return np.concatenate([[-2 * x + 6.7 * y - y * z, x, -z + y * y], (D @ Q).ravel()])

    s, total = np.array([1.0, 0.0, 4.5, 1.0, 0.0, 0.0]), 0.0
    for i in range(140):
        s = solve_ivp(both, (0, 2), s, method="DOP853", rtol=1e-8, atol=1e-9).y[:, -1]
        size = np.linalg.norm(s[3:])
        total += np.log(size) * (i >= 20)
        s[3:] /= size
    found = ln.lyapunov_spectrum(catalog.rucklidge(), 20_000, rng=0)
    low, high = found.confidence_interval(0.999)
    assert low[0] - 0.03 < total / 240 < high[0] + 0.03  # one run of 240 units has an error, too
    assert low[0] > 0.1
    assert abs(found.exponents.sum() + 3) < 1e-3


@pytest.mark.parametrize("n", [30, 60])
def test_lorenz96_is_compiled(n):
    """Its Jacobian, an array of n^2 numbers most of which are zero, had too many operations."""
    pytest.importorskip("numba")
    s = ln.lyapunov_spectrum(ln.compiled(catalog.lorenz96(n), "compiled"), 400, k=2, rng=0)
    assert s.settings["engine"] == "compiled"


@pytest.mark.parametrize("n", [3, 4, 9])
def test_jacobians_of_lattices_have_their_neighbours(n):
    """Rows are e, 2 (1 - e), e about the diagonal; for members of an ensemble each with its own."""
    coupling = np.array([0.1, 0.3])
    unit = np.eye(n)
    expected = [
        2 * (1 - e) * unit + e * (np.roll(unit, 1, axis=1) + np.roll(unit, -1, axis=1))
        for e in coupling
    ]
    lattice = catalog.bernoulli_lattice(n, coupling=coupling)
    np.testing.assert_allclose(lattice.jacobian(np.full((2, n), 0.3)), expected, rtol=1e-15)
