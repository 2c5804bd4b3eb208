import matplotlib
import numpy as np
import pytest
from series import ar1

from lyapnet.diagnosis import diagnose

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
    growth = ar1(np.random.default_rng(1), 0.5, 500, 6000).reshape(500, 300, 20)
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
    assert len(ax.lines) == 2 * max(1, len(members) * 3)
    assert diagnose(growth, np.ones(2000)).plot(ax) is ax
    matplotlib.pyplot.close("all")


def test_repr_is_short():
    assert repr(diagnose(run(), np.ones(2000))).startswith("Diagnosis(verdict=converged:")
