"""Whether a run says so where the derivative that it uses is not that of the step."""

import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.tracer import getval

import lyapnet as ln
from lyapnet.tangent.step_derivative import is_of_the_step

W = np.random.default_rng(0).standard_normal((5, 5)) / np.sqrt(2)
X = np.full(5, 0.3)


def tanh(x):
    return np.tanh(W @ x)


def slope(x):
    return (1 - np.tanh(W @ x) ** 2)[:, None] * W


class Transposed:
    """An object that follows the protocol, with a slip in its products."""

    dim, n_inputs, dt = 5, 0, 1.0

    def step(self, x, u=None):
        return np.tanh(x @ W.T)

    def pushforward(self, x, Q, u=None):
        return (1 - np.tanh(x @ W.T) ** 2)[..., None] * (W.T @ Q)


def lorenz(x):
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def lorenz_transposed(x):
    return np.array([[-10, 28 - x[2], x[1]], [10, -1, x[0]], [0, -x[0], -8 / 3]])


# Before, all of these were taken for what they are not: "converged", or "stationary".
WRONG = {
    "a Jacobian that is transposed": ln.Map(tanh, 5, jacobian=lambda x: slope(x).T),
    "of another step": ln.Map(tanh, 5, jacobian=lambda x: slope(0.9 * x)),
    "of a field": ln.Flow(lorenz, 3, dt=0.01, jacobian=lorenz_transposed),
    "products": Transposed(),
    "all is cut": ln.Map(lambda x: anp.tanh(anp.dot(W, getval(x))), 5),
    "a factor is cut": ln.Map(lambda x: anp.tanh(anp.dot(W, x)) * (1 + getval(x[0]) ** 2), 5),
}


