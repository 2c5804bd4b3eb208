"""Descriptions tell arguments and functions apart, and say the same of the same ones."""

import copy
import functools
import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.runs.fingerprint import alike, describe


def cell(**kwargs):
    return ln.VanillaRNN.random(6, **{"bias": 0.1, "rng": 0, **kwargs})


def scaled(by, array=None):
    def step(x):
        return by * x if array is None else array * x

    return step


def factorial(n):
    def inner(m):
        return 1 if m == 0 else m * inner(m - 1)

    return inner(n), inner


def same(a, b):
    """Say whether two descriptions are alike, one of them from a file."""
    return alike(json.loads(json.dumps(describe(a))), describe(b))


def test_descriptions_tell_arguments_apart():
    f = np.arange(3.0)
    different = [
        None, 1, 1.5, "a", f, f.astype(int), f[:2], {"a": 1}, [1, 2], np.random.default_rng(0),
        np.random.default_rng(1), np.tanh, test_descriptions_tell_arguments_apart,
        ln.tasks.TemporalXOR(4), ln.tasks.TemporalXOR(6), ln.tasks.DelayedCopy(4), cell(),
        cell(activation="relu"), cell(rng=1), cell(leak=0.5), ln.Adam(), ln.Adam(0.5),
        lambda x: x, lambda x: 2 * x, scaled(1), scaled(2), scaled(1, f), scaled(1, f[:2]),
        scaled(scaled(1)), scaled(scaled(2)), functools.partial(scaled, 1),
        functools.partial(scaled, 2), functools.partial(scaled, by=2),
        ln.Map(scaled(2), dim=1), ln.Map(scaled(3), dim=1), ln.VanillaRNN, ln.Map,
    ]  # fmt: skip
    for i, a in enumerate(different):
        assert [same(a, b) for b in different] == [i == j for j in range(len(different))]


def test_equal_arguments_have_equal_descriptions():
    assert describe(cell()) == describe(cell())
    assert same(scaled(2, np.ones(3)), scaled(2, np.ones(3)))
    assert same(ln.Map(scaled(2), dim=1), ln.Map(scaled(2), dim=1))
    assert same(functools.partial(scaled, by=2), functools.partial(scaled, by=2))
    used = ln.Adam()
    used.update({"x": np.ones(3)}, {"x": np.ones(3)})
    assert not same(used, ln.Adam())


def test_what_holds_itself_is_described():
    task = ln.tasks.TemporalXOR(4)
    task.again = [task, {"x": task}]
    assert same(task, task)
    assert not same(task, ln.tasks.TemporalXOR(4))
    assert same(factorial(3)[1], factorial(4)[1])


def test_objects_in_a_closure_count():
    counts = SimpleNamespace(calls=0)
    assert same(scaled(counts), scaled(SimpleNamespace(calls=0)))
    assert not same(scaled(counts), scaled(SimpleNamespace(calls=1)))
    assert not same(scaled({"a": [1.0]}), scaled({"a": [2.0]}))
    assert not same(scaled([np.ones(2)]), scaled([np.zeros(2)]))


def test_other_pythons_compile_differently():
    then = describe(scaled(2))
    compiled = {**then["compiled"], "code": "0"}
    other = {**then, "compiled": {**compiled, "python": "cpython-399 -O0"}}
    assert alike(other, then)
    assert not alike({**other, "function": "other"}, then)
    assert not alike({**then, "compiled": compiled}, then)
    assert not alike({**other, "closure": []}, then)


def test_a_description_is_the_same_in_each_process():
    script = (
        "from lyapnet.runs.fingerprint import describe\n"
        "def f(a, rng, at=('x', {'k': 1}), o=object()):\n"
        "    return a in {'x', 'y', 'z'}\n"
        "print(describe(f))"
    )
    seen = set()
    for seed in "123":
        run = [sys.executable, "-c", script]
        env = {**os.environ, "PYTHONHASHSEED": seed}
        seen.add(subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(seen) == 1


class Task:
    """What a user may write: its attributes are all that tells one from another."""

    n_inputs = n_outputs = 1
    loss = "mse"

    def __init__(self, **kwargs):
        vars(self).update(kwargs)

    def sample(self, n_steps, batch_size, rng):
        u = rng.standard_normal((n_steps, batch_size, 1))
        return u, u, np.ones((n_steps, batch_size))


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a):
        self.a = a


