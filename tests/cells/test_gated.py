"""LSTM and GRU: tangent step, orbit and gradient against autograd and finite differences."""

from __future__ import annotations

from functools import partial

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
import scipy.stats
from autograd import grad
from autograd import jacobian as autograd_jacobian
from numpy.testing import assert_allclose
from scipy.special import expit
from traced import central_difference, inner, traced_exponents

import lyapnet as ln

CELLS = {
    "lstm": lambda n, **k: ln.LSTM.random(n, gain=2.0, bias=0.5, **k),
    "gru": lambda n, **k: with_bias(ln.GRU.random(n, gain=3.0, bias=0.5, **k)),
    "gru, reset before": lambda n, **k: ln.GRU.random(
        n, gain=3.0, bias=0.5, reset_after=False, **k
    ),
}
KINDS = pytest.mark.parametrize("kind", CELLS)


def with_bias(cell):
    """Return a GRU whose recurrent bias is not zero."""
    c = np.linspace(-0.5, 0.5, cell.units)
    return cell.with_params({**cell.params, "c": c})


def networks(kind, members, n, rng):
    """Return an ensemble of networks as one cell."""
    cells = [CELLS[kind](n, n_inputs=2, rng=rng) for _ in range(members)]
    stacked = {k: np.stack([cell.params[k] for cell in cells]) for k in cells[0].params}
    return cells, cells[0].with_params(stacked)


@KINDS
def test_tangent_step_is_the_derivative_of_the_step(kind):
    rng = np.random.default_rng(0)
    cell = CELLS[kind](5, n_inputs=2, rng=rng)
    x, u = rng.standard_normal(cell.dim), rng.standard_normal(2)
    Q = rng.standard_normal((cell.dim, 3))
    expected = autograd_jacobian(lambda x: cell.step(x, u))(x)
    np.testing.assert_allclose(cell.jacobian(x, u), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cell.pushforward(x, Q, u), expected @ Q, rtol=1e-12, atol=1e-13)


