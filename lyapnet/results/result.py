"""The ground that all results stand on."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..numerics.arrays import PathLike
from . import storage
from .html import table

if TYPE_CHECKING:
    import pandas
    import xarray


#: What stands for a network or system of functions that can be kept nowhere.
_INSTEAD: dict[str, Callable[[Any], Any]] = {"cell": lambda x: x.params, "system": lambda x: None}


class Result:
    """Base of the frozen dataclasses that lyapnet returns.

    They have a short ``repr``, here and in Jupyter, and can be saved and turned into
    tables. A subclass names the axes of its arrays in `_dims`, in order; an ensemble's axes
    stand where ``"..."`` does, in front if it is left out. `_units` says what is measured
    in what, `_summary` what a reader wants to see first.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {}
    _units: ClassVar[dict[str, str]] = {}

    def _summary(self) -> dict[str, Any]:
        """Return what the ``repr`` shows, name by name."""
        return {name: getattr(self, name) for name, shown in self._fields().items() if shown}

    def _fields(self) -> dict[str, bool]:
        """Return the names of the fields, each with whether the ``repr`` shows it."""
        return {f.name: f.repr for f in fields(self)}  # type: ignore[arg-type]  # dataclasses, all

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_short(value)}" for name, value in self._summary().items())
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        rows = [(name, _short(value)) for name, value in self._summary().items()]
        return table(type(self).__name__, rows)

    def _to_state(self) -> dict[str, Any]:
        """Return all fields; of a `cell` that no file can hold its parameters, no such `system`."""
        state = {name: getattr(self, name) for name in self._fields()}
        return _with_what_can_be_kept(state, lambda x: x._to_state() is not None)

    def __getstate__(self) -> dict[str, Any]:
        """Return what Python's pickle takes: what it cannot find again is left out, as in files."""
        return _with_what_can_be_kept(dict(self.__dict__), _is_found_again)

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return other

    def save(self, path: PathLike) -> Path:
        """Save to a file that `lyapnet.load` reads: arrays and JSON in one npz, no pickle.

        Of a `cell` that is a map or flow, whose functions no file can hold, the parameters are
        saved: `load` gives them as `cell`, and ``map.with_params`` takes them.

        Parameters
        ----------
        path : path
            By convention with the ending ``.npz``.
        """
        return storage.save(self, path)

    def to_xarray(self) -> xarray.Dataset:
        """Return an `xarray.Dataset` of all arrays, with named dimensions and units.

        Raises
        ------
        ImportError
            Without xarray: ``pip install "lyapnet[io]"``.
        """
        xarray = import_optional("xarray")
        arrays = {}
        for name, dims in self._dims.items():
            x = getattr(self, name)
            if x is None:
                continue
            units = {"units": self._units[name]} if name in self._units else {}
            arrays[name] = (_axes(dims, np.ndim(x)), np.asarray(x), units)
        data = xarray.Dataset(arrays)
        if "times" in data and data["times"].dims == ("time",):
            data = data.assign_coords(time=data["times"].values).drop_vars("times")
        counted = {name: range(1, data.sizes[name] + 1) for name in _FROM_ONE & set(data.sizes)}
        return data.assign_coords({name: list(numbers) for name, numbers in counted.items()})

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a `pandas.DataFrame` of what belongs to the result's first array.

        Raises
        ------
        ImportError
            Without pandas: ``pip install "lyapnet[io]"``.
        """
        pandas = import_optional("pandas")
        first = next(iter(self._dims))
        shape = np.shape(getattr(self, first))
        names = _axes(self._dims[first], len(shape))
        size = dict(zip(names, shape, strict=True))
        columns = {}
        for name, dims in self._dims.items():
            x = getattr(self, name)
            own = () if x is None else _axes(dims, np.ndim(x))
            if x is None or [d for d in names if d in own] != list(own):
                continue
            if np.shape(x) == tuple(size[d] for d in own):
                x = np.reshape(x, [size[d] if d in own else 1 for d in names])
                columns[name] = np.ravel(np.broadcast_to(x, shape))
        if not shape:
            return pandas.DataFrame(columns)
        begin = [int(name in _FROM_ONE) for name in names]
        levels = [range(a, a + size) for a, size in zip(begin, shape, strict=True)]
        index = pandas.MultiIndex.from_product(levels, names=names)
        if len(shape) == 1:
            index = index.get_level_values(0)
        return pandas.DataFrame(columns, index=index)


def _with_what_can_be_kept(state: dict[str, Any], can: Callable[[Any], bool]) -> dict[str, Any]:
    """Put parameters for a `cell` of which this does not hold, and nothing for such a `system`."""
    for name, instead in _INSTEAD.items():
        x = state.get(name)
        if x is not None and not can(x):
            state[name] = instead(x)
    return state


def _is_found_again(x: Any) -> bool:
    """Say whether Python's pickle finds the functions that a system is made of."""
    try:
        pickle.dumps(x)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _axes(dims: tuple[str, ...], ndim: int) -> tuple[str, ...]:
    """Name the axes of an array; those of an ensemble stand where `dims` has ``"..."``."""
    at = dims.index("...") if "..." in dims else 0
    named = tuple(d for d in dims if d != "...")
    members = ndim - len(named)
    lead = tuple(f"member_{i}" if members > 1 else "member" for i in range(members))
    return (*named[:at], *lead, *named[at:])


#: Axes that are counted from one in tables, as in the plots and in the literature.
_FROM_ONE = {"exponent", "growth"}


def import_optional(name: str) -> Any:
    """Import a package of the extra `io`."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError(f'{name} is not installed: pip install "lyapnet[io]"') from None


def _short(value: Any) -> str:
    """Write a value on one short line."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return f"{value:.6g}"
        if value.ndim == 1 and value.dtype.kind == "f":
            text = ", ".join(f"{v:.5g}" for v in value[:6])
            return f"[{text}{', ...' if value.size > 6 else ''}]"
        return f"<{' x '.join(map(str, value.shape))} array>"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)
