"""Invariants: they hold where they must, and each is broken by the mistake that it is for."""

from dataclasses import replace

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.spectrum.retrace import _alike


def coupled_standard_maps(damping=1.0):
    """Two kicked rotors, coupled: symplectic in (q1, q2, p1, p2), conformally so if damped."""

    def step(x):
        q, p = x[:2], x[2:]
        twist = 0.5 * anp.sin(q[1] - q[0])
        kick = 6.0 * anp.sin(q) + anp.array([twist, -twist])
        p = damping * p + kick
        return anp.concatenate([anp.mod(q + p, 2 * np.pi), p])

    return ln.Map(step, 4)


def transposed(flow):
    """Return a Lorenz flow given the transpose of its Jacobian."""
    right = ln.catalog.lorenz63()
    return ln.Flow(
        lambda x: right._function(x, None, right.params),
        3,
        dt=0.01,
        jacobian=lambda x: right._derivative(x, None, right.params).swapaxes(-1, -2),
        vectorized=True,
    )


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("henon", ["derivative", "volume", "pairing"]),
        ("standard", ["derivative", "volume", "pairing"]),
        ("tent", ["derivative", "volume"]),
        ("lorenz63", ["derivative", "volume", "divergence", "zero exponent"]),
        ("roessler", ["derivative", "volume", "divergence", "zero exponent"]),
        ("linear_flow", ["derivative", "volume", "divergence"]),
    ],
)
def test_catalog_obeys(name, checks):
    found = ln.check_invariants(getattr(ln.catalog, name)(), 3000, rng=1)
    assert found.passed, found
    assert found.checks == checks


def test_volume_of_henon_is_exact():
    found = ln.check_invariants(truths.henon(), 2000, x0=[0.1, 0.1], rng=0)
    at = found.checks.index("volume")
    assert_allclose([found.value[at], found.expected[at]], np.log(0.3), atol=1e-9)
    assert found.tolerance[at] < 3e-9


NEEDS_NONE = "not checked: the flow comes to rest or escapes, and needs none"


@pytest.mark.parametrize("rate", [-0.1, 0.1])
@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_flow_that_slowly_dies_out_or_explodes_needs_no_zero_exponent(rate, turn):
    A = np.array([[rate, -turn], [turn, rate]])
    system = ln.Flow(lambda x: A @ x, 2, dt=0.01)
    found = ln.check_invariants(
        ln.lyapunov_spectrum(system, 5000, x0=[1.0, 0.0], transient=0, rng=0)
    )
    assert found.passed, found
    assert found.verdicts["zero exponent"] == NEEDS_NONE


def test_flow_at_rest_needs_no_zero_exponent():
    found = ln.check_invariants(ln.catalog.linear_flow(), 3000, rng=0)
    assert found.verdicts["zero exponent"] == NEEDS_NONE
    decay = ln.Flow(lambda x: -x, 1, dt=0.1)
    assert ln.check_invariants(decay, 500, x0=[1.0], zero=True, rng=0).passed is False


@pytest.mark.parametrize("seed", range(5))
def test_zero_exponent_is_held_by_its_interval(seed):
    rng = np.random.default_rng(seed)
    x0 = np.array([1.0, 1.0, 20.0]) + rng.standard_normal((4, 3))
    found = ln.check_invariants(ln.catalog.lorenz63(), 4000, x0=x0, rng=rng)
    assert found.passed, found
    assert found.value.shape == (4, 4)


def test_transposed_jacobian_is_found_though_it_keeps_the_volume():
    with pytest.warns(UserWarning, match="derivative is not that of the step"):
        found = ln.check_invariants(transposed(truths.lorenz()), 4000, x0=[1.0, 1.0, 20.0], rng=0)
    assert found.passed is False
    assert found.verdicts["derivative"].startswith("fails")
    assert found.verdicts["volume"].startswith("holds")


def test_rounding_of_ill_conditioned_jacobians_is_allowed_for():
    # Saturated units: condition numbers up to 1e12 in a single step.
    u = np.random.default_rng(0).standard_normal((400, 1))
    found = ln.check_invariants(ln.VanillaRNN.random(20, gain=2.0, rng=0), inputs=u, rng=0)
    assert found.passed
    assert 1e-8 < found.tolerance[1] < 1e-3
    # Singular to rounding: the determinant might as well be zero.
    W = np.array([[1.0, 1.0], [1.0, 1.0 + 2**-52]])
    with pytest.warns(UserWarning, match="as large as what is left"):
        found = ln.check_invariants(ln.VanillaRNN(W / 3, activation="linear"), 50, rng=0)
    assert "singular to rounding" in found.verdicts["volume"]


