"""Maps and flows of functions that stand in a module, in other processes: by Python's pickle."""

import copy
import importlib.util
import inspect
import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lyapnet as ln
from lyapnet.runs.fingerprint import describe


def henon(x):
    return anp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def slope(x):
    return np.array([[-2.8 * x[0], 1.0], [0.3, 0.0]])


def decay(x, p):
    return -p * x


def forced(x, t):
    return anp.array([x[1], -x[0] - 0.1 * x[1] + anp.cos(t)])


def noise(x, p):
    return 0.3 * x


def late(x, x_delayed):
    return -x + 0.5 * x_delayed


ONE, TWO = np.array([0.3]), np.array([0.1, 0.2])
SYSTEMS = {
    "map": (ln.Map(henon, 2), TWO),
    "with jacobian": (ln.Map(henon, 2, jacobian=slope), TWO),
    "flow": (ln.Flow(decay, 1, dt=0.1, params=0.4), ONE),
    "adaptive": (ln.Flow(decay, 1, dt=0.1, params=0.4, method="adaptive"), ONE),
    "noisy": (ln.NoisyFlow(decay, noise, 1, dt=0.1, params=0.4), ONE),
    "delayed": (ln.DelayFlow(late, 1, delays=1.0, dt=0.1), np.ones(12)),
    "stroboscopic": (
        ln.stroboscopic(ln.Flow(forced, 2, dt=np.pi / 4, time=True), 2 * np.pi), TWO
    ),
    "catalog": (ln.catalog.henon(a=1.3).with_params({"a": 1.4, "b": 0.2}), TWO),
    "catalog's noisy": (ln.catalog.noisy_double_well(), ONE),
    "catalog's delayed": (ln.catalog.mackey_glass(), ln.catalog.mackey_glass().default_state(None)),
    "catalog's forced": (ln.stroboscopic(ln.catalog.ueda(), 2 * np.pi), TWO),
}  # fmt: skip
if importlib.util.find_spec("numba"):
    SYSTEMS["compiled"] = ln.compiled(ln.Map(henon, 2)), TWO


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
@pytest.mark.parametrize("name", SYSTEMS)
def test_copies_run_as_the_system_itself(name, again):
    system, x0 = SYSTEMS[name]
    before = again(system)
    kwargs = dict(x0=x0, k=1, transient=0, basis_transient=0, rng=0)
    s = ln.lyapunov_spectrum(system, 20, **kwargs)
    for there in (before, again(system)):  # of a system that has run, too
        found = ln.lyapunov_spectrum(there, 20, **kwargs)
        assert_array_equal(found.exponents, s.exponents)
    assert_array_equal(again(s).extend(5).exponents, s.extend(5).exponents)


def test_copies_of_functions_without_a_name_are_refused_by_pickle_alone():
    system = ln.Map(lambda x: 0.5 * x, 1)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(system)
    assert copy.deepcopy(system).step(ONE) == 0.15


FACTORIES = [
    (name, inspect.signature(getattr(ln.catalog, name)).parameters.values())
    for name in ln.catalog.__all__ if inspect.isfunction(getattr(ln.catalog, name))
]  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name, given in FACTORIES if all(p.default is not p.empty for p in given)]
)
def test_systems_of_the_catalog_are_made_again(name):
    system = getattr(ln.catalog, name)()
    there = pickle.loads(pickle.dumps(system))
    assert repr(there) == repr(system)
    assert there.reference == system.reference
    assert describe(there) == describe(system)


def test_results_go_without_a_system_that_pickle_does_not_find():
    s = ln.lyapunov_spectrum(ln.Map(lambda x: 3.9 * x * (1 - x), 1), 200, x0=[0.3], rng=0)
    there = pickle.loads(pickle.dumps(s))
    assert_array_equal(there.exponents, s.exponents)
    assert there.system is None
    assert there.diagnose().verdict == s.diagnose().verdict
    assert there.extend(5, system=s.system).exponents == s.extend(5).exponents
    for found in (copy.copy(s), copy.deepcopy(s)):
        assert found.extend(5).exponents == s.extend(5).exponents
