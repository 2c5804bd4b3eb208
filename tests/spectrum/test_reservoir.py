"""The criterion on how fast a reservoir forgets."""

import numpy as np
import pytest

import lyapnet as ln


@pytest.fixture(scope="module")
def henon():
    system = ln.catalog.henon()
    return ln.lyapunov_spectrum(system, 2000, rng=0), system.orbit(
        np.array([0.1, 0.1]), None, 3000
    ).states[:, :1]


def conditional(rate, u):
    """Return the spectrum of a linear reservoir that forgets at this rate."""
    esn = ln.EchoStateNetwork(np.diag([rate, rate / 2]), np.ones((2, 1)), activation="linear")
    return ln.lyapunov_spectrum(esn, inputs=u, rng=0)


@pytest.mark.parametrize(("rate", "verdict"), [(0.1, "holds"), (0.9, "fails")])
def test_verdicts(henon, rate, verdict, tmp_path):
    target, u = henon
    found = ln.reservoir_criterion(conditional(rate, u), target)
    assert found.verdict == verdict
    # Henon's exponents sum to log 0.3: the smaller is about -1.62
    np.testing.assert_allclose(found.difference, np.log(rate) + 1.62, atol=0.03)
    assert found.low < found.difference < found.high
    assert ln.load(found.save(tmp_path / "found.npz")).verdict == verdict
    assert ("closed upon itself" in found.explanation) == (verdict == "fails")
    assert found.to_dataframe()["difference"].tolist() == [found.difference]
    ax = found.plot()
    assert [line.get_xdata()[-1] for line in ax.lines[:2]] == [found.smallest, found.difference]


def test_undecided_near_the_border(henon):
    target, u = henon
    found = ln.reservoir_criterion(conditional(np.exp(target.exponents[1]), u), target)
    assert found.verdict == "undecided"


@pytest.mark.parametrize("every", [1, 2])
def test_both_are_of_one_unit_of_time(every):
    # A linear reservoir that forgets by a factor in each step, under a flow with exponents of -1
    # and -2: -2.5 or -1.5 in the flow's time, and always less than -2 in steps or more.
    dt = 0.05
    flow = ln.Flow(lambda x: np.array([-1.0, -2.0]) * x, 2, dt=dt)
    target = ln.lyapunov_spectrum(flow, 2000, x0=[1.0, 1.0], rng=0)
    u = flow.orbit(np.ones(2), None, 900).states[::every, :1]
    for rate, verdict in ((-2.5, "holds"), (-1.5, "fails")):
        W = np.exp(rate * every * dt) * np.diag([1, 0.5])
        esn = ln.EchoStateNetwork(W, np.ones((2, 1)), activation="linear")
        timed = ln.EchoStateNetwork(W, np.ones((2, 1)), activation="linear", dt=every * dt)
        with pytest.raises(ValueError, match="say by `every`"):
            ln.reservoir_criterion(ln.lyapunov_spectrum(esn, inputs=u, rng=0), target)
        for system in (esn, timed):
            s = ln.lyapunov_spectrum(system, inputs=u, rng=0)
            found = ln.reservoir_criterion(s, target, every=every)
            assert found.verdict == verdict
            assert found.conditional == pytest.approx(rate, rel=1e-9)
        assert ln.reservoir_criterion(s, target).verdict == verdict
    odd = ln.EchoStateNetwork(W, np.ones((2, 1)), activation="linear", dt=0.07)
    with pytest.raises(ValueError, match=r"dt=0.07, the target's dt=0.05"):
        ln.reservoir_criterion(ln.lyapunov_spectrum(odd, inputs=u, rng=0), target)


def test_what_is_refused(henon):
    target, u = henon
    esn = ln.EchoStateNetwork(np.eye(2) / 2, np.ones((2, 1)))
    free = ln.lyapunov_spectrum(esn, 200, rng=0)
    first = ln.lyapunov_spectrum(ln.catalog.henon(), 200, k=1, rng=0)
    many = ln.lyapunov_spectrum(esn, inputs=u, x0=np.zeros((3, 2)), rng=0)
    good = conditional(0.1, u)
    for args, error, named in [
        ((1.0, target), TypeError, "`conditional`"),
        ((free, target), ValueError, "`conditional` must be of a run with `inputs`"),
        ((good, first), ValueError, "`target` must have all 2 exponents"),
        ((many, target), ValueError, "take .pooled"),
    ]:
        with pytest.raises(error, match=named):
            ln.reservoir_criterion(*args)
    with pytest.raises(ValueError, match="`level`"):
        ln.reservoir_criterion(good, target, level=1.5)
