"""What a catalog system carries beside its equations: name, known exponents and their source."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, TypeVar

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

from .. import validate
from ..compiled.graph import Symbol
from ..compiled.symbols import Symbols
from ..numerics.arrays import Array
from ..numerics.autodiff import is_traced, value
from ..systems import DelayFlow, Flow, Map, NoisyFlow


@dataclass(frozen=True)
class Reference:
    """Known Lyapunov exponents.

    Attributes
    ----------
    exponents : tuple of float
        In nats per unit time, descending; the leading ones where not all are known.
    source : str
        Where they are proved or published.
    exact : bool
        Whether they follow from a proof, or else from a numerical estimate.
    uncertainty : tuple of float
        Of each exponent: half a unit of the last published digit or more, 0 if exact.
    note : str
        What to know when comparing.
    """

    exponents: tuple[float, ...]
    source: str
    exact: bool
    uncertainty: tuple[float, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.uncertainty:
            object.__setattr__(self, "uncertainty", (0.0,) * len(self.exponents))


def exact(exponents: Any, source: str, note: str = "") -> Reference:
    """Return the reference of a system whose exponents are proved, in any order."""
    ordered = sorted((float(x) for x in np.atleast_1d(exponents)), reverse=True)
    return Reference(tuple(ordered), source, True, note=note)


_Given = ParamSpec("_Given")
_System = TypeVar("_System", bound="_Catalogued")

#: From plain parameters to what is known about them.
Known = Callable[[Any], Reference | None]


class _Catalogued:
    """What a system of the catalog carries beside its equations.

    Attributes
    ----------
    name : str
    reference : Reference or None
        For the parameters that the system has now; None where none is known, or where
        members of an ensemble differ in them.
    """

    #: What the function that made it makes again, in another process.
    _functions: ClassVar[tuple[str, ...]] = ("_given", "_known", "_diffusion")

    name: str
    params: Any
    _known: Known | None = None
    _made_by: tuple[Any, tuple[Any, ...], dict[str, Any]]
    #: Axes of the parameters that are not numbers.
    _axes: dict[str, int] = {}  # noqa: RUF012 - replaced, never changed

    def __repr__(self) -> str:
        return f"<{self.name}: {super().__repr__()}>"

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {name: x for name, x in state.items() if name != "_made_by"}

    def __reduce__(self) -> Any:
        own = {name: x for name, x in self.__getstate__().items() if name not in self._functions}
        return _made_again, self._made_by, own

    @property
    def reference(self) -> Reference | None:
        """Known exponents for the present parameters, None if there are none."""
        return _reference(self)


class CatalogMap(_Catalogued, Map):
    """A map with a name, a state on or near its attractor, and a `reference`."""


class CatalogFlow(_Catalogued, Flow):
    """A flow with a name, a state on or near its attractor, and a `reference`."""


class CatalogDelayFlow(_Catalogued, DelayFlow):
    """A delay equation with a name, a past, and a `reference`."""


class CatalogNoisyFlow(_Catalogued, NoisyFlow):
    """A stochastic equation with a name, a state, and a `reference`."""


def catalogued(make: Callable[_Given, _System]) -> Callable[_Given, _System]:
    """Let Python's pickle make a system as this function has made it."""

    @functools.wraps(make)
    def made(*args: _Given.args, **kwargs: _Given.kwargs) -> _System:
        system = make(*args, **kwargs)
        system._made_by = made, args, kwargs
        return system

    return made


def _made_again(make: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return make(*args, **kwargs)


def _reference(system: _Catalogued) -> Reference | None:
    if system._known is None or is_traced(system.params):
        return None
    params = system.params or {}
    if any(np.ndim(x) != system._axes.get(key, 0) for key, x in params.items()):
        return None
    return system._known(params)


def named(
    system: Any,
    name: str,
    initial: Any,
    known: Known | None = None,
    axes: dict[str, int] | None = None,
) -> Any:
    """Complete a system of the catalog."""
    system.name = name
    system._initial = np.array(initial, dtype=float)
    system._known = known
    system._axes = axes or {}
    return system


def tabulated(standard: dict[str, float], reference: Reference) -> Known:
    """Return a table of one entry: a reference for one set of parameters."""

    def known(p: dict[str, Array]) -> Reference | None:
        same = all(np.isclose(p[key], number, rtol=1e-12) for key, number in standard.items())
        return reference if same else None

    return known


def numbers(**given: Any) -> dict[str, Any]:
    """Check parameters that are numbers, or arrays of such over an ensemble."""
    return {name: x if is_traced(x) else validate.array(name, x) for name, x in given.items()}


def vector(*components: Any) -> Any:
    """Stack components ``(...)``, broadcast to each other, into states ``(..., n)``."""
    if any(isbox(x) or isinstance(x, Symbol | Symbols) for x in components):
        shape = np.broadcast_shapes(*(np.shape(value(x)) for x in components))
        return anp.stack([_spread(x, shape) for x in components], axis=-1)
    if not any(getattr(x, "ndim", 0) for x in components):
        return np.array(components, dtype=float)
    shape = np.broadcast_shapes(*(np.shape(x) for x in components))
    out = np.empty((*shape, len(components)))
    for i, x in enumerate(components):
        out[..., i] = x
    return out


def matrix(*rows: tuple[Any, ...]) -> Any:
    """Stack entries ``(...)``, broadcast to each other, into matrices ``(..., n, n)``."""
    n = len(rows)
    flat = vector(*(x for row in rows for x in row))
    return anp.reshape(flat, (*np.shape(value(flat))[:-1], n, n))


def map_of(name: str, step: Any, start: Any, known: Known | None = None, **params: Any) -> Any:
    """Return a map written in components: ``step(x, y, ..., p)``; its Jacobian by autograd."""
    n = len(start)

    def states(x: Any, p: Any) -> Any:
        return vector(*step(*(x[..., i] for i in range(n)), p))

    system = CatalogMap(states, n, params=numbers(**params), vectorized=True)
    return named(system, name, start, known)


def flow_of(
    name: str,
    field: Any,
    start: Any,
    known: Known | None = None,
    *,
    dt: float,
    time: bool = False,
    method: str = "rk4",
    **params: Any,
) -> Any:
    """Return a flow written in components: ``field(x, y, ..., p)``, with time t before p."""
    n = len(start)

    def states(x: Any, *given: Any) -> Any:
        return vector(*field(*(x[..., i] for i in range(n)), *given))

    system = CatalogFlow(
        states, n, dt=dt, params=numbers(**params), vectorized=True, time=time, method=method
    )
    return named(system, name, start, known)


def published(standard: dict[str, float], exponents: Any, source: str, digits: int) -> Known:
    """Return a table of one entry, with half a unit of the last digit as the uncertainty."""
    half = tuple(0.5 * 10.0**-digits if x else 0.0 for x in exponents)
    return tabulated(standard, Reference(tuple(exponents), source, False, half))


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    return x if np.shape(value(x)) == shape else x + np.zeros(shape)
