"""Descriptions tell arguments and functions apart, and say the same of the same ones."""

import functools
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np

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


def test_objects_in_a_closure_may_change():
    counts = SimpleNamespace(calls=0)
    before = describe(scaled(counts))
    counts.calls = 1
    assert describe(scaled(counts)) == before
    assert not same(scaled({"a": [1.0]}), scaled({"a": [2.0]}))


def test_other_pythons_compile_differently():
    then = describe(scaled(2))
    other = {**then, "python": "cpython-399 -O0", "code": "0"}
    assert alike(other, then)
    assert not alike({**other, "function": "other"}, then)
    assert not alike({**then, "code": "0"}, then)
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
