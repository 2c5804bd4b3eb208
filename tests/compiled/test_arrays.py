"""Steps written down on whole arrays: the same as NumPy's, and as those on numbers.

Small systems, which are written down on numbers otherwise, are enough here.
"""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

from .engines import LOOP, agree, both, on_arrays

pytest.importorskip("numba")

RNG = np.random.default_rng(0)
N = 7
W = 1.3 * RNG.standard_normal((N, N)) / np.sqrt(N)
U, V = RNG.standard_normal((2, N, 2)) / np.sqrt(N)
b = 0.3 * RNG.standard_normal(N)
X = RNG.standard_normal(N)
SOME, PLACES = np.array([3, 1, 1, 6, 0, 2, 5]), np.array([0, 1, 2, 3, 4, 5, 0])


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    """Write down whole arrays, however few numbers there are."""
    on_arrays(monkeypatch, True)


def form(system, lead=()):
    return LOOP.written(system, lead, -1)[0]


def carried_right(system, other):
    """See that a compiled step and its derivative are those of autograd for another system."""
    loop = ln.compiled(system).prepared(X, None, 5, 10)._loop
    assert loop.program.whole
    rows = RNG.standard_normal((1, 5, N, 1))
    expected = rows[0, :, :, 0] @ other.jacobian(X).T
    x = X.reshape(1, N, 1).copy()
    loop.kernel.blocks(
        x, rows, loop.inputs(None, 1), *loop.given, first=0, count=1, interval=1, least=-1.0
    )
    assert_allclose(rows[0, :, :, 0], expected, rtol=1e-10, atol=1e-12)
    assert_allclose(x[0, :, 0], other.step(X), rtol=1e-12, atol=1e-14)


def excitation_and_inhibition(x):
    e, i = x[:5], x[5:]
    r, s = anp.tanh(e), anp.maximum(i, 0.0)
    e_dot = -e + W[:5, :5] @ r - anp.abs(W[:5, 5:]) @ s
    return anp.concatenate([e_dot, -2 * i + anp.abs(W[5:, :5]) @ r - anp.abs(W[5:, 5:]) @ s])


FIELDS = {
    "rates": lambda x: -x + W @ anp.tanh(x),
    "rates inside": lambda x: -x + anp.tanh(W @ x + b),
    "turned": lambda x: -x + anp.tanh(x) @ W.T,
    "dot": lambda x: -x + anp.dot(W, anp.tanh(x)),
    "dot behind": lambda x: -x + anp.dot(anp.tanh(x), W),
    "einsum": lambda x: -x + anp.einsum("ij,j->i", W, anp.tanh(x)),
    "einsum turned": lambda x: -x + anp.einsum("ji,j->i", W, anp.tanh(x)),
    "low rank": lambda x: -x + U @ (V.T @ anp.tanh(x)) + 0.3 * W @ x,
    "blocks": excitation_and_inhibition,
    "a matrix of states": lambda x: (
        anp.ravel((W[:3, :3] @ anp.tanh(x[:6].reshape(3, 2))).T)[PLACES] - x
    ),
    "behind a matrix": lambda x: (
        anp.append(anp.ravel(anp.tanh(x[1:].reshape(3, 2)) @ W[:2, :2]), x[0]) - x
    ),
    "all pairs": lambda x: b + anp.sum(anp.sin(x[None, :] - x[:, None]), axis=1) / N,
    "all pairs, other way": lambda x: b + anp.mean(anp.sin(x[:, None] - x[None, :]), axis=0),
    "weighted pairs": lambda x: b + (W * anp.sin(x - x[:, None] - 0.1)).sum(1),
    "outer": lambda x: anp.sum(anp.outer(anp.tanh(x), anp.sin(x)) * W, axis=0) - x,
    "mean field": lambda x: -x + b + anp.mean(anp.tanh(x)) * anp.cos(x) - anp.sum(x**2) * x / 10,
    "neighbours": lambda x: (anp.roll(x, -1) - anp.roll(x, 2)) * anp.roll(x, 1) - x + 1.0,
    "places": lambda x: anp.tanh(x[::-1]) - x[SOME] * anp.sin(x) + anp.roll(x[SOME], 1) - x,
    "nothing beside": lambda x: anp.concatenate([x[N:], anp.sin(x[:3]), x[3:3], x[:4]]) - 2 * x,
    "choices": lambda x: -x + W @ anp.where(x**2 + 0.1 > 0, anp.tanh(x), x),
    "functions": lambda x: (
        -x
        + anp.exp(-(x**2)) * anp.sqrt(1 + x**2)
        + 1 / (1 + anp.exp(-x[::-1]))
        + anp.log(2 + anp.cos(x)) * anp.arctan(x) ** 3
        - (x**2 + 0.1) ** 0.75 / 5
    ),
    "list of parts": lambda x: anp.stack(
        [x[1] - x[0], *[anp.sin(x[i]) - x[i] for i in range(1, N)]]
    ),
}


