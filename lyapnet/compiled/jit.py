"""numba's compiler, with the options that all loops share."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic

#: Checksum of all that compiled functions are made of: numba looks at the file of the function
#: itself, but what this calls, and limits that it imports, become part of its code.
_SOURCES = hashlib.sha256(
    b"\0".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()


class _Kept:
    """numba's files on disk, where anything may happen to them: at worst code is compiled again.

    They count as long as no source has changed.
    """

    def __init__(self, files: Any) -> None:
        self._files = files
        files._cache_file._source_stamp = files._cache_file._source_stamp, _SOURCES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return compiled code, or None."""
        try:
            return self._files.load_overload(signature, context)
        except Exception:  # damaged in one of many ways: it is written again
            with suppress(OSError):
                self._files.flush()
            return None

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep compiled code, where the disk has room."""
        with suppress(OSError):
            self._files.save_overload(signature, code)


def _jit(function: Any, **options: Any) -> Any:
    """Compile a function: without Python's lock, and so that a division by zero is no error.

    It is not compiled once more for each constant that it is called with, and cannot make arrays:
    so nothing counts the references to them, which costs more than a small product.
    """
    options = {"nogil": True, "error_model": "numpy", "_nrt": False, **options}
    try:
        made = njit(cache=True, **options)(function)
        made._cache = _Kept(made._cache)
    except RuntimeError:  # no folder that can be written
        made = njit(**options)(function)
    template = made.get_call_template
    made.get_call_template = lambda args, kws: template([types.unliteral(x) for x in args], kws)
    return made


#: Sums may be taken in any order, several numbers at once.
_ANY_ORDER = {"reassoc", "contract"}

#: What only compiled functions call needs no way in from Python, which takes long to compile.
_WITHIN = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def loop(function: Any) -> Any:
    """Compile a function for Python, whose sums may be taken in any order."""
    return _jit(function, fastmath=_ANY_ORDER)


def loop_in_order(function: Any) -> Any:
    """Compile a function for Python in whose sums order matters; products and sums may fuse."""
    return _jit(function, fastmath={"contract"})


def jit(function: Any) -> Any:
    """Compile a function for others that are compiled, whose sums may be taken in any order."""
    return _jit(function, fastmath=_ANY_ORDER, **_WITHIN)


def jit_finite(function: Any) -> Any:
    """Compile a function as `jit` does that meets no NaN: the least of many is found in lanes."""
    return _jit(function, fastmath={*_ANY_ORDER, "nnan", "nsz"}, **_WITHIN)


def jit_apart(function: Any) -> Any:
    """Compile a function as `jit` does whose arrays do not overlap: it need not look whether."""
    return _apart(jit(function))


def _apart(made: Any) -> Any:
    def apart(flags: Any) -> Any:
        flags.noalias = True
        return flags

    made._compiler._customize_flags = apart
    return made


def jit_in_order(function: Any) -> Any:
    """Compile a function as `jit` does in whose sums order matters; products and sums may fuse."""
    return _jit(function, fastmath={"contract"}, **_WITHIN)


def jit_apart_in_order(function: Any) -> Any:
    """Compile a function as `jit_in_order` does whose arrays do not overlap."""
    return _apart(jit_in_order(function))


def callback(signature: Any) -> Any:
    """Compile a function to be called through its address."""

    def compiled(function: Any) -> Any:
        made: Any = CFunc(
            function,
            (signature.args, signature.return_type),
            locals={},
            options={"error_model": "numpy"},
        )
        with suppress(RuntimeError):  # no folder that can be written
            made.enable_caching()
            made._cache = _Kept(made._cache)
        made.compile()
        return made

    return compiled


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def two_to_the(typing: Any, exponent: Any) -> Any:
    """Return 2 to a whole number between -1022 and 1023, given as a float."""
    signature = types.float64(types.float64)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        double, word = ir.DoubleType(), ir.IntType(64)
        # Added to this, a small whole number is in the last bits of the sum.
        shifted = builder.fadd(values[0], ir.Constant(double, 1.5 * 2.0**52 + 1023))
        bits = builder.bitcast(shifted, word)
        return builder.bitcast(builder.shl(bits, ir.Constant(word, 52)), double)

    return signature, code
