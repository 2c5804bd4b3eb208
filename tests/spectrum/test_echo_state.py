"""Conditional exponents, frozen noise, closed loops, and the echo-state verdict."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose
from scipy.stats import t as student
from traced import central_difference, inner

import lyapnet as ln

CELLS = [ln.VanillaRNN, ln.LSTM, ln.GRU]


def loop_of(kind, n=5, m=2, seed=0, lead=()):
    rng = np.random.default_rng(seed)
    cell = kind.random(n, gain=1.5, n_inputs=m, rng=rng)
    C, c = rng.standard_normal((*lead, m, n)), rng.standard_normal((*lead, m))
    return ln.ClosedLoop(cell, C, c)


# --- closed loop -------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_loop_of_rates_is_a_vanilla_network_with_other_weights(activation):
    # Exact. Linear: h and phi(h) are the same; tanh: a cell whose state are the rates' inputs.
    rng = np.random.default_rng(0)
    cell = ln.VanillaRNN.random(6, gain=0.8, n_inputs=2, activation=activation, rng=rng)
    W, V, b = (cell.params[name] for name in "WVb")
    C, c = 0.3 * rng.standard_normal((2, 6)), rng.standard_normal(2)
    inside = ln.VanillaRNN(W + V @ C, None, b + V @ c, activation=activation)
    loop = ln.ClosedLoop(cell, C, c)
    if activation == "tanh":  # reads the rates: written out as a map of the same cell
        loop = ln.Map(lambda h: cell.step(h, anp.dot(C, anp.tanh(h)) + c), 6)
    kwargs = dict(n_steps=300, transient=50, basis_transient=50)
    x0 = rng.standard_normal(6)
    expected = ln.finite_time_exponents(inside, x0, np.eye(6), **kwargs)
    assert_allclose(ln.finite_time_exponents(loop, x0, np.eye(6), **kwargs), expected, atol=1e-9)


def test_loop_of_an_lstm_is_an_lstm_with_other_weights():
    loop = loop_of(ln.LSTM)
    W, V, b = (loop.cell.params[name] for name in "WVb")
    C, c = loop.params["readout"][:, :5], loop.params["bias"]
    inside = ln.LSTM(W + V @ C, None, b + V @ c)
    x = np.random.default_rng(1).standard_normal((3, 10))
    assert_allclose(loop.step(x), inside.step(x), rtol=1e-12)
    assert_allclose(loop.jacobian(x), inside.jacobian(x), atol=1e-13)
    kwargs = dict(n_steps=100, transient=20)
    lam = ln.finite_time_exponents(loop, x, np.eye(10), **kwargs)
    assert_allclose(lam, ln.finite_time_exponents(inside, x, np.eye(10), **kwargs), atol=1e-9)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("lead", [(), (3,)], ids=["one", "readouts"])
def test_tangent_step_is_the_derivative_around_the_loop(kind, lead):
    loop = loop_of(kind, lead=lead)
    rng = np.random.default_rng(1)
    x, v = rng.standard_normal((2, loop.dim))
    slope = (loop.step(x + 1e-6 * v) - loop.step(x - 1e-6 * v)) / 2e-6
    assert slope.shape == (*lead, loop.dim)
    assert_allclose(loop.jacobian(x) @ v, slope, atol=1e-8)
    assert_allclose(loop.pushforward(x, v[:, None])[..., 0], slope, atol=1e-8)
    # Without the way through the readout it is the conditional Jacobian: another one.
    assert np.abs(loop.cell.jacobian(x, loop.output(x)) @ v - slope).max() > 0.01
    assert ln.check_invariants(loop, 300, rng=0).passed


@pytest.mark.parametrize("kind", CELLS)
def test_gradient_in_cell_readout_bias_and_state(kind):
    loop = loop_of(kind, n=4)
    rng = np.random.default_rng(2)
    x0, basis = rng.standard_normal(loop.dim), rng.standard_normal((loop.dim, 2))

    def loss(point):
        lam = ln.finite_time_exponents(
            loop.with_params(point["p"]), point["x"], basis, n_steps=8, transient=3
        )
        return lam[0] + 2 * lam[1] ** 2

    point = {"p": loop.params, "x": x0}
    direction, slope = central_difference(loss, point, rng)
    assert_allclose(inner(grad(loss)(point), direction), slope, rtol=1e-6)


def test_driven_flow_closes_too():
    # Exact: x' = -x + u with u = 0.5 x held over each step of length dt.
    dt = 0.1
    flow = ln.Flow(lambda x, u: -x + u, 1, dt=dt, n_inputs=1)
    s = ln.lyapunov_spectrum(ln.ClosedLoop(flow, [[0.5]]), 200, x0=[1.0], rng=0)
    decay = 1 - dt + dt**2 / 2 - dt**3 / 6 + dt**4 / 24
    assert_allclose(s.exponents[0], np.log(decay + 0.5 * (1 - decay)) / dt, atol=1e-12)


def test_conditional_exponents_under_its_own_output_are_others():
    loop = loop_of(ln.GRU, n=20, seed=1)
    s = ln.lyapunov_spectrum(loop, 1000, rng=0)
    states = loop.orbit(s.x0, None, 1200).states
    u = loop.output(states[:-1])
    given = ln.lyapunov_spectrum(loop.cell, inputs=u, x0=s.x0, transient=100, rng=0)
    assert_allclose(loop.cell.step(states[5], u[5]), states[6], atol=1e-12)
    assert abs(given.exponents[0] - s.exponents[0]) > 0.1


def test_loop_and_its_spectrum_can_be_saved(tmp_path):
    loop = loop_of(ln.GRU)
    s = ln.lyapunov_spectrum(loop, 200, rng=0)
    again = ln.load(s.save(tmp_path / "s.npz"))
    assert_allclose(again.extend(50).exponents, s.extend(50).exponents, atol=0)
    assert repr(loop) == "ClosedLoop(GRU(dim=5, n_inputs=2))"


def test_bad_loops_are_refused():
    cell = ln.LSTM.random(5, n_inputs=2, rng=0)
    with pytest.raises(ValueError, match=r"`readout` must have shape \(..., 2, 5\)"):
        ln.ClosedLoop(cell, np.ones((2, 7)))
    with pytest.raises(ValueError, match="`bias`"):
        ln.ClosedLoop(cell, np.ones((2, 5)), [1.0])
    with pytest.raises(ValueError, match="nothing can be fed back"):
        ln.ClosedLoop(ln.catalog.henon(), np.eye(2))


# --- frozen noise and the echo state -----------------------------------------------------------


def noise(n_steps, rng=0):
    return np.random.default_rng(rng).standard_normal((n_steps, 1))


def test_leaky_linear_cell_echoes():
    # Exact: the exponent is log 0.7, whatever the input.
    cell = ln.VanillaRNN(np.zeros((1, 1)), [[1.0]], activation="linear", leak=0.3)
    s = ln.lyapunov_spectrum(cell, inputs=noise(300), rng=0)
    found = ln.echo_state(s)
    assert_allclose(found.exponent, np.log(0.7), atol=1e-12)
    assert found.verdict == "holds"
    assert found.probability == 1.0


@pytest.mark.parametrize(("size", "verdict"), [(0.0, "fails"), (0.02, "fails"), (2.0, "holds")])
def test_verdict_is_what_becomes_of_two_copies(size, verdict):
    # Independent: follow two copies under one frozen noise.
    cell = ln.VanillaRNN.random(60, gain=1.6, rng=0)
    u = size * noise(3000)
    s = ln.lyapunov_spectrum(cell, inputs=u, k=1, rng=0)
    found = ln.echo_state(s)
    assert found.verdict == verdict, found
    x = np.random.default_rng(1).standard_normal((2, 60))
    end = cell.orbit(x, u[:1000, None], 1000).states[-1]
    assert (np.linalg.norm(end[0] - end[1]) < 1e-6) == (verdict == "holds")


def test_probability_is_that_of_students_t():
    cell = ln.VanillaRNN.random(60, gain=1.6, rng=0)
    s = ln.lyapunov_spectrum(cell, inputs=0.42 * noise(2000), k=1, rng=0)
    found = ln.echo_state(s)
    lam, stderr, dof = s.exponents[0], s.stderr[0], s.dof[0]
    assert_allclose(found.probability, student.cdf(-lam / stderr, dof), rtol=1e-10)
    # Two-sided: the verdict needs the whole interval on one side, whichever.
    for sign, verdict in ((-1, "holds"), (1, "fails")):
        for half, expected in ((0.9, verdict), (1.1, "undecided")):
            width = s.confidence_interval()[1][0] - lam
            at = sign * width / half
            fake = ln.Spectrum(**{**vars(s), "exponents": np.array([at])})
            assert ln.echo_state(fake).verdict == expected
    level = 2 * found.probability - 1
    fake = ln.echo_state(s, level=float(abs(level)))
    assert_allclose(fake.high if level > 0 else fake.low, 0.0, atol=1e-9)


def test_short_run_is_undecided_and_says_so():
    cell = ln.VanillaRNN.random(20, gain=0.5, rng=0)
    s = ln.lyapunov_spectrum(cell, inputs=noise(8), transient=0, basis_transient=0, rng=0)
    found = ln.echo_state(s)
    assert found.verdict == "undecided"
    assert found.probability == 0.5
    assert "run longer" in found.explanation


def test_ensemble_holds_only_together(tmp_path):
    cell = ln.VanillaRNN.random(60, gain=1.6, rng=0)
    u = np.array([0.0, 2.0])[:, None] * noise(2000)[:, None]  # (T, 2, 1)
    s = ln.lyapunov_spectrum(cell, inputs=u, k=1, rng=0)
    found = ln.echo_state(s)
    assert found.exponent.shape == (2,)
    assert found.verdict == "fails"
    assert (found.probability > 0.5).tolist() == [False, True]
    assert ln.echo_state(s.pooled()).exponent.shape == ()
    again = ln.load(found.save(tmp_path / "echo.npz"))
    assert again.verdict == "fails"
    assert found.plot().get_title() == "fails"
    assert "verdict=fails" in repr(found)
    pytest.importorskip("pandas")
    assert len(found.to_dataframe()) == 2
    assert len(ln.echo_state(s.pooled()).to_dataframe()) == 1


def test_dead_cell_echoes_at_once():
    cell = ln.VanillaRNN(np.zeros((2, 2)), np.ones((2, 1)))
    found = ln.echo_state(ln.lyapunov_spectrum(cell, inputs=noise(100), rng=0))
    assert found.exponent == -np.inf
    assert (found.verdict, found.probability) == ("holds", 1.0)


def test_bad_arguments():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 100, rng=0)
    with pytest.raises(ValueError, match="without inputs"):
        ln.echo_state(s)
    with pytest.raises(TypeError, match="must be a Spectrum"):
        ln.echo_state(0.1)
    cell = ln.VanillaRNN.random(3, rng=0)
    s = ln.lyapunov_spectrum(cell, inputs=noise(300), rng=0)
    with pytest.raises(ValueError, match="`level`"):
        ln.echo_state(s, level=1.0)


def test_what_is_no_spectrum_is_named_with_what_to_give():
    for wrong in (ln.EchoStateNetwork.random(5, rng=0), np.ones(3)):
        with pytest.raises(
            TypeError, match=rf"got {type(wrong).__name__}: give what lyapunov_spectrum"
        ):
            ln.echo_state(wrong)


# Before: "holds", by exponents that are negative in each of the states.
def test_states_that_do_not_come_together_under_one_input_are_no_echo():
    esn = ln.EchoStateNetwork(np.array([[2.0]]), np.array([[0.1]]))  # two wells
    u = np.random.default_rng(0).standard_normal((1000, 1))
    s = ln.lyapunov_spectrum(esn, inputs=u, x0=[[0.5], [-0.5], [0.6]], rng=0)
    found = ln.echo_state(s)
    assert (found.high < 0).all()
    assert found.verdict == "fails"
    assert "members have ended in 2 different states" in found.explanation
    strong = ln.lyapunov_spectrum(esn, inputs=5 * u, x0=[[0.5], [-0.5], [0.6]], rng=0)
    found = ln.echo_state(strong)
    assert found.verdict == "holds"
    assert "all 3 members have ended in one state" in found.explanation


def test_members_under_inputs_of_their_own_need_not_come_together():
    esn = ln.EchoStateNetwork.random(10, spectral_radius=0.5, rng=0)
    u = np.random.default_rng(0).standard_normal((500, 2, 1))
    s = ln.lyapunov_spectrum(esn, inputs=u, x0=np.ones((2, 10)) * [[0.1], [0.2]], k=1, rng=0)
    assert ln.echo_state(s).verdict == "holds"


def test_states_that_come_together_slowly_are_not_taken_for_others():
    # x' = 0.98 x + u: exact exponent log 0.98, after 700 steps 7e-7 of 1e3 are left
    slow = ln.Map(lambda x, u: 0.98 * x + u, 1, n_inputs=1)
    u = np.random.default_rng(0).standard_normal((700, 1))
    s = ln.lyapunov_spectrum(slow, inputs=u, x0=[[0.0], [1e3]], rng=0)
    assert abs(np.diff(s.state[:, 0])[0]) > 1e-4
    assert ln.echo_state(s).verdict == "holds"


# Before: "holds", though the states are +3 and -3: an axis for members hid that the input is one.
@pytest.mark.parametrize("axes", [(), (1,), (4,)], ids=["T, m", "T, 1, m", "T, members, m"])
def test_an_input_is_shared_however_its_members_are_written(axes):
    one = np.ones(10) / np.sqrt(10)
    cell = ln.VanillaRNN(3 * np.outer(one, one), np.full((10, 1), 0.1))
    u = np.random.default_rng(0).standard_normal((2000, *[1] * len(axes), 1))
    u = np.broadcast_to(u, (2000, *axes, 1))
    x0 = np.random.default_rng(1).standard_normal((4, 10))
    found = ln.echo_state(ln.lyapunov_spectrum(cell, inputs=u, k=2, x0=x0, rng=0))
    assert found.verdict == "fails"
    assert "2 different states" in found.explanation


def test_noise_that_a_run_draws_is_an_input():
    # dx = -x dt + 0.3 dW: exactly -1
    flow = ln.NoisyFlow(lambda x: -x, lambda x: 0.3, 1, dt=0.01)
    s = ln.lyapunov_spectrum(flow, 2000, x0=[[1.0], [-1.0]], rng=0)
    found = ln.echo_state(s)
    assert found.verdict == "holds"
    assert "ended in" not in found.explanation  # each member has noise of its own
