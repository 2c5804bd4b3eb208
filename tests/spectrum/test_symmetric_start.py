"""Units that start alike and stay so: exponents of an orbit that no other comes near to."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

N = 10
WORDS = "keeps components equal, opposite or 0 that were so at the start"


def lattice(strength, f, n=N):
    """Return a ring of maps; exponents of its synchronous orbit are those of f plus log |c_q|."""

    def step(x):
        y = f(x)
        return (1 - strength) * y + strength / 2 * (anp.roll(y, 1) + anp.roll(y, -1))

    return ln.Map(step, n)


def modes(strength, n=N):
    q = 2 * np.pi * np.arange(n) / n
    return np.sort(np.log(np.abs(1 - strength + strength * np.cos(q))))[::-1]


def logistic(x):
    return 3.9999 * x * (1 - x)


def oscillators(x):  # Roessler's, in a ring
    x = anp.reshape(x, (3, 4))
    pull = 0.02 * (anp.roll(x[0], 1) + anp.roll(x[0], -1) - 2 * x[0])
    return anp.concatenate([pull - x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)])


def fibre(x):
    return anp.array([logistic(x[0]), 1.2 * x[1] / (1 + x[1] ** 2)])


def forced(x, t):
    y = 3.95 * x * (1 - x) + 0.01 * anp.cos(t)
    return 0.98 * y + 0.02 * y[::-1]


def odd(x):  # two that are coupled with opposite signs, x_2 = -x_1
    return anp.array([2.6 * x[0] - x[0] ** 3 + 0.05 * x[1], 2.6 * x[1] - x[1] ** 3 + 0.05 * x[0]])


@pytest.mark.parametrize(
    ("system", "x0", "n_steps"),
    [
        (lattice(0.1, logistic), np.full(N, 0.3), 3000),
        (lattice(0.1, logistic), np.stack([np.linspace(0.1, 0.9, N), np.full(N, 0.3)]), 1000),
        (ln.Flow(oscillators, 12, dt=0.05), np.ones(12), 6000),
        (ln.Map(fibre, 2), np.array([0.3, 0.0]), 3000),
        (ln.Map(odd, 2), np.array([0.3, -0.3]), 3000),
        (ln.VanillaRNN.random(20, gain=2.0, rng=0), np.zeros(20), 1000),
        (ln.VanillaRNN.random(700, gain=2.0, rng=0), np.zeros(700), 200),
        (ln.Map(forced, 2, time=True), np.array([0.3, 0.3]), 2000),
        (ln.Map(lambda x: 3.9 * x * (1 - x), 2), np.zeros(2), 1000),
    ],
    ids=[
        "lattice",
        "ensemble",
        "oscillators",
        "fibre",
        "opposite",
        "zero",
        "large",
        "time",
        "rest",
    ],
)
def test_a_symmetric_start_that_others_leave_is_unreliable(system, x0, n_steps):
    with pytest.warns(UserWarning, match=WORDS):
        s = ln.lyapunov_spectrum(system, n_steps, k=2, x0=x0, rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("unreliable:")
    assert WORDS in found.verdict
    assert not found.converged


def test_the_rate_at_which_it_is_left_is_that_of_the_first_mode_across():
    with pytest.warns(UserWarning, match=WORDS) as seen:
        s = ln.lyapunov_spectrum(lattice(0.1, logistic), 5000, x0=np.full(N, 0.3), rng=0)
    assert_allclose(s.exponents - s.exponents[0], modes(0.1), atol=1e-9)
    said = float(re.search(r"grow at (\S+):", str(seen[0].message))[1])
    assert_allclose(said, s.exponents[1], atol=0.05)  # of another part of the orbit


def test_networks_of_two_populations_under_one_input():
    W = ln.VanillaRNN.random(16, gain=2.5, rng=1).params["W"]
    twice = ln.VanillaRNN(np.kron(np.eye(2), W), np.ones((32, 1)), np.zeros(32))
    inputs = 0.01 * np.random.default_rng(0).standard_normal((3000, 1))
    alone = ln.VanillaRNN(W, np.ones((16, 1)), np.zeros(16))
    x0 = np.random.default_rng(4).standard_normal(16)
    assert ln.lyapunov_spectrum(alone, inputs=inputs, x0=x0, rng=0).exponents[0] > 0.05
    with pytest.warns(UserWarning, match=WORDS):
        ln.lyapunov_spectrum(twice, inputs=inputs, x0=np.tile(x0, 2), rng=0)


def test_vectors_and_condition_numbers_say_so_too():
    system, x0 = lattice(0.1, logistic), np.full(N, 0.3)
    with pytest.warns(UserWarning, match=WORDS):
        ln.covariant_vectors(system, 400, x0=x0, rng=0)
    with pytest.warns(UserWarning, match=WORDS):
        c = ln.condition_number(system, 200, x0=x0, rng=0)
    assert WORDS in c.note


@pytest.mark.parametrize(
    ("system", "x0"),
    [
        # Synchrony that attracts: log 2 and what is left of it after log |c_q|.
        (lattice(0.6, logistic, 3), np.full(3, 0.3)),
        # From anywhere, into it.
        (lattice(0.6, logistic, 3), np.array([0.3, 0.31, 0.29])),
        # Numbers that are kept in the state.
        (ln.Map(lambda x: anp.array([x[1] * x[0] * (1 - x[0]), x[1], x[2]]), 3), [0.3, 3.9, 3.9]),
        # The same growth everywhere.
        (lattice(0.3, lambda x: anp.mod(1.9 * x, 1.0)), np.full(N, 0.3)),
        # A linear component, driven by another: the same from any start.
        (ln.Map(lambda x: anp.array([logistic(x[0]), 2.4 * x[0] * x[1]]), 2), [0.3, 0.0]),
        (ln.catalog.lorenz63(), [1.0, 1.0, 20.0]),
    ],
    ids=["attracting", "attracted", "parameters", "constant", "linear", "lorenz"],
)
@pytest.mark.filterwarnings("error")
def test_other_states_that_repeat_are_believed(system, x0):
    s = ln.lyapunov_spectrum(system, 4000, x0=np.array(x0, dtype=float), rng=0)
    assert not s.settings["reservations"]


def test_linear_networks_grow_alike_everywhere():
    W = 1.1 * np.eye(4) + np.eye(4, k=1)
    s = ln.lyapunov_spectrum(
        ln.VanillaRNN(W, activation="linear"), 2000, x0=np.zeros(4), qr_interval=1, rng=0
    )
    assert not s.settings["reservations"]


class Together:
    """An object whose step takes members (m, n) alone."""

    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, x, u=None):
        return np.stack([logistic(x[:, 0]), logistic(x[:, 1])], axis=-1)

    def jacobian(self, x, u=None):
        return (3.9999 - 7.9998 * x)[:, :, None] * np.eye(2)


def test_a_step_of_all_members_alone_ends_no_run():
    x0 = np.array([[0.3, 0.3], [0.2, 0.7]])
    s = ln.lyapunov_spectrum(Together(), 2000, x0=x0, rng=0)
    assert_allclose(s.exponents, np.log(2), atol=0.05)