def test_wrong_sums_fail():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 2000, rng=0)
    assert ln.check_invariants(s).passed
    off = replace(s, exponents=np.add(s.exponents, [1e-8, 0.0]))
    found = ln.check_invariants(off)
    assert found.passed is False
    assert found.verdicts["volume"].startswith("fails: the sum of the exponents is -1.2039727")


def test_missing_zero_exponent_fails():
    s = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 20_000, rng=0)
    found = ln.check_invariants(replace(s, exponents=np.add(s.exponents, [0.0, 0.3, -0.3])))
    assert found.verdicts["volume"].startswith("holds")
    assert found.verdicts["zero exponent"].startswith("fails")


def test_symplectic_system_of_two_degrees_of_freedom_pairs():
    s = ln.lyapunov_spectrum(coupled_standard_maps(), 4000, x0=[1.0, 2.0, 0.3, 0.1], rng=0)
    found = ln.check_invariants(s)
    assert found.passed, found
    assert found.checks == ["derivative", "volume", "pairing"]
    assert abs(found.expected[2]) < 1e-12
    broken = replace(s, exponents=np.add(s.exponents, [0.1, -0.1, 0.0, 0.0]))  # the sum is kept
    found = ln.check_invariants(broken)
    assert found.verdicts["volume"].startswith("holds")
    assert found.verdicts["pairing"].startswith("fails")


def test_conformally_symplectic_system_pairs_about_a_constant():
    # Exact: D^T J D = damping J, so each pair adds up to log(damping).
    system = coupled_standard_maps(0.8)
    found = ln.check_invariants(system, 4000, x0=[1.0, 2.0, 0.3, 0.1], rng=0)
    at = found.checks.index("pairing")
    assert_allclose(found.expected[at], np.log(0.8), atol=1e-9)
    assert found.passed
    asked = ln.check_invariants(
        system, 4000, x0=[1.0, 2.0, 0.3, 0.1], pairing=0.0, rng=0
    )  # not symplectic
    assert asked.verdicts["pairing"].startswith("fails")


@pytest.mark.parametrize("n_steps", [5000, 5500])
def test_phases_that_go_round_are_retraced_by_their_part_of_a_turn(n_steps):
    # Before: "fails: ... -0.103651846, expected -0.103651848": another orbit, by rounding in phases
    # of a hundred turns, that was taken for the same.
    s = ln.lyapunov_spectrum(ln.catalog.kuramoto(), n_steps, rng=1)
    for system in (s.system, ln.compiled(s.system, "numpy")):  # as it was run, or not
        found = ln.check_invariants(replace(s, system=system))
        assert found.verdicts["volume"].startswith("holds")


def test_a_state_is_alike_by_its_size_up_to_one():
    for value, off, alike in (
        (1.0, 1e-10, True), (1.0, 1e-8, False), (300.0, 1e-10, True), (300.0, 1e-7, False),
        (1e8, 1e-5, True), (1e-7, 1e-12, True), (1e-20, 0.0, True),
    ):  # fmt: skip
        for unit in (1.0, 1e-9):
            end = unit * np.array([value + off]), unit * np.array([value])
            assert _alike(*end, unit).all() == alike


def test_driven_spectrum_is_retraced_with_its_inputs():
    u = np.random.default_rng(0).standard_normal((600, 1))
    cell = ln.VanillaRNN.random(20, gain=2.0, rng=0)
    s = ln.lyapunov_spectrum(cell, inputs=u, rng=0)
    found = ln.check_invariants(s, inputs=u)
    assert found.checks == ["derivative", "volume"]
    assert found.passed
    assert ln.check_invariants(s).passed is None
    assert "give its `inputs`" in ln.check_invariants(s).verdicts["volume"]
    longer = ln.lyapunov_spectrum(cell, inputs=u[:400], rng=0).extend(200, inputs=u[400:])
    assert ln.check_invariants(longer, inputs=u).passed
    other = ln.check_invariants(s, inputs=u[::-1])  # another trajectory: within its error only
    assert other.passed
    assert other.tolerance[1] > 1e-3


@pytest.mark.parametrize("kind", [ln.VanillaRNN, ln.LSTM, ln.GRU])
def test_cells_obey(kind):
    assert ln.check_invariants(kind.random(6, gain=2.0, rng=0), 500, rng=0).passed


def test_ensembles_of_networks_obey():
    cells = [ln.VanillaRNN.random(4, gain=2.0, rng=i) for i in range(3)]
    many = ln.VanillaRNN(**{k: np.stack([c.params[k] for c in cells]) for k in cells[0].params})
    found = ln.check_invariants(many, 400, rng=0)
    assert found.passed
    assert found.value.shape == (3, 2)


