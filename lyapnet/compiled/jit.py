"""numba's compiler, with the options that all loops share."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Sums may be taken in any order, which is how the processor adds several numbers at once.
_ORDER = {"reassoc", "contract"}

#: Kept on disk; without Python's lock; a division by zero is no error.
jit: Any = njit(cache=True, nogil=True, error_model="numpy", fastmath=_ORDER)

#: The same, where the order of operations matters.
jit_in_order: Any = njit(cache=True, nogil=True, error_model="numpy")


@intrinsic
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
