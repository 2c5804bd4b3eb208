"""LSTM and GRU by compiled loops are NumPy's: runs, backpropagation, gradients, training."""

import autograd
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

pytest.importorskip("numba")

ENGINES = ("compiled", "numpy")
CELLS = {
    "lstm": lambda n, rng, **options: ln.LSTM.random(n, gain=2.0, bias=0.5, rng=rng, **options),
    "gru": lambda n, rng, **options: with_bias(
        ln.GRU.random(n, gain=3.0, bias=0.5, rng=rng, **options), rng
    ),
    "gru, reset before": lambda n, rng, **options: ln.GRU.random(
        n, gain=3.0, bias=0.5, reset_after=False, rng=rng, **options
    ),
}
KINDS = pytest.mark.parametrize("kind", CELLS)


def with_bias(cell, rng):
    """Return a GRU whose recurrent bias is not zero."""
    return cell.with_params({**cell.params, "c": rng.standard_normal(cell.units)})


def orbits(kind, members=(), n_inputs=2, shared=False, n_steps=140, n=5, scale=1.0):
    """Return the same trajectory by both engines."""
    rng = np.random.default_rng(0)
    cell = CELLS[kind](n, rng, n_inputs=n_inputs)
    x = rng.standard_normal((*members, cell.dim))
    lead = (1,) * len(members) if shared else members
    u = scale * rng.standard_normal((n_steps, *lead, n_inputs)) if n_inputs else None
    return [
        ln.compiled(cell, engine).with_loops(3, 10**5).orbit(x, u, n_steps) for engine in ENGINES
    ]


@KINDS
@pytest.mark.parametrize("n_inputs", [0, 2])
@pytest.mark.parametrize("members", [(), (3,), (2, 70)])
def test_a_run_and_its_tangent_steps(kind, members, n_inputs):
    a, b = orbits(kind, members, n_inputs, n_steps=30)
    assert type(a) is not type(b)
    assert_allclose(a.states, b.states, rtol=1e-11, atol=1e-12)
    rows = np.random.default_rng(1).standard_normal((*members, 3, b.states.shape[-1]))
    found, expected = np.empty_like(rows), np.empty_like(rows)
    for s in (0, 29):
        for step in ("push", "pull"):
            getattr(a, step)(s, rows, found)
            getattr(b, step)(s, rows, expected)
            assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@KINDS
@pytest.mark.parametrize(
    "case",
    [
        {"members": ()},
        {"members": (), "n_inputs": 0},
        {"members": (3,)},
        {"members": (2, 70), "n_steps": 5},
        {"members": (4,), "shared": True},
    ],
)
def test_backpropagation_through_time(kind, case):
    a, b = orbits(kind, **case)
    bars = np.random.default_rng(2).standard_normal(a.states.shape)
    found, expected = (orbit.state_adjoint(bars.copy()) for orbit in (a, b))
    assert_allclose(found.states, expected.states, rtol=1e-9, atol=1e-11)
    if expected.inputs is not None:
        assert found.inputs.shape == expected.inputs.shape
        assert_allclose(found.inputs, expected.inputs, rtol=1e-9, atol=1e-11)
    assert set(found.params) == set(expected.params)
    for name, value in expected.params.items():
        scale = np.abs(value).max(initial=0.0)
        assert_allclose(found.params[name], value, rtol=1e-9, atol=1e-11 * scale, err_msg=name)
    assert a.state_adjoint(bars, inputs=False).inputs is None


@KINDS
@pytest.mark.parametrize("members", [(), (3,), (2, 70)])
@pytest.mark.parametrize("steps", [1, 7, 30, 31])
def test_backpropagation_from_what_is_read_out(kind, members, steps):
    a, b = orbits(kind, members, n_steps=30)
    rng = np.random.default_rng(3)
    bar, W = rng.standard_normal((steps, *members, 2)), rng.standard_normal((2, 5))
    found, expected = (orbit.readout_adjoint(bar.copy(), W, slice(0, 5)) for orbit in (a, b))
    assert_allclose(found.states, expected.states, rtol=1e-9, atol=1e-11)
    for name, value in expected.params.items():
        scale = np.abs(value).max(initial=0.0)
        assert_allclose(found.params[name], value, rtol=1e-9, atol=1e-11 * scale, err_msg=name)


@KINDS
def test_saturated_gates_keep_the_digits_of_their_slopes(kind):
    """Inputs of a hundred times the usual size shut gates, or open them, to rounding."""
    a, b = orbits(kind, n_steps=20, scale=100.0)
    rows = np.eye(b.states.shape[-1])
    found, expected = np.empty_like(rows), np.empty_like(rows)
    for s in range(20):
        a.push(s, rows, found)
        b.push(s, rows, expected)
        assert (np.abs(found - expected) <= 1e-9 * np.abs(expected) + lost(b, s)).all()
    assert (np.abs(expected)[expected != 0] < 1e-20).any()


