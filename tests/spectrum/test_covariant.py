"""Covariant vectors: covariant to rounding, along exact directions, growing like the spectrum."""

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from numpy.testing import assert_allclose

import lyapnet as ln


def misalignment(found, system, inputs=None):
    """Return the largest sine between D v_t and v_{t+1}, for each vector; D by differences."""
    worst = np.zeros(found.vectors.shape[-1])
    for t in range(len(found.vectors) - 1):
        u = () if inputs is None else (inputs[t],)
        carried = system.jacobian(found.states[t], *u) @ found.vectors[t]
        carried /= np.linalg.norm(carried, axis=-2, keepdims=True)
        then = found.vectors[t + 1]
        off = carried - then * np.sum(carried * then, axis=-2, keepdims=True)
        sine = np.linalg.norm(off, axis=-2).reshape(-1, len(worst))
        worst = np.maximum(worst, sine.max(axis=0))
    return worst


RNG = np.random.default_rng(0)
CELL = ln.VanillaRNN.random(30, gain=1.5, rng=0)
U = RNG.standard_normal((700, 1))
CASES = {
    "henon": (ln.catalog.henon(), {}),
    "henon as users write it": (truths.henon(), {"x0": [0.1, 0.1]}),
    "lorenz": (ln.catalog.lorenz63(), {"backward_transient": 500}),
    "driven network": (CELL, {"inputs": U, "k": 15}),
    "LSTM": (ln.LSTM.random(8, gain=2.0, rng=0), {"inputs": U, "k": 6}),
    "small ensemble": (ln.catalog.henon(), {"x0": RNG.uniform(-0.1, 0.1, (4, 2))}),
    "ensemble": (ln.catalog.lorenz96(8), {"x0": 8 + RNG.random((2, 3, 8))}),
    "driven ensemble": (
        CELL,
        {"inputs": RNG.standard_normal((700, 2, 1)), "x0": RNG.standard_normal((2, 30)), "k": 5},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_covariance(name):
    system, kwargs = CASES[name]
    found = ln.covariant_vectors(system, 300, basis_transient=200, transient=100, rng=1, **kwargs)
    inputs = kwargs.get("inputs")
    assert_allclose(np.linalg.norm(found.vectors, axis=-2), 1.0, rtol=1e-13)
    # The states are the trajectory itself, so that an index off by one shows here...
    u = None if inputs is None else inputs[300:]
    given = () if u is None else (u[0],)
    assert_allclose(system.step(found.states[0], *given), found.states[1], rtol=1e-9, atol=1e-12)
    worst = misalignment(found, system, u)
    assert worst.max() < 1e-10
    # ... and here: vectors that are one step late are not covariant.
    late = ln.CovariantVectors(
        found.vectors[1:], found.states[:-1], found.exponents, found.local, found.settings
    )
    assert misalignment(late, system, u)[-1] > 1e-3


def test_local_growth_is_that_of_the_step():
    henon = ln.catalog.henon()
    found = ln.covariant_vectors(henon, 200, rng=0)
    carried = henon.jacobian(found.states[:-1]) @ found.vectors[:-1]
    assert_allclose(found.local, np.log(np.linalg.norm(carried, axis=-2)), atol=1e-9)
    assert_allclose(found.exponents, found.local.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("name", ["henon", "lorenz63"])
def test_exponents_are_those_of_the_spectrum_over_the_same_steps(name):
    system = getattr(ln.catalog, name)()
    counts = dict(transient=100, basis_transient=300)
    found = ln.covariant_vectors(system, 501, rng=5, **counts)
    s = ln.lyapunov_spectrum(system, 500, qr_interval=1, rng=5, **counts)  # the same basis
    assert_allclose(found.states[-1], s.state, atol=1e-10)

    # Exact: |D v| = R_jj c_j / c'_j, and c_j is the sine of v_j with the span of those before.
    def sines(v):
        return np.abs(np.diag(np.linalg.qr(v)[1]))

    edge = np.log(sines(found.vectors[0]) / sines(found.vectors[-1])) / (500 * system.dt)
    assert_allclose(found.exponents, s.exponents + edge, atol=1e-9)


def test_second_vector_of_lorenz_lies_along_the_flow():
    # Of the numerical map, whose own flow differs from the field by the integrator's dt^4.
    angle = {}
    for dt in (0.01, 0.005):
        lorenz = ln.catalog.lorenz63(dt=dt)
        found = ln.covariant_vectors(lorenz, round(20 / dt), rng=0)
        x, y, z = np.moveaxis(found.states, -1, 0)
        field = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=-1)
        field /= np.linalg.norm(field, axis=-1, keepdims=True)
        v = found.vectors[..., 1]
        off = v - field * np.sum(v * field, axis=-1, keepdims=True)
        angle[dt] = np.linalg.norm(off, axis=-1)
    assert np.median(angle[0.01]) < 1e-6
    assert angle[0.005].max() < 1e-6
    assert 8 < np.median(angle[0.01]) / np.median(angle[0.005]) < 32  # 16, and another trajectory


def test_vectors_of_a_linear_map_are_its_eigenvectors():
    rng = np.random.default_rng(2)
    eigenvectors = rng.standard_normal((5, 5))
    eigenvectors /= np.linalg.norm(eigenvectors, axis=0)
    values = np.array([1.6, 1.1, 0.8, 0.5, 0.2])
    A = eigenvectors @ np.diag(values) @ np.linalg.inv(eigenvectors)
    found = ln.covariant_vectors(truths.matrix_map(A), 10, x0=np.zeros(5), rng=0)
    assert_allclose(found.exponents, np.log(values), atol=1e-10)
    for v in found.vectors:
        assert_allclose(np.abs(np.sum(v * eigenvectors, axis=0)), 1.0, atol=1e-10)
    expected = np.arccos(np.abs(eigenvectors.T @ eigenvectors).clip(max=1))
    assert_allclose(found.angles()[0], expected, atol=1e-7)


def test_periodic_jacobians_give_the_eigenvectors_of_the_period():
    # The order of a period matters: eigenvectors of D1 D0 at even times, of D0 D1 at odd ones.
    D = np.array([[[2.0, 1.0], [0.3, 0.4]], [[0.5, -1.0], [1.0, 1.5]]])
    swap = ln.Map(
        lambda x: anp.concatenate([anp.dot(D[0] if x[2] > 0 else D[1], x[:2]), -x[2:]]),
        3,
    )
    x0 = np.array([0.0, 0.0, 1.0])
    found = ln.covariant_vectors(swap, 4, x0=x0, transient=0, basis_transient=100, rng=0)
    for t in range(4):
        period = D[1 - t % 2] @ D[t % 2]
        wanted = np.linalg.eig(period)[1]
        # The third direction has exponent 0, between those two.
        planar = [v[:2] for v in found.vectors[t].T if abs(v[2]) < 0.5]
        match = np.abs(np.array(planar) @ wanted)
        assert_allclose(match.max(axis=1), 1.0, atol=1e-9)


def test_members_are_found_alone_too():
    henon = ln.catalog.henon()
    x0 = np.array([[0.1, 0.1], [0.2, -0.1]])
    counts = dict(transient=50, basis_transient=100, backward_transient=100)
    together = ln.covariant_vectors(henon, 20, x0=x0, rng=0, **counts)
    for i in range(2):
        alone = ln.covariant_vectors(henon, 20, x0=x0[i], rng=7, **counts)  # another basis
        agree = np.abs(np.sum(alone.vectors * together.vectors[:, i], axis=-2))
        assert_allclose(agree, 1.0, atol=1e-9)


def test_what_dies_has_minus_infinity_and_leaves_the_others_alone():
    W = np.array([[0.5, 0.1, 0.3], [0.2, 0.4, 0.1], [0.7, 0.5, 0.4]])  # third row: sum of both
    cell = ln.VanillaRNN(W, activation="linear")
    found = ln.covariant_vectors(cell, 20, rng=0)
    values, vectors = np.linalg.eig(W)
    order = np.argsort(-np.abs(values))
    assert_allclose(found.exponents[:2], np.log(np.abs(values[order[:2]])), atol=1e-9)
    assert found.exponents[2] == -np.inf
    agree = np.abs(np.sum(found.vectors[5] * vectors[:, order], axis=0))
    assert_allclose(agree, 1.0, atol=1e-9)  # the last one in the kernel
    dead = ln.VanillaRNN(np.diag([0.5, 0.4]), b=[1.0, -1.0], activation="relu")
    found = ln.covariant_vectors(dead, 10, x0=[1.0, -1.0], rng=0)
    assert_allclose(found.exponents, [np.log(0.5), -np.inf], atol=1e-9)
    assert np.isfinite(found.vectors).all()


def test_stretches_do_not_matter(monkeypatch):
    kwargs = dict(inputs=U, k=4, transient=50, basis_transient=50, rng=3)
    whole = ln.covariant_vectors(CELL, 300, **kwargs)
    monkeypatch.setattr("lyapnet.tangent.stretches._STRETCH", 1)
    parts = ln.covariant_vectors(CELL, 300, **kwargs)
    assert_allclose(parts.vectors, whole.vectors, atol=1e-9)
    assert_allclose(parts.states, whole.states, atol=1e-9)


@pytest.mark.parametrize("name", ["henon", "driven ensemble", "LSTM"])
def test_what_has_no_room_is_computed_again_with_the_same_numbers(name, monkeypatch):
    system, kwargs = CASES[name]
    counts = dict(transient=100, basis_transient=100, backward_transient=100)
    monkeypatch.setattr("lyapnet.spectrum.ginelli._SECTION", 1)  # 17 to 20 steps each
    kept = ln.covariant_vectors(system, 300, rng=3, **counts, **kwargs)
    for room in (0, 4000):  # none, or that of the first stretches alone
        monkeypatch.setattr("lyapnet.spectrum.ginelli._ROOM", room)
        again = ln.covariant_vectors(system, 300, rng=3, **counts, **kwargs)
        for field in ("vectors", "states", "exponents", "local"):
            np.testing.assert_array_equal(getattr(again, field), getattr(kept, field))


@pytest.mark.parametrize("every", [7, 64])
def test_every_so_many_states_have_the_vectors_that_all_would_have(every):
    lorenz = ln.catalog.lorenz63()
    whole = ln.covariant_vectors(lorenz, 1000, rng=3)
    some = ln.covariant_vectors(lorenz, 1000, every=every, rng=3)
    np.testing.assert_array_equal(some.states, whole.states[::every])
    np.testing.assert_array_equal(some.vectors, whole.vectors[::every])
    np.testing.assert_array_equal(some.exponents, whole.exponents)
    m = 999 // every
    mean = whole.local[: m * every].reshape(m, every, 3).mean(axis=1)
    assert_allclose(some.local, mean, atol=1e-12)
    assert some.settings["every"] == every
    with pytest.raises(ValueError, match="`every` must be at most 9"):
        ln.covariant_vectors(lorenz, 10, every=10)


def test_memory_does_not_grow_with_the_run(monkeypatch):
    import tracemalloc

    def run(n_steps):
        ln.covariant_vectors(system, n_steps, every=n_steps // 10, rng=0, **counts)

    def peak(n_steps):
        tracemalloc.start()
        try:
            run(n_steps)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    system = ln.catalog.lorenz96(8)
    counts = dict(transient=0, basis_transient=0, backward_transient=0)
    monkeypatch.setattr("lyapnet.spectrum.ginelli._ROOM", 0)
    monkeypatch.setattr("lyapnet.spectrum.ginelli._SECTION", 1)
    run(1600)  # what is compiled or imported once
    short, long = peak(64), peak(1600)
    assert long < 8 * short  # as the square root: 5
    assert long < 1600 * 8 * 8 * 8 / 2  # half of the bases of all steps


def test_divergence_and_bad_arguments():
    with pytest.raises(ln.DivergedError, match="not finite after step 1024"):
        ln.covariant_vectors(ln.VanillaRNN(2 * np.eye(2), activation="linear"), 2000, x0=[1.0, 1.0])
    with pytest.raises(ValueError, match="`n_steps` must be at least 2"):
        ln.covariant_vectors(ln.catalog.henon(), 1)
    with pytest.raises(ValueError, match="`inputs` has 700 steps"):
        ln.covariant_vectors(CELL, 600, inputs=U)


def test_the_plot_shows_the_angles_of_neighbours():
    found = ln.covariant_vectors(ln.catalog.henon(), 2000, rng=0)
    ax = found.plot()
    assert ax.get_xlabel() == "angle (degrees)"
    assert ax.get_ylabel() == "density (per degree)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["vectors 1 and 2"]
    # The outline of the histogram encloses an area of one, with the median in its middle.
    outline = ax.patches[0].get_xy()
    x, density = outline[1:-1:2, 0], outline[1:-1:2, 1]
    edges = np.linspace(0, 90, 46)
    counts, _ = np.histogram(np.degrees(found.angles()[:, 0, 1]), edges, density=True)
    assert_allclose(density[: len(counts)], counts, atol=1e-12)
    assert_allclose(x[: len(counts)], edges[:-1])
    three = ln.covariant_vectors(ln.catalog.lorenz63(), 50, rng=0)
    assert len(three.plot().patches) == 2
    assert len(three.plot(ax, pairs=[(0, 2)]).patches) == 2
    with pytest.raises(ValueError, match="`pairs` must be at most 2, got 3"):
        three.plot(pairs=[(0, 3)])
    with pytest.raises(ValueError, match="k of at least 2"):
        ln.covariant_vectors(ln.catalog.henon(), 10, k=1, rng=0).plot()
    assert repr(found).startswith("CovariantVectors(exponents=[0.4")


def test_the_bar_goes_to_its_end(capsys):
    kwargs = {"transient": 30, "basis_transient": 20, "backward_transient": 10}
    ln.covariant_vectors(ln.catalog.henon(), 100, **kwargs, rng=0, progress=True)
    # forward 30 + 20 + 99 + 10 steps, and 99 + 10 back
    assert " 0/268" in capsys.readouterr().err
    ln.covariant_vectors(ln.catalog.henon(), 100, **kwargs, rng=0)
    assert capsys.readouterr().err == ""


def test_inputs_that_are_too_short_name_the_parts_of_the_run():
    cell = ln.VanillaRNN.random(4, rng=0)
    with pytest.raises(ValueError, match="takes 499, n_steps - 1 = 199, transient=100, basis_tr"):
        ln.covariant_vectors(cell, 200, inputs=np.zeros((300, 1)), rng=0)


# --- subspaces and the adjoint -----------------------------------------------------------------


def test_principal_angles_are_those_of_scipy_and_small_ones_keep_their_digits():
    from scipy.linalg import subspace_angles

    rng = np.random.default_rng(0)
    found = ln.covariant_vectors(ln.VanillaRNN.random(6, gain=1.5, rng=0), 20, rng=rng)
    first, second = found.principal_angles([2, 1, 3])
    assert first.shape == (20, 2)
    assert second.shape == (20, 3)
    for t in (0, 7, 19):
        v = found.vectors[t]
        np.testing.assert_allclose(first[t], subspace_angles(v[:, :2], v[:, 2:])[::-1], rtol=1e-8)
        np.testing.assert_allclose(second[t], subspace_angles(v[:, :3], v[:, 3:])[::-1], rtol=1e-8)
    pair = found.principal_angles([1, 1])[0][..., 0]
    np.testing.assert_allclose(pair, found.angles()[:, 0, 1], atol=1e-7)
    with pytest.raises(ValueError, match="`dims`"):
        found.principal_angles([4, 3])
    with pytest.raises(ValueError, match="`dims`"):
        found.principal_angles([6])


def test_henon_is_not_hyperbolic_and_the_cat_map_is():
    henon = ln.covariant_vectors(ln.catalog.henon(), 20_000, rng=0).principal_angles([1, 1])[0]
    cat = ln.covariant_vectors(ln.catalog.cat(), 500, rng=0).principal_angles([1, 1])[0]
    assert henon.min() < 0.01  # tangencies: angles come near zero
    np.testing.assert_allclose(cat, np.pi / 2, atol=1e-9)


def test_lorenz_flow_has_its_subspaces_apart():
    # Singularly hyperbolic: the stable direction stays away from the plane of the others.
    found = ln.covariant_vectors(ln.catalog.lorenz63(), 8000, rng=0)
    neutral, stable = found.principal_angles([1, 1, 1])
    assert stable.min() > 0.05
    assert neutral.min() < stable.min()


def test_adjoint_vectors_are_covariant_backwards():
    system = ln.catalog.henon()
    found = ln.covariant_vectors(system, 200, rng=0)
    a, D = found.adjoint(), system.jacobian(found.states)
    back = np.matmul(D[:-1].swapaxes(-1, -2), a[1:])
    back /= np.linalg.norm(back, axis=-2, keepdims=True)
    np.testing.assert_allclose(np.abs(np.sum(back * a[:-1], axis=-2)), 1, atol=1e-9)
    across = np.matmul(a.swapaxes(-1, -2), found.vectors)
    np.testing.assert_allclose(across[:, [0, 1], [1, 0]], 0, atol=1e-9)
    with pytest.raises(ValueError, match="take all 2"):
        ln.covariant_vectors(system, 50, k=1, rng=0).adjoint()


def test_vectors_of_a_complex_pair_are_a_group_and_others_are_not():
    c, s = 0.9 * np.cos(0.3), 0.9 * np.sin(0.3)
    rotation = np.array([[c, -s, 0.2], [s, c, 0.0], [0.0, 0.0, 0.5]])
    found = ln.covariant_vectors(ln.Map(lambda x: rotation @ x, 3), 200, x0=np.zeros(3), rng=0)
    assert found.groups == [[0, 1], [2]]
    assert "not told apart: 1, 2; their spans are known" in repr(found)
    # The span is: the plane of the pair, whatever vectors were drawn.
    plane = np.linalg.eig(rotation)[1][:, :2]
    basis = np.linalg.qr(np.stack([plane[:, 0].real, plane[:, 0].imag], axis=-1))[0]
    outside = found.vectors[..., :2] - basis @ (basis.T @ found.vectors[..., :2])
    assert np.abs(outside).max() < 1e-9
    for system in (ln.catalog.henon(), ln.catalog.lorenz63()):
        told = ln.covariant_vectors(system, 1000, rng=0)
        assert [len(group) for group in told.groups] == [1] * system.dim
        assert "note" not in repr(told)


def test_vectors_that_transients_do_not_align_are_a_group():
    close = ln.Map(lambda x: np.array([0.5, 0.495]) * x, 2)  # 0.01 nats a step
    short = ln.covariant_vectors(close, 100, x0=np.zeros(2), rng=0)
    assert short.groups == [[0, 1]]
    long = ln.covariant_vectors(
        close, 100, x0=np.zeros(2), basis_transient=1000, backward_transient=1000, rng=0
    )
    assert long.groups == [[0], [1]]
    np.testing.assert_allclose(np.abs(long.vectors), np.eye(2)[None].repeat(100, 0), atol=1e-3)
    blocks = np.zeros((4, 4))  # two pairs, members of an ensemble
    blocks[:2, :2], blocks[2:, 2:] = [[0, -0.8], [0.8, 0]], [[0, -0.5], [0.5, 0]]
    pairs = ln.Map(lambda x: x @ blocks.T, 4, vectorized=True)
    both = ln.covariant_vectors(pairs, 100, x0=np.zeros((3, 4)), rng=0)
    assert both.groups == [[0, 1], [2, 3]]


@pytest.mark.parametrize("k", [1, 2])
def test_vectors_of_a_flow_without_the_exponent_0_are_unreliable(k):
    """Before, (-0.199, -0.199) without a hint, for 0 and -0.2."""
    steep = ln.Flow(
        lambda x: anp.array([x[1], -x[0] - 0.4 * x[1] + anp.clip(1e9 * x[1], -1, 1)]), 2, dt=0.1
    )
    with pytest.warns(UserWarning, match="vectors and exponents are unreliable: no exponent is"):
        ln.covariant_vectors(steep, 1000, k=k, x0=[2.0, 0.3], rng=0)
    jumps = ln.Flow(lambda x: anp.array([x[1], -x[0] - 0.4 * x[1] + x[1] / abs(x[1])]), 2, dt=0.1)
    with pytest.warns(UserWarning, match="vectors and exponents are unreliable: the field jumps"):
        ln.covariant_vectors(jumps, 1000, k=k, x0=[2.0, 0.3], rng=0)
    forced = ln.Flow(
        lambda x, t: anp.array(
            [x[1], -x[0] - 0.4 * x[1] + anp.clip(1e9 * x[1], -1, 1) + 0.1 * anp.sin(t)]
        ),
        2, dt=0.1, time=True,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="unreliable: the field changes by .* within a 64th"):
        ln.covariant_vectors(forced, 1000, k=k, x0=[2.0, 0.3], rng=0)


def test_more_vectors_than_the_memory_takes_are_refused_at_once():
    # Before: it was found out when the transients had been run.
    with pytest.raises(ValueError, match=r"`n_steps` = 1000000000000 is too large.*`every`"):
        ln.covariant_vectors(ln.catalog.henon(), 10**12)
