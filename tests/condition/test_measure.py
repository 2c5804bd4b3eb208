"""Condition numbers: exact truths, bounds that hold, and a door that explains itself."""

import builtins
import importlib.util
from dataclasses import replace
from math import log10

import numpy as np
import pytest
from condition_truth import log10_singular_values

import lyapnet as ln
from lyapnet import validate
from lyapnet.condition.jacobians import condition_from_jacobians
from lyapnet.condition.measure import condition_number
from lyapnet.errors import PrecisionError

BACKENDS = ["mpmath", "flint"]


def orthogonal(n, rng):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ---- exact truths


@pytest.mark.parametrize("there", [[10.0, 0.1, 1.0], [4.0, 1.0, 0.5, 0.25]])
def test_directions_that_change_places_later(rng, there):
    """What is known at a time does not hang on times after it, nor do more bits know less."""
    n = len(there)
    J = np.array([np.diag(there)] * 30 + [np.diag(1 / np.array(there))] * 30)
    times = [10, 20, 30, 40, 50, 60]
    log10_kappa = np.log10(max(there) / min(there)) * np.array([10, 20, 30, 20, 10, 0])
    before = np.zeros(6, dtype=bool)
    for bits in (53, 128, 256):
        c = condition_from_jacobians(
            J, basis=orthogonal(n, rng), times=times, precision=bits, certify=True
        )
        assert (before <= c.resolved).all()
        np.testing.assert_allclose(c.log10_measured[c.resolved], log10_kappa[c.resolved], atol=1e-9)
        assert ((c.log10_lower <= log10_kappa + 1e-12) & (log10_kappa <= c.log10_upper)).all()
        before = c.resolved
    assert before.all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [1, -1])
