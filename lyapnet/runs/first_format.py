"""Descriptions of calls as files of the first format hold them, to go on from such files.

They left out much: sets, bytes, slots, what a function closes over. A call that has any of these
is not taken for the one that wrote the file.
"""

from __future__ import annotations

from typing import Any

from .fingerprint import alike

_BUILT_IN = {("_Tanh", "tanh"), ("Activation", "relu"), ("Activation", "linear")}


def agrees(then: Any, now: Any) -> bool:
    """Say whether a description of the first format is surely of the same thing as one of today."""
    try:
        return _agree(then, _first(now))
    except _Unsaid:
        return False


class _Unsaid(Exception):
    """The first format did not tell this from others."""


def _agree(then: Any, now: Any) -> bool:
    if isinstance(then, dict) and isinstance(now, dict):
        if "function" in then and "function" in now:
            return _agree_functions(then, now)
        if now.keys() == {"built-in"}:
            return now["built-in"] == [then.get("type"), then.get("name")]
        names = then.keys() | now.keys()
        return all(_agree(then.get(x), now.get(x)) for x in names)
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(_agree, then, now))
    return alike(then, now)


def _agree_functions(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Compare two functions; one of lyapnet may have moved from one module to another."""
    a, b = str(then["function"]), str(now["function"])
    moved = a.startswith("lyapnet.") and b.startswith("lyapnet.") and a.endswith(b[7:])
    if a != b and not moved:
        return False
    if then.get("closure") or now["closure"]:
        return False
    same_python = then.get("python") == now.get("python")
    return not same_python or then.get("code") == now.get("code")


def _first(x: Any) -> Any:
    """Return a description in the terms of the first format."""
    if isinstance(x, list):
        return [_first(item) for item in x]
    if not isinstance(x, dict):
        return x
    if "array" in x:
        return x["array"]
    if "number" in x:
        return x["number"].replace("()", "(1,)", 1)
    if "tuple" in x:
        return _first(x["tuple"])
    if "dict" in x:
        return {str(_first(key)): _first(item) for key, item in x["dict"]}
    if "generator" in x:
        return _first(x["generator"])
    if "again" in x:
        return "as before"
    if "partial" in x:
        return {name: _first(item) for name, item in x.items()}
    if "function" in x and "wrapper" not in x:
        if x.get("attributes"):
            raise _Unsaid
        name = f"{x.get('of', 'lyapnet')}.{x['function']}"
        compiled = {k: v for k, v in x.get("compiled", {}).items() if k != "more"}
        return {"function": name, "closure": _first(x["closure"]), **compiled}
    if "object" in x and not x.keys() & {"made", "state", "items", "pairs"}:
        given = x.get("attributes", {})
        if (x["object"], given.get("name")) in _BUILT_IN:  # as it was, it says no more
            return {"built-in": [x["object"], given["name"]]}
        attributes = {name: _first(item) for name, item in given.items()}
        return {"type": x["object"], **attributes}
    raise _Unsaid