@pytest.mark.parametrize("name", WRONG)
def test_derivatives_that_are_not_of_the_step_are_doubted(name):
    system = WRONG[name]
    with pytest.warns(UserWarning, match="derivative is not that of the step"):
        s = ln.lyapunov_spectrum(system, 300, x0=X[: system.dim], rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("unreliable: the derivative is not that of the step")
    assert not found.converged


# Jumps, kinks, steps of low precision, and such that stretch by many orders, are what they are.
RIGHT = {
    "smooth": ln.Map(tanh, 5, jacobian=slope),
    "single precision": ln.Map(lambda x: tanh(x).astype(np.float32), 5, jacobian=slope),
    "stairs": ln.Map(lambda x: np.round(tanh(x), 2), 5, jacobian=lambda x: np.zeros((5, 5))),
    "jumps": ln.Map(lambda x: anp.mod(1e5 * x, 1.0), 1),
    "far stretched": ln.Map(lambda x: anp.mod(1e11 * x, 1.0), 1),
    "contracted": ln.Map(lambda x: 1e-9 * tanh(x), 5, jacobian=lambda x: 1e-9 * slope(1e-9 * x)),
    "kinks": ln.Map(lambda x: anp.maximum(anp.dot(W, x), 0.0) - 0.5 * anp.abs(x), 5),
    "noise": ln.catalog.noisy_double_well(),
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.filterwarnings("ignore:.*come to rest at an unstable fixed point")
def test_no_step_is_doubted_without_reason(name):
    system = RIGHT[name]
    s = ln.lyapunov_spectrum(system, 300, x0=X[: system.dim], rng=0)
    assert not [why for why in s.settings["reservations"] if "derivative is not" in why]


def test_one_kink_one_member_and_what_cannot_be_told():
    bent = ln.Map(lambda x: anp.abs(x) - 0.5 * x, 2, vectorized=True)
    assert is_of_the_step(bent, np.zeros(2), None)  # differences across the kink tend to -1/2
    half = ln.Map(
        lambda x: x**2, 1, jacobian=lambda x: np.where(x < 0.5, 2 * x, 0.0)[..., None],
        vectorized=True,
    )  # fmt: skip
    assert is_of_the_step(half, np.array([[np.nan], [0.3]]), None)
    assert not is_of_the_step(half, np.array([[np.nan], [0.7]]), None)
    assert is_of_the_step(half, np.array([np.nan]), None)  # lost

    def narrow(x):
        assert np.all(np.abs(x - 0.3) < 1e-6), "outside of my domain"
        return 1.0 * x

    assert is_of_the_step(ln.Map(narrow, 1, jacobian=lambda x: np.eye(1)), np.array([0.3]), None)
    far = ln.Map(lambda x: x**2, 1, jacobian=lambda x: np.array([[2 * x[0]]]))
    assert is_of_the_step(far, np.array([1e200]), None)  # it overflows, without a word
    assert is_of_the_step(ln.Map(narrow, 1, jacobian=lambda x: np.eye(1)), np.array([0.4]), None)
    wild = ln.Map(lambda x: np.sin(1e17 * x), 1, jacobian=lambda x: np.ones((1, 1)))
    assert is_of_the_step(wild, np.array([0.3]), None)  # no two differences are alike


def test_flossing_by_another_derivative_is_doubted():
    cut = ln.Map(lambda x, p: anp.tanh(anp.dot(p, x)) * anp.cos(getval(x[0])), 5, params=0.5 * W)
    whole = ln.Map(lambda x, p: anp.tanh(anp.dot(p, x)) * anp.cos(x[0]), 5, params=0.5 * W)
    options = dict(k=2, x0=X, n_steps=20, n_epochs=1, rng=0)
    ln.floss(whole, **options)
    with pytest.warns(UserWarning, match="flossed is unreliable: the derivative is not that"):
        ln.floss(cut, **options)


def test_compiled_loops_use_the_jacobian_that_is_given_or_their_own():
    pytest.importorskip("numba")
    A = W[:2, :2]

    def transposed(x):
        return ((1 - anp.tanh(anp.dot(A, x)) ** 2)[:, None] * A).T

    given = ln.Map(lambda x: anp.tanh(anp.dot(A, x)), 2, jacobian=transposed)
    with pytest.warns(UserWarning, match="derivative is not that of the step"):
        s = ln.lyapunov_spectrum(given, 1000, x0=X[:2], rng=0)
    assert s.settings["engine"] == "compiled"
    cut = ln.Map(lambda x: anp.tanh(anp.dot(A, getval(x))), 2)  # autograd's derivative is zero
    s = ln.lyapunov_spectrum(cut, 1000, x0=X[:2], rng=0)
    assert s.settings["engine"] == "compiled"
    assert np.isfinite(s.exponents).all()


def test_one_member_of_an_ensemble_that_is_compiled_is_asked():
    pytest.importorskip("numba")  # state by state, math.sin would be slow, and said to be
    step = ln.Map(
        lambda x: np.array([1.5 * math.sin(x[0]) + 0.1 * x[1], 0.3 * x[0]]), 2,
        jacobian=lambda x: np.array([[1.5 * math.cos(x[0]), 0.1], [0.3, 0.0]]),
    )  # fmt: skip
    x0 = np.random.default_rng(0).random((40, 50, 2))
    s = ln.lyapunov_spectrum(step, 200, x0=x0, rng=0)
    assert s.settings["reservations"] == []


def test_one_member_of_an_ensemble_is_asked():
    driven = ln.Map(lambda x, u: 0.5 * x + u, 1, n_inputs=1, jacobian=lambda x, u: 0.5 * np.eye(1))
    u = np.random.default_rng(1).standard_normal((5, 20, 1))
    assert is_of_the_step(driven, np.zeros((20, 1)), u)
    many = ln.Map(lambda x, p: np.sin(p * x), 2, params=np.linspace(1, 2, 40).reshape(20, 2))
    assert is_of_the_step(many, np.ones((20, 2)), None)
    loop = ln.ClosedLoop(driven, np.full((20, 1, 1), 0.3))
    assert is_of_the_step(loop, np.ones((20, 1)), None)
    flows = ln.Flow(lambda x, t, p: anp.array([x[1], -p * x[0] + anp.cos(t)]), 2, dt=0.1, time=True,
                    params=np.linspace(1, 2, 20))  # fmt: skip
    assert is_of_the_step(ln.stroboscopic(flows, 1.0), np.ones((20, 2)), np.zeros((1, 1)))
    gains = ln.VanillaRNN.random(3, gain=np.linspace(0.5, 2.0, 20), rng=0)
    assert is_of_the_step(gains, 0.1 * np.ones((20, 3)), None)
