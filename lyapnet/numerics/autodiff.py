"""Derivatives of functions that a user wrote for one state, at many states at once, by autograd.

A function of a state is evaluated on a whole stretch of trajectory ``(T, ..., n)`` in
one of four ways:

``"vectorized"``
    the user says that the function takes states ``(..., n)``;
``"columns"``
    it takes one state ``(n,)``, but given the states as columns ``(n, M)`` it yields the
    same values: so do all functions that index components and combine them. This is
    checked on the values of each stretch, never assumed;
``"lanes"``
    it takes one state, and is given one whose numbers stand for all states' at once, on which
    every operation is done for all (`lyapnet.numerics.lanes`);
``"loop"``
    otherwise, one state after the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import make_jvp, make_vjp
from autograd.tracer import isbox

from .arrays import Array
from .lanes import Lanes, in_lanes
from .refusals import REMEDY, of_attribute, refuse_objects, remedy, without_derivative

Tree = Any  # a float, an array, or a dict, list or tuple of such
Function = Callable[[Any, Any, Tree], Any]  # (x, u, p) -> array

#: Numbers in all copies of states whose derivatives are taken in one pass.
_COPIED = 2**15


def leaves(tree: Tree) -> list[Any]:
    """List the arrays of a tree, dictionaries in the order of their keys."""
    if type(tree) is dict and all(type(x) is np.ndarray for x in tree.values()):
        return [tree[key] for key in sorted(tree)]  # at once, for it is asked in every epoch
    found: list[Any] = []
    _collect(tree, found)
    return found


def _collect(tree: Tree, found: list[Any]) -> None:
    """Append the arrays of a tree, most of which is at most a dictionary of them."""
    if isinstance(tree, np.ndarray):
        found.append(tree)
    elif tree is None:
        return
    elif hasattr(tree, "keys"):
        for key in sorted(tree.keys()):
            _collect(tree[key], found)
    elif _is_sequence(tree):
        for item in tree:
            _collect(item, found)
    else:
        found.append(tree)


def is_leaf(node: Tree) -> bool:
    """Say whether a part of a tree is a number or an array, of autograd or not."""
    return not (node is None or hasattr(node, "keys") or _is_sequence(node))


def rebuild(tree: Tree, values: list[Any]) -> Tree:
    """Return a tree of the same form with other leaves."""
    values = list(values)

    def visit(node: Tree) -> Tree:
        if isinstance(node, np.ndarray):
            return values.pop(0)
        if node is None:
            return None
        if hasattr(node, "keys"):
            done = {key: visit(node[key]) for key in sorted(node.keys())}
            return {key: done[key] for key in node.keys()}  # noqa: SIM118 - autograd's boxes
        if _is_sequence(node):
            items = [visit(item) for item in node]
            return tuple(items) if isinstance(_plain(node), tuple) else items
        return values.pop(0)

    return visit(tree)


def _plain(node: Any) -> Any:
    return node._value if isbox(node) else node


def _is_sequence(node: Any) -> bool:
    return isinstance(_plain(node), list | tuple)


def shape(x: Any) -> tuple[int, ...]:
    """Return the shape of an array under any tracing."""
    return x.shape if type(x) is np.ndarray else np.shape(value(x))


def value(x: Any) -> Array:
    """Return the plain array under any tracing."""
    while isbox(x):
        x = x._value
    return x


def is_traced(*trees: Tree) -> bool:
    """Say whether autograd is tracing any leaf."""
    for tree in trees:
        if isinstance(tree, np.ndarray) or tree is None:
            continue
        if isbox(tree) or any(map(isbox, leaves(tree))):
            return True
    return False


def over_states(function: Function, mode: str, lead: tuple[int, ...]) -> Function:
    """Make a function of many states ``(..., *lead, n)`` of a user's function.

    Parameters
    ----------
    function : callable (x, u, p)
        What the user wrote.
    mode : {"vectorized", "columns", "lanes", "rows", "loop"}
        How to evaluate it, see above.
    lead : tuple of int
        Shape of the ensemble; a parameter that has these leading axes is per member.
    """
    found = _in_mode(function, mode, lead)
    if mode == "lanes" or not getattr(function, "traced_in_lanes", False):
        return found
    # What assigns to elements of arrays is traced in lanes, which can be assigned.
    lanes = _in_mode(function, "lanes", lead)
    return lambda x, u, p: (lanes if is_traced(x, u, p) else found)(x, u, p)


def _in_mode(function: Function, mode: str, lead: tuple[int, ...]) -> Function:
    """Make a function of many states, without a look at what is traced."""
    if mode in ("vectorized", "rows"):
        return function
    if mode == "columns":

        def by_columns(x: Any, u: Any, p: Tree) -> Any:
            n = x.shape[-1]
            columns = anp.reshape(x, (-1, n)).T
            if u is not None:
                u = anp.broadcast_to(u, x.shape[:-1] + u.shape[-1:])
                u = anp.reshape(u, (-1, u.shape[-1])).T
            found = function(columns, u, _spread(p, lead, x))
            if np.shape(found)[-1:] != (columns.shape[1],):
                raise ValueError("what a function of columns returns has one for each state")
            return anp.reshape(
                anp.moveaxis(found, -1, 0), (*x.shape[:-1], *np.shape(value(found))[:-1])
            )

        return by_columns

    if mode == "lanes":

        def by_lanes(x: Any, u: Any, p: Tree) -> Any:
            if u is not None:
                u = anp.broadcast_to(u, x.shape[:-1] + u.shape[-1:])
            own = _spread(p, lead, x, lanes=True)
            return in_lanes(function, x, u, lambda which: _of_lanes(own, which))

        return by_lanes

    def one_by_one(x: Any, u: Any, p: Tree) -> Any:
        shape = x.shape[:-1]
        if not shape:
            return function(x, u, p)
        if u is not None:
            u = anp.broadcast_to(u, shape + u.shape[-1:])
        done = [
            function(
                x[i], None if u is None else u[i], member(p, lead, i[len(shape) - len(lead) :])
            )
            for i in np.ndindex(*shape)
        ]
        stacked = anp.array(done) if done else anp.zeros((0, x.shape[-1]))
        return anp.reshape(stacked, shape + tuple(np.shape(value(done[0]))))

    return one_by_one


def _spread(tree: Tree, lead: tuple[int, ...], x: Any, lanes: bool = False) -> Tree:
    """Give each of the states ``(..., *lead, n)`` the parameters of its member, as columns."""
    if not lead and not lanes:
        return tree
    spread = []
    for leaf in leaves(tree):
        shape = np.shape(value(leaf))
        if lead and shape[: len(lead)] == lead:
            own = shape[len(lead) :]
            leaf = anp.reshape(anp.broadcast_to(leaf, x.shape[:-1] + own), (-1, *own))
            leaf = anp.moveaxis(leaf, 0, -1)
            leaf = Lanes(leaf) if lanes else leaf
        elif lanes and isbox(leaf):  # autograd's operators do not know lanes
            leaf = Lanes(anp.reshape(leaf, (*shape, 1)))
        spread.append(leaf)
    return rebuild(tree, spread)


def _of_lanes(tree: Tree, which: Any) -> Tree:
    """Return what some lanes have of parameters."""
    if isinstance(which, slice):
        return tree
    own = [isinstance(x, Lanes) and np.shape(value(x.data))[-1] > 1 for x in leaves(tree)]
    each = zip(leaves(tree), own, strict=True)
    return rebuild(tree, [Lanes(x.data[..., which]) if some else x for x, some in each])


def member(tree: Tree, lead: tuple[int, ...], i: Any) -> Tree:
    """Return the parameters of one member of an ensemble, or of some on one axis."""
    if not lead:
        return tree
    picked = [x[i] if np.shape(value(x))[: len(lead)] == lead else x for x in leaves(tree)]
    return rebuild(tree, picked)


def jacobian_of(
    function: Function, n: int, name: str = "step", *, at_once: bool = False
) -> Function:
    """Return the Jacobians ``(..., n, n)`` of a function of states ``(..., n)``, itself traceable.

    n reverse passes, each for one component of all states at once: the states do not
    act on each other. Of a few states, with a function that takes more `at_once` at hardly more
    cost, one pass is for as many components of as many copies of them.
    """

    def jacobian(x: Any, u: Any, p: Tree) -> Any:
        plain = at_once and not is_traced(x, u, p)
        copies = int(np.clip(_COPIED // max(1, x.size), 1, n)) if plain else 1
        if copies > 1:
            x = np.broadcast_to(x, (copies, *x.shape))
        with np.errstate(over="ignore"):  # as in derivatives of what saturates; NaN is noticed
            vjp, y = traced(lambda x: function(x, u, p), name)(x)
            shape = np.shape(value(y))
            if copies == 1:
                return anp.stack([vjp(anp.broadcast_to(e, shape)) for e in np.eye(n)], axis=-2)
            rows = []
            for first in range(0, n, copies):
                seeds = np.eye(copies, n, first).reshape(copies, *(1,) * (len(shape) - 2), n)
                rows.append(vjp(anp.broadcast_to(seeds, shape)))
        return anp.moveaxis(anp.concatenate(rows)[:n], 0, -2)

    return jacobian


def pushed(function: Function, x: Array, rows: Array, u: Any, p: Tree) -> Array:
    """Return the Jacobian of a function of states times rows ``(..., k, n)``, without forming it.

    One forward pass, for all rows at once: each has the state ``(..., n)`` to itself.
    """
    tangents = np.moveaxis(rows, -2, 0)
    at = np.broadcast_to(x, tangents.shape)
    return np.moveaxis(make_jvp(lambda x: function(x, u, p))(at)(tangents)[1], 0, -2)


def traced(function: Callable[..., Any], name: str) -> Callable[..., tuple[Any, Any]]:
    """Wrap ``make_vjp`` so that plain NumPy inside a user's function is named as the cause.

    A function that does not depend on its argument gets zeros without autograd's warning.
    """

    def guarded(x: Any) -> Any:
        try:
            return refuse_objects(function(x), name)
        except NotImplementedError as error:
            raise TypeError(without_derivative(name, str(error))) from error
        except (TypeError, ValueError, AttributeError) as error:
            if REMEDY in str(error) or "compiled by numba" in str(error):
                raise
            # With plain arrays it has run before: what fails is the tracing.
            what = of_attribute(error) or f"({error}); {remedy(name)}"
            raise TypeError(f"autograd cannot trace `{name}` {what}") from error

    def run(x: Any) -> tuple[Any, Any]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Output seems independent of input")
            return make_vjp(guarded)(x)

    return run