@KINDS
def test_public_functions_are_traceable_and_take_ensembles(kind):
    rng = np.random.default_rng(1)
    cells, cell = networks(kind, 3, 4, rng)
    x, u = rng.standard_normal((2, 3, cell.dim)), rng.standard_normal((3, 2))
    Q = rng.standard_normal((2, 3, cell.dim, 2))
    for i in np.ndindex(2, 3):
        one = cells[i[1]]
        arguments = x[i], u[i[1]]
        np.testing.assert_allclose(cell.step(x, u)[i], one.step(*arguments), rtol=1e-12)
        np.testing.assert_allclose(
            cell.jacobian(x, u)[i], one.jacobian(*arguments), rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(
            cell.pushforward(x, Q, u)[i],
            one.pushforward(x[i], Q[i], u[i[1]]),
            rtol=1e-12,
            atol=1e-13,
        )

    def through(params):
        traced = cell.with_params(params)
        return anp.sum(traced.step(x, u)) + anp.sum(traced.pushforward(x, Q, u) ** 2)

    assert all(np.isfinite(g).all() for g in grad(through)(cell.params).values())


@KINDS
@pytest.mark.parametrize("ensemble", ["single", "batch", "networks"])
@pytest.mark.parametrize("dense", [False, True])
def test_orbit_is_the_repeated_step(kind, ensemble, dense, monkeypatch):
    """Whether tangent vectors are multiplied by a step's matrices, or by all weights."""
    monkeypatch.setattr("lyapnet.cells.gated_orbit.GatedOrbit._dense", lambda orbit, rows: dense)
    rng = np.random.default_rng(2)
    lead = {"single": (), "batch": (2, 3), "networks": (3,)}[ensemble]
    cell = CELLS[kind](4, n_inputs=2, rng=rng)
    if ensemble == "networks":
        cell = networks(kind, 3, 4, rng)[1]
    x = rng.standard_normal((*lead, cell.dim))
    shared = (1,) * len(lead)
    for inputs in (None, rng.standard_normal((6, *lead, 2)), rng.standard_normal((6, *shared, 2))):
        orbit = cell.orbit(x, inputs, 6)
        now = x
        rows = rng.standard_normal((*lead, 3, cell.dim))
        for s in range(6):
            u = None if inputs is None else inputs[s]
            D = cell.jacobian(now, u)
            out = np.empty_like(rows)
            orbit.push(s, rows, out)
            np.testing.assert_allclose(out, rows @ D.swapaxes(-1, -2), rtol=1e-11, atol=1e-12)
            orbit.pull(s, rows, out)
            np.testing.assert_allclose(out, rows @ D, rtol=1e-11, atol=1e-12)
            np.testing.assert_allclose(orbit.jacobians[s], D, rtol=1e-11, atol=1e-13)
            now = cell.step(now, u)
            np.testing.assert_allclose(orbit.states[s + 1], now, rtol=1e-12, atol=1e-14)


CASES = {
    "thin": {"k": 2},
    "square": {"k": None},
    "transients": {"k": 2, "transient": 2, "basis_transient": 2},
    "interval 3": {"k": 2, "qr_interval": 3},
    "batch": {"k": 2, "lead": (2,), "x_lead": (2,), "u_lead": (2,)},
    "shared state and inputs": {"k": 2, "lead": (3,), "networks": True, "basis_transient": 1},
    "networks": {"k": 2, "lead": (3,), "x_lead": (3,), "u_lead": (3,), "networks": True},
}


@KINDS
@pytest.mark.parametrize("case", CASES)
def test_gradient(kind, case):
    rng = np.random.default_rng(3)
    spec = {"lead": (), "x_lead": (), "u_lead": (), "networks": False, **CASES[case]}
    options = {k: v for k, v in spec.items() if k.endswith("transient") or k == "qr_interval"}
    cell = CELLS[kind](3, n_inputs=2, rng=rng)
    if spec["networks"]:
        cell = networks(kind, 3, 3, rng)[1]
    k = spec["k"] or cell.dim
    total = 6 + options.get("transient", 0) + options.get("basis_transient", 0)
    point = {
        "params": cell.params,
        "x0": rng.standard_normal((*spec["x_lead"], cell.dim)),
        "basis": rng.standard_normal((*spec["x_lead"], cell.dim, k)),
        "inputs": rng.standard_normal((total, *spec["u_lead"], 2)),
    }
    weights = rng.standard_normal((*spec["lead"], k))

    def loss(point, exponents):
        traced = cell.with_params(point["params"])
        lam = exponents(traced, point["x0"], point["basis"], inputs=point["inputs"], **options)
        return anp.sum(weights * lam**2)

    def ours(point):
        return loss(point, ln.finite_time_exponents)

    found = grad(ours)(point)
    traced = grad(lambda point: loss(point, traced_exponents))(point)
    # Backward stable, not exact: rounding is relative to the largest derivative.
    flat = {**{k: traced[k] for k in ("x0", "basis", "inputs")}, **traced["params"]}
    largest = max(np.abs(x).max() for x in flat.values())
    for name, expected in flat.items():
        got = found[name] if name in found else found["params"][name]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10 * largest, err_msg=name)
    direction, slope = central_difference(ours, point, rng)
    np.testing.assert_allclose(inner(found, direction), slope, rtol=1e-6)


