import re
import warnings

import autograd.numpy as anp
import matplotlib
import numpy as np
import pytest
from series import ar1

import lyapnet as ln
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.phases import is_regular

matplotlib.use("Agg")


def run(members=(), n=2000, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *members, 2)) + np.array([0.5, -1.0])


def test_converged_run():
    found = diagnose(run(), np.ones(2000))
    assert found.converged
    assert found.verdict.startswith("converged: 95 % half-widths up to 0.0")
    assert found.r_hat is None
    assert found.running.shape == (1000, 2)
    np.testing.assert_allclose(found.running[-1], found.exponents, rtol=1e-12)


def test_not_yet():
    found = diagnose(run(), np.ones(2000), tol=1e-3)
    assert not found.converged
    assert "tol = 0.001" in found.verdict


def test_too_short():
    assert diagnose(run(n=8), np.ones(8)).verdict.startswith("too short: 8 blocks")


def test_drifting_names_the_exponent():
    growth = run()
    growth[:, 1] += np.exp(-np.arange(2000) / 200)
    found = diagnose(growth, np.ones(2000))
    assert found.verdict.startswith("drifting")
    assert "exponents 2;" in found.verdict


def test_disagreeing_members():
    growth = run(members=(4,))
    assert diagnose(growth, np.ones(2000)).converged
    growth[:, 3, 0] += 0.5
    assert diagnose(growth, np.ones(2000)).verdict.startswith("disagreeing")
    assert diagnose(growth, np.ones(2000), same_system=False).converged


def test_false_alarms_are_rare():
    # level 0.01 for all 20 exponents of a run together; 300 runs: 3 expected, 10 tolerated
    growth = 1 + ar1(np.random.default_rng(1), 0.5, 500, 6000).reshape(500, 300, 20)
    alarms = sum(not diagnose(growth[:, i], np.ones(500)).converged for i in range(300))
    assert alarms <= 10


def test_annihilated_directions_do_not_spoil_the_verdict():
    growth = run(members=(3,))
    growth[100, :, 1] = -np.inf
    found = diagnose(growth, np.ones(2000))
    assert found.converged
    assert np.isnan(found.stderr[:, 1]).all()
    growth[100, :, 0] = -np.inf
    assert "singular" in diagnose(growth, np.ones(2000)).verdict


@pytest.mark.parametrize("members", [(), (3,)])
def test_plot(members):
    growth = run(members)
    growth[5, ..., 1] = -np.inf
    ax = diagnose(growth, np.ones(2000)).plot()
    assert ax.get_title() == "converged"
    assert len(ax.lines) == 1 + 2 * max(1, len(members) * 3)  # and zero
    assert diagnose(growth, np.ones(2000)).plot(ax) is ax
    matplotlib.pyplot.close("all")


def noisy(means, spread, n=1000):
    """Growth of exactly these means, whose half-widths are about ``2 spread / sqrt(n)``."""
    noise = np.random.default_rng(3).standard_normal((n, len(means)))
    return np.array(means) + spread * (noise - noise.mean(axis=0))


@pytest.mark.parametrize(
    ("means", "spread", "word", "signs"),
    [
        ([1.0, 0.0, -14.0], 0.1, "converged", "exponent 2 not told from 0"),
        ([1.0, 0.0, -14.0], 3.0, "stationary", "the sign of exponent 2 is not settled"),
        ([0.1, 0.0, -14.0], 9.0, "stationary", "the signs of exponents 1, 2 are not settled"),
        ([0.0, -14.0], 0.1, "stationary", "the sign of exponent 1 is not settled"),
        ([1.0, 0.0, 0.0, 0.0, -1.0], 0.1, "converged", "exponents 2 to 4 not told from 0"),
        ([0.0, 0.0], 0.1, "stationary", "the signs of exponents 1, 2 are not settled"),
        ([1.0, -1.0], 0.1, "converged", "all signs settled"),
    ],
)
def test_no_sign_is_claimed_that_the_intervals_leave_open(means, spread, word, signs):
    found = diagnose(noisy(means, spread), np.ones(1000))
    assert found.verdict.startswith(f"{word}:")
    assert signs in found.verdict
    assert found.converged is (word == "converged")
    # A tolerance is about widths alone, and the open signs are said as facts.
    tolerant = diagnose(noisy(means, spread), np.ones(1000), tol=2.0)
    assert tolerant.converged
    assert ("not told from 0" in tolerant.verdict) is (signs != "all signs settled")


