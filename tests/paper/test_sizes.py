"""One setting for networks of all sizes: figure "sizes".

Truth: *exact* where runs are made up, so that what has to be found is known.
"""

import numpy as np
import pytest

from lyapnet.paper import Records
from lyapnet.paper.scripts import fig_sizes


def made_up(accuracy, flossing_epochs=700, scale="full"):
    """Return runs of all points; `accuracy` is a function of the size and the arm."""
    return Records(
        {**p, "accuracy": x, "flossing_epochs": flossing_epochs,
         "curve": np.linspace(0.5, x, 40)[p["network"] :]}
        for p in fig_sizes.points(scale)
        for x in [accuracy(p["n"], (p["optimizer"], p["condition"]))]
    )  # fmt: skip


def as_claimed(n, arm):
    return 0.96 if n == 16 or arm == fig_sizes.OURS else 0.5


def test_runs_that_follow_the_claims_agree():
    found = fig_sizes.findings(made_up(as_claimed))
    assert len(found) == len(fig_sizes.SIZES[fig_sizes.OURS]) + 3
    assert all(f.agrees for f in found), [str(f) for f in found if not f.agrees]


def test_runs_that_do_not_are_found_to_differ():
    reverse = made_up(lambda *name: 1.46 - as_claimed(*name), flossing_epochs=1000)
    assert all(f.agrees is False for f in fig_sizes.findings(reverse))
    undecided = made_up(as_claimed).where(network=0)
    assert all(f.agrees is None for f in fig_sizes.findings(undecided)[:-1])


@pytest.mark.parametrize("done", [1, 7])
def test_findings_and_pictures_cope_with_what_is_not_there_yet(done):
    import matplotlib.pyplot as plt

    some = Records(made_up(as_claimed)[:done])
    fig_sizes.findings(some)
    plt.close(fig_sizes.plot(some))


@pytest.mark.parametrize(("n", "optimizer", "top"), [(16, "soap", 0.01), (160, "soap", 0.005),
                                                     (100, "adam", 0.002)])  # fmt: skip
def test_rates_warm_up_and_go_through_one_cycle(n, optimizer, top):
    at = fig_sizes.rates(n, optimizer, fig_sizes.EPOCHS)
    rates = np.array([at(e) for e in range(fig_sizes.EPOCHS + 1)])
    assert rates[0] == 0
    assert rates[fig_sizes.WARM] == pytest.approx(top * 0.28, rel=0.01)
    assert rates.argmax() == fig_sizes.EPOCHS // 2
    assert rates.max() == pytest.approx(top)
    assert rates[-1] < 1e-12 * top
    assert fig_sizes.rates(n, optimizer, 160)(10) == pytest.approx(at(1000))


def test_a_small_network_learns_and_ends_its_run():
    found = fig_sizes.run(12, 0, *fig_sizes.OURS, epochs=800, rng=np.random.default_rng(0))
    assert found["accuracy"] > 0.9
    assert found["flossing_epochs"] <= 40
    assert 200 <= found["trained"] < 800
    assert len(found["curve"]) == len(found["log_transmission"]) == found["trained"] // 50
