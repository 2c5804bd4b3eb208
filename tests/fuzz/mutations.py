"""Change something that a function can reach: it is described otherwise, or refused.

python tests/fuzz/mutations.py 1000
"""

import copy
import functools
import json
import sys
import time
from collections import Counter

import numpy as np

import lyapnet as ln
from lyapnet.runs.fingerprint import alike, describe


class Plain:
    def __init__(self, x):
        self.x = x

    def __call__(self, rng):
        return self.x

    def method(self, rng):
        return self.x


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x, self.y = x, 1


class Grown(dict):
    pass


def leaf(rng):
    """Return a value without parts."""
    n = int(rng.integers(1, 4))
    kinds = [
        lambda: int(rng.integers(-5, 5)), lambda: float(rng.standard_normal()), lambda: "ab"[:n],
        lambda: bool(n % 2), lambda: None, lambda: 1j * n, lambda: bytes(n), lambda: b"x" * n,
        lambda: rng.standard_normal(n), lambda: rng.integers(9, size=(n, 2)), lambda: np.int64(n),
        lambda: np.float32(n), lambda: np.array(n), lambda: {n, n + 1}, lambda: frozenset({n}),
        lambda: frozenset({"a", "b" * n}), lambda: range(n), lambda: bytearray(n), lambda: -0.0,
        lambda: np.ma.masked_array([1.0, 2.0], [0, n % 2]), lambda: float("nan"),
        lambda: np.random.default_rng(n), lambda: ln.Adam(0.1 * n), lambda: slice(n),
        lambda: ln.VanillaRNN.random(2, rng=n), lambda: ln.tasks.DelayedCopy(n),
        lambda: np.array([None, n], dtype=object), lambda: np.datetime64(f"200{n}"),
    ]  # fmt: skip
    return kinds[int(rng.integers(len(kinds)))]()


def tree(rng, depth):
    """Return values within values."""
    if depth == 0 or rng.random() < 0.2:
        return leaf(rng)
    items = [tree(rng, depth - 1) for _ in range(int(rng.integers(1, 4)))]
    kinds = [
        lambda: items, lambda: tuple(items), lambda: dict(enumerate(items)),
        lambda: {f"k{i}": x for i, x in enumerate(items)}, lambda: Plain(items),
        lambda: Slotted(items), lambda: Grown(a=items), lambda: functools.partial(max, items),
        lambda: (lambda: items), lambda: Plain(items).method, lambda: [items[0], items[0]],
    ]  # fmt: skip
    return kinds[int(rng.integers(len(kinds)))]()


def places(x, put, found):
    """List all places in a tree, each with a way to put something else there."""
    found.append((x, put))
    kind = type(x)
    if kind is list or isinstance(x, dict):
        for key in range(len(x)) if kind is list else list(x):
            places(x[key], functools.partial(x.__setitem__, key), found)
    elif kind is tuple:
        for i, item in enumerate(x):

            def again(new, i=i):
                put((*x[:i], new, *x[i + 1 :]))

            places(item, again, found)
    elif kind in (Plain, Slotted):
        places(x.x, functools.partial(setattr, x, "x"), found)
    elif kind is functools.partial:
        places(x.args[0], lambda new: put(functools.partial(max, new)), found)
    elif kind is type(places) and x.__closure__:
        cell = x.__closure__[0]
        places(cell.cell_contents, functools.partial(setattr, cell, "cell_contents"), found)
    elif kind is type(Plain(0).method):
        places(x.__self__.x, functools.partial(setattr, x.__self__, "x"), found)
    return found


def other(x, rng):
    """Return something else than a value, if only by a bit, a type or which of two it is."""
    kind = type(x)
    choices = [lambda: [x], lambda: "else"]
    if kind in (int, bool):
        choices += [lambda: x + 1, lambda: float(x)]
    if kind is float:
        choices += [lambda: np.nextafter(x, 9), lambda: -x if x == 0 else np.float64(x)]
    if isinstance(x, np.ndarray) and kind is np.ndarray and x.dtype.kind in "fi":
        choices += [lambda: x.astype(np.float32 if x.dtype != np.float32 else float),
                    lambda: x[None], lambda: x + 1, lambda: np.ma.masked_array(x)]  # fmt: skip
    if kind in (set, frozenset):
        choices += [lambda: x | {99}, lambda: (frozenset if kind is set else set)(x)]
    if kind is bytes:
        choices += [lambda: x + b"!", lambda: bytearray(x)]
    if kind is list:
        choices += [lambda: tuple(x), lambda: [*x, None]]
    if kind is dict and len(x) > 1:
        choices += [lambda: dict(reversed(x.items()))]
    return choices[int(rng.integers(len(choices)))]()


HELD = None


def holders(x):
    """Return functions that reach a value in all the ways there are."""

    def by_closure(rng):
        return x

    def by_default(rng, x=x):
        return x

    def by_keyword(rng, *, x=x):
        return x

    def by_attribute(rng):
        return by_attribute.x

    by_attribute.x = x
    space = {"x": x, "__name__": "__main__"}
    exec("def by_global(rng):\n    return [x for _ in 'a']", space)
    return {
        "closure": by_closure, "default": by_default, "keyword": by_keyword,
        "attribute": by_attribute, "global": space["by_global"], "self": Plain(x).method,
        "callable": Plain(x), "partial": functools.partial(by_closure, x=x),
        "inner": lambda rng: by_closure(rng),
    }  # fmt: skip


def fuzz(count, seed=0):
    """Return in how many ways of holding something else it was noticed."""
    rng, seen = np.random.default_rng(seed), Counter()
    while seen["mutations"] < count:
        box = [tree(rng, 3)]
        before = copy.deepcopy(box[0]) if rng.random() < 0.5 else box[0]
        was = {how: described(f) for how, f in holders(before).items()}
        now = {how: described(f) for how, f in holders(box[0]).items()}
        if before is box[0]:
            assert all(alike(was[how], now[how]) for how in was)
        found = places(box[0], functools.partial(box.__setitem__, 0), [])
        x, put = found[int(rng.integers(len(found)))]
        new = other(x, rng)
        put(new)
        for how, f in holders(box[0]).items():
            try:
                assert not alike(was[how], describe(f)), (how, x, new)
                seen[how] += 1
            except TypeError:
                seen["refused"] += 1
        seen["mutations"] += 1
    return seen


def described(x):
    """Return a description as a file holds it."""
    return json.loads(json.dumps(describe(x)))


if __name__ == "__main__":
    begin = time.process_time()
    print(dict(fuzz(int(sys.argv[1]))), f"{time.process_time() - begin:.0f} s")
