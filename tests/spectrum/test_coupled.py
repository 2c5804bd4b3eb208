"""Transversal and conditional exponents against what is known of them."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln


def test_coupling_by_all_components_shifts_the_exponents_of_a_flow():
    alpha = np.array([0.0, 0.5, 2.0])
    m = ln.master_stability(ln.catalog.lorenz63(), alpha, 4000, k=3, rng=0)
    assert_allclose(m.exponents - m.exponents[0], -alpha[:, None] * np.ones(3), atol=6e-3)
    assert m.stable.tolist() == [False, False, True]
    assert m.plot().get_title() == "transversal"


def test_coupled_maps_have_their_exponents_exactly():
    H = np.diag([1.0, 0.0])
    m = ln.master_stability(ln.catalog.henon(), [0.0, 0.4, 1.5], 3000, k=2, coupling=H, rng=0)
    # The volume: log |det (1 - alpha H)| + log 0.3
    expected = np.log(0.3) + np.log(np.abs(1 - np.array([0.0, 0.4, 1.5])))
    assert_allclose(m.exponents.sum(axis=1), expected, atol=1e-9)
    plain = ln.lyapunov_spectrum(ln.catalog.henon(), 3000, rng=1)
    assert_allclose(m.exponents[0], plain.exponents, atol=0.02)


def test_two_coupled_lorenz_systems_synchronise_where_the_function_says():
    """Coupled by y with H = diag(0, 1, 0): alpha = 2 sigma for two systems."""
    H = np.diag([0.0, 1.0, 0.0])
    lorenz = ln.catalog.lorenz63()
    m = ln.master_stability(lorenz, [0.5, 6.0], 15_000, coupling=H, rng=0)
    assert m.low[0] > 0
    assert m.high[1] < 0

    def pair(x, s):
        a, b = x[:3], x[3:]
        out = []
        for own, other in ((a, b), (b, a)):
            out += [10 * (own[1] - own[0]),
                    own[0] * (28 - own[2]) - own[1] + s * (other[1] - own[1]),
                    own[0] * own[1] - 8 / 3 * own[2]]  # fmt: skip
        return anp.array(out)

    x0 = np.array([1.0, 1.0, 20.0, 1.1, 0.9, 20.3])
    for s, together in ((0.25, False), (3.0, True)):
        flow = ln.Flow(pair, 6, dt=0.01, params=s)
        x = flow.orbit(x0, None, 6000).states[-1]
        assert (np.abs(x[:3] - x[3:]).max() < 1e-6) == together


def test_pecora_and_carrolls_conditional_exponents_of_lorenz():
    # By laws that hold for any parameters: Phys. Rev. Lett. 64, 821 (1990)
    lorenz = ln.catalog.lorenz63()
    x = ln.conditional_exponents(lorenz, [1, 2], 5000, rng=0)
    assert_allclose(x.exponents.sum(), -1 - 8 / 3, atol=1e-4)
    y = ln.conditional_exponents(lorenz, [0, 2], 5000, rng=0)
    assert_allclose(y.exponents, [-8 / 3, -10], atol=1e-4)  # driven by y both parts are linear
    z = ln.conditional_exponents(lorenz, [0, 1], 20_000, rng=0)
    assert_allclose(z.exponents.sum(), -11, atol=1e-4)
    low, high = z.confidence_interval()
    assert low[0] - 0.02 < 0 < high[0] + 0.02  # neutral: (x, y) are scaled by symmetry
    assert x.confidence_interval()[1][0] < 0
    assert np.abs(y.basis[1]).max() == 0


def test_conditional_exponents_of_a_driven_map():
    # y' = 0.5 y + x-dependent forcing: conditional exponent log 0.5 whatever x does
    skew = ln.Map(lambda v: anp.array([4 * v[0] * (1 - v[0]), 0.5 * v[1] + v[0] ** 2]), 2)
    s = ln.conditional_exponents(skew, [1], 500, x0=[0.3, 0.1], rng=0)
    assert_allclose(s.exponents, np.log(0.5), atol=1e-12)


def test_arguments():
    with pytest.raises(ValueError, match="leave others to drive"):
        ln.conditional_exponents(ln.catalog.henon(), [0, 1], 100)
    with pytest.raises(TypeError, match="`system` must be a Map or a Flow"):
        ln.master_stability(ln.VanillaRNN.random(3, rng=0), [1.0], 100)
    with pytest.raises(ValueError, match="coupling"):
        ln.master_stability(ln.catalog.henon(), [1.0], 100, coupling=np.eye(3))
    stiff = ln.Flow(lambda x: -x, 1, dt=0.1, method="implicit")
    with pytest.raises(ValueError, match="implicit"):
        ln.master_stability(stiff, [1.0], 100, x0=[1.0])


def test_fields_with_kinks_are_varied_as_well():
    # |x| in Chua's circuit: coupled by all components the exponents are shifted by alpha
    chua = ln.Flow(
        lambda x: anp.array([
            9 * (x[1] - 2 / 7 * x[0] + 3 / 14 * (anp.abs(x[0] + 1) - anp.abs(x[0] - 1))),
            x[0] - x[1] + x[2],
            -14.286 * x[1],
        ]), 3, dt=0.02,
    )  # fmt: skip
    m = ln.master_stability(chua, [0.0, 1.0], 1500, k=3, x0=[0.1, 0.0, 0.6], rng=0)
    assert_allclose(m.exponents[1], m.exponents[0] - 1, atol=0.05)
    s = ln.conditional_exponents(chua, [1, 2], 1500, x0=[0.1, 0.0, 0.6], rng=0)
    assert_allclose(s.exponents.sum(), -1, atol=1e-4)  # driven by x it is linear


# ---- engines


def lorenz(x, p):
    return anp.array([p[0] * (x[1] - x[0]), x[0] * (p[1] - x[2]) - x[1], x[0] * x[1] - p[2] * x[2]])


def lorenz_jacobian(x, p):
    return np.array([[-p[0], p[0], 0.0], [p[1] - x[2], -1.0, -x[0]], [x[1], x[0], -p[2]]])


def forced(x, t, p):
    return anp.array([x[1], p["f"] * anp.cos(t) - x[0] ** 3 - 0.1 * x[1]])


P = [10.0, 28.0, 8 / 3]
SYSTEMS = {
    "flow": (ln.Flow(lorenz, 3, dt=0.01, params=P), [1.0, 1.0, 20.0]),
    "array": (ln.Flow(lorenz, 3, dt=0.01, params=np.array(P), method="heun"), [1.0, 1.0, 20.0]),
    "own": (ln.Flow(lorenz, 3, dt=0.01, params=P, jacobian=lorenz_jacobian), [1.0, 1.0, 20.0]),
    "time": (ln.Flow(forced, 2, dt=0.05, params={"f": 7.5}, time=True), [1.0, 0.3]),
    "vectorized": (ln.catalog.lorenz63(), [1.0, 1.0, 20.0]),
    "map": (ln.catalog.henon(), [0.1, 0.2]),
    "wide": (ln.catalog.lorenz96(n=8), np.sin(np.arange(8.0))),
}
FEW = {"transient": 3, "basis_transient": 5, "rng": 0}


@pytest.mark.parametrize("name", SYSTEMS)
def test_transversal_exponents_by_both_engines(name):
    pytest.importorskip("numba")
    system, x0 = SYSTEMS[name]
    n = system.dim
    H = np.round(np.random.default_rng(1).standard_normal((n, n)), 1)
    for coupling in (None, H):
        a, b = (
            ln.master_stability(
                ln.compiled(system, engine), [0.0, 0.3, 0.8], 60, coupling=coupling,
                k=min(n, 3), x0=x0, **FEW,
            )
            for engine in ("compiled", "numpy")
        )  # fmt: skip
        assert (a.settings["engine"], b.settings["engine"]) == ("compiled", "numpy")
        assert_allclose(a.exponents, b.exponents, rtol=1e-9, atol=1e-9)
        assert (np.abs(a.exponents[1:] - a.exponents[:1]) > 1e-3).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_conditional_exponents_by_both_engines(name):
    pytest.importorskip("numba")
    system, x0 = SYSTEMS[name]
    for driven in ([0], range(1, system.dim)):
        a, b = (
            ln.conditional_exponents(ln.compiled(system, engine), driven, 60, x0=x0, **FEW)
            for engine in ("compiled", "numpy")
        )
        assert (a.settings["engine"], b.settings["engine"]) == ("compiled", "numpy")
        assert_allclose(a.log_growth, b.log_growth, rtol=1e-9, atol=1e-11)
        assert_allclose(np.abs(a.basis), np.abs(b.basis), atol=1e-9)
        if np.isfinite(a.exponents).all():
            assert_array_equal(a.basis[np.isin(np.arange(system.dim), driven, invert=True)], 0.0)


def test_vectors_across_what_drives_vanish_in_both_engines():
    pytest.importorskip("numba")
    lorenz = ln.conditional_exponents(ln.catalog.lorenz63(), [1, 2], 200, rng=0).system
    for engine in ("compiled", "numpy"):
        s = ln.lyapunov_spectrum(
            ln.compiled(lorenz, engine), 60, basis=np.eye(3)[:, [1, 2, 0]], qr_interval=1, **FEW
        )
        assert s.settings["engine"] == engine
        assert np.isfinite(s.exponents).tolist() == [True, True, False]
        assert_allclose(s.exponents[:2].sum(), -1 - 8 / 3, atol=1e-4)


def test_strengths_of_a_coupling_are_parameters_of_one_loop(monkeypatch):
    pytest.importorskip("numba")
    from lyapnet.compiled.machine import Machine

    made, compile_one = [], Machine.functions
    monkeypatch.setattr(
        Machine, "functions", lambda self, text: made.append(1) or compile_one(self, text)
    )
    flow = ln.Flow(lambda x: [x[1], 0.1 * x[1] - anp.sin(x[0])], 2, dt=0.0625)
    for strengths in ([0.1, 0.2], [0.3, 0.4], np.linspace(0, 1, 9)):
        ln.master_stability(ln.compiled(flow), strengths, 20, x0=[0.3, 0.1], rng=0)
    assert len(made) == 1


@pytest.mark.parametrize("jacobian", [None, lorenz_jacobian])
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_as_many_strengths_as_a_parameter_is_long(engine, jacobian):
    """Parameters are those of the one system, never one number for each strength."""
    pytest.importorskip("numba")
    flow = ln.Flow(lorenz, 3, dt=0.01, params=np.array(P), jacobian=jacobian)
    scaled = ln.Map(lambda x, p: 3.9 * x * (1 - x) * p, 2, params=np.array([1.0, 0.8]))
    for system, x0, strengths in (
        (flow, [1.0, 1.0, 20.0], np.array([0.0, 0.5, 1.0])),
        (scaled, [0.3, 0.4], np.array([0.2, 0.5])),
    ):
        few = dict(x0=x0, k=2, basis_transient=300, transient=100, rng=0)
        each = ln.compiled(system, engine)
        whole = ln.master_stability(each, strengths, 1000, **few)
        more = ln.master_stability(each, np.append(strengths, 2.0), 1000, **few)
        assert_allclose(whole.exponents, more.exponents[:-1], atol=2e-2)


def test_invariants_of_a_part_are_not_those_of_the_whole():
    s = ln.conditional_exponents(ln.catalog.lorenz63(), [1, 2], 2000, rng=0)
    found = ln.check_invariants(s)
    assert found.passed is None
    assert {word.partition(":")[0] for word in found.verdicts.values()} == {"not checked"}
