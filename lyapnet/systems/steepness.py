"""What fixed steps do not see of a flow's field: jumps, and slopes that are too steep for them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import numpy as np

from ..numerics.arrays import Array
from .bends import AT_REST, JUMP, ROUNDING, STEEP, TO_A_JUMP, TO_A_SLOPE
from .known_jumps import RESOLVE
from .map import Map

if TYPE_CHECKING:
    from .flow import Flow

#: What a step should move a state by, relative to it, that is not at rest.
_MOVES = 1e-6

#: Members of an ensemble along which steep slopes are looked for.
_MEMBERS = 8


def steepness(flow: Flow, states: Array, inputs: Array | None) -> str:
    """Say that the field along states ``(T + 1, ..., n)`` is too steep for the steps to see."""
    lead = states.shape[1:-1]
    for at in itertools.islice(np.ndindex(*lead), _MEMBERS):
        u = None
        if inputs is not None:
            own = (i if m > 1 else 0 for i, m in zip(at, inputs.shape[1:-1], strict=True))
            u = inputs[(slice(None), *own)]
        one = cast("Flow", flow.of_member(lead, at))
        along = states[(slice(None), *at)]
        if _stays(one, along, u):
            return (
                "the steps come to rest where the field does not: it leads there from both "
                f"sides of a jump, or they are far too long; {RESOLVE}"
            )
        change = change_of_field(one, along, u, TO_A_SLOPE)
        if change > STEEP:
            return (
                f"the field changes by {100 * change:.2g} % of itself within a "
                f"{2**TO_A_SLOPE}th of a step, which tangent vectors hardly ever see; {RESOLVE}"
            )
    return ""


def look_for_jumps(flow: Flow, states: Array, inputs: Array | None) -> None:
    """See whether the field jumps where steps have gone on across it, along ``(T + 1, ..., n)``."""
    if flow.seen.look(states, least=8):
        jump = change_of_field(flow, states, inputs, TO_A_JUMP)
        if jump > JUMP:
            flow.seen.without = f"jumps by {100 * jump:.2g} % of itself within a step"


def change_of_field(flow: Flow, states: Array, inputs: Array | None, halvings: int) -> float:
    """Return how much the field changes on a small part of a step, relative to itself.

    Along the first member of states ``(T + 1, ..., n)``.
    """
    p = flow._first_member(states[0], None)[2]
    field = flow._over_states(flow._mode, ())[0]
    along = states.reshape(len(states), -1, states.shape[-1])[:, 0]

    def velocity(s: int, x: Array) -> Array:
        row = None if inputs is None else inputs[s][(0,) * (inputs.ndim - 2)]
        return np.asarray(field(x, flow.drive.now(row, 0.0), p))

    if not np.isfinite(along).all():
        return 0.0
    with np.errstate(all="ignore"):  # a state on its way out may have no velocity
        return flow._largest_change(velocity, along, halvings)


def _stays(flow: Flow, states: Array, inputs: Array | None) -> bool:
    """Say whether the last of steps ``(T + 1, n)`` ends where it began, unlike the field."""
    before, after = states[-2:]
    size = np.abs(before).max()
    if type(flow)._split is not Map._split or np.abs(after - before).max() > AT_REST * size:
        return False
    now = None if inputs is None else flow.drive.now(inputs[-1], 0.0)
    velocity = flow._over_states(flow._mode, ())[0](before, now, flow.params)
    return bool(flow.dt * np.abs(velocity).max() > _MOVES * size + ROUNDING)
