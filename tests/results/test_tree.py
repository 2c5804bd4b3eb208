"""What a file holds comes back as it was, types and all, or is refused when it is written."""

import collections
import datetime
import decimal
import enum
import math
import pathlib
import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lyapnet as ln
from lyapnet.results import storage

DTYPES = st.one_of(
    hnp.scalar_dtypes(), hnp.unicode_string_dtypes(max_len=4), hnp.byte_string_dtypes(max_len=4)
).filter(lambda dtype: dtype.kind not in "OV")
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), ARRAYS,
    DTYPES.flatmap(lambda dtype: hnp.from_dtype(dtype)),
)  # fmt: skip
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.sampled_from(["$", "at"]))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


def identical(a, b):
    """Say whether two trees are the same to the last bit, order of keys included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return identical([*a.items()], [*b.items()])
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    return repr(a) == repr(b)


@settings(max_examples=150)
@given(TREES)
def test_whatever_is_written_is_read(tmp_path_factory, tree):
    path = tmp_path_factory.getbasetemp() / "tree.npz"
    assert identical(ln.load(storage.write(path, tree)), tree)


X = np.linspace(0, 1, 3)

TRAPS = {
    "an array's mark of the first format": {"__array__": "x"},
    "a class' mark of the first format": {"__class__": "lyapnet.exponents:Spectrum", "state": {}},
    "our own mark": {"$": "array", "name": "x"},
    "keys that are one in JSON": {1: "a", "1": "b", False: "c", None: "d", "None": "e"},
    "keys of several parts": {(1, "a"): 2, (1.0, "b"): 3},
    "keys of a path": {"a/b": np.ones(1), "a": {"b": np.zeros(1)}, "..": np.ones(2), "": [X]},
    "numbers of NumPy": [np.float32(0.1), np.int8(3), np.bool_(True), np.str_("x"), X[0]],
    "times": [np.datetime64("2020-01-01T00", "h"), np.array(["NaT", "2020"], "M8[Y]")],
    "what JSON has no number for": [math.nan, math.inf, -math.inf, -0.0, 2**200, 1j],
    "orders in memory": [np.ones((2, 3)).T, np.asfortranarray(np.eye(3)), np.arange(9)[::2]],
    "text that UTF-8 has not": ["\ud800", "\0", "é"],
    "tuples": [(), ((),), (1, [2, (3,)])],
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_what_once_came_back_as_something_else(tmp_path, name):
    path = storage.write(tmp_path / "x.npz", TRAPS[name])
    assert identical(ln.load(path), TRAPS[name])


class Point(typing.NamedTuple):
    x: int


class Colour(enum.IntEnum):
    RED = 1


def holding_itself():
    x = []
    x.append(x)
    return x


REFUSED = {
    "named tuple": (Point(1), "a named tuple: give its _asdict"),
    "numpy's named tuple": (np.linalg.eigh(np.eye(2)), "a named tuple: give its _asdict"),
    "masked array": (np.ma.masked_array([1.0], [True]), "its mask would be lost"),
    "records": (np.zeros(2, [("a", float)]), "structured"),
    "objects": (np.array([None]), "an array of objects"),
    "matrix": (np.eye(2).view(np.matrix), "np.asarray"),
    "catalog system": (ln.catalog.henon(), "no file can hold its functions"),
    "user's cell": (type("Mine", (ln.VanillaRNN,), {})(np.eye(2)), "no class of lyapnet"),
    "set": ({1, 2}, "sorted list"),
    "ordered dictionary": (collections.OrderedDict(a=1), "dict"),
    "enumeration": (Colour.RED, "Colour"),
    "bytes": (b"x", "bytes"),
    "date": (datetime.date(2020, 1, 1), "date"),
    "decimal": (decimal.Decimal(1), "Decimal"),
    "path": (pathlib.PurePosixPath("x"), "PurePosixPath"),
    "function": (print, "builtin_function"),
    "class": (int, "type"),
    "frozen key": ({frozenset(): 1}, "the key frozenset"),
    "itself": (holding_itself(), "holds itself"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("where", ["alone", "inside"])
def test_what_would_come_back_as_something_else_is_refused(tmp_path, name, where):
    thing, message = REFUSED[name]
    path = tmp_path / "x.npz"
    with pytest.raises(TypeError, match=message):
        storage.write(path, thing if where == "alone" else {"a": [1, (thing,)]})
    assert not path.exists()


def test_a_result_of_a_map_is_saved_without_it_and_the_map_alone_is_not(tmp_path):
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 50, rng=0)
    again = ln.load(storage.write(tmp_path / "x.npz", {"deep": [s]}))["deep"][0]
    assert again.system is None
    assert identical(again.exponents, s.exponents)
    settings = {name: x for name, x in again.settings.items() if name != "parameters"}
    assert identical(settings, s.settings)  # but for what tells its parameters, for `extend`
    assert len(again.settings["parameters"]) == 64
