"""Lanes of matrices in memory, as text."""

from __future__ import annotations

from .code import Numbers, Text


def at_number(text: Text, pointer: str, index: str) -> str:
    """Return where a number of an array lies."""
    return text.let(f"getelementptr inbounds double, ptr {pointer}, i64 {index}")


class Places:
    """Lanes of columns in memory, the last of which may be there in part."""

    def __init__(self, many: Numbers, wide: int) -> None:
        self.text, self.type, self.lanes, self.wide = many.text, many.type, many.lanes, wide
        self.masked = True
        self.truth, kind = many.truth, f"v{many.lanes}f64"
        self._load, self._store = f"@llvm.masked.load.{kind}.p0", f"@llvm.masked.store.{kind}.p0"
        t, mask = many.type, many.truth
        many.text.declared["load"] = f"declare {t} {self._load}(ptr, i32, {mask}, {t})"
        many.text.declared["store"] = f"declare void {self._store}({t}, ptr, i32, {mask})"

    def mask(self) -> None:
        """Say which numbers of the last lanes there are: %mask."""
        words = f"<{self.lanes} x i64>"
        one = self.text.let(f"insertelement {words} poison, i64 %last, i64 0")
        order = f"<{self.lanes} x i32> zeroinitializer"
        last = self.text.let(f"shufflevector {words} {one}, {words} poison, {order}")
        numbers = ", ".join(f"i64 {i}" for i in range(self.lanes))
        self.text.put(f"  %mask = icmp slt {words} <{numbers}>, {last}")

    def _is_whole(self, w: int) -> bool:
        return w < self.wide - 1 or not self.masked

    def read(self, pointer: str, w: int) -> str:
        """Return one of a row's lanes."""
        place = at_number(self.text, pointer, str(w * self.lanes))
        if self._is_whole(w):
            return self.text.let(f"load {self.type}, ptr {place}, align 8")
        return self.text.let(
            f"call {self.type} {self._load}(ptr {place}, i32 8, {self.truth} %mask, "
            f"{self.type} zeroinitializer)"
        )

    def write(self, value: str, pointer: str, w: int) -> None:
        """Write one of a row's lanes."""
        place = at_number(self.text, pointer, str(w * self.lanes))
        if self._is_whole(w):
            self.text.put(f"  store {self.type} {value}, ptr {place}, align 8")
            return
        self.text.put(
            f"  call void {self._store}({self.type} {value}, ptr {place}, i32 8, "
            f"{self.truth} %mask)"
        )
