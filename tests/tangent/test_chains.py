"""Chains of units, in which rounding that reaches the first one grows along the chain to any size.

What is true comes from products in many more digits, without any orthonormalisation: volumes are
determinants of Gram matrices. Single products keep zeros and the digits of small components, so the
exponents must be as good.
"""

import autograd
import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

DIGITS = mpmath.MPContext()
DIGITS.prec = 3000


def log_volumes(rows):
    """Return the log volumes that the first vectors span, from Gram determinants."""
    gram = DIGITS.matrix([[sum(np.multiply(x, y)) for y in rows] for x in rows])
    minors = [DIGITS.det(gram[:i, :i]) for i in range(1, len(rows) + 1)]
    return [DIGITS.log(minor) / 2 for minor in minors]


def exponents(before, after, n_steps):
    """Return finite-time exponents in QR order."""
    grown = np.array(log_volumes(after)) - np.array(log_volumes(before))
    return np.diff(grown, prepend=0).astype(float) / n_steps


def exact(basis):
    return [[DIGITS.mpf(float(x)) for x in column] for column in basis.T]


def multiplied(jacobians, basis):
    """Carry a basis through Jacobians of floats, all digits kept."""
    rows = exact(basis)
    for D in jacobians:
        entries = [[(j, DIGITS.mpf(float(d))) for j, d in enumerate(r) if d] for r in D]
        rows = [[sum((d * x[j] for j, d in r), DIGITS.mpf(0)) for r in entries] for x in rows]
    return exponents(exact(basis), rows, len(jacobians))


def along(cell, x, n_steps):
    """Return the Jacobians along a trajectory."""
    states = [x]
    for _ in range(n_steps - 1):
        states.append(cell.step(states[-1]))
    return cell.jacobian(np.array(states))


def power(diagonal, coupling, basis, n_steps, lower):
    """Carry a basis through a chain's n-th power: binomial coefficients times shifts."""
    n = len(basis)
    a, c = DIGITS.mpf(diagonal), DIGITS.mpf(coupling)
    weights = [DIGITS.binomial(n_steps, j) * a ** (n_steps - j) * c**j for j in range(n)]
    rows = []
    for x in exact(basis):
        x = x if lower else x[::-1]
        y = [sum((weights[j] * x[i - j] for j in range(i + 1)), DIGITS.mpf(0)) for i in range(n)]
        rows.append(y if lower else y[::-1])
    return rows


def chain(n, lower=True, **options):
    W = 0.99 * np.eye(n) + np.eye(n, k=-1 if lower else 1)
    return ln.VanillaRNN(W, activation="linear", **options)


def test_the_leading_exponent_of_a_chain():
    s = ln.lyapunov_spectrum(chain(20), 10_000, k=1, x0=np.zeros(20), rng=0)
    assert -0.0101 < s.exponents[0] < -0.005  # log 0.99, and 19 log(1.1) / 10 000 over the window


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("interval", [1, 6, "auto"])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
@pytest.mark.parametrize("lower", [True, False])
def test_a_chain_has_the_exponents_of_its_exact_power(lower, k, interval, lead):
    n, n_steps = 20, 1500
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((n, k)))[0]
    s = ln.lyapunov_spectrum(
        chain(n, lower), n_steps, basis=basis, x0=np.zeros((*lead, n)),
        transient=0, basis_transient=0, qr_interval=interval,
    )  # fmt: skip
    expected = exponents(exact(basis), power(0.99, 1, basis, n_steps, lower), n_steps)
    expected = np.sort(expected)[::-1]
    # Relative errors of single products grow by 3e12 in the exponents of a whole spectrum, as a
    # run in many digits with such errors shows; those of several steps add up.
    atol = 3e12 * 3e-15 / n_steps if k == n else 1e-9
    assert_allclose(s.exponents, np.broadcast_to(expected, (*lead, k)), rtol=0, atol=atol)