@pytest.mark.parametrize("k", [1, 3, N])
@pytest.mark.parametrize("name", FIELDS)
def test_fields(name, k):
    flow = ln.Flow(FIELDS[name], N, dt=0.1)
    jumps = name == "choices"
    if jumps:  # a comparison may jump: as a map
        flow = ln.Map(lambda x: x + 0.1 * FIELDS[name](x), N)
    assert form(flow).whole
    agree(*both(flow, 12, k=k, x0=X, qr_interval=3))


# What autograd cannot trace, beside the same without assignments.


def assigned(x):
    out = np.zeros(N)
    out[:5] = W[:5] @ anp.tanh(x)
    out[5:] = anp.sin(x[1:3])
    out[0] = 2 * x[3]
    out -= x
    return out


def alike(x):
    out = np.empty_like(x)
    out[::2], out[1::2] = anp.sin(x[:4]), 0.5
    return out - 2 * x


def changed(x):
    y = W @ anp.tanh(x)
    kept = y.copy()
    y[:3] += b[:3] * x[1:4]
    y[x.shape[0] - 1] = x[0] - kept[2]
    y *= 0.5
    return y - x


def without_changes(x):
    y = W @ anp.tanh(x)
    last = anp.array([x[0] - y[2]])
    return 0.5 * anp.concatenate([y[:3] + b[:3] * x[1:4], y[3:6], last]) - x


ASSIGNED = {
    "assigned": (assigned, lambda x: anp.concatenate(
        [2 * x[3:4], W[1:5] @ anp.tanh(x), anp.sin(x[1:3])]) - x),
    "likewise": (alike, lambda x: anp.where(
        np.arange(N) % 2 == 0, anp.repeat(anp.sin(x[:4]), 2)[:N], 0.5) - 2 * x),
    "in place": (changed, without_changes),
}  # fmt: skip


@pytest.mark.parametrize("name", ASSIGNED)
def test_assignments(name):
    given, pure = (ln.Flow(field, N, dt=0.1) for field in ASSIGNED[name])
    carried_right(given, pure)


VECTORIZED = {
    "behind": lambda x: -x + anp.tanh(x) @ W.T,
    "einsum": lambda x: -x + anp.einsum("ij,...j->...i", W, anp.tanh(x)),
    "columns": lambda x: -x + (W @ anp.tanh(x)[..., None])[..., 0],
    "pairs": lambda x: b + anp.sin(x[..., None, :] - x[..., :, None]).mean(-1),
    "parts": lambda x: anp.concatenate([anp.sin(x[..., 3:]), -x[..., :3]], axis=-1) - x,
}


@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("name", VECTORIZED)
def test_functions_of_many_states(name, members):
    flow = ln.Flow(VECTORIZED[name], N, dt=0.1, vectorized=True)
    assert form(flow).whole
    x0 = RNG.standard_normal((*members, N))
    agree(*both(flow, 12, k=3, x0=x0, qr_interval=3))


@pytest.mark.parametrize("interval", [1, 4, "auto"])
@pytest.mark.parametrize("method", ["euler", "heun", "rk4", "dop853"])
def test_methods(method, interval):
    flow = ln.Flow(FIELDS["rates"], N, dt=0.1, method=method)
    assert form(flow).whole
    agree(*both(flow, 12, x0=X, qr_interval=interval))