def test_a_cycle_may_have_a_zero_for_its_leading_exponent():
    growth = np.diff(np.cos(0.7 * np.arange(2001)))[:, None] + np.array([0.0, -1.0])
    assert diagnose(growth, np.ones(2000)).verdict.endswith("exponent 1 not told from 0")


def test_a_short_run_of_the_lorenz_system_does_not_claim_its_signs():
    s = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 600, k=3, rng=0)  # 6 time units
    found = s.diagnose()
    assert not found.converged
    assert "signs of exponents 1, 2 are not settled: run longer" in found.verdict


def test_different_systems_need_not_agree():
    chaos = ln.lyapunov_spectrum(ln.catalog.henon(a=[1.2, 1.4]), 2000, rng=0)
    W = np.array([0.5, 0.8])[:, None, None] * np.eye(2)
    networks = ln.lyapunov_spectrum(ln.VanillaRNN(W), 500, x0=np.ones(2), rng=0)
    for s in (chaos, networks, chaos.pooled()):
        found = s.diagnose()
        assert found.r_hat is None
        assert found.agreement_pvalue is None
        assert "disagreeing" not in found.verdict
    x0 = [[0.0, 0.0], [0.1, 0.1]]
    one = ln.lyapunov_spectrum(ln.catalog.henon(), 2000, x0=x0, rng=0)
    assert one.diagnose().r_hat.shape == (2,)


def test_a_state_that_explodes_has_no_attractor():
    cell = ln.VanillaRNN.random(30, gain=2.5, activation="relu", rng=0)
    inputs = np.ones((700, cell.n_inputs))
    s = ln.lyapunov_spectrum(cell, inputs=inputs, transient=100, basis_transient=100, rng=0)
    assert np.abs(s.state).max() > 1e100
    found = s.diagnose()
    assert found.verdict.startswith("unbounded: the state grows without bound")
    assert not found.converged


def test_a_phase_that_is_not_wrapped_is_no_explosion():
    growth = run() + 1.0
    for end, word in ((1e5, "converged"), (1e7, "unbounded")):
        state = np.array([[1.0, 2.0], [1.0, end]])
        found = diagnose(growth, np.ones(2000), x0=np.ones((2, 2)), state=state)
        assert found.verdict.startswith(word)
    assert "1 of 2 members" in found.verdict
    unknown = np.full(2, np.nan)
    assert diagnose(growth, np.ones(2000), x0=unknown, state=unknown).converged
    walked = np.array([9e8])  # a step of 900 for each of a million blocks
    long = diagnose(np.ones((10**6, 1)), np.ones(10**6), x0=np.ones(1), state=walked)
    assert long.converged


def test_plot_shows_how_exponents_settle_however_far_apart_they_are():
    growth = 0.1 * run() + [0.9, -14.6]
    ax = diagnose(growth, np.ones(2000)).plot()
    low, high = ax.get_ylim()
    assert high - low < 0.2
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[0].startswith(r"$\lambda_{1} = 0.9")
    assert names[1].startswith(r"$\lambda_{2} = -14.7")
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(
    ("scale", "power"), [(9e8, r" \times 10^{8}"), (9e-8, r" \times 10^{-8}"), (5, "")]
)
def test_legend_writes_large_and_small_exponents_as_powers_of_ten(scale, power):
    growth = scale * (1.0 + 0.01 * run()[..., :1])
    legend = diagnose(growth, np.ones(2000)).plot().get_legend()
    (name,) = (t.get_text() for t in legend.get_texts() if t.get_text().startswith("$"))
    assert re.fullmatch(r"\$\\lambda_\{1\} = [\d.]+" + re.escape(power) + r"\$", name)
    matplotlib.pyplot.close("all")


