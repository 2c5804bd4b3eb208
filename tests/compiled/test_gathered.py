"""Functions of many operations on numbers, which are gathered into operations on arrays."""

import importlib

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

pytest.importorskip("numba")

N = 10
W = np.random.default_rng(0).standard_normal((N, N)) / N**0.5
WIDE = np.random.default_rng(0).standard_normal((24, 24)) / 5
OMEGA = np.linspace(-1, 1, N)


def pairs(x):
    """Sum over pairs in loops: of Kuramoto's oscillators."""
    return [OMEGA[i] + sum(anp.sin(x[j] - x[i]) for j in range(N)) / N for i in range(N)]


def pairs_with_all(x, t, u, p):
    out = []
    for i in range(N):
        total = p["omega"][i] + 0.1 * anp.sin(t) * u[0]
        for j in range(N):
            total = total + p["coupling"][0] / N * anp.sin(x[j] - x[i] - 0.3)
        out.append(total)
    return anp.array(out)


def with_choices(x):
    out = []
    for i in range(N):
        total = 0.0
        for j in range(N):
            near = anp.where(abs(x[i] - x[j]) < 1.0, 2.0 * x[j] - x[i], anp.maximum(x[j], 0.1))
            total = total + W[i, j] * near * anp.where((x[j] > x[i]) & (x[0] < 1), 1, 0.25)
        out.append(anp.tanh(2 * total))
    return out


def products(x):
    return [anp.tanh(1.5 * sum(w * anp.exp(-v * v) * v for w, v in zip(row, x))) for row in WIDE]  # noqa: B905


def uneven(x):
    """Components differ in what they do, and the last one is not used."""
    out = []
    for i in range(40):
        y = 1.5 * x[i % 39] + (x[(i + 1) % 39] - 0.2) ** 3 - x[(i + 2) % 39] ** 2 / (2 + i)
        for j in range(5 + i % 3):
            y = (anp.sin, anp.cos, anp.tanh)[(i * j) % 3](1.7 * y)
        out.append(y)
    return out


PARAMS = {"omega": OMEGA, "coupling": [0.8]}
SYSTEMS = {
    "flow": lambda: ln.Flow(pairs, N, dt=0.05),
    "all": lambda: ln.Flow(
        pairs_with_all, N, dt=0.05, time=True, n_inputs=1, params=PARAMS, method="dop853"
    ),
    "choices": lambda: ln.Map(with_choices, N),
    "uneven": lambda: ln.Map(uneven, 40),
    "products": lambda: ln.Map(products, 24),
}


@pytest.fixture
def gathering(monkeypatch):
    """Let graphs of numbers be few, so that small functions are gathered."""
    loop = importlib.import_module("lyapnet.compiled.loop")
    graph = importlib.import_module("lyapnet.compiled.graph")
    monkeypatch.setattr(graph.Graph, "most", 200)
    monkeypatch.setattr(loop, "_known", {})
    made = []
    original = loop.gathered_program
    monkeypatch.setattr(loop, "gathered_program", lambda *x: made.append(original(*x)) or made[-1])
    return made


@pytest.mark.parametrize("lead", [(), (3,)])
@pytest.mark.parametrize("name", SYSTEMS)
def test_gathered_loops_are_numpy_s(name, lead, gathering):
    system = SYSTEMS[name]()
    x0 = np.random.default_rng(1).standard_normal((*lead, system.dim))
    given = {"x0": x0, "k": 3, "rng": 0, "transient": 5, "basis_transient": 5, "qr_interval": 1}
    if system.n_inputs:
        given["inputs"] = np.random.default_rng(2).standard_normal((30, 1))
    found, truth = (
        ln.lyapunov_spectrum(ln.compiled(system, engine), 8, **given)
        for engine in ("compiled", "numpy")
    )
    assert gathering
    assert_allclose(found.log_growth, truth.log_growth, rtol=1e-9, atol=1e-11)
    assert_allclose(found.state, truth.state, rtol=1e-9, atol=1e-11)


def test_long_sums_are_compiled_as_they_are():
    # 44 units: 23 000 operations on numbers, of which 8000 are written down as such.
    n, omega = 44, np.linspace(-1, 1, 44)
    by_loops = ln.Flow(
        lambda x: [omega[i] + sum(np.sin(x[j] - x[i]) for j in range(n)) / n for i in range(n)],
        n,
        dt=0.05,
    )
    by_arrays = ln.Flow(lambda x: omega + np.mean(np.sin(x - x[:, None]), axis=1), n, dt=0.05)
    x0 = np.random.default_rng(0).standard_normal(n)
    runs = [
        ln.lyapunov_spectrum(ln.compiled(flow), 200, x0=x0, k=2, rng=0)
        for flow in (by_loops, by_arrays)
    ]
    assert_allclose(runs[0].exponents, runs[1].exponents, rtol=1e-9)


def test_what_is_not_alike_is_not_gathered():
    def chain(x):
        y = x[0]
        for i in range(3000):  # each waits for the one before
            y = anp.sin(y + x[i % 8]) * 1.1 + 0.1
        return [y, *x[:7]]

    assert "more than 8000 operations" in ln.Map(chain, 8).cannot_compile()


def test_short_runs_of_dear_functions_are_compiled():
    # 8 members of 30 oscillators by all pairs: NumPy took 34 s for 700 steps.
    omega = np.linspace(-1, 1, 30)
    flow = ln.Flow(lambda x: omega + np.mean(np.sin(x - x[:, None]), axis=1), 30, dt=0.05)
    lattice = ln.Map(lambda x: 1 - 0.1 * x**2 - 0.01 * np.roll(x, 1), 30)
    x0 = np.random.default_rng(0).standard_normal((8, 30)) / 10
    given = {"x0": x0, "k": 2, "rng": 0, "transient": 50, "basis_transient": 50}
    assert ln.lyapunov_spectrum(flow, 500, **given).settings["engine"] == "compiled"
    assert ln.lyapunov_spectrum(flow, 500, **{**given, "x0": x0[0]}).settings["engine"] == "numpy"
    found = ln.lyapunov_spectrum(lattice, 500, **given).settings
    assert found["engine"] == "numpy"
    assert found["engine_reason"] == "a run of 600 steps is over before its loop is compiled"
