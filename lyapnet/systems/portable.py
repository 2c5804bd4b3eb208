"""Systems of a user's functions in other processes: by Python's pickle."""

from __future__ import annotations

from typing import Any, ClassVar, Self


class Portable:
    """An object of which some attributes are made of others, and cannot be pickled.

    The others can be if the user's functions stand in a module, where pickle finds them.
    """

    #: Names of the attributes that are made, by `_make` or, as compiled loops are, for each run.
    _made: ClassVar[tuple[str, ...]] = ()

    def _make(self) -> None:
        """Make these attributes of the others."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """Return a copy that shares all with this one: it is made for every run."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {name: x for name, x in self.__dict__.items() if name not in self._made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make()
