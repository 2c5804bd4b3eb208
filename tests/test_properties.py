"""Laws of the numerical core, on examples that hypothesis looks for: exact, or invariants."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.results import storage
from lyapnet.tangent.qr import orthonormalise

SEEDS = st.integers(0, 2**32 - 1)
EPS = np.finfo(float).eps


@st.composite
def bases(draw):
    """Return rows ``(..., k, n)``, more or less dependent, long and short."""
    n, lead = draw(st.integers(1, 12)), draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    k = draw(st.integers(1, n))
    if draw(st.booleans()):  # so large that other methods pay
        (n, k), lead = draw(st.sampled_from([(60, 45), (130, 100)])), ()
    rng = np.random.default_rng(draw(SEEDS))
    rows = rng.standard_normal((*lead, k, n))
    mixed = rng.standard_normal((k, k)) * 10.0 ** -draw(st.integers(0, 6))
    rows = np.matmul(np.eye(k) + np.tril(mixed, -1), rows)
    return rows * 10.0 ** (draw(st.integers(-100, 100)) + rng.integers(-3, 4, (*lead, k, 1)))


@settings(max_examples=100)
@given(bases())
def test_rows_become_orthonormal_and_span_what_they_did(rows):
    n, k = rows.shape[-1], rows.shape[-2]
    Q, factor = rows.copy(), np.zeros((*rows.shape[:-1], k))
    diagonal, length = orthonormalise(Q, factor)
    assert_allclose(
        np.matmul(Q, Q.swapaxes(-1, -2)), np.broadcast_to(np.eye(k), factor.shape), atol=1e-10
    )
    R = np.tril(factor)
    assert_allclose(np.abs(np.einsum("...ii->...i", R)), diagonal, rtol=1e-13)
    norms = np.linalg.norm(rows / length[..., None], axis=-1)
    assert_allclose(norms, 1.0, rtol=1e-13)
    # backward stable, row by row: A^T = R^T Q^T, whatever the lengths of the rows
    back = np.matmul(R / length[..., None], Q)
    assert_allclose(back, rows / length[..., None], rtol=0, atol=100 * n * EPS)
    # R is that of LAPACK, but for what the condition of the directions makes of rounding
    sines = diagonal / length
    assert (sines < 1 + 1e-12).all()
    directions = rows / length[..., None]
    lapack = np.abs(np.einsum("...ii->...i", np.linalg.qr(directions.swapaxes(-1, -2))[1]))
    condition = np.linalg.cond(directions)[..., None]
    assert (np.abs(sines - lapack) <= 100 * n * EPS * condition).all()


@st.composite
def triangular(draw):
    """Return upper triangular Jacobians ``(T, n, n)`` of any signs, and their rates."""
    n, T = draw(st.integers(1, 6)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(SEEDS))
    logs = rng.uniform(-2, 2, (T, n))
    D = np.triu(rng.standard_normal((T, n, n)), 1)
    D[:, np.arange(n), np.arange(n)] = np.exp(logs) * rng.choice([-1, 1], (T, n))
    return D, logs


@settings(max_examples=60)
@given(triangular(), st.integers(1, 5), st.floats(0.01, 10))
def test_triangular_products_have_the_exponents_of_their_diagonals(product, interval, dt):
    D, logs = product
    n = D.shape[-1]
    s = ln.spectrum_from_jacobians(D, basis=np.eye(n), qr_interval=interval, dt=dt)
    rates = logs.mean(axis=0) / dt
    assert_allclose(s.exponents, np.sort(rates)[::-1], rtol=1e-9, atol=1e-9 / dt)
    assert_allclose(s.log_growth.sum(axis=0), logs.sum(axis=0), atol=1e-9)
    leading = ln.spectrum_from_jacobians(D, basis=np.eye(n)[:, :1], dt=dt)
    assert_allclose(leading.exponents, rates[:1], rtol=1e-9, atol=1e-9 / dt)


@st.composite
def products(draw):
    """Return Jacobians ``(T, n, n)`` of any kind, a basis, and a generator."""
    n, T = draw(st.integers(2, 6)), draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(SEEDS))
    D = rng.standard_normal((T, n, n)) * np.exp(rng.uniform(-1, 1, (T, 1, 1)))
    assume((np.linalg.cond(D) < 1e4).all())
    return D, np.linalg.qr(rng.standard_normal((n, n)))[0], rng


@settings(max_examples=60)
@given(products())
def test_volume_rotations_and_scales(product):
    D, Q, rng = product
    T, n, _ = D.shape
    s = ln.spectrum_from_jacobians(D, basis=Q)
    # the exponents add up to the mean log determinant, for any basis
    volume = np.linalg.slogdet(D)[1].mean()
    assert_allclose(s.exponents.sum(), volume, atol=1e-10 * n)
    # other coordinates, that may turn from step to step, change nothing
    U = np.linalg.qr(rng.standard_normal((T + 1, n, n)))[0]
    turned = ln.spectrum_from_jacobians(U[1:] @ D @ U[:-1].swapaxes(-1, -2), basis=U[0] @ Q)
    assert_allclose(turned.log_growth, s.log_growth, atol=1e-8)
    # a factor adds its logarithm; time counts in dt
    scaled = ln.spectrum_from_jacobians(7.0 * D, basis=Q, dt=0.5)
    assert_allclose(scaled.exponents, (s.exponents + np.log(7)) / 0.5, atol=1e-10)
    # backwards in time, with the inverse Jacobians, from where it ended
    back = ln.spectrum_from_jacobians(np.linalg.inv(D[::-1]), basis=s.basis[:, ::-1])
    assert_allclose(back.exponents.sum(), -volume, atol=1e-8)
    # the QR interval and the number of directions are of no account
    for interval in (2, 3):
        other = ln.spectrum_from_jacobians(D, basis=Q, qr_interval=interval)
        assert_allclose(other.log_growth.sum(axis=0), s.log_growth.sum(axis=0), atol=1e-5)
    fewer = ln.spectrum_from_jacobians(D, basis=Q[:, :2])
    assert_allclose(fewer.log_growth, s.log_growth[:, :2], atol=1e-10)


@settings(max_examples=40)
@given(products(), st.lists(st.floats(0, 1e4), min_size=1, max_size=4), st.floats(0, 300))
def test_equation_ten(product, t, limit):
    D, Q, _ = product
    s = ln.spectrum_from_jacobians(D, basis=Q)
    n, t = D.shape[-1], np.array(t)
    kappa = np.array([s.log10_condition_number(t, m) for m in range(1, n + 1)])
    gaps = s.exponents[0] - s.exponents
    assert_allclose(kappa, np.outer(gaps, t) / np.log(10), rtol=1e-13, atol=1e-300)
    assert (kappa[0] == 0).all()  # of one direction
    assert (np.diff(kappa, axis=0) >= 0).all()  # more directions, worse
    assert_allclose(s.log10_condition_number(2 * t), 2 * kappa[-1], rtol=1e-13, atol=1e-300)
    assert s.usable_dimensions(t[0], limit) == (kappa[:, 0] <= limit).sum()
    assert s.usable_dimensions(0.0, 0.0) == n


@settings(max_examples=25)
@given(products())
def test_predicted_condition_numbers_are_those_of_the_same_window(product):
    D, Q, _ = product
    c = ln.condition_from_jacobians(D, basis=Q, precision=200, backend="mpmath")
    for i, t in enumerate(c.times):
        s = ln.spectrum_from_jacobians(D[: int(t)], basis=Q)
        assert_allclose(c.log10_predicted[i], s.log10_condition_number(t), atol=1e-9)
        # and those measured are of singular values whose product is the volume
        logs = c.log10_singular_values[i] * np.log(10)
        assert_allclose(logs.sum(), s.exponents.sum() * t, atol=1e-8)
        assert c.log10_measured[i] >= c.log10_predicted[i] - 1e-9  # |R_ii| lie between the others


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 5), st.integers(1, 40))
def test_diagonal_products_are_measured_exactly(seed, n, T):
    logs = np.random.default_rng(seed).uniform(-3, 3, (T, n))
    D = np.exp(logs)[:, :, None] * np.eye(n)
    c = ln.condition_from_jacobians(D, basis=np.eye(n), times=[T], backend="mpmath")
    total = np.sort(np.log(np.exp(logs)).sum(axis=0))[::-1] / np.log(10)
    assert_allclose(c.log10_singular_values[0], total, atol=1e-11)
    assert_allclose(c.log10_measured[0], total[0] - total[-1], atol=1e-11)
    assert_allclose(c.log10_predicted, c.log10_measured, atol=1e-11)


@settings(max_examples=60)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=6),
    st.floats(-5, 5),
    st.floats(-5, 5),
    st.floats(0, 3),
)
def test_flossing_loss(lam, target, shift, weight):
    lam, k = np.array(lam), len(lam)
    assume(weight > 1e-3)
    loss = ln.flossing_loss(lam, target)
    assert loss >= 0
    assert_allclose(loss, np.sum((lam - target) ** 2), rtol=1e-12)
    assert ln.flossing_loss(lam, lam) == 0
    shifted = ln.flossing_loss(lam + shift, target + shift)
    assert_allclose(shifted, loss, rtol=1e-9, atol=1e-12)
    assert_allclose(ln.flossing_loss(lam, target, reduction="mean"), loss / k, rtol=1e-12)
    assert_allclose(ln.flossing_loss(lam, target, weights=weight), weight * loss, rtol=1e-12)
    assert_allclose(ln.flossing_loss(np.array([lam, lam]), target), loss, rtol=1e-12)


# ---- there and back

PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
DTYPES = st.sampled_from([float, np.float32, int, np.uint8, bool, complex])
ARRAYS = st.builds(
    lambda seed, shape, kind: np.asarray(9 * np.random.default_rng(seed).random(shape)).astype(
        kind
    ),
    SEEDS,
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    DTYPES,
)
KEYS = st.text(max_size=6).filter(lambda key: key != "__array__")
TREES = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and (a == b or (a != a and b != b))


def there_and_back(thing):
    with tempfile.TemporaryDirectory() as folder:
        return storage.load(storage.save(thing, Path(folder) / "x.npz"))


@settings(max_examples=60)
@example({"a/b": np.ones(2), "a": {"b": np.zeros(3)}})
@example({"json": np.ones(2), "lyapnet": np.zeros(1), "": np.ones(1)})
@example({"\0": np.ones(2), "\\": np.zeros(2), "x.npy": np.ones(1), "x": np.zeros(1)})
@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_a_tree_comes_back_as_it_was(tree):
    assert same(tree, there_and_back(tree))


@st.composite
def networks(draw):
    n, m, rng = draw(st.integers(1, 5)), draw(st.integers(0, 3)), np.random.default_rng(draw(SEEDS))
    kind = draw(st.sampled_from([ln.VanillaRNN, ln.LSTM, ln.GRU]))
    more = {}
    if kind is ln.VanillaRNN:
        more["activation"] = draw(st.sampled_from(["tanh", "relu", "linear"]))
    return kind.random(n, n_inputs=m, bias=0.5, rng=rng, **more), rng


@settings(max_examples=60)
@given(networks(), st.floats(0.01, 1.0))
def test_a_network_comes_back_as_it_was(network, leak):
    cell, rng = network
    if isinstance(cell, ln.VanillaRNN):
        cell = ln.VanillaRNN(*cell.params.values(), activation=cell.activation, leak=leak)
    back = there_and_back(cell)
    assert type(back) is type(cell)
    assert repr(back) == repr(cell)
    assert same(dict(cell.params), dict(back.params))
    s = ln.lyapunov_spectrum(cell, 3, transient=1, basis_transient=1, rng=rng)
    assert same(s.log_growth, there_and_back(s).log_growth)


@settings(max_examples=60)
@given(networks())
def test_a_network_goes_to_torch_and_back(network):
    cell, rng = network
    assume(cell.n_inputs > 0)
    assume(getattr(cell, "activation", None) is None or cell.activation.name != "linear")
    more = {"activation": cell.activation.name} if isinstance(cell, ln.VanillaRNN) else {}
    back = ln.from_torch(ln.to_torch(cell), **more)
    x, u = rng.standard_normal(cell.dim), rng.standard_normal(cell.n_inputs)
    assert_allclose(back.step(x, u), cell.step(x, u), rtol=1e-13, atol=1e-14)
    assert_allclose(back.jacobian(x, u), cell.jacobian(x, u), rtol=1e-13, atol=1e-14)