@pytest.mark.parametrize("k", [70, 120])
def test_a_long_chain_in_panels(k):
    n, n_steps = 120, 300
    basis = np.eye(n)[:, ::-1][:, :k]  # spans what the chain leaves invariant
    cell = ln.VanillaRNN(0.9 * np.eye(n) + np.eye(n, k=-1), activation="linear")
    s = ln.lyapunov_spectrum(
        cell, n_steps, basis=basis, x0=np.zeros(n), transient=0, basis_transient=0
    )
    assert_allclose(s.exponents, np.log(0.9), rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 4])
def test_feed_forward_layers_in_a_recurrent_network(k):
    rng = np.random.default_rng(2)
    layers, size = 8, 3
    n = layers * size
    W = np.kron(np.eye(layers, k=-1), np.ones((size, size))) * rng.standard_normal((n, n)) * 3
    W += np.kron(np.eye(layers), np.eye(size)) * 0.9
    cell = ln.VanillaRNN(W, leak=0.5)
    basis, x = np.linalg.qr(rng.standard_normal((n, k)))[0], rng.standard_normal(n)
    s = ln.lyapunov_spectrum(
        cell, 400, basis=basis, x0=x, transient=0, basis_transient=0, qr_interval=1
    )
    expected = np.sort(multiplied(along(cell, x, 400), basis))[::-1]
    assert_allclose(s.exponents, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 3])
def test_a_delay_line_of_leaky_units(k):
    rng = np.random.default_rng(3)
    n = 25
    W = np.eye(n, k=-1)
    W[0, 0] = 0.2
    cell = ln.VanillaRNN(W, activation="tanh", leak=0.3)
    basis = np.linalg.qr(rng.standard_normal((n, k)))[0]
    x = 0.3 * rng.standard_normal(n)
    s = ln.lyapunov_spectrum(
        cell, 500, basis=basis, x0=x, transient=0, basis_transient=0, qr_interval=5
    )
    expected = np.sort(multiplied(along(cell, x, 500), basis))[::-1]
    assert_allclose(s.exponents, expected, rtol=0, atol=1e-9)


def test_a_basis_that_is_given_keeps_its_zeros():
    # What starts in the last units of a chain stays there, however fast the first one grows.
    W = np.diag([2.0, 0.5, 0.5, 0.5]) + np.eye(4, k=-1)
    basis = np.array([[0.0, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, 1]])
    s = ln.lyapunov_spectrum(
        ln.VanillaRNN(W, activation="linear"), 200, basis=basis, x0=np.zeros(4),
        transient=0, basis_transient=0,
    )  # fmt: skip
    assert_allclose(s.exponents.sum(), 3 * np.log(0.5), atol=1e-12)
    assert (s.basis[0] == 0).all()


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("interval", [1, 5])
def test_the_gradient_of_a_chain(k, interval):
    n, n_steps = 12, 300
    basis = np.linalg.qr(np.random.default_rng(4).standard_normal((n, k)))[0]

    def measured(a, c):
        W = a * np.eye(n) + c * np.eye(n, k=-1)
        cell = ln.VanillaRNN(W, activation="linear")
        return ln.finite_time_exponents(
            cell, np.zeros(n), basis, n_steps=n_steps, qr_interval=interval
        )

    def expected(a, c, i):
        grown = log_volumes(power(a, c, basis, n_steps, lower=True))
        return (grown[i] - (grown[i - 1] if i else 0)) / n_steps

    for i in range(k):
        found = autograd.grad(lambda p, i=i: measured(p[0], p[1])[i])(np.array([0.99, 1.0]))
        step = DIGITS.mpf(10) ** -100
        for j in range(2):
            above, below = ([DIGITS.mpf(0.99), DIGITS.mpf(1)] for _ in range(2))
            above[j] += step
            below[j] -= step
            slope = (expected(*above, i) - expected(*below, i)) / (2 * step)
            assert_allclose(found[j], float(slope), rtol=1e-7, atol=1e-9)