def test_plot_has_a_legend_and_is_not_squashed_by_its_first_value():
    growth = run()
    growth[0] = 500.0
    ax = diagnose(growth, np.ones(2000)).plot()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.split("=")[0] for label in labels[:2]] == [r"$\lambda_{1} ", r"$\lambda_{2} "]
    assert labels[2:] == ["95 % interval"]
    assert ax.get_ylim()[1] < 10
    matplotlib.pyplot.close("all")


def test_repr_is_short():
    assert repr(diagnose(run(), np.ones(2000))).startswith("Diagnosis(verdict=converged:")


def test_chaos_is_not_called_regular():
    # Sums of growth that look bounded by chance, as in this run.
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 10_000, rng=0)
    assert s.diagnose().verdict.startswith("converged: 95 % half-width")


@pytest.mark.parametrize("lead", [(), (2,)])
def test_a_diagnosis_has_the_order_of_the_exponents(lead):
    # Random Jacobians whose third direction grows most: QR brings them to order only slowly.
    rng = np.random.default_rng(0)
    slow = np.exp(np.array([0.0, 0.01, 0.02])) * np.eye(3)
    D = slow * np.exp(0.3 * rng.standard_normal((2000, *lead, 1, 3)))
    s = ln.spectrum_from_jacobians(D, basis=np.eye(3))
    raw = s.statistics.estimate().mean
    assert (np.argsort(-raw, axis=-1) != np.arange(3)).any()  # the test can fail
    found = s.diagnose()
    np.testing.assert_array_equal(found.exponents, s.exponents)
    np.testing.assert_array_equal(found.stderr, s.stderr)
    np.testing.assert_allclose(found.running[-1], s.exponents, atol=1e-12)
    if lead:
        pooled = s.pooled()
        mean = pooled.diagnose().exponents.mean(axis=0)
        np.testing.assert_allclose(mean, pooled.exponents, atol=1e-12)


def test_the_widths_name_the_leading_exponent_and_the_widest():
    rng = np.random.default_rng(3)
    means, spread = np.array([0.9, 0.3, -14.0]), np.array([0.1, 0.1, 3.0])
    growth = means + spread * rng.standard_normal((2000, 3))
    verdict = diagnose(growth, np.ones(2000)).verdict
    words = r"converged: 95 % half-width 0.00\d+ of exponent 1, up to 0.1\d* \(exponent 3\), no"
    assert re.match(words, verdict)
    verdict = diagnose(growth[:, ::-1], np.ones(2000)).verdict
    assert re.match(r"converged: 95 % half-widths up to 0.1\d*, no", verdict)
    verdict = diagnose(growth, np.ones(2000), tol=1e-3).verdict
    assert re.match(r"not yet: .*\(exponent 3\), more than tol = 0.001", verdict)


def test_a_transient_that_goes_on_in_the_average_is_no_convergence():
    # Chaos for a twentieth of the run, then a cycle: -0.05 in the end, about 0 on average.
    rng = np.random.default_rng(0)
    growth = -0.05 + 0.01 * np.sin(np.arange(4000.0))[:, None] * [1.0, -1.0]
    growth[:200] = [0.9, -1.0] + 0.1 * rng.standard_normal((200, 2))
    found = diagnose(growth, np.ones(4000))
    assert abs(found.exponents[0]) < found.stderr[0]  # the interval knows
    words = "drifting: the first half is a transient in exponents? 1.* at -0.05.*longer transients"
    assert re.match(words, found.verdict)
    assert not found.converged
    assert diagnose(growth[200:], np.ones(3800)).converged
    # Logarithmic growth, of a torus, goes on for ever, and is none.
    t = np.arange(1, 2001.0)
    torus = np.diff(np.log(t))[:, None] * [1.0, -1.0] + 0.01 * np.cos(t[1:])[:, None]
    assert "transient in exponents" not in diagnose(torus, np.ones(1999)).verdict