@pytest.mark.parametrize("members", [(), (1,), (3,), (2, 5)])
@pytest.mark.parametrize("own", [False, True])
def test_parameters(members, own):
    """Dale's law: what is made of parameters alone is made once."""
    lead = members if own else ()
    rng = np.random.default_rng(1)
    p = {"W": rng.standard_normal((*lead, N, N)), "g": rng.uniform(0.5, 1, lead), "tau": 2.0}
    signs = np.sign(b)

    def field(x, p):
        M = np.abs(p["W"]) * signs / N
        return (
            -x + anp.tanh(2 * p["g"]) * (M @ anp.tanh(x)) + anp.tanh(x) @ p["W"][:, ::-1] / N
        ) / p["tau"]

    flow = ln.Flow(field, N, dt=0.1, params=p, jacobian=None)
    assert form(flow, members).whole
    agree(*both(flow, 12, k=3, x0=rng.standard_normal((*members, N)), qr_interval=2))


@pytest.mark.parametrize("threshold", [0.0, 2.0])
def test_choices_by_parameters_and_by_states(threshold):
    """What is true is a number where it is kept."""

    def step(x, p):
        gain = anp.where(p["g"] > p["at"], p["g"], 0.5)
        over = (x > p["at"]) | (W[0] > 0)
        under = anp.where((x < 0)[::-1], anp.sum(x > 0) / N, W @ (x > p["at"]))
        chosen = anp.where(anp.broadcast_to(p["g"] > p["at"], N), 0.1 * x, x)
        return anp.where(over, anp.tanh(gain * x), W @ anp.sin(x)) + under * anp.sin(chosen)

    step = ln.Map(step, N, params={"g": 1.5, "at": threshold})
    assert form(step).whole
    agree(*both(step, 12, x0=X))


@pytest.mark.parametrize("interpolation", ["hold", "linear", "cubic"])
@pytest.mark.parametrize("members", [(), (4,)])
def test_inputs_and_time(members, interpolation):
    flow = ln.Flow(
        lambda x, t, u: -x + W @ anp.tanh(x) + U @ u * anp.cos(t) + b * u[0], N, dt=0.1, n_inputs=2,
        time=True, interpolation=interpolation,
    )  # fmt: skip
    assert form(flow, members).whole
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((40, *members, 2))
    agree(*both(flow, None, inputs=inputs, x0=rng.standard_normal((*members, N)), t0=0.3))


def test_noise():
    flow = ln.NoisyFlow(lambda x: -x + W @ anp.tanh(x), lambda x: 0.3 * anp.cos(x), N, dt=0.05)
    assert form(flow).whole
    agree(*both(flow, 20, x0=X, k=4))


@pytest.mark.filterwarnings("ignore:these exponents are unreliable")
def test_a_jacobian_of_the_users():
    """It counts as it is: here it is not the derivative."""
    step = ln.Map(
        lambda x: np.tanh(W @ x), N,
        jacobian=lambda x: 2.0 * (1 - np.tanh(W @ x) ** 2)[:, None] * W,
    )  # fmt: skip
    assert form(step).whole
    derived = ln.Map(lambda x: anp.tanh(W @ x), N)
    a, b = both(step, 12, x0=X)
    agree(a, b)
    right = ln.lyapunov_spectrum(derived, 12, x0=X, transient=3, basis_transient=5, rng=0)
    assert_allclose(a.exponents, right.exponents + np.log(2), rtol=1e-8, atol=1e-8)


def test_a_linear_system_whose_exponents_are_known():
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    rates = np.linspace(0.3, -1.2, 40)
    A = (Q * np.exp(rates)) @ Q.T
    s = ln.lyapunov_spectrum(
        ln.compiled(ln.Map(lambda x: A @ x, 40)), 200, k=6, x0=np.zeros(40), rng=0,
        transient=0, basis_transient=3000,
    )  # fmt: skip
    assert_allclose(s.exponents, rates[:6], atol=1e-9)


