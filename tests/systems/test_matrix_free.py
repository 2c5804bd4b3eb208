"""Systems with a pushforward of their own, and no Jacobians."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

LEADING = 8.0 * 2.0 ** -np.arange(10)


class Mirrored(ln.System):
    """x' = H (a * (H x)): a reflection H makes a diagonal matrix dense; exponents are log a."""

    def __init__(self, n, rest=1e-3):
        self.dim = n
        v = np.random.default_rng(0).standard_normal(n)
        self.v = v / np.linalg.norm(v)
        self.a = np.full(n, rest)
        self.a[:10] = LEADING[: min(10, n)]
        self.asked = 0

    def reflect(self, Q):
        return Q - 2 * self.v[:, None] * (self.v @ Q)

    def step(self, x, u=None):
        return self.reflect(self.a[:, None] * self.reflect(x[:, None]))[:, 0]

    def pushforward(self, x, Q, u=None):
        self.asked = max(self.asked, Q.shape[-1])
        return self.reflect(self.a[:, None] * self.reflect(Q))


def run(system, n_steps=20, **options):
    return ln.lyapunov_spectrum(
        system, n_steps, x0=np.zeros(system.dim), transient=0, basis_transient=15, rng=0, **options
    )


def test_a_hundred_thousand_states():
    system = Mirrored(100_000)  # whose Jacobian would take 80 GB
    s = run(system, 10, k=10)
    assert_allclose(s.exponents, np.log(LEADING), atol=1e-6)
    assert system.asked == 10


class Foreign:
    """The same without `System` as a parent."""

    dim, n_inputs, dt = 30, 0, 1.0

    def __init__(self):
        own = Mirrored(30)
        self.step, self.pushforward = own.step, own.pushforward


class WithJacobian(Mirrored):
    def jacobian(self, x, u=None):
        raise AssertionError("there is a pushforward")


@pytest.mark.parametrize("make", [lambda: Mirrored(30), Foreign, lambda: WithJacobian(30)])
@pytest.mark.parametrize("interval", [1, 3])
def test_only_products_are_asked_for(make, interval):
    s = run(make(), 60, k=3, qr_interval=interval)
    assert_allclose(s.exponents, np.log(LEADING[:3]), atol=1e-5)


def test_covariant_vectors_and_condition_numbers():
    system = Mirrored(30)
    x0 = np.zeros(30)
    found = ln.covariant_vectors(system, 20, k=3, x0=x0, rng=0)
    assert system.asked == 3
    axes = system.reflect(np.eye(30)[:, :3])  # eigenvectors
    assert_allclose(np.abs(np.sum(found.vectors * axes, axis=-2)), 1, rtol=1e-9)
    condition = ln.condition_number(system, 20, k=3, x0=x0, basis=axes, rng=0)
    assert_allclose(condition.log10_measured[-1], 20 * np.log10(4), rtol=1e-6)


def test_an_ensemble_under_inputs():
    class Driven(ln.System):
        dim, n_inputs = 2, 1

        def step(self, x, u=None):
            return 0.5 * np.tanh(x) + u

        def pushforward(self, x, Q, u=None):
            return (0.5 / np.cosh(x) ** 2)[..., None] * Q

    inputs = np.random.default_rng(0).standard_normal((300, 3, 1))
    x0 = np.zeros((3, 2))
    found = ln.lyapunov_spectrum(Driven(), inputs=inputs, x0=x0, k=1, rng=0)
    cell = ln.Map(
        lambda x, u: 0.5 * np.tanh(x) + u, 2, n_inputs=1,
        jacobian=lambda x, u: np.diag(0.5 / np.cosh(x) ** 2),
    )  # fmt: skip
    expected = ln.lyapunov_spectrum(cell, inputs=inputs, x0=x0, k=1, rng=0)
    assert_allclose(found.exponents, expected.exponents, rtol=1e-10)


def test_a_pushforward_of_another_shape_is_refused():
    class Wrong(Mirrored):
        def pushforward(self, x, Q, u=None):
            return Q.T

    with pytest.raises(ValueError, match="`pushforward` must return the shape"):
        run(Wrong(30), k=2)


def test_a_system_needs_one_of_both():
    class Neither:
        dim, n_inputs, dt = 2, 0, 1.0

        def step(self, x, u=None):
            return x

    with pytest.raises(TypeError, match="jacobian or pushforward"):
        ln.lyapunov_spectrum(Neither(), 10, x0=[0.0, 0.0])


def test_invariants_are_checked_without_jacobians():
    system = Mirrored(20_000)
    found = ln.check_invariants(run(system, 10, k=4))
    assert found.verdicts["derivative"].startswith("holds")
    assert system.asked == 4