@KINDS
@pytest.mark.parametrize("ensemble", ["single", "batch", "networks"])
def test_gradient_is_the_same_part_by_part_and_gate_by_gate(kind, ensemble, monkeypatch):
    """A step's matrices are made in parts of time, and where they do not pay not at all."""
    rng = np.random.default_rng(4)
    cell = CELLS[kind](3, rng=rng) if ensemble != "networks" else networks(kind, 4, 3, rng)[1]
    lead = () if ensemble == "single" else (4,)
    x, basis = rng.standard_normal((*lead, cell.dim)), np.eye(cell.dim)[:, :2]
    u = rng.standard_normal((20, *lead, cell.n_inputs))

    def gradient():
        return grad(
            lambda p: anp.sum(ln.finite_time_exponents(cell.with_params(p), x, basis, inputs=u))
        )(cell.params)

    whole = gradient()
    monkeypatch.setattr("lyapnet.cells.mixture._PART", 1)
    in_parts = gradient()
    monkeypatch.setattr("lyapnet.cells.gated_orbit.GatedOrbit._dense", lambda orbit, rows: False)
    by_gates = gradient()
    for name, expected in whole.items():  # the largest component of any is about 1
        # sums of some 1e3 products in another order, of entries up to 0.1
        np.testing.assert_allclose(in_parts[name], expected, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(by_gates[name], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("cell", [ln.LSTM.random(32, rng=0), ln.GRU.random(32, rng=0)], ids=repr)
def test_members_that_share_weights_make_no_matrices_for_few_vectors(cell):
    """Those of a batch would take far more memory than its tangent vectors."""
    orbit = cell.orbit(np.zeros((50, cell.dim)), None, 2)
    rows = np.ones((50, 1, cell.dim))
    orbit.push(0, rows, np.empty_like(rows))
    orbit.pull(0, rows, np.empty_like(rows))
    assert "mixture" not in vars(orbit)
    rows = np.ones((50, 32, cell.dim))
    orbit.push(0, rows, np.empty_like(rows))
    assert "mixture" in vars(orbit)


def test_lstm_without_its_cell_state_has_other_exponents():
    """The Jacobian of h' in h alone, as shipped elsewhere, misses half of the dynamics."""
    rng = np.random.default_rng(5)
    cell = ln.LSTM.random(8, gain=2.0, n_inputs=0, rng=rng)
    assert cell.dim == 16
    x = rng.standard_normal(16)
    orbit = cell.orbit(x, None, 400)
    whole = ln.finite_time_exponents(cell, x, np.eye(16), n_steps=400)
    # Truth: sum of exponents = mean log |det|, of the full Jacobian; and its leading one.
    log_det = np.linalg.slogdet(orbit.jacobians)[1].mean()
    np.testing.assert_allclose(whole.sum(), log_det, rtol=1e-9)
    q, dropped = np.eye(8), np.zeros(8)
    for D in orbit.jacobians[:, :8, :8]:
        q, r = np.linalg.qr(D @ q)
        dropped += np.log(np.abs(np.diag(r))) / 400
    assert abs(whole[0] - dropped[0]) > 0.05
    assert abs(whole[:8].sum() - dropped.sum()) > 0.5


def test_lstm_with_an_open_forget_gate_keeps_its_cell_state():
    """Exact: without recurrent weights the c part has exponents log f, the h part -inf."""
    n = 3
    forget = np.array([0.9, 0.7, 0.5])
    b = np.zeros(4 * n)
    b[n : 2 * n] = np.log(forget / (1 - forget))
    cell = ln.LSTM(np.zeros((4 * n, n)), None, b)
    basis = np.eye(2 * n)[:, n:]
    # The first step turns the basis into (h, c); from then on both shrink by f, up to the
    # curvature of tanh, which is gone once c is small.
    lam = ln.finite_time_exponents(
        cell, np.r_[np.zeros(n), 1e-9 * np.ones(n)], basis, n_steps=50, basis_transient=5
    )
    np.testing.assert_allclose(lam, np.log(forget), atol=1e-6)
    full = ln.finite_time_exponents(cell, np.zeros(2 * n), np.eye(2 * n)[:, ::-1], n_steps=20)
    assert np.isneginf(full[n:]).all()


def test_gru_conventions_are_those_of_their_formulas():
    rng = np.random.default_rng(6)
    n = 4
    W, V = rng.standard_normal((3 * n, n)), rng.standard_normal((3 * n, 2))
    b, c = rng.standard_normal(3 * n), rng.standard_normal(n)
    h, u = rng.standard_normal(n), rng.standard_normal(2)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    r = sigmoid(W[:n] @ h + V[:n] @ u + b[:n])
    z = sigmoid(W[n : 2 * n] @ h + V[n : 2 * n] @ u + b[n : 2 * n])
    drive = V[2 * n :] @ u + b[2 * n :]
    after = np.tanh(drive + r * (W[2 * n :] @ h + c))
    before = np.tanh(drive + W[2 * n :] @ (r * h))
    np.testing.assert_allclose(ln.GRU(W, V, b, c=c).step(h, u), (1 - z) * after + z * h)
    cell = ln.GRU(W, V, b, reset_after=False)
    np.testing.assert_allclose(cell.step(h, u), (1 - z) * before + z * h)
    assert set(cell.params) == {"W", "V", "b"}
    assert set(ln.GRU(W, V, b).params) == {"W", "V", "b", "c"}


@KINDS
def test_saturated_gates_neither_overflow_nor_warn(kind):
    cell = CELLS[kind](3, rng=0)
    huge = cell.with_params({k: 1e4 * x for k, x in cell.params.items()})
    x = np.ones(cell.dim)
    orbit = huge.orbit(x, np.ones((5, 1)), 5)
    assert np.isfinite(orbit.states).all()
    assert np.isfinite(orbit.jacobians).all()
    np.testing.assert_allclose(orbit.states[1], huge.step(x, np.ones(1)))


@KINDS
def test_random_is_reproducible_and_scaled(kind):
    cell = CELLS[kind](200, rng=1)
    again = CELLS[kind](200, rng=1)
    assert all((cell.params[k] == again.params[k]).all() for k in cell.params)
    gain = {"lstm": 2.0}.get(kind, 3.0)
    assert np.isclose(cell.params["W"].std() * np.sqrt(200), gain, rtol=0.02)
    assert (cell.params["b"] >= 0).all()
    assert (cell.params["b"] < 0.5).all()
    block = type(cell).random(6, init="orthogonal", gain=2.0, rng=0).params["W"][6:12]
    np.testing.assert_allclose(block @ block.T, 4 * np.eye(6), atol=1e-12)
    assert "dim=" in repr(cell)


@KINDS
def test_save_and_load(kind, tmp_path):
    cell = CELLS[kind](3, rng=2)
    loaded = ln.load(cell.save(tmp_path / "cell.npz"))
    x = np.ones(cell.dim)
    np.testing.assert_array_equal(loaded.step(x), cell.step(x))


def test_bad_arguments():
    W = np.zeros((12, 3))
    with pytest.raises(ValueError, match=r"`W` must have shape \(\.\.\., 4N, N\)"):
        ln.LSTM(np.zeros((9, 3)))
    with pytest.raises(ValueError, match=r"`V` must have shape"):
        ln.LSTM(W, np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"`b` must have shape"):
        ln.LSTM(W, None, np.zeros(3))
    with pytest.raises(ValueError, match=r"`c` must have shape"):
        ln.GRU(np.zeros((9, 3)), c=np.zeros(2))
    with pytest.raises(ValueError, match="reset_after"):
        ln.GRU(np.zeros((9, 3)), c=np.zeros(3), reset_after=False)
    with pytest.raises(ValueError, match=r"W\[0, 0\] = nan"):
        ln.LSTM(np.full((12, 3), np.nan))
    with pytest.raises(ValueError, match="`init`"):
        ln.LSTM.random(3, init="zeros")
    with pytest.raises(ValueError, match="exactly the keys"):
        ln.LSTM(W).with_params({"W": W})


# ---- saturated gates


@pytest.mark.parametrize("kind", [ln.LSTM, ln.GRU, partial(ln.GRU, reset_after=False)])
@pytest.mark.parametrize("scale", [8.0, 20.0])
def test_derivatives_of_saturated_gates_keep_their_digits(kind, scale):
    # Against differentiation at 60 digits of one unit's own equations.
    rng = np.random.default_rng(int(scale))
    gates = 4 if kind is ln.LSTM else 3
    b = scale * (1 + rng.random(gates)) * np.array([1, 1, -1, 1])[:gates]
    cell = kind(rng.standard_normal((gates, 1)), None, b)
    x = np.array([0.3, 2.0])[: cell.dim]
    W = [mpmath.mpf(float(w)) for w in cell.params["W"][:, 0]]
    beta = [mpmath.mpf(float(c)) for c in b]

    def sigma(a):
        return 1 / (1 + mpmath.exp(-a))

    def step(*state):
        h = state[0]
        if kind is ln.LSTM:
            i, f, g, o = (w * h + c for w, c in zip(W, beta, strict=True))
            new = sigma(f) * state[1] + sigma(i) * mpmath.tanh(g)
            return sigma(o) * mpmath.tanh(new), new
        r, z = (sigma(W[j] * h + beta[j]) for j in range(2))
        n = mpmath.tanh(beta[2] + r * W[2] * h)  # both conventions are one for one unit
        return ((1 - z) * n + z * h,)

    with mpmath.workdps(60):
        start = [mpmath.mpf(float(v)) for v in x]
        exact = [
            [
                mpmath.diff(
                    lambda v, i=i, j=j: step(*start[:j], v, *start[j + 1 :])[i], start[j], h="1e-25"
                )
                for j in range(cell.dim)
            ]
            for i in range(cell.dim)
        ]
    exact = np.array(exact, dtype=float)
    orbit = cell.orbit(x, None, 1)
    pushed = np.empty((cell.dim, cell.dim))
    orbit.push(0, np.eye(cell.dim), pushed)
    for found in (cell.jacobian(x), orbit.jacobians[0], pushed.T):
        assert_allclose(found, exact, rtol=1e-9)


def test_biases_by_gate():
    lstm = ln.LSTM.random(50, bias={"forget": 1.0, "cell": (-1.0, 2.0)}, rng=0)
    i, f, g, o = np.split(lstm.params["b"], 4)
    assert (i == 0).all()
    assert (f == 1).all()
    assert (o == 0).all()
    assert -1 <= g.min() < -0.5
    assert 1.5 < g.max() <= 2
    gru = ln.GRU.random(50, bias={"update": -2, "reset": 2}, reset_after=False, rng=0)
    np.testing.assert_array_equal(gru.params["b"], np.repeat([2.0, -2.0, 0.0], 50))
    # a number draws as it always has
    rng = np.random.default_rng(3)
    rng.standard_normal(3 * 20 * 20 + 3 * 20)
    np.testing.assert_array_equal(
        ln.GRU.random(20, bias=0.5, rng=3).params["b"], 0.5 * rng.random(60)
    )


@pytest.mark.parametrize(("cell", "want"), [(ln.GRU, [4, -4, 0]), (ln.LSTM, [4, -4, 0, 4])])
def test_open_gates_let_inputs_through_and_hold_nothing(cell, want):
    drawn = cell.random(6, bias="open", rng=0)
    np.testing.assert_array_equal(drawn.params["b"], np.repeat(np.array(want, dtype=float), 6))
    np.testing.assert_array_equal(drawn.params["W"], cell.random(6, rng=0).params["W"])


def test_biases_of_long_memories():
    i, f, g, o = np.split(ln.LSTM.random(4000, bias="chrono", t_max=100, rng=0).params["b"], 4)
    np.testing.assert_array_equal(i, -f)
    assert (g == 0).all()
    assert (o == 0).all()
    # sigma(b) = 1 - 1 / (1 + T): the memory of a unit, T + 1 steps, is uniform in [2, t_max]
    memory = 1 / expit(-f)
    assert scipy.stats.kstest(memory, scipy.stats.uniform(2, 98).cdf).pvalue > 0.01
    z = np.split(ln.GRU.random(4000, bias="chrono", t_max=100, rng=1).params["b"], 3)[1]
    assert scipy.stats.kstest(1 / expit(-z), scipy.stats.uniform(2, 98).cdf).pvalue > 0.01
    i, f, _, _ = np.split(ln.LSTM.random(4000, bias="uniform", rng=0).params["b"], 4)
    np.testing.assert_array_equal(i, -f)
    assert scipy.stats.kstest(expit(f), "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("kwargs", "error", "named"),
    [
        ({"bias": {"reset": 1.0}}, ValueError, "`bias` must be by gate, of input"),
        ({"bias": {"forget": "x"}}, TypeError, "forget"),
        ({"bias": "wide"}, ValueError, "`bias`"),
        ({"bias": "chrono"}, ValueError, "`t_max`, .* is needed"),
        ({"bias": "chrono", "t_max": 2}, ValueError, "`t_max` must be larger than 2"),
        ({"bias": 1.0, "t_max": 20}, ValueError, '`t_max` is for bias="chrono"'),
    ],
)
def test_bad_biases_are_named(kwargs, error, named):
    with pytest.raises(error, match=named):
        ln.LSTM.random(4, rng=0, **kwargs)


@pytest.mark.parametrize("cell", [ln.LSTM.random(5, rng=0), ln.GRU.random(5, rng=0)])
def test_gates_by_name(cell):
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal((7, cell.dim)), rng.standard_normal((7, 1))
    found = cell.gate_values(x, u)
    assert list(found) == list(cell.gate_names)
    new = cell.step(x, u)
    if isinstance(cell, ln.LSTM):
        c = found["forget"] * x[:, 5:] + found["input"] * found["cell"]
        np.testing.assert_allclose(
            new, np.concatenate([found["output"] * np.tanh(c), c], axis=1), atol=1e-14
        )
    else:
        z = found["update"]
        np.testing.assert_allclose(new, (1 - z) * found["new"] + z * x, atol=1e-14)
