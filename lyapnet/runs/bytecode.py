"""What tells a function or a class from another: its code, and all that its code refers to."""

from __future__ import annotations

import dis
import functools
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

#: Which compiler made a function's code: that of another one says nothing.
PYTHON = f"{sys.implementation.cache_tag} -O{sys.flags.optimize}"

#: Describes a part of something, which has a name.
Inside = Callable[[Any, str], Any]


def is_users(named: Any) -> bool:
    """Say whether a function or class is the user's own, not of Python or an installed package."""
    module = str(named.__module__)
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "lyapnet":
        return False
    if top == "__main__":  # run by whatever, such as `python -m pytest`
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or not {"site-packages", "dist-packages"} & set(Path(file).parts)


def origin(named: Any) -> dict[str, str]:
    """Return the module of a function or class; lyapnet's own may move from one to another."""
    module = str(named.__module__)
    return {} if module.partition(".")[0] == "lyapnet" else {"of": module}


def type_name(kind: type) -> str:
    """Return the name of a class with its module."""
    return ".".join([*origin(kind).values(), kind.__qualname__])


def describe_function(function: FunctionType, name: str, inside: Inside) -> dict[str, Any]:
    """Describe a function by its code, defaults, closure, attributes and the globals it uses."""
    found: dict[str, Any] = {"function": function.__qualname__, **origin(function)}
    code = function.__code__
    called = f"{name}, {function.__qualname__}"
    if is_users(function):
        found["compiled"] = _compiled(function)
        found["arguments"] = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount]
        found["defaults"] = [
            inside(given, f"{called}'s default")
            for given in (function.__defaults__, function.__kwdefaults__)
        ]
        space = function.__globals__
        found["globals"] = {
            used: inside(space[used], f"{called}'s global {used}")
            for used in sorted(set(_globals(code)))
            if used in space
        }
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    found["closure"] = [_held(cell, f"{called}'s {x}", inside) for x, cell in cells]
    if vars(function):
        found["attributes"] = inside(dict(vars(function)), called)
    return found


def describe_class(kind: type, name: str, inside: Inside) -> dict[str, Any]:
    """Describe a class by its bases, its methods and what stands beside them."""
    found: dict[str, Any] = {"class": kind.__qualname__, **origin(kind)}
    if is_users(kind):
        called = f"{name}, {kind.__qualname__}"
        found["bases"] = [inside(base, called) for base in kind.__bases__ if base is not object]
        found["body"] = [
            [key, [inside(part, f"{called}.{key}") for part in _parts(member)]]
            for key, member in vars(kind).items()
            if not _is_machinery(key, member)
        ]
    return found


def _is_machinery(key: str, member: Any) -> bool:
    """Say whether Python itself has put this into a class."""
    if isinstance(member, MemberDescriptorType | GetSetDescriptorType) or key == "_abc_impl":
        return True
    return key.startswith("__") and not isinstance(member, FunctionType | classmethod | property)


def _parts(member: Any) -> list[Any]:
    """Return what a member of a class consists of."""
    if isinstance(member, staticmethod | classmethod):
        return [type(member).__name__, member.__func__]
    if isinstance(member, property):
        return ["property", member.fget, member.fset, member.fdel]
    if isinstance(member, functools.cached_property):
        return ["cached_property", member.func]
    return [member]


def _held(cell: Any, name: str, inside: Inside) -> Any:
    """Describe what a function closes over."""
    try:
        x = cell.cell_contents
    except ValueError:
        return {"unbound": True}
    return inside(x, name)


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Yield a code and those of the functions that it defines."""
    yield code
    for x in code.co_consts:
        if isinstance(x, CodeType):
            yield from _nested(x)


def _globals(code: CodeType) -> Iterator[str]:
    """Yield the names of the globals that a code and those within it look up."""
    for one in _nested(code):
        for step in dis.get_instructions(one):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                yield step.argval


def _compiled(function: FunctionType) -> dict[str, str]:
    """Return digests of the code, without where it stands, and of which Python made it."""
    code = function.__code__
    defaults = [function.__defaults__, function.__kwdefaults__]
    text = repr([_code(code, function.__doc__), _constant(defaults)])
    more = [(one.co_exceptiontable, one.co_flags) for one in _nested(code)]
    return {
        "python": PYTHON,
        "code": hashlib.sha256(text.encode()).hexdigest()[:16],
        "more": hashlib.sha256(repr(more).encode()).hexdigest()[:16],
    }


def _code(code: CodeType, doc: str | None = None) -> list[Any]:
    """Return what a code object does, without where it stands."""
    constants = list(code.co_consts)
    if doc is not None and constants[:1] == [doc]:
        constants[0] = None
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    return [code.co_code.hex(), names, [_constant(x) for x in constants]]


def _constant(x: Any) -> Any:
    """Return a constant as text that is the same in each process."""
    if isinstance(x, CodeType):
        return _code(x)
    if isinstance(x, frozenset | set):
        return sorted(map(repr, x))
    if isinstance(x, dict):
        return {str(key): _constant(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return [_constant(item) for item in x]
    if x is None or x is ... or isinstance(x, bool | int | float | complex | str | bytes):
        return repr(x)
    return type(x).__qualname__  # of a default; what it holds is described beside the code