def test_members_that_fail_are_named():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 1000, x0=[[0.1, 0.1], [0.2, 0.1]], rng=0)
    off = replace(s, exponents=np.add(s.exponents, [[0.0, 0.0], [0.1, 0.0]]))
    assert "fails in member 1:" in ln.check_invariants(off).verdicts["volume"]


def test_singular_jacobians_have_volume_minus_infinity():
    W = np.ones((3, 3)) / 2
    found = ln.check_invariants(ln.VanillaRNN(W, activation="linear"), 100, rng=0)
    assert found.value[found.checks.index("volume")] == -np.inf
    assert found.passed


def test_says_what_it_cannot_check(tmp_path):
    few = ln.check_invariants(ln.lyapunov_spectrum(ln.catalog.lorenz96(8), 1000, k=2, rng=0))
    assert few.verdicts["volume"] == "not checked: it takes all 8 exponents, the spectrum has 2"
    s = ln.lyapunov_spectrum(truths.henon(), 500, x0=[0.1, 0.1], rng=0)
    path = s.save(tmp_path / "s.npz")
    loaded = ln.load(path)
    assert ln.check_invariants(loaded).passed is None
    assert ln.check_invariants(loaded, system=truths.henon()).passed
    ensemble = ln.lyapunov_spectrum(truths.henon(), 500, x0=[[0.1, 0.1], [0.2, 0.1]], rng=0)
    assert "pooled" in ln.check_invariants(ensemble.pooled()).verdicts["volume"]
    D = np.tile(np.diag([2.0, 0.5]), (50, 1, 1))
    plain = ln.spectrum_from_jacobians(D, rng=0)
    assert ln.check_invariants(plain).passed is None
    assert ln.check_invariants(plain, pairing=0.0).passed
    assert ln.check_invariants(plain, pairing=0.1).passed is False


def test_result_is_one(tmp_path):
    found = ln.check_invariants(ln.catalog.standard(), 500, rng=0)
    assert "passed=True" in repr(found)
    assert "volume" in found._repr_html_()
    again = ln.load(found.save(tmp_path / "found.npz"))
    assert again.verdicts == found.verdicts
    ax = found.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == found.checks
    pytest.importorskip("pandas")
    assert list(found.to_dataframe().columns) == ["value", "expected", "tolerance"]


def test_bad_arguments():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 100, rng=0)
    with pytest.raises(ValueError, match="`n_steps` and `x0`"):
        ln.check_invariants(s, 100)
    with pytest.raises(ValueError, match="`level`"):
        ln.check_invariants(s, level=95)
    with pytest.raises(ValueError, match="`system` given twice"):
        ln.check_invariants(ln.catalog.henon(), 100, system=ln.catalog.henon())
    with pytest.raises(TypeError, match="`subject` must be a System"):
        ln.check_invariants(3.0)
    with pytest.raises(ValueError, match="`n_steps`"):
        ln.check_invariants(ln.catalog.henon())


def test_bars_of_the_run_and_of_retracing_it(capsys):
    ln.check_invariants(ln.catalog.henon(), 1000, rng=0, progress=True)
    err = capsys.readouterr().err
    assert "retracing" in err
    assert err.count(" 0/1200") == 2
    ln.check_invariants(ln.catalog.henon(), 1000, rng=0)
    assert capsys.readouterr().err == ""


def test_a_state_that_decays_to_a_kink_has_no_derivative_to_compare():
    cell = ln.VanillaRNN.random(8, activation="relu", n_inputs=1, rng=2)
    s = ln.lyapunov_spectrum(cell, 300, rng=0)
    found = ln.check_invariants(s)
    assert found.verdicts["derivative"].startswith("not checked: there are kinks")
    driven = np.random.default_rng(0).standard_normal((300, 1))
    s = ln.lyapunov_spectrum(cell, inputs=driven, rng=0)
    assert ln.check_invariants(s, inputs=driven).verdicts["derivative"].startswith("holds")
    wrong = ln.Map(lambda x: anp.maximum(x, 0.0) + 1.0, 1, jacobian=lambda x: np.array([[0.5]]))
    with pytest.warns(UserWarning, match="derivative is not that of the step"):
        s = ln.lyapunov_spectrum(wrong, 100, x0=[1.0], rng=0)
    assert ln.check_invariants(s).verdicts["derivative"].startswith("fails")


def test_a_picture_where_nothing_could_be_checked():
    cell = ln.VanillaRNN.random(4, n_inputs=1, rng=0)
    s = ln.lyapunov_spectrum(cell, inputs=np.zeros((300, 1)), rng=0, k=1)
    found = ln.check_invariants(s)
    assert not found.checks
    assert found.plot().texts[0].get_text() == "nothing could be checked"
