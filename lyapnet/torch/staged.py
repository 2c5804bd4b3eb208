"""Functions of PyTorch, traced once and run in stages: what need not wait is done for all steps."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

Tensors = Sequence[Any]

#: What tracing raises where a function's operations depend on the values that it gets.
_UNTRACEABLE = (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError)


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
        dims = (*(None for _ in first), *(0 for _ in given))
        known = torch.vmap(before, in_dims=dims)(*first, *given)
        steps = list(zip(*(x.unbind(0) for x in known), strict=True)) or [()] * len(given[0])
        return lambda s, *carried: rest(*first, *steps[s], *carried)[0]


@contextmanager
def without_warning() -> Iterator[None]:
    """Leave out the warning that PyTorch gives at its first forward derivative, of itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
        yield


def trace(function: Callable[..., Any], *examples: Tensors) -> GraphModule | None:
    """Trace a function of sequences of tensors as one of all their tensors; None if that fails."""
    edges = [0, *itertools.accumulate(len(x) for x in examples)]

    def flat(*args: Any) -> Any:
        return function(*(args[a:b] for a, b in itertools.pairwise(edges)))

    with without_warning():
        try:
            functional = torch.func.functionalize(flat, remove="mutations")
            traced = make_fx(functional)(*itertools.chain(*examples))
        except _UNTRACEABLE:
            function(*examples)  # whatever is wrong with it by itself shows here
            return None
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


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
