"""What users give as a system, as a `System`: anything that follows the protocol."""

from __future__ import annotations

from typing import Any

from .. import validate
from ..numerics.autodiff import Tree
from .protocol import System


def as_system(system: Any, named: str = "system") -> System:
    """Return a `System`, wrapping any object that has the members of the protocol."""
    for name in ("step", "jacobian", "pushforward"):
        if not callable(getattr(system, name, as_system)):
            raise TypeError(
                f"`{named}.{name}` must be a method, got {getattr(system, name)!r}: leave it out "
                "where there is none"
            )
    if isinstance(system, System):
        _refuse_replaced(system, named)
        return system.as_it_is()
    derivative = "pushforward" if hasattr(system, "pushforward") else "jacobian"
    missing = [name for name in ("dim", "step", derivative) if not hasattr(system, name)]
    if missing and hasattr(system, "state_dict"):
        raise TypeError(
            f"`{named}` must be a System, got {type(system).__name__}, a PyTorch module: make one "
            "by lyapnet.torch.from_module, or lyapnet.torch.System"
        )
    if missing:
        raise TypeError(
            f"`{named}` must be a System (a Map, a Flow, a cell, or an object with dim, n_inputs, "
            f"dt, step, and jacobian or pushforward); {type(system).__name__} has no {missing[0]}"
        )
    return _Foreign(system)


def _refuse_replaced(system: System, named: str) -> None:
    """Refuse a system with a step or derivative in the place of those that its runs know."""
    kinds = type(system).__mro__
    knows = next(i for i, kind in enumerate(kinds) if "orbit" in vars(kind))
    if kinds[knows] is System:  # whose runs call what is there
        return
    later = [vars(kind) for kind in kinds[:knows] if not kind.__module__.startswith("lyapnet.")]
    for name in ("step", "jacobian", "pushforward"):
        if any(name in scope for scope in (vars(system), *later)):
            raise TypeError(
                f"`{named}` is a {kinds[knows].__name__} with another `{name}`, which its runs do "
                "not call: they go by what it was made of. Make a Map or Flow of the new function, "
                "or give an object of a class of your own with dim, n_inputs, dt, step, and "
                "jacobian or pushforward"
            )


class _Foreign(System):
    """An object that follows the protocol without inheriting from `System`."""

    def __init__(self, system: Any) -> None:
        self.dim = validate.integer("system.dim", system.dim, low=1)
        self.n_inputs = validate.integer("system.n_inputs", getattr(system, "n_inputs", 0), low=0)
        self.dt = validate.real("system.dt", getattr(system, "dt", 1.0), positive=True)
        # The methods of another object, in the place of its own.
        self.step = system.step  # type: ignore[method-assign]  # a method of another object in place of its own
        self._own_pushforward = hasattr(system, "pushforward")
        for name in ("jacobian", "pushforward"):
            if hasattr(system, name):
                setattr(self, name, getattr(system, name))

    @property
    def matrix_free(self) -> bool:
        return self._own_pushforward

    def with_params(self, params: Tree) -> System:
        return self
