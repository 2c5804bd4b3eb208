"""Condition numbers against their estimate: products of known prefactor and crossover."""

import numpy as np
import pytest

import lyapnet as ln

LN10 = np.log(10)


def repeat(matrix, n_steps):
    return np.tile(np.asarray(matrix, dtype=float), (n_steps, 1, 1))


def turned(angle):
    """Return a basis that starts at an angle to the growing direction."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def diagonal_walk(rng, n_steps, rate=0.2):
    """Return diagonal Jacobians, so that kappa is the exponential of a random walk."""
    D = np.zeros((n_steps, 2, 2))
    D[:, 0, 0] = np.exp(rate + 0.3 * rng.standard_normal(n_steps))
    D[:, 1, 1] = np.exp(-rate + 0.3 * rng.standard_normal(n_steps))
    return D


# ---- in time: prefactor, slope, crossover (exact)


def test_diagonal_product_has_prefactor_one():
    D = diagonal_walk(np.random.default_rng(0), 60)
    v = ln.compare_condition(ln.condition_from_jacobians(D, basis=np.eye(2)))
    np.testing.assert_allclose(v.log10_ratio, 0.0, atol=1e-12)
    assert v.log10_prefactor == pytest.approx(0.0, abs=1e-12)
    assert v.slope_difference == pytest.approx(0.0, abs=1e-12)
    assert v.valid_from(1.001) == v.times[0]


@pytest.mark.parametrize("a", [0.0, 1.5, 30.0])
def test_prefactor_of_a_shear(a):
    """Volumes grow by [[2, a], [0, 1/2]] as if a were 0; the angle gives 1 + (a / 1.5)**2."""
    c = ln.condition_from_jacobians(repeat([[2.0, a], [0.0, 0.5]], 60), basis=np.eye(2))
    v = ln.compare_condition(c)
    assert 10**v.log10_prefactor == pytest.approx(1 + (a / 1.5) ** 2, rel=1e-9)
    assert abs(v.slope_difference) < 1e-10
    assert v.slope_difference_stderr < 1e-10


@pytest.mark.parametrize("angle", [0.3, 1.2, 1.55])
@pytest.mark.parametrize("factor", [1.1, 2.0])
def test_crossover_of_a_turned_basis(angle, factor):
    """Over its estimate kappa is 1 / (cos**2 + 16**-t sin**2): the time of that is solvable.

    As long as the first column of R is the longer one, which it is once 4**t cos**2 > 1.
    """
    c = ln.condition_from_jacobians(
        repeat(np.diag([2.0, 0.5]), 60), basis=turned(angle), times=np.arange(1, 61)
    )
    v = ln.compare_condition(c)
    cos, sin = np.cos(angle), np.sin(angle)
    assert 10**v.log10_prefactor == pytest.approx(cos**-2, rel=1e-9)
    t = v.times
    first = cos**2 * 4**t + sin**2 * 4.0**-t  # the square of R_11
    expected = 4**t / np.maximum(first, 1 / first)
    np.testing.assert_allclose(10**v.log10_ratio, expected, rtol=1e-9)
    reached = t[np.abs(np.log(expected * cos**2)) <= np.log(factor)][0]
    assert v.valid_from(factor, prefactor=True) == reached
    solved = max(1, int(np.ceil(np.log((sin / cos) ** 2 / (factor - 1)) / np.log(16))))
    if first[solved - 1] > 1:
        assert reached == solved
    never = cos**-2 > factor
    assert np.isnan(v.valid_from(factor)) == never


def test_validity_of_a_long_runs_estimate():
    """Twenty steps too fast, then twenty at rest: the long-run estimate is met at t = 40."""
    D = np.concatenate(
        [repeat(np.diag([4.0, 0.25]), 20), repeat(np.eye(2), 20), repeat(np.diag([2.0, 0.5]), 20)]
    )
    c = ln.condition_from_jacobians(D, basis=np.eye(2), times=np.arange(1, 61))
    s = ln.spectrum_from_jacobians(repeat(np.diag([2.0, 0.5]), 100), basis=np.eye(2))
    v = ln.compare_condition(c, s, fit_from=40)
    assert v.valid_from(10.0) == 39  # 4**(40 - t) <= 10
    assert v.valid_from(1.5) == 40
    assert v.log10_prefactor == pytest.approx(0.0, abs=1e-10)
    assert v.settings == {"estimate": "spectrum", "fit_from": 40.0}


def test_a_wrong_exponent_shows_in_the_slope():
    c = ln.condition_from_jacobians(repeat(np.diag([2.0, 0.5]), 60), basis=np.eye(2))
    s = ln.spectrum_from_jacobians(repeat(np.diag([3.0, 0.5]), 100), basis=np.eye(2))
    v = ln.compare_condition(c, s)
    assert v.slope_difference == pytest.approx(np.log(2 / 3), rel=1e-10)
    assert np.isnan(v.valid_from(10.0))


def test_errors_of_slope_and_prefactor_hold():
    """Random walks with a known prefactor: about 95 % lie within the interval.

    Twelve values from t = 36 on leave ten degrees of freedom or so: Student's 2.2.
    """
    generator = np.random.default_rng(1)
    s = ln.spectrum_from_jacobians(repeat(np.diag(np.exp([0.2, -0.2])), 100), basis=np.eye(2))
    t = np.arange(3, 73, 3)
    inside = np.zeros(2)
    runs = 60
    for _ in range(runs):
        D = diagonal_walk(generator, 72)
        D[0] = np.diag([100.0, 1.0]) @ D[0]  # the prefactor
        v = ln.compare_condition(ln.condition_from_jacobians(D, basis=np.eye(2), times=t), s)
        inside[0] += abs(v.slope_difference) < 2.2 * v.slope_difference_stderr
        inside[1] += abs(v.log10_prefactor - 2) < 2.2 * v.log10_prefactor_stderr
    assert np.all(inside >= 0.88 * runs)
    assert np.all(inside <= runs)


# ---- bands


def test_band_holds_windows_of_another_stretch():
    """Growth by independent normal steps: the band is 1.96 sigma sqrt(t), and holds 95 %."""
    generator = np.random.default_rng(2)
    s = ln.spectrum_from_jacobians(diagonal_walk(generator, 20_000), basis=np.eye(2))
    times = np.array([1, 10, 50])
    low, high = ln.prediction_band(s, times)
    sigma = 0.3 * np.sqrt(2)
    np.testing.assert_allclose((high - low) / 2 * LN10, 1.96 * sigma * np.sqrt(times), rtol=0.1)
    np.testing.assert_allclose((high + low) / 2 * LN10, 0.4 * times, atol=0.02 * times.max())
    hits = np.zeros(3)
    for _ in range(200):
        D = diagonal_walk(generator, 50)
        gap = np.cumsum(np.log(D[:, 0, 0] / D[:, 1, 1]))[times - 1] / LN10
        hits += (low < gap) & (gap < high)
    assert np.all(hits >= 180)  # 190 expected, binomial error 3
    assert np.all(hits <= 200)


def test_band_is_silent_where_it_knows_nothing():
    s = ln.spectrum_from_jacobians(
        diagonal_walk(np.random.default_rng(3), 40), basis=np.eye(2), qr_interval=2
    )
    low, high = ln.prediction_band(s, [4, 5, 10, 11, 12, 100])  # 3 windows of 12 steps
    assert np.isfinite(low).tolist() == [True, False, True, False, False, False]
    np.testing.assert_array_equal(np.isfinite(low), np.isfinite(high))
    with pytest.raises(ValueError, match="record=True"):
        ln.prediction_band(ln.lyapunov_spectrum(ln.catalog.henon(), 200, record=False, rng=0), [5])


def test_band_pools_members():
    """Four members of a quarter the length know as much."""
    henon = ln.catalog.henon()
    x0 = 0.1 * np.random.default_rng(4).standard_normal((4, 2))
    many = ln.lyapunov_spectrum(henon, 2000, x0=x0, qr_interval=1, rng=0)
    one = ln.lyapunov_spectrum(henon, 8000, x0=x0[0], qr_interval=1, rng=0)
    a, b = (np.diff(ln.prediction_band(s, [20], m=2), axis=0)[0, 0] for s in (many, one))
    assert a == pytest.approx(b, rel=0.15)


# ---- in the number of directions


def test_by_dimension_is_exact_for_a_diagonal_product():
    sigma = 10.0 ** -np.arange(4)
    c = ln.condition_from_jacobians(
        repeat(np.diag(sigma), 25), basis=np.eye(4), times=[10, 25], certify=True
    )
    for t in (10, 25):
        d = ln.condition_by_dimension(c, t=t)
        np.testing.assert_allclose(d.log10_measured, t * np.arange(4), rtol=1e-13)
        np.testing.assert_allclose(d.log10_estimate, t * np.arange(4), rtol=1e-13)
        assert np.all(d.log10_lower <= d.log10_measured)
        assert np.all(d.log10_measured <= d.log10_upper)
        assert d.log10_upper[-1] - d.log10_lower[-1] < 1e-11
        assert d.usable(2 * t) == (3, 3)
        assert d.usable(2 * t - 1) == (2, 2)
    assert ln.condition_by_dimension(c).t == 25


def test_by_dimension_agrees_with_the_condition_number():
    cell = ln.VanillaRNN.random(8, rng=0)
    c = ln.condition_number(cell, 40, rng=0)
    d = ln.condition_by_dimension(c, t=20)
    assert d.log10_measured[-1] == pytest.approx(c.log10_measured[3], abs=1e-9)
    assert d.log10_estimate[-1] == pytest.approx(c.log10_predicted[3], abs=1e-12)
    for m in (1, 4, 8):
        assert d.log10_measured[m - 1] == pytest.approx(c.log10_condition_number(m)[3])


def test_by_dimension_of_a_singular_product():
    """A dead unit: the last is infinite and proved; the others were not measured."""
    D = np.random.default_rng(0).standard_normal((10, 3, 3))
    D[:, :, 2] = 0
    d = ln.condition_by_dimension(ln.condition_from_jacobians(D, rng=0))
    assert np.isposinf(d.log10_measured[-1])
    assert np.isposinf(d.log10_estimate[-1])
    assert np.isnan(d.log10_measured[:-1]).all()


def test_usable_directions_from_a_long_run():
    c = ln.condition_from_jacobians(repeat(np.diag([1.0, 0.1, 0.01]), 10), basis=np.eye(3))
    s = ln.spectrum_from_jacobians(repeat(np.diag([1.0, 0.1, 0.1]), 50), basis=np.eye(3))
    assert ln.condition_by_dimension(c, s).usable(15.0) == (2, 3)


# ---- between networks


def scaled(rates, n_steps=30, basis=None):
    basis = np.eye(2) if basis is None else basis
    return [
        ln.condition_from_jacobians(repeat(np.diag([r, 1.0]), n_steps), basis=basis) for r in rates
    ]


def test_networks_with_a_common_prefactor():
    """A prefactor that all share shifts the values, and leaves slope and correlation at 1."""
    n = ln.compare_networks(scaled([2.0, 3.0, 5.0, 7.0], basis=turned(1.0)))
    assert n.correlation == pytest.approx(1.0, abs=1e-12)
    assert n.slope == pytest.approx(1.0, abs=1e-9)
    assert n.slope_stderr < 1e-8
    assert n.log10_offset == pytest.approx(-2 * np.log10(np.cos(1.0)), abs=1e-9)
    assert n.log10_residual < 1e-8
    assert n.log10_spread == pytest.approx(np.std(30 * np.log10([2, 3, 5, 7]), ddof=1), rel=1e-9)


def test_networks_against_spectra_that_say_otherwise():
    """Statistics of three points, by hand: x = 1, 2, 3 and y = 1, 3, 2 decades per step."""
    found = scaled([10.0, 1000.0, 100.0], n_steps=10)
    spectra = [
        ln.spectrum_from_jacobians(repeat(np.diag([10.0**x, 1.0]), 50), basis=np.eye(2))
        for x in (1, 2, 3)
    ]
    n = ln.compare_networks(found, spectra)
    assert n.slope == pytest.approx(0.5, rel=1e-9)
    assert n.correlation == pytest.approx(0.5, rel=1e-9)
    assert n.slope_stderr == pytest.approx(np.sqrt(1.5 / 2), rel=1e-9)
    assert n.log10_offset == pytest.approx(0.0, abs=1e-9)
    assert n.log10_residual == pytest.approx(10.0, rel=1e-9)
    assert np.isnan(n.correlation_low)


def test_networks_that_are_infinite_are_left_out():
    found = scaled([2.0, 3.0, 5.0])
    dead = ln.condition_from_jacobians(repeat(np.diag([1.0, 0.0]), 30), basis=np.eye(2))
    n = ln.compare_networks([*found, dead])
    assert np.isnan(n.log10_measured[-1])
    assert n.slope == pytest.approx(1.0, abs=1e-9)
    with pytest.raises(ValueError, match="only 2 networks"):
        ln.compare_networks([*found[:2], dead])


# ---- before and after


def test_reduction_of_diagonal_products():
    before, after = scaled([10.0, 2.0], n_steps=40)
    r = ln.condition_reduction(before, after)
    np.testing.assert_allclose(r.log10_reduction, before.times * np.log10(5), rtol=1e-12)
    np.testing.assert_allclose(r.log10_reduction_estimate, r.log10_reduction, rtol=1e-12)
    assert r.slope == pytest.approx(np.log(5), rel=1e-12)
    assert r.slope_estimate == pytest.approx(np.log(5), rel=1e-12)


# ---- the door, plots, files


def results():
    c = ln.condition_from_jacobians(
        diagonal_walk(np.random.default_rng(0), 40), basis=np.eye(2), certify=True
    )
    s = ln.spectrum_from_jacobians(diagonal_walk(np.random.default_rng(1), 400), basis=np.eye(2))
    return {
        "time": ln.compare_condition(c, s),
        "dimension": ln.condition_by_dimension(c),
        "networks": ln.compare_networks(scaled([2.0, 3.0, 5.0])),
        "reduction": ln.condition_reduction(*scaled([5.0, 2.0])),
    }


@pytest.mark.parametrize("name", ["time", "dimension", "networks", "reduction"])
def test_plots_tables_and_files(name, tmp_path):
    import matplotlib.pyplot as plt

    result = results()[name]
    ax = result.plot()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert len(ax.get_legend().get_texts()) >= 2
    mine = plt.figure().subplots()
    assert result.plot(mine) is mine
    back = ln.load(result.save(tmp_path / "result.npz"))
    assert repr(back) == repr(result)
    assert len(repr(result)) < 1000
    assert len(result.to_dataframe()) == len(getattr(result, next(iter(result._dims))))
    assert result.to_xarray().sizes


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c, s: ln.compare_condition(s), TypeError, "`condition` must be a ConditionNumber"),
        (lambda c, s: ln.compare_condition(c, c), TypeError, "`spectrum` must be a Spectrum"),
        (lambda c, s: ln.compare_condition(c, level=1.0), ValueError, "`level`"),
        (lambda c, s: ln.compare_condition(c).valid_from(1.0), ValueError, "`factor`"),
        (lambda c, s: ln.prediction_band(c, [1]), TypeError, "`spectrum`"),
        (lambda c, s: ln.prediction_band(s, [1], m=3), ValueError, "`m` must be at most 2"),
        (lambda c, s: ln.prediction_band(s, [1], level=2), ValueError, "`level`"),
        (lambda c, s: ln.condition_by_dimension(c, t=7.5), ValueError, "measured times"),
        (lambda c, s: ln.compare_networks([c, c]), ValueError, "at least 3"),
        (lambda c, s: ln.compare_networks([c] * 3), ValueError, "all equal"),
        (lambda c, s: ln.compare_networks([c] * 3, [s]), ValueError, "`spectra`"),
        (lambda c, s: ln.compare_networks([c, c, s]), TypeError, r"conditions\[2\]"),
        (lambda c, s: ln.condition_reduction(c, s), TypeError, "`after`"),
        (lambda c, s: ln.condition_reduction(c, scaled([2.0], 10)[0]), ValueError, "same times"),
    ],
)
def test_bad_arguments(call, error, message):
    (c,) = scaled([2.0])
    s = ln.spectrum_from_jacobians(repeat(np.diag([2.0, 1.0]), 50), basis=np.eye(2))
    with pytest.raises(error, match=message):
        call(c, s)


def test_spectrum_must_fit():
    c = ln.condition_from_jacobians(repeat(np.diag([4.0, 2.0, 1.0]), 20), basis=np.eye(3))
    s = ln.spectrum_from_jacobians(repeat(np.diag([4.0, 2.0, 1.0]), 50), k=2, rng=0)
    with pytest.raises(ValueError, match="k=3 or more"):
        ln.compare_condition(c, s)
    ensemble = ln.lyapunov_spectrum(ln.catalog.henon(), 200, x0=np.zeros((2, 2)), rng=0)
    with pytest.raises(ValueError, match="pooled"):
        ln.compare_condition(scaled([2.0])[0], ensemble)


def of_time(rate, dt, dt_spectrum):
    """Return a condition number and a spectrum of diagonal Jacobians, each with its `dt`."""
    D = repeat(np.diag([rate, 1 / rate]), 100)
    c = ln.condition_from_jacobians(D, basis=np.eye(2), dt=dt)
    return c, ln.spectrum_from_jacobians(D, basis=np.eye(2), dt=dt_spectrum)


@pytest.mark.parametrize("dts", [(1.0, 0.02), (0.02, 1.0)])
def test_steps_and_times_are_not_held_against_each_other(dts):
    """An estimate of 50 times the condition number, or of a 50th, is none."""
    c, s = of_time(2.0, *dts)
    for call in (
        lambda: ln.compare_condition(c, s),
        lambda: ln.condition_by_dimension(c, s),
        lambda: ln.compare_networks([c] * 3, [s] * 3),
    ):
        with pytest.raises(ValueError, match="one seems to count steps"):
            call()


def test_steps_of_two_lengths_may_be_compared():
    """Half the step grows by the root: the exponents per unit time are those of the whole step."""
    c, _ = of_time(2.0, 0.02, 0.02)
    _, finer = of_time(2**0.5, 0.01, 0.01)
    expected = 100 * np.log10(4)
    assert ln.compare_condition(c, finer).log10_estimate[-1] == pytest.approx(expected)
    assert ln.condition_by_dimension(c, finer).log10_estimate[-1] == pytest.approx(expected)