def test_diagonal(backend, order):
    """A power of a diagonal matrix, also from a basis that begins with the smallest direction."""
    J = np.tile(np.diag([2.0, 1.0, 0.5][::order]), (1000, 1, 1))
    c = condition_from_jacobians(J, basis=np.eye(3), times=[10, 1000], backend=backend)
    expected = np.outer([10, 1000], [1, 0, -1]) * log10(2)
    np.testing.assert_allclose(c.log10_singular_values, expected, rtol=1e-14, atol=1e-13)
    np.testing.assert_allclose(c.log10_measured, 2 * expected[:, 0], rtol=1e-14)
    np.testing.assert_allclose(c.log10_predicted, c.log10_measured, rtol=1e-12)
    assert c.resolved.all()
    assert c.slope_measured == pytest.approx(2 * np.log(2), rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_no_overflow_in_long_products(backend, scale):
    J = np.tile(scale * np.array([[2.0, 1.0], [0.0, 0.5]]), (3000, 1, 1))
    c = condition_from_jacobians(J, times=[3000], backend=backend, precision=128, rng=0)
    determinant = 3000 * 2 * log10(scale)
    assert c.log10_singular_values.sum() == pytest.approx(determinant, abs=1e-7)
    assert c.resolved.all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_times_are_measured_on_the_same_product(backend, rng):
    J = rng.standard_normal((12, 4, 4))
    Q = orthogonal(4, rng)[:, :3]
    c = condition_from_jacobians(J, basis=Q, backend=backend, times=np.arange(1, 13))
    P = Q
    for t, D in enumerate(J):
        P = D @ P
        s = np.linalg.svd(P, compute_uv=False)
        np.testing.assert_allclose(c.log10_singular_values[t], np.log10(s), atol=1e-9)


def test_time_units(rng):
    J = rng.standard_normal((20, 3, 3))
    a = condition_from_jacobians(J, times=[10, 20], rng=1)
    b = condition_from_jacobians(J, times=[1.0, 2.0], dt=0.1, rng=1)
    np.testing.assert_array_equal(a.log10_measured, b.log10_measured)
    assert b.slope_measured == pytest.approx(10 * a.slope_measured)


@pytest.mark.parametrize("backend", BACKENDS)
def test_entries_beyond_each_others_range(backend):
    """A condition number of 10**600 within a single step."""
    J = np.array([np.diag([1e300, 1e-300]), [[1.0, 1.0], [0.0, 1.0]]])
    c = condition_from_jacobians(J, times=[1, 2], backend=backend, precision="auto", rng=0)
    np.testing.assert_allclose(c.log10_singular_values[0], [300.0, -300.0], rtol=1e-15)
    np.testing.assert_allclose(c.log10_measured, [600.0, 600.0], atol=1e-9)
    assert c.precision >= 1024  # 600 decades are 1993 bits, of which a column's scale takes half


# ---- singular products


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", [256, "auto"])
def test_dead_unit_gives_infinity(backend, precision, rng):
    J = rng.standard_normal((10, 5, 5))
    J[6, :, 2] = 0.0
    c = condition_from_jacobians(J, times=[6, 7, 10], backend=backend, precision=precision, rng=0)
    assert np.isfinite(c.log10_measured[0])
    assert np.isposinf(c.log10_measured[1:]).all()
    assert np.isneginf(c.log10_singular_values[1:, -1]).all()
    assert c.resolved.all()
    assert "proved" in c.message
    assert "step 7" in c.message


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", [64, 256, 1000])
@pytest.mark.parametrize("rank", [1, 2])
def test_projections_are_singular_though_no_product_is_rounded(backend, precision, rank):
    """Balls of width zero: nothing drowns in rounding, however often it is divided by it."""
    J = np.tile(np.diag([1.0, 1.0, 0.0][2 - rank :]), (5, 1, 1))
    c = condition_from_jacobians(J, precision=precision, backend=backend, rng=0)
    assert np.isposinf(c.log10_measured).all()
    assert c.resolved.all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_product_of_rank_zero_has_no_smaller_k(backend):
    c = condition_from_jacobians(np.zeros((3, 2, 2)), backend=backend, rng=0)
    assert "of rank 0" in c.message
    assert "finite" not in c.message
    J = np.tile(np.diag([2.0, 1.0, 0.0]), (3, 1, 1))
    c = condition_from_jacobians(J, backend=backend, rng=0)
    assert "k up to 2 may have finite condition numbers" in c.message


# ---- precision


@pytest.mark.parametrize("backend", BACKENDS)
def test_too_few_bits_are_noticed(backend):
    """A direction that is lost in the rounding for 200 steps comes back to lead."""
    there, back = np.diag([8.0, 0.125]), np.diag([0.03125, 32.0])
    J = np.array([there] * 100 + [back] * 100)
    with pytest.raises(PrecisionError, match="128 bits resolve none") as caught:
        condition_from_jacobians(J, times=[200], precision=128, backend=backend, rng=0)
    assert not caught.value.partial.resolved.any()
    assert np.isnan(caught.value.partial.log10_measured).all()
    times = [140, 160, 180, 200]
    with pytest.raises(PrecisionError) as caught:
        condition_from_jacobians(J, times=times, precision=128, backend=backend, rng=0)
    assert str(caught.value).count("rounding could reach") == 1  # once for all times
    assert "4 times, from step 140 to 200" in str(caught.value)
    enough = condition_from_jacobians(J, times=[200], precision="auto", backend=backend, rng=0)
    assert enough.precision > 600
    assert enough.log10_measured[0] == pytest.approx(200 * log10(4), rel=1e-14)


@pytest.mark.parametrize("times", [[400], [100, 300, 400], [200, 390, 400]])
def test_bits_to_try_lead_to_a_value_soon(times):
    """There and back along an orbit: no error says how many bits a product that is 1 takes."""
    there = np.array([[2.0, 1.0], [1.0, 1.0]])
    J = np.array([there] * 200 + [np.linalg.inv(there).round()] * 200)
    bits, tries = 64, 0
    while True:
        try:
            c = condition_from_jacobians(J, times=times, precision=bits, rng=0)
        except PrecisionError as error:
            c = error.partial
        if c.resolved.all():
            break
        bits, tries = c.needed_precision.max(), tries + 1
        assert tries < 6  # one doubling after the other
    assert c.log10_measured[-1] == pytest.approx(0, abs=1e-10)
    assert bits < 1200  # entries grow to 2.618^200, of 278 bits, and their products to 556


@pytest.mark.parametrize("backend", BACKENDS)
def test_precision_is_put_back_after_an_error(backend, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("lyapnet.condition.precision.product.backward", fail)
    with pytest.raises(KeyboardInterrupt):  # and conftest looks at the global precision
        condition_from_jacobians(np.ones((2, 1, 1)), backend=backend)


# ---- bounds


def test_bounds_are_tight_and_hold(rng):
    J = rng.standard_normal((50, 6, 6)) @ np.diag(10.0 ** (-2 * np.arange(6)))
    c = condition_from_jacobians(J, certify=True, rng=0)
    assert c.log10_lower is not None
    assert np.all(c.log10_lower <= c.log10_measured)
    assert np.all(c.log10_measured <= c.log10_upper)
    assert np.all(c.log10_upper - c.log10_lower < 1e-11)
    assert np.all(c.log10_singular_lower <= c.log10_singular_values)
    assert np.all(c.log10_singular_values <= c.log10_singular_upper)
    with pytest.raises(PrecisionError) as caught:
        condition_from_jacobians(J, precision=53, certify=True, rng=0)
    rough = caught.value.partial
    assert np.all(rough.log10_lower <= c.log10_lower)
    assert np.all(rough.log10_upper >= c.log10_upper)


# ---- the door


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"jacobians": np.ones((3, 2))}, ValueError, "at least 3 axes"),
        ({"jacobians": np.ones((3, 2, 4))}, ValueError, r"\(T, n, n\)"),
        ({"jacobians": np.ones((3, 5, 2, 2))}, ValueError, "one trajectory"),
        ({"jacobians": np.array([np.eye(2), np.eye(2) * np.nan])}, ValueError, r"\[1, 0, 0\]"),
        ({"k": 3}, ValueError, "`k` must be at most 2"),
        ({"k": 0}, ValueError, "`k` must be at least 1"),
        ({"basis": np.eye(3)}, ValueError, "`basis` must have shape"),
        ({"basis": np.ones((2, 2))}, ValueError, "independent columns"),
        ({"k": 1, "basis": np.eye(2)}, ValueError, "leave out one"),
        ({"precision": 52}, ValueError, "`precision` must be at least 53"),
        ({"precision": 100.5}, TypeError, "`precision` must be an integer"),
        ({"precision": "high"}, ValueError, "'auto'"),
        ({"backend": "arb"}, ValueError, "`backend` must be one of"),
        ({"backend": "mpmath", "certify": True}, ValueError, "`certify` needs balls"),
        ({"times": [0]}, ValueError, "got 0"),
        ({"times": [4]}, ValueError, "got 4"),
        ({"times": [1.5]}, ValueError, "multiples of dt=1"),
        ({"times": [2, 1]}, ValueError, "ascending"),
        ({"times": []}, ValueError, "sequence of times"),
        ({"dt": 0.0}, ValueError, "`dt` must be positive"),
    ],
)
def test_bad_arguments(arguments, error, message):
    jacobians = arguments.pop("jacobians", np.tile(np.eye(2), (3, 1, 1)))
    with pytest.raises(error, match=message):
        condition_from_jacobians(jacobians, **arguments)


