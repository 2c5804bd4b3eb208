"""Ensembles of which some members diverge."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

A = np.array([1.4, 1.3, 2.0, 1.2, 1.45])  # Henon's parameter: the third and fifth escape
GOOD = [0, 1, 3]


def henon(a, **options):
    def step(x, a):
        return anp.array([1 - a * x[0] ** 2 + x[1], 0.3 * x[0]])

    x0 = np.full((*np.shape(a), 2), 0.1)
    basis = np.broadcast_to(np.eye(2), (*np.shape(a), 2, 2))
    return ln.lyapunov_spectrum(ln.Map(step, 2, params=a), 1000, x0=x0, basis=basis, **options)


def test_an_error_names_the_member_and_the_way_out():
    with pytest.raises(ln.DivergedError, match=r'member 2, and of 1 others.*on_divergence="nan"'):
        henon(A)
    grows = ln.Map(lambda x, p: p * x, 1, params=np.array([0.5, 3.0]))
    with pytest.raises(ln.DivergedError, match="member 1 is not finite") as caught:
        ln.lyapunov_spectrum(grows, 1000, x0=np.ones((2, 1)), qr_interval=1)
    assert caught.value.step == 647  # 3^647 > 2^1024
    assert caught.value.partial.settings["n_steps"] == 646 - 200
    assert_allclose(caught.value.partial.exponents[:, 0], np.log([0.5, 3.0]))


def test_functions_that_cannot_keep_the_others_say_who_can():
    x0 = [[0.0, 0.0], [10.0, 10.0]]
    for run in (
        lambda: ln.alignment(ln.catalog.henon(), 500, x0=x0, rng=0),
        lambda: ln.covariant_vectors(ln.catalog.henon(), 500, x0=x0, rng=0),
    ):
        with pytest.raises(ln.DivergedError, match=r"start without those that diverge.*`lyapunov_"):
            run()


def test_the_engine_has_its_reason():
    cell = ln.VanillaRNN(2 * np.eye(2), [[1.0], [1.0]])
    s = ln.lyapunov_spectrum(cell, 1200, x0=np.ones((2, 2)), on_divergence="nan", rng=0)
    assert "takes members out" in s.settings["engine_reason"]


def test_compiled_loops_take_members_out_where_numpy_does():
    pytest.importorskip("numba")
    a = np.where(np.arange(60) % 7, np.linspace(1.2, 1.4, 60), 1.6).reshape(3, 20)
    found, expected = (
        ln.lyapunov_spectrum(
            ln.compiled(ln.catalog.henon(a=a), engine), 1000, x0=np.full((3, 20, 2), 0.1), rng=0,
            qr_interval=4, on_divergence="nan",
        )
        for engine in ("compiled", "numpy")
    )  # fmt: skip
    assert (found.settings["engine"], expected.settings["engine"]) == ("compiled", "numpy")
    assert len(found.settings["diverged"]) == 9
    assert found.settings["diverged"] == expected.settings["diverged"]
    assert_allclose(found.exponents, expected.exponents, rtol=1e-9)
    assert_allclose(found.state, expected.state, rtol=1e-9)


def test_compiled_loops_take_members_out_under_inputs_of_their_own():
    pytest.importorskip("numba")
    u = 0.01 * np.random.default_rng(0).standard_normal((3000, 5, 1))
    u[1500:, 2] = 5.0  # later than the first stretch of a run

    def step(x, u):
        return anp.stack([1 - 1.3 * x[..., 0] ** 2 + x[..., 1] + u[..., 0], 0.3 * x[..., 0]], -1)

    driven = ln.Map(step, 2, n_inputs=1, vectorized=True)
    found, expected = (
        ln.lyapunov_spectrum(
            ln.compiled(driven, engine),
            inputs=u,
            x0=np.full((5, 2), 0.1),
            rng=0,
            on_divergence="nan",
        )
        for engine in ("compiled", "numpy")
    )
    assert [one["member"] for one in found.settings["diverged"]] == [[2]]
    assert found.settings["diverged"] == expected.settings["diverged"]
    assert_allclose(found.exponents, expected.exponents, rtol=1e-9)


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_what_is_superstable_is_seen_beside_what_diverges(engine):
    r = np.array([2.0, 5.0])  # 1/2 is a superstable fixed point at r = 2
    system = ln.compiled(ln.Map(lambda x, r: r * x * (1 - x), 1, params=r), engine)
    s = ln.lyapunov_spectrum(system, 1000, x0=[[0.3], [0.3]], on_divergence="nan", rng=0)
    assert [one["member"] for one in s.settings["diverged"]] == [[1]]
    assert np.isneginf(s.exponents[0, 0]) or "superstable" in s.settings


@pytest.mark.parametrize("interval", [1, 4, "auto"])
def test_the_others_are_kept(interval):
    s = henon(A, on_divergence="nan", qr_interval=interval)
    lost = [one["member"] for one in s.settings["diverged"]]
    assert lost == [[2], [4]]
    assert all(5 < one["step"] < 200 for one in s.settings["diverged"])
    alone = henon(A[GOOD], qr_interval=s.settings["qr_interval"])
    assert_allclose(s.exponents[GOOD], alone.exponents, rtol=1e-9)
    for x in (
        s.exponents,
        s.stderr,
        s.log_growth[-1],
        s.state,
        s.kaplan_yorke_dimension,
        s.entropy,
    ):
        assert np.isnan(x[[2, 4]]).all()
        assert np.isfinite(x[GOOD]).all()
    pooled, expected = s.pooled(), alone.pooled()
    assert_allclose(pooled.exponents, expected.exponents, rtol=1e-9)
    assert_allclose(pooled.entropy_stderr, expected.entropy_stderr, rtol=1e-6)
    assert s.diagnose().exponents.shape == (3, 2)
    with pytest.raises(ValueError, match="have diverged"):
        s.extend(10)


def test_many_vectors_and_two_axes(tmp_path):
    W = np.random.default_rng(0).standard_normal((2, 3, 8, 8)) / np.sqrt(8)
    W[1, 0] *= 5
    cell = ln.VanillaRNN(W, activation="relu")
    x0 = np.ones(8)
    s = ln.lyapunov_spectrum(cell, 800, k=6, x0=x0, on_divergence="nan", rng=0)
    assert [one["member"] for one in s.settings["diverged"]] == [[1, 0]]
    assert np.isnan(s.exponents).sum() == 6
    s.save(tmp_path / "s.npz")
    assert ln.load(tmp_path / "s.npz").settings["diverged"] == s.settings["diverged"]


def test_where_all_diverge_there_is_nothing_to_keep():
    with pytest.raises(ln.DivergedError, match="member 1, and of 1 others"):
        henon(np.array([2.0, 3.0]), on_divergence="nan")


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="`on_divergence` must be one of"):
        henon(A, on_divergence="drop")


@pytest.mark.parametrize("engine", ["auto", "numpy"])
@pytest.mark.parametrize(
    ("system", "x0", "said", "unsaid"),
    [
        (ln.Map(lambda x: 3.0 * x, 2), [1.0, 2.0],
         "closer to the attractor, or at zero where steps are linear", "dt|gain|method"),
        (ln.Flow(lambda x: -300 * x**3, 2, dt=0.1), [1.0, 2.0],
         'a smaller dt, or method="implicit" if the field is stiff', "gain|inputs"),
        (ln.Flow(lambda x: x**2, 1, dt=0.1, method="adaptive"), [1.0], "may go to infinity", "dt"),
        (ln.NoisyFlow(lambda x: x**3, lambda x: 0.1, 1, dt=0.1), [2.0], "a smaller dt", "method"),
        (ln.stroboscopic(ln.Flow(lambda x: x**2, 1, dt=0.1), 1.0), [1.0], "a smaller dt", "gain"),
        (ln.VanillaRNN(2 * np.eye(2), [[1.0], [1.0]], activation="linear"), [1.0, 2.0],
         r"smaller weights \(`gain`\) or inputs", "dt|method"),
    ],
    ids=["map", "flow", "adaptive", "noisy", "stroboscopic", "cell"],
)  # fmt: skip
def test_the_remedy_is_one_for_the_system(engine, system, x0, said, unsaid):
    if engine == "numpy" and isinstance(system, ln.Map) and not isinstance(system, ln.NoisyFlow):
        system = ln.compiled(system, "numpy")
    for x in (x0, [x0, np.zeros(len(x0))]):
        with pytest.raises(ln.DivergedError, match=said) as info:
            ln.lyapunov_spectrum(system, 1200, x0=x, rng=0)
        assert not re.search(unsaid, str(info.value))
        if np.ndim(x) == 1:
            assert "on_divergence" not in str(info.value)


def test_the_remedy_of_a_delay_has_no_method_that_it_does_not_take():
    flow = ln.DelayFlow(lambda x, late: x**2 + late, 1, delays=1.0, dt=0.1)
    with pytest.raises(ln.DivergedError, match="a smaller dt") as info:
        ln.lyapunov_spectrum(flow, 300, k=1, x0=flow.history(1.0), rng=0)
    assert "implicit" not in str(info.value)