@pytest.mark.parametrize("captured", [1200, 4000, 9000])
def test_chaos_that_ends_on_an_island_is_a_transient(captured):
    # Vectors then grow like a power of time: as good as not at all, and no sign is settled.
    rng = np.random.default_rng(captured)
    t = np.arange(20_000.0)
    calm = np.log1p(1 / (100 + t)) + 0.3 * np.diff(np.sin(0.7 * np.append(t, t[-1] + 1)))
    growth = np.where(t < captured, 0.2 + 0.3 * rng.standard_normal(len(t)), calm)
    found = diagnose(np.stack([growth, -growth], axis=1), np.ones(len(t)))
    assert found.verdict.startswith("drifting:")
    assert not found.converged


def test_a_map_whose_chaos_ends_on_an_island_is_not_converged():
    # The standard map, damped by 1e-4: chaotic for 4000 to 12000 steps, then on an island.
    def step(x):
        p = (1 - 1e-4) * x[1] + 2 * anp.sin(x[0])
        return anp.array([anp.mod(x[0] + p, 2 * np.pi), p])

    starts = 6 * np.random.default_rng(3).random((24, 2))
    s = ln.lyapunov_spectrum(ln.Map(step, 2), 20_000, x0=starts, rng=0)
    windows = s.finite_time(1000)[..., 0]
    mixed = np.flatnonzero(
        (windows[:4] > 0.2).any(axis=0) & (np.abs(windows[-10:]) < 0.02).all(axis=0)
    )
    assert len(mixed) >= 2
    for i in mixed:
        verdict = (
            ln.lyapunov_spectrum(ln.Map(step, 2), 20_000, x0=starts[i], rng=0).diagnose().verdict
        )
        assert not verdict.startswith("converged")


def test_a_ball_that_comes_to_rest_on_a_cycle_has_not_converged():
    def step(x):
        return np.array([(x[0] + x[1]) % (2 * np.pi), 0.9 * x[1] - 5.4 * np.cos(x[0] + x[1])])

    s = ln.lyapunov_spectrum(ln.Map(step, 2), 20_000, x0=[0.1, 1.0], rng=0)
    assert s.diagnose().verdict.startswith("drifting: the first half is a transient")
    longer = s.extend(5000)
    late = ln.lyapunov_spectrum(ln.Map(step, 2), 5000, x0=longer.state, rng=0)
    assert late.diagnose().converged
    np.testing.assert_allclose(late.exponents.sum(), np.log(0.9), atol=1e-9)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_the_unit_of_time_does_not_make_growth_regular(unit):
    # Sums that look bounded by chance, of positive growth: one chaotic run in thirty.
    for seed in range(200):
        growth = 0.1 + 0.3 * np.random.default_rng(seed).standard_normal((400, 1))
        if is_regular(growth, np.ones(400)).all():
            break
    found = diagnose(growth, np.full(400, unit))
    assert found.verdict.startswith("converged: 95 % half-width")


@pytest.mark.parametrize("kind", ["drifting", "too short", "not yet", "stationary"])
def test_every_verdict_says_which_exponents_are_minus_infinity(kind):
    # Before, "converged" alone did; and several of them beside others cost a RuntimeWarning.
    growth = np.random.default_rng(0).standard_normal((10 if kind == "too short" else 400, 3))
    growth[:, 0] -= growth[:, 0].mean()
    growth[:100, 0] += 5.0 if kind == "drifting" else 0.0
    growth[7, 1:] = -np.inf
    tol = 1e-6 if kind == "not yet" else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict = diagnose(growth, np.ones(len(growth)), tol=tol).verdict
    assert verdict.startswith(kind)
    assert "; 2, 3 are -inf: the Jacobian is singular, exactly or within rounding" in verdict
