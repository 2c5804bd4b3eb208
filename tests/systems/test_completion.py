"""What comes up when a user asks for the members of a system."""

import pytest

import lyapnet as ln

PROTOCOL = {"dim", "n_inputs", "dt", "time", "step", "jacobian", "pushforward", "orbit"}
PARAMS = {"params", "with_params"}
WRITTEN = {"vectorized", "name", "reference"}  # functions, of the catalog
NETWORK = {"n_outputs", "output", "save"}


@pytest.mark.parametrize(
    ("system", "more"),
    [
        (ln.catalog.henon(), WRITTEN),
        (ln.catalog.lorenz63(), WRITTEN | {"method", "rtol", "atol", "interpolation"}),
        (ln.VanillaRNN.random(3, rng=0), NETWORK | {"activation", "leak", "random"}),
        (ln.Stack([ln.GRU.random(3, rng=0)]), NETWORK | {"cells"}),
        (ln.stroboscopic(ln.catalog.duffing(), 1.0), {"flow", "steps"}),
    ],
    ids=lambda x: type(x).__name__,
)
def test_systems_show_what_users_use(system, more):
    found = {name for name in dir(system) if not name.startswith("_")}
    assert found == PROTOCOL | PARAMS | more
    assert all(hasattr(system, name) for name in found)


def test_what_a_user_adds_is_shown():
    class Own(ln.System):
        dim, rate = 1, 0.5

    assert {"rate", "step"} <= set(dir(Own()))