def lost(orbit, s):
    """Return what a GRU's step may lose of its Jacobian's transpose where h - n cancels."""
    cell = orbit.cell
    if isinstance(cell, ln.LSTM):
        return 1e-300
    values, rest = cell._values(orbit.states[s], orbit.inputs[s])
    slope = values[1] * rest[1]
    return 4 * np.finfo(float).eps * slope * np.abs(cell._blocks()[1]).T + 1e-300


@KINDS
@pytest.mark.parametrize(("members", "k"), [((), 5), ((), None), ((2,), 3)])
@pytest.mark.parametrize("interval", [1, 4, "auto"])
def test_spectra(kind, interval, members, k):
    rng = np.random.default_rng(0)
    cell = CELLS[kind](6, rng, n_inputs=2)
    x0, inputs = rng.standard_normal((*members, cell.dim)), rng.standard_normal((70, *members, 2))
    a, b = (
        ln.lyapunov_spectrum(
            ln.compiled(cell, engine), k=k, x0=x0, inputs=inputs, transient=4, basis_transient=6,
            qr_interval=interval, rng=1,
        )
        for engine in ENGINES
    )  # fmt: skip
    assert [s.settings["engine"] for s in (a, b)] == list(ENGINES)
    assert a.settings["qr_interval"] == b.settings["qr_interval"]
    assert_allclose(a.state, b.state, rtol=1e-9, atol=1e-11)
    # A factor comes out of a block with rounding over a sine, which may be 1e-8.
    assert_allclose(a.log_growth, b.log_growth, rtol=1e-6, atol=1e-6)
    assert_allclose(
        np.swapaxes(a.basis, -1, -2) @ a.basis - np.eye(b.basis.shape[-1]), 0, atol=1e-10
    )


@KINDS
@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("interval", [1, 3, "auto"])
def test_gradients_of_exponents(kind, interval, members):
    rng = np.random.default_rng(1)
    cell = CELLS[kind](6, rng, n_inputs=1)
    x0, basis = rng.standard_normal((*members, cell.dim)), rng.standard_normal((cell.dim, 4))
    inputs = rng.standard_normal((25, *members, 1))
    found = []
    for engine in ENGINES:

        def loss(params, x0, inputs, engine=engine):
            lam = ln.finite_time_exponents(
                ln.compiled(cell, engine).with_params(params), x0, basis, inputs=inputs,
                transient=2, basis_transient=3, qr_interval=interval,
            )  # fmt: skip
            return np.sum(lam * np.arange(1, 5))

        params, x_bar, u_bar = autograd.grad(loss, (0, 1, 2))(cell.params, x0, inputs)
        value = loss(cell.params, x0, inputs)
        found.append({**params, "x0": x_bar, "inputs": u_bar, "loss": value})
    a, b = found
    for name, value in b.items():
        assert_allclose(a[name], value, rtol=1e-7, atol=1e-9 * np.abs(value).max(), err_msg=name)


@KINDS
def test_flossing_and_training(kind):
    cell, task = CELLS[kind](7, np.random.default_rng(0)), ln.tasks.DelayedCopy(3)
    for run in (
        lambda cell: ln.floss(cell, 5, k=4, n_steps=40, batch_size=2, rng=1),
        lambda cell: ln.floss(cell, 5, k=4, n_steps=40, only=("W",), rng=1),
        lambda cell: ln.train(cell, task, 5, n_steps=30, batch_size=3, rng=1),
    ):
        a, b = (run(ln.compiled(cell, engine)) for engine in ENGINES)
        assert_allclose(a.loss, b.loss, rtol=1e-6)
        for name, value in b.cell.params.items():
            assert_allclose(a.cell.params[name], value, rtol=1e-6, atol=1e-9)


@KINDS
def test_an_ensemble_of_networks_is_refused(kind):
    cell = CELLS[kind](3, np.random.default_rng(0))
    many = cell.with_params({name: np.stack([x, x]) for name, x in cell.params.items()})
    with pytest.raises(TypeError, match="ensemble of networks"):
        ln.compiled(many)


def test_a_stack_is_run_layer_by_layer():
    rng = np.random.default_rng(0)
    stack = ln.Stack(
        [ln.GRU.random(5, rng=rng), ln.LSTM.random(4, n_inputs=5, rng=rng),
         ln.VanillaRNN.random(3, n_inputs=4, rng=rng)]
    )  # fmt: skip
    assert stack.with_loops(3, 10**5).engine_used == ("compiled", "")
    a, b = (
        ln.train(system, ln.tasks.DelayedCopy(3), 5, n_steps=30, batch_size=3, rng=1)
        for system in (stack, ln.compiled(stack, "numpy"))
    )
    assert_allclose(a.loss, b.loss, rtol=1e-6)
    for name, value in b.cell.params.items():
        assert_allclose(a.cell.params[name], value, rtol=1e-6, atol=1e-9)
    with pytest.raises(TypeError, match="no compiled loops for its kind"):
        ln.compiled(stack)