def test_without_flint(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "flint" else real(name)
    )
    importing = builtins.__import__

    def refuse(name, *args, **kwargs):
        assert name != "flint"
        return importing(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    J = np.tile(np.eye(2), (3, 1, 1))
    assert condition_from_jacobians(J).settings["backend"] == "mpmath"
    for arguments in ({"certify": True}, {"backend": "flint"}):
        with pytest.raises(ImportError, match=r'pip install "lyapnet\[precision\]"'):
            condition_from_jacobians(J, **arguments)


# ---- systems, slopes, plots


def test_system_and_its_jacobians_agree():
    from lyapnet.cells import VanillaRNN

    cell = VanillaRNN.random(6, n_inputs=2, rng=1)
    u = np.random.default_rng(2).standard_normal((80, 2))
    x = np.zeros(6)
    c = condition_number(cell, inputs=u, x0=x, transient=30, basis=np.eye(6)[:, :3])
    orbit = cell.orbit(x, u, 80)
    d = condition_from_jacobians(orbit.jacobians[30:], basis=np.eye(6)[:, :3])
    np.testing.assert_allclose(c.log10_measured, d.log10_measured, atol=1e-12)
    assert c.times[-1] == 50
    assert c.slope_measured == pytest.approx(c.slope_predicted, abs=3 * c.slope_measured_stderr)


def systems():
    from lyapnet.cells import LSTM, VanillaRNN
    from lyapnet.systems import Flow

    damped = np.array([[-1.0, 4.0, 0.0], [0.0, -2.0, 1.0], [0.5, 0.0, -9.0]])
    return {
        "rnn": VanillaRNN.random(8, gain=1.5, rng=0),
        "relu": VanillaRNN.random(12, gain=1.5, activation="relu", rng=2),
        "lstm": LSTM.random(4, rng=1),
        "contracting flow": Flow(lambda x: damped @ x, 3, dt=0.05),
        "expanding flow": Flow(lambda x: -damped @ x, 3, dt=0.05),
    }


@pytest.mark.parametrize("name", systems())
@pytest.mark.parametrize("way", [{"backend": "mpmath"}, {"backend": "flint", "certify": True}])
def test_systems_against_the_exact_product(name, way):
    system = systems()[name]
    k = 2 if name == "relu" else None  # dead units
    x = np.random.default_rng(3).standard_normal(system.dim)
    u = np.random.default_rng(4).standard_normal((60, system.n_inputs)) if system.n_inputs else None
    times = np.array([20, 60]) * system.dt
    c = condition_number(system, 60, k=k, inputs=u, x0=x, transient=0, times=times, rng=0, **way)
    D = system.orbit(x, u, 60).jacobians
    truth = log10_singular_values(np.asarray(D), c.settings["basis"], [20, 60])
    assert c.resolved.all()
    np.testing.assert_allclose(c.log10_singular_values, truth, atol=1e-12)
    np.testing.assert_allclose(c.log10_measured, truth[:, 0] - truth[:, -1], atol=1e-12)


def test_slope_error_of_a_random_walk(rng):
    """Among 200 products of random diagonal matrices about 95 % lie within two errors."""
    inside = 0
    for _ in range(200):
        growth = 0.1 + 0.3 * rng.standard_normal(80)
        from lyapnet.condition.line import line_of

        t = np.arange(8, 81, 8.0)
        slope, error, *_ = line_of(t, np.cumsum(growth)[t.astype(int) - 1] / np.log(10))
        inside += abs(slope - 0.1) < 2.26 * error  # Student's t, 9 degrees of freedom
    assert 180 <= inside <= 200


def test_directions(rng):
    J = np.tile(np.diag([4.0, 2.0, 1.0]), (10, 1, 1))
    c = condition_from_jacobians(J, basis=np.eye(3), times=[10])
    np.testing.assert_allclose(c.log10_condition_number(2), 10 * log10(2))
    assert c.usable_dimensions(4.0).tolist() == [2]


def test_plot(rng):
    J = rng.standard_normal((20, 3, 3))
    J[15:, :, 0] = 0
    c = condition_from_jacobians(J, certify=True, rng=0)
    ax = c.plot()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    measured = "measured, 256 bits, proved within the marks"
    assert labels == ["Lyapunov estimate", measured, "infinite"]
    assert c.plot(ax) is ax
    wide = replace(c, log10_lower=c.log10_lower - 1, log10_upper=c.log10_upper + 1)
    labels = [text.get_text() for text in wide.plot().get_legend().get_texts()]
    assert sorted(labels) == [
        "Lyapunov estimate",
        "infinite",
        "measured, 256 bits",
        "rigorous bounds",
    ]


@pytest.mark.parametrize("certify", [False, True])
def test_save_and_tables(certify, tmp_path, rng):
    from lyapnet.results.storage import load

    c = condition_from_jacobians(rng.standard_normal((20, 3, 3)), certify=certify, rng=0)
    back = load(c.save(tmp_path / "c.npz"))
    assert type(back) is type(c)
    np.testing.assert_array_equal(back.log10_singular_values, c.log10_singular_values)
    assert (back.log10_lower is None) == (not certify)
    assert back.precision == 256
    assert c.to_xarray().sizes == {"time": 8, "exponent": 3}
    assert len(c.to_dataframe()) == 8
    assert "ConditionNumber" in repr(c)


def test_a_picture_of_one_time_shows_the_estimate(rng):
    c = condition_from_jacobians(rng.standard_normal((20, 3, 3)), times=[20], rng=0)
    line = c.plot().lines[0]
    assert line.get_marker() == "_"
    assert line.get_ydata() == c.log10_predicted


def test_more_steps_than_the_memory_takes_are_refused_at_once(monkeypatch):
    # Before: the arrays were filled until the system killed the process, or had none left.
    system = ln.catalog.henon()
    with pytest.raises(
        ValueError, match=r"`n_steps` = 1000000000000000 is too large: the Jacobians"
    ):
        condition_number(system, 10**15)
    monkeypatch.setattr(validate, "memory", lambda: 8 * 4 * 100)
    assert condition_number(system, 100, times=[100], rng=0).resolved.all()
    with pytest.raises(ValueError, match="n_steps"):
        condition_number(system, 101, rng=0)
    monkeypatch.setattr(validate, "memory", lambda: None)
    assert condition_number(system, 101, times=[101], rng=0).resolved.all()