@pytest.mark.parametrize("name", FIELDS)
def test_products_with_jacobians_are_autograds(name):
    flow = ln.Flow(FIELDS[name], N, dt=0.1)
    if name == "choices":
        flow = ln.Map(FIELDS[name], N)
    carried_right(flow, flow)


@pytest.mark.parametrize(
    "step",
    [
        lambda x: anp.cumsum(0.1 * anp.sin(x)),
        lambda x: anp.sin(2 * x) + 0.1 * anp.max(x),
        lambda x: anp.linalg.norm(anp.array([x[0], 1.0])) * anp.sin(x),
    ],
)
def test_what_cannot_be_written_on_arrays_is_on_numbers(step):
    system = ln.Map(step, 3)
    try:
        program = form(system)
    except TypeError:
        return
    assert not program.whole
    agree(*both(system, 8, x0=X[:3]))


@pytest.mark.parametrize("coupled", [False, True])
def test_separable_hamiltonians_are_seen_on_numbers(coupled):
    """Which half depends on which is not seen from whole arrays."""

    def field(z):
        q, p = z[:4], z[4:]
        return anp.concatenate([p + coupled * q, -anp.sin(q)])

    flow = ln.Flow(field, 8, dt=0.05, method="leapfrog")
    if coupled:
        with pytest.raises(TypeError, match="separable"):
            form(flow)
    else:
        assert not form(flow).whole
        agree(*both(flow, 12, x0=np.append(X, 0.2)))


def test_perturbations_of_a_part():
    """What the others drive has the derivative of its own part alone."""
    flow = ln.Flow(FIELDS["rates"], N, dt=0.1)
    driven = [1, 2, 5]
    found = [
        ln.conditional_exponents(ln.compiled(flow, engine), driven, 30, x0=X, transient=3, rng=0)
        for engine in ("compiled", "numpy")
    ]
    assert_allclose(found[0].exponents, found[1].exponents, rtol=1e-8, atol=1e-10)


def into_a_view(x):
    y = W @ anp.tanh(x)
    part = y[:3]
    part[0] = 0.1
    return y - x


def behind_a_view(x):
    y = W @ anp.tanh(x)
    part = y[:3]
    y[1] = 0.1
    return y - x + part.sum()


@pytest.mark.parametrize("field", [into_a_view, behind_a_view])
def test_views_are_those_of_numpy(field):
    """What is written into an array is in its parts: on numbers that is so, too."""
    flow = ln.Flow(field, N, dt=0.1, jacobian=lambda x: np.diag(x))
    assert not form(flow).whole
    assert_allclose(ln.compiled(flow).prepared(X, None, 2, 10).step(X), flow.step(X))


def test_what_is_made_number_by_number_stays_so(monkeypatch):
    monkeypatch.setattr(LOOP, "EACH", 8)
    parts = ln.Map(lambda x: anp.array([anp.sin(y) for y in x]), N)
    assert not form(parts).whole
    assert form(ln.Map(lambda x: anp.sin(x), 60)).whole


def test_networks_with_other_weights_are_the_same_code(monkeypatch):
    from lyapnet.compiled.machine import Machine

    made = []
    compile_one = Machine.functions
    monkeypatch.setattr(
        Machine, "functions", lambda self, text: made.append(text) or compile_one(self, text)
    )
    found = []
    for seed in range(3):
        M = np.random.default_rng(seed).standard_normal((N, N))
        step = ln.Map(lambda x, M=M: anp.tanh(M @ x), N)
        found.append(ln.lyapunov_spectrum(ln.compiled(step), 5, x0=X, rng=0).exponents)
    assert len({text for text in made if "@blocks" in text}) <= 1
    assert np.ptp(found, axis=0).min() > 0


def test_a_large_network_needs_no_numpy():
    rng = np.random.default_rng(4)
    M = 1.5 * rng.standard_normal((150, 150)) / np.sqrt(150)
    flow = ln.Flow(lambda x: -x + M @ anp.tanh(x), 150, dt=0.1)
    assert form(flow).whole
    agree(*both(flow, 10, k=13, x0=rng.standard_normal(150), qr_interval=2))
