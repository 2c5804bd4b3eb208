r"""Logarithms of an array, several numbers at once: the C library takes them one by one.

With :math:`x = 2^k (1 + f)`, f between about -0.29 and 0.41, and :math:`s = f / (2 + f)`,

.. math:: \log x = k \log 2 + 2\,\mathrm{artanh}\,s, \qquad
          2\,\mathrm{artanh}\,s = f - \bigl(f^2/2 - s\,(f^2/2 + R)\bigr), \quad
          R = \sum_{j \ge 1} \frac{2}{2 j + 1} s^{2 j} .
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any

from .code import Numbers, Text, module
from .machine import machine

#: Terms of R: s² is at most 0.0295, and the first term that is left out below 2e-18.
_TERMS = 10

#: log 2 in two parts, the first with trailing zeros.
_HIGH, _LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10

#: Bits of 1, and what takes those of √½ there.
_ONE, _TO_ONE = 0x3FF0000000000000, 0x3FF0000000000000 - 0x3FE6A09E667F3BCD

#: A number whose last bits are a whole number that is added to its bits, and its bits.
_WHOLE, _WHOLE_BITS = 2.0**52, 0x4330000000000000

#: Below this, numbers have fewer digits: they are multiplied by a power of two.
_NORMAL, _UP = 2.0**-1022, 54


@cache
def logarithms() -> Any:
    """Return ``(address, count, scale)``, which puts logarithms times a number in place of x."""
    # Of several lanes at once: each waits long for its quotient.
    address = machine().functions(_source(4 * machine().lanes))["logarithms"]
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_double)(address)


def _source(lanes: int) -> str:
    """Write the text of the function that `logarithms` returns."""
    text = Text()
    text.label("entry")
    text.put(f"  %many = sdiv i64 %count, {lanes}")
    text.put(f"  %whole = mul i64 %many, {lanes}")
    text.put("  br label %each")
    _loop(Numbers(text, lanes), "each", "[ 0, %entry ]", "%whole", "rest")
    _loop(Numbers(text), "rest", "[ %whole, %each ]", "%count", "done")
    text.label("done")
    text.put("  ret void")
    head = "define void @logarithms(ptr %x, i64 %count, double %scale) #0 {"
    return module(["\n".join([head, *text.lines, "}"])], text.declared)


def _loop(numbers: Numbers, name: str, first: str, end: str, after: str) -> None:
    """Write a loop over as many numbers at a time as there are lanes."""
    text, do = numbers.text, numbers.apply
    text.label(name)
    text.put(f"  %{name}.i = phi i64 {first}, [ %{name}.next, %{name}.done ]")
    text.put(f"  %{name}.more = icmp slt i64 %{name}.i, {end}")
    text.put(f"  br i1 %{name}.more, label %{name}.body, label %{after}")
    text.label(f"{name}.body")
    at = text.let(f"getelementptr inbounds double, ptr %x, i64 %{name}.i")
    x, scale = numbers.load(at, 0), numbers.splat("%scale")
    low = do("greater_equal", (x, numbers.literal(_NORMAL)))
    high = do("less", (x, numbers.literal(math.inf)))
    usual = numbers.all(do("logical_and", (low, high)))
    text.put(f"  br i1 {usual}, label %{name}.usual, label %{name}.any")
    for kind, of in (("usual", _logarithm), ("any", _of_any)):
        text.label(f"{name}.{kind}")
        numbers.store(do("multiply", (of(numbers, x), scale)), at, 0)
        text.put(f"  br label %{name}.done")
    text.label(f"{name}.done")
    text.put(f"  %{name}.next = add i64 %{name}.i, {numbers.lanes}")
    text.put(f"  br label %{name}")


def _of_any(numbers: Numbers, x: str) -> str:
    """Write the logarithm of any number, which below zero is none."""
    do, number = numbers.apply, numbers.literal
    short = do("less", (x, number(_NORMAL)))
    y = do("where", (short, do("multiply", (x, number(2.0**_UP))), x))
    value = _logarithm(numbers, y, do("where", (short, number(_UP), number(0.0))))
    value = do("where", (do("greater", (x, number(0.0))), value, number(math.nan)))
    value = do("where", (do("equal", (x, number(0.0))), number(-math.inf), value))
    return do("where", (do("equal", (x, number(math.inf))), x, value))


def _logarithm(numbers: Numbers, x: str, less: str = "") -> str:
    """Write the logarithm of numbers that have all their digits, less some powers of two."""
    do, number = numbers.apply, numbers.literal
    f, k = _parts(numbers, x)
    k = do("subtract", (k, less)) if less else k
    s = do("divide", (f, do("add", (f, number(2.0)))))
    s2 = do("multiply", (s, s))
    half = do("multiply", (do("multiply", (f, number(0.5))), f))
    inner = do("add", (half, _series(numbers, s2)))
    # half - (s inner + k low) - f, from which k high is taken
    low = numbers.fused(k, number(_LOW), do("multiply", (s, inner)))
    rest = do("subtract", (do("subtract", (half, low)), f))
    return numbers.fused(k, number(_HIGH), do("negative", (rest,)))


def _parts(numbers: Numbers, x: str) -> tuple[str, str]:
    """Write f and k of the formula above; only by operations on bits that all processors have."""
    let, t = numbers.text.let, numbers.type
    words = t.replace("double", "i64")

    def word(value: int) -> str:
        return str(value) if numbers.lanes == 1 else f"splat (i64 {value})"

    bits = let(f"bitcast {t} {x} to {words}")
    # The exponent is one more from √½ times a power of two on.
    exponent = let(f"lshr {words} {let(f'add {words} {bits}, {word(_TO_ONE)}')}, {word(52)}")
    power = let(f"shl {words} {exponent}, {word(52)}")
    mantissa = let(f"sub {words} {let(f'add {words} {bits}, {word(_ONE)}')}, {power}")
    whole = let(f"or {words} {exponent}, {word(_WHOLE_BITS)}")
    k = let(f"bitcast {words} {whole} to {t}")
    z = let(f"bitcast {words} {mantissa} to {t}")
    return (
        numbers.apply("subtract", (z, numbers.literal(1.0))),
        numbers.apply("subtract", (k, numbers.literal(_WHOLE + 1023.0))),
    )


def _series(numbers: Numbers, s2: str) -> str:
    """Write R, its even and odd terms side by side."""
    do = numbers.apply
    s4 = do("multiply", (s2, s2))
    sums = []
    for first in (1, 2):
        terms = [numbers.literal(2 / (2 * j + 1)) for j in range(first, _TERMS + 1, 2)]
        total = terms.pop()
        while terms:
            total = numbers.fused(total, s4, terms.pop())
        sums.append(total)
    return do("multiply", (s2, numbers.fused(s2, sums[1], sums[0])))
