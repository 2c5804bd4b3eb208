"""Functions of PyTorch, traced once and run in stages: what need not wait is done for all steps."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

Tensors = Sequence[Any]

#: What tracing raises where a function's operations depend on the values that it gets.
_UNTRACEABLE = (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError)


def _copy(x: Any, y: Any, _: bool = False) -> Any:
    return y.expand_as(x).to(x.dtype)


def _slice_scatter(
    x: Any, y: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    n = x.shape[dim]
    source = np.full(n, -1)
    source[start:end:step] = np.arange(y.shape[dim])
    inside = torch.from_numpy((source >= 0).reshape(-1, *[1] * (x.ndim - 1 - dim % x.ndim)))
    return torch.where(inside, y.index_select(dim, torch.from_numpy(source.clip(0))), x)


def _select_scatter(x: Any, y: Any, dim: int, index: int) -> Any:
    index %= x.shape[dim]
    return _slice_scatter(x, y.unsqueeze(dim), dim, index, index + 1)


#: What assigning to a part of a tensor becomes, in operations that PyTorch differentiates twice.
_RULES = {
    torch.ops.aten.copy.default: _copy,
    torch.ops.aten.slice_scatter.default: _slice_scatter,
    torch.ops.aten.select_scatter.default: _select_scatter,
}


class Staged:
    """A function ``f(fixed, given, carried)`` along a trajectory.

    Of its operations those that depend on `fixed` alone (the parameters) are done once, those
    that depend on `given` (states and inputs of all steps, known already) for all steps at once
    under `vmap`, and only the rest, what is carried from step to step, one step after the other:
    of a tangent map the linear part alone. A traced step also calls far fewer layers of PyTorch.

    A function that cannot be traced is called step by step.

    Parameters
    ----------
    function : callable
        Of three sequences of tensors; returns one tensor.
    fixed, given, carried : sequence of tensor
        Examples of its arguments, at one step.
    """

    def __init__(
        self, function: Callable[..., Any], fixed: Tensors, given: Tensors, carried: Tensors
    ) -> None:
        self._function = function
        traced = trace(function, fixed, given, carried)
        ends = len(fixed), len(fixed) + len(given)
        self._stages = None if traced is None else _split(traced, ends)

    def along(self, fixed: Tensors, given: Tensors) -> Callable[..., Any]:
        r"""Return the function of (step, \\*carried), given all steps' things ``(T, ...)``."""
        if self._stages is None:
            return lambda s, *carried: self._function(fixed, [x[s] for x in given], carried)
        once, before, rest = self._stages
        first = once(*fixed)
        if not given:
            return lambda s, *carried: rest(*first, *carried)[0]
        known = each(lambda *at: before(*first, *at), *given)
        steps = list(zip(*(x.unbind(0) for x in known), strict=True)) or [()] * len(given[0])
        return lambda s, *carried: rest(*first, *steps[s], *carried)[0]


@contextmanager
def without_warning() -> Iterator[None]:
    """Leave out the warning that PyTorch gives at its first forward derivative, of itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
        yield


def each(function: Callable[..., Any], *tensors: Any) -> Any:
    """Map a function of tensors (or None) over their first axis, by `vmap` where PyTorch can.

    It cannot where a branch depends on values, and some operations, as what assigns to a part of a
    tensor leaves behind in reverse, have no rule for it.
    """
    try:
        dims = tuple(None if x is None else 0 for x in tensors)
        return torch.vmap(function, in_dims=dims)(*tensors)
    except RuntimeError as error:
        if "random" in str(error):
            raise
    count = next(len(x) for x in tensors if x is not None)
    found = [function(*(None if x is None else x[i] for x in tensors)) for i in range(count)]
    if isinstance(found[0], torch.Tensor):
        return torch.stack(found)
    return tuple(torch.stack(parts) for parts in zip(*found, strict=True))


def trace(function: Callable[..., Any], *examples: Tensors) -> GraphModule | None:
    """Trace a function of sequences of tensors as one of all their tensors; None if that fails.

    What it assigns to tensors, or to parts of them, becomes operations that return new ones.
    """
    edges = [0, *itertools.accumulate(len(x) for x in examples)]
    flat = list(itertools.chain(*examples))

    def of_all(*args: Any) -> Any:
        return function(*(args[a:b] for a, b in itertools.pairwise(edges)))

    with without_warning():
        try:
            traced = make_fx(of_all)(*flat)
            assigns = any(node.target._schema.is_mutable for node in _operations(traced))
            if assigns:
                traced = make_fx(torch.func.functionalize(of_all), _RULES)(*flat)
        except _UNTRACEABLE:
            function(*examples)  # whatever is wrong with it by itself shows here
            return None
    if any(_has_a_shape_by_values(node) for node in _operations(traced)):
        return None
    traced.meta["assigns"] = assigns
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


def without_assignments(function: Callable[..., Any], *examples: Tensors) -> Callable[..., Any]:
    """Return a function that assigns to no tensor: such are not differentiated twice right."""
    traced = trace(function, *examples)
    if traced is None or not traced.meta["assigns"]:
        return function
    return lambda *args: traced(*itertools.chain(*args))


def _has_a_shape_by_values(node: Node) -> bool:
    """Say whether values decide on the shape of a result, as those of a mask do."""
    if node.target is torch.ops.aten.index.Tensor:  # of numbers, the shape is that of these
        values = [x.meta.get("val") for x in node.args[1] if x is not None]
        return any(x is not None and x.dtype in (torch.bool, torch.uint8) for x in values)
    return torch.Tag.dynamic_output_shape in node.target.tags


def _operations(traced: GraphModule) -> list[Node]:
    """Return the nodes of a graph that are operations of PyTorch."""
    return [node for node in traced.graph.nodes if isinstance(node.target, torch._ops.OpOverload)]


def _split(traced: GraphModule, ends: tuple[int, int]) -> tuple[GraphModule, ...]:
    """Split a graph into three: what each yields is what later ones need of it."""
    level: dict[Node, int] = {}
    count = 0
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            level[node] = sum(count >= end for end in ends)
            count += 1
        else:
            level[node] = max((level[x] for x in node.all_input_nodes), default=0)
    output = next(node for node in traced.graph.nodes if node.op == "output")
    result = output.args[0]
    level[output] = 2

    def crosses(node: Node) -> bool:
        return node.op not in ("get_attr", "output") and any(
            level[user] > level[node] for user in node.users
        )

    stages: list[GraphModule] = []
    handed: list[Node] = []
    for stage in range(3):
        graph, env = Graph(), {}
        for node in handed:
            env[node] = graph.placeholder(node.name)
        own = [node for node in traced.graph.nodes if level[node] == stage and node.op != "output"]
        for node in traced.graph.nodes:
            if node in own or (node.op == "get_attr" and level[node] <= stage):
                env[node] = graph.node_copy(node, lambda x, env=env: env[x])
        out = [result] if stage == 2 else [node for node in own if crosses(node)]
        graph.output(tuple(env[node] for node in out))
        graph.eliminate_dead_code()
        stages.append(GraphModule(traced, graph))
        handed += out  # the first stage's results go to both others
    return tuple(stages)
