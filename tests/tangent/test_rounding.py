"""Whether a run says so where rounding in its products grows until it shows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.tangent import rounding


def turned(n, seed=1):
    """A chain of units in coordinates that hide its zeros: all exponents are log 0.99."""
    O = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]
    return O @ (0.99 * np.eye(n) + np.eye(n, k=-1)) @ O.T


@pytest.mark.parametrize(("n", "k"), [(20, 1), (20, 4), (20, 20), (40, 3)])
def test_a_chain_that_is_turned_is_doubted(n, k):
    cell = ln.VanillaRNN(turned(n), activation="linear")
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(cell, 1500, k=k, x0=np.zeros(n), rng=0)
    assert s.exponents[0] > 0.1  # this is what it is about
    found = s.diagnose()
    assert found.verdict.startswith("unreliable: rounding in the products of Jacobians")
    assert not found.converged


@pytest.mark.parametrize(("n", "n_steps", "seed"), [(20, 400, 2), (20, 150, 0), (10, 800, 0)])
def test_short_runs_are_doubted_too(n, n_steps, seed):
    # Before, rounding alone and four times as much were compared: often alike, by chance.
    A = turned(n)
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, 1)))[0]
    cell = ln.VanillaRNN(A, activation="linear")
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(cell, n_steps, x0=np.zeros(n), basis=basis, rng=0)
    O = np.linalg.qr(np.random.default_rng(1).standard_normal((n, n)))[0]
    chain = ln.VanillaRNN(0.99 * np.eye(n) + np.eye(n, k=-1), activation="linear")
    true = ln.lyapunov_spectrum(chain, n_steps, x0=np.zeros(n), basis=O.T @ basis, rng=0)
    assert abs(s.exponents[0] - true.exponents[0]) > 0.001  # this is what it is about
    # What is not off yet is not doubted.
    s = ln.lyapunov_spectrum(cell, 40, x0=np.zeros(n), basis=basis, rng=0)
    true = ln.lyapunov_spectrum(chain, 40, x0=np.zeros(n), basis=O.T @ basis, rng=0)
    assert s.settings["reservations"] == []
    assert_allclose(s.exponents, true.exponents, atol=1e-4)


def test_jacobians_that_are_given_are_doubted_too():
    D = np.broadcast_to(turned(20), (1500, 20, 20))
    with pytest.warns(UserWarning, match="rounding in the products"):
        ln.spectrum_from_jacobians(D, k=2, rng=0)


def test_a_tolerance_is_not_met_by_doubtful_numbers():
    cell = ln.VanillaRNN(turned(20), activation="linear")
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(cell, 3000, k=1, x0=np.zeros(20), tol=0.5, rng=0)
    assert s.converged is False


@pytest.mark.parametrize("k", [1, 20])
def test_a_chain_as_it_is_stands(k):
    W = 0.99 * np.eye(20) + np.eye(20, k=-1)
    cell = ln.VanillaRNN(W, activation="linear")
    s = ln.lyapunov_spectrum(cell, 1500, k=k, x0=np.zeros(20), rng=0)
    assert s.settings["reservations"] == []
    if k == 20:
        assert_allclose(s.exponents.mean(), np.log(0.99), rtol=1e-9)


@pytest.mark.parametrize(
    "system",
    [
        ln.catalog.henon(),
        ln.catalog.lorenz63(),
        ln.VanillaRNN.random(40, gain=1.5, rng=0),
        ln.VanillaRNN.random(30, gain=0.9, activation="relu", bias=0.3, rng=0),
        ln.LSTM.random(10, rng=0),
    ],
)
def test_usual_systems_are_not_doubted(system):
    s = ln.lyapunov_spectrum(system, 1500, rng=0)
    assert s.settings["reservations"] == []


# ---- steps that are divided, whose Jacobians are products of those of the parts


def linear(A, method, dt, **options):
    return ln.Flow(lambda x: A @ x, len(A), dt=dt, method=method, jacobian=lambda x: A, **options)


@pytest.mark.parametrize("method", ["adaptive", "implicit"])
def test_a_chain_that_is_turned_is_doubted_in_divided_steps(method):
    A = turned(20) - np.eye(20)  # exponents -0.01, and a unit drives the next
    with pytest.warns(UserWarning, match="rounding in the products"):
        s = ln.lyapunov_spectrum(linear(A, method, 0.5), 400, x0=np.zeros(20), rng=0)
    assert s.exponents[0] > 0.1
    assert s.diagnose().verdict.startswith("unreliable: rounding in the products")
    N = -0.01 * np.eye(20) + np.eye(20, k=-1)
    s = ln.lyapunov_spectrum(linear(N, method, 0.5), 400, x0=np.zeros(20), rng=0)
    assert s.settings["reservations"] == []


def test_a_step_that_contracts_by_more_than_rounding_resolves():
    # Along the directions of -1, -300 and -900 the factors of a step are 0.9, 1e-13 and 1e-39.
    O = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    rates = np.array([-1.0, -300.0, -900.0])
    A, B = (O * rates) @ O.T, (O * np.exp(0.1 * rates)) @ O.T
    asked = dict(x0=np.full(3, 0.1), transient=2, basis_transient=2, rng=0)
    flow = ln.Flow(
        lambda x, t: A @ x + 300 * np.sin(40 * t), 3, dt=0.1, method="adaptive", time=True,
        jacobian=lambda x, t: A,
    )  # fmt: skip
    divided = ln.lyapunov_spectrum(flow, 16, **asked)  # factorised between the parts of a step
    assert_allclose(divided.exponents, rates, rtol=1e-4)
    assert divided.settings["reservations"] == []
    whole = ln.Map(lambda x: B @ x, 3, jacobian=lambda x: B)
    two = ln.lyapunov_spectrum(whole, 16, k=2, **asked)
    assert_allclose(two.exponents, 0.1 * rates[:2], rtol=1e-4)
    assert two.settings["reservations"] == []
    with pytest.warns(UserWarning, match="rounding in the products"):
        three = ln.lyapunov_spectrum(whole, 16, **asked)
    assert abs(three.exponents[2] + 90) > 10  # this is what it is about


# ---- members of an ensemble, of which those in doubt are run again by themselves


def test_one_member_is_doubted_among_others():
    """Compiled loops run it again alone, NumPy all of them: what they say is the same."""
    pytest.importorskip("numba")
    n = 10
    chain = 0.99 * np.eye(n) + np.eye(n, k=-1)
    A = np.stack([chain, turned(n), 0.5 * chain])
    system = ln.Map(lambda x, p: p @ x, n, params=A)
    said = []
    for engine in ("compiled", "numpy"):
        with pytest.warns(UserWarning, match="rounding in the products"):
            s = ln.lyapunov_spectrum(
                ln.compiled(system, engine), 1000, k=3, x0=np.zeros((3, n)), rng=0
            )
        said.append(s.settings)
    assert said[0]["engine"] == "compiled"
    assert said[0].get("known_sums") == said[1].get("known_sums")
    alone = ln.lyapunov_spectrum(
        ln.compiled(system.with_params(A[[0, 2]])), 1000, k=3, x0=np.zeros((2, n)), rng=0
    )
    assert alone.settings["reservations"] == []


def test_chance_doubts_few_members_of_many(monkeypatch):
    """Errors grow for a while now and then, in one of many: the others are not run again."""
    pytest.importorskip("numba")
    orbit, members = rounding.DisturbedSystem.orbit, []

    def counted(self, x, inputs, n_steps):
        members.append(len(x))
        return orbit(self, x, inputs, n_steps)

    monkeypatch.setattr(rounding.DisturbedSystem, "orbit", counted)
    x = np.random.default_rng(0).uniform(-0.1, 0.1, (2000, 2))
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 3000, x0=x, qr_interval=1, record=False, rng=0)
    assert s.settings["reservations"] == []
    assert members
    assert max(members) < 20