def test_what_once_was_one():
    """Pairs of which an earlier description told nothing."""
    x, y = [1], [1]
    pairs = [
        ({2}, {8}), (frozenset({2}), frozenset({8})), (b"a", b"b"), (Slotted(1), Slotted(2)),
        ([x, y, x], [x, y, y]), (1, 1.0), (1, True), (0.0, -0.0), ((1,), [1]), ({1: 2}, {"1": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (range(3), range(4)),
        (bytearray(b"a"), bytearray(b"b")), (np.float64(1), 1.0),
        (np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [1, 0])),
        (np.zeros(2, [("a", "f8")]), np.zeros(2, [("b", "f8")])), (slice(1), slice(2)),
        (np.array([1, None], dtype=object), np.array([2, None], dtype=object)), (1j, 2j),
        (Task(delays={2}), Task(delays={8})), (Task, Slotted), (np.sin, np.cos), (max, min),
        (Task(a=1).sample, Task(a=2).sample), ([].append, [1].append), (anp.sin, anp.cos),
    ]  # fmt: skip
    for a, b in pairs:
        assert not same(a, b), (a, b)
        assert same(a, copy.deepcopy(a)), a


def test_not_a_number_is_itself():
    assert same(float("nan"), float("nan"))
    assert same([np.nan, {"a": -0.0}], [np.nan, {"a": -0.0}])


def test_sets_are_described_without_their_order():
    words = [f"w{i}" for i in range(50)]
    assert same(set(words), set(reversed(words)))
    assert same({(1, "a"), (2, "b")}, {(2, "b"), (1, "a")})


def compiled(source, **space):
    space["__name__"] = "__main__"
    exec(source, space)
    return space["f"]


SOURCES = {
    "a helper": "def g(x):\n    return x + {n}\ndef f(x):\n    return g(x)",
    "a helper of a helper": "def h(x):\n    return {n}\ndef g(x):\n    return h(x)\n"
    "def f(x):\n    return g(x)",
    "a global": "A = {n}\ndef f(x):\n    return [A for _ in x]",
    "a global array": "import numpy\nA = numpy.full(3, {n})\ndef f(x):\n    return A",
    "a method": "class C:\n    def m(self):\n        return {n}\ndef f(x):\n    return C().m()",
    "a class attribute": "class C:\n    a = {n}\ndef f(x):\n    return C.a",
    "a property": "class C:\n    @property\n    def a(self):\n        return {n}\n"
    "def f(x):\n    return C().a",
    "a base": "class B:\n    a = {n}\nclass C(B):\n    pass\ndef f(x):\n    return C.a",
    "a default array": "import numpy\ndef f(x, a=numpy.full(3, {n})):\n    return a",
    "a default number of numpy": "import numpy\ndef f(x, a=numpy.int64({n})):\n    return a",
    "an inner function": "def f(x):\n    def g():\n        return {n}\n    return g()",
    "a wrapper": "import functools\ndef w(g):\n    n = {n}\n    @functools.wraps(g)\n"
    "    def inner(x):\n        return n * g(x)\n    return inner\n@w\ndef f(x):\n    return x",
    "a cached function": "import functools\n@functools.cache\ndef g(x):\n    return {n}\n"
    "def f(x):\n    return g(x)",
    "an exception": "def f(x):\n    try:\n        return 1 / x\n    except {e}:\n        return 0",
    "an attribute": "def f(x):\n    return f.a\nf.a = {n}",
    "keywords": "def f(x, {star} y=1):\n    return x",
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_whatever_a_function_uses_counts(name):
    one, two = (
        SOURCES[name].format(n=n, e=e, star=star)
        for n, e, star in ((1, "ZeroDivisionError", ""), (2, "ValueError", "*,"))
    )
    assert same(compiled(one), compiled(one))
    assert not same(compiled(one), compiled(two))


def test_libraries_count_by_name():
    f = compiled("import numpy, json\ndef f(x):\n    return json.dumps(numpy.linalg.norm(x))")
    text = json.dumps(describe(f))
    assert '"module": "numpy"' in text
    assert len(text) < 1000


def test_what_cannot_be_told_from_another_is_refused_with_its_place(tmp_path):
    lock = threading.Lock()
    with open(tmp_path / "x", "w") as file:
        cases = {
            r"`task\.lock`": Task(lock=lock),
            r"`task\.files\[1\]`": Task(files=[1, file]),
            r"`task\.next`": Task(next=(i for i in "ab")),
            r"`task, f's global lock`": compiled("def f(x):\n    return lock", lock=lock),
            r"`task, .*'s lock`": (lambda lock: lambda x: lock)(lock),
        }
        for place, x in cases.items():
            with pytest.raises(TypeError, match=f"{place} holds a .*, which cannot be told from"):
                describe(x, "task")


def test_deep_things_are_refused():
    x = []
    for _ in range(10_000):
        x = [x]
    with pytest.raises(TypeError, match="too deeply"):
        describe(x, "task")


SYSTEMS = {
    "vanilla": lambda: cell(),
    "stack": lambda: ln.Stack([cell(), ln.GRU.random(2, n_inputs=6, rng=0)]),
    "map of the catalog": ln.catalog.henon,
    "flow of the catalog": ln.catalog.lorenz63,
    "flow": lambda: ln.Flow(lambda x, p: -p["a"] * x, 2, dt=0.1, params={"a": np.ones(2)}),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_that_has_been_used_is_the_same(name):
    system = SYSTEMS[name]()
    before, x0 = json.loads(json.dumps(describe(system))), np.full(system.dim, 0.1)
    ln.lyapunov_spectrum(system, 20, x0=x0, rng=0)
    ln.condition_number(system, 5, x0=x0, rng=0)
    if system.params:
        ln.floss(system, 1, k=1, n_steps=4, x0=x0, rng=0)
    assert alike(before, describe(system))


def test_what_lyapnet_makes_of_a_maps_functions_does_not_count_and_these_do():
    henon = describe(ln.catalog.henon())
    older = {**henon["attributes"], "_function": {"function": "Map.call"}, "_derivative": None}
    assert alike({**henon, "attributes": older}, henon)
    maps = [ln.Map(step, 1, params=1.0) for step in (lambda x, p: p * x, lambda x, p: p + x)]
    assert not alike(*map(describe, maps))
    given = [ln.Map(lambda x: 0.5 * x, 1, jacobian=D) for D in (None, lambda x: [[0.5]])]
    assert not alike(*map(describe, given))
