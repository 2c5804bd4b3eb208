"""Compilation, by LLVM, and its results kept on disk."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from .code import LIBRARY

#: Bytes of the checksum in front of what is kept.
_DIGEST = 32


class Machine:
    """A compiler for the processor at hand."""

    def __init__(self) -> None:
        import llvmlite
        import llvmlite.binding as llvm

        self._llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features().flatten()
        self._target = llvm.Target.from_default_triple().create_target_machine(
            cpu=cpu, features=features, opt=3, jit=True
        )
        self.identity = f"{llvmlite.__version__} {llvm.llvm_version_info} {cpu} {features}"
        self.lanes = 8 if "+avx512f" in features else 4 if "+avx" in features else 2
        self._engines: list[Any] = []
        _add_mathematics(llvm)

    def functions(self, source: str) -> dict[str, int]:
        """Return the addresses of the functions of a module's text, by name."""
        llvm = self._llvm
        path = _path(f"{self.identity}\n{source}")
        code = read(path)
        if code is None:
            code = self._compile(source)
            keep(path, code)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        self._engines.append(engine)  # the code lives as long
        names = [line.split("@")[1].split("(")[0] for line in source.splitlines()
                 if line.startswith("define")]  # fmt: skip
        return {name: engine.get_function_address(name) for name in names}

    def _compile(self, source: str) -> bytes:
        llvm = self._llvm
        module = llvm.parse_assembly(source)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        builder = llvm.create_pass_builder(self._target, tuning)
        builder.getModulePassManager().run(module, builder)
        return self._target.emit_object(module)


@cache
def machine() -> Machine:
    """Return this process' compiler."""
    return Machine()


def _add_mathematics(llvm: Any) -> None:
    """Tell the compiler where the mathematical library's functions are."""
    library = ctypes.CDLL("ucrtbase") if sys.platform == "win32" else ctypes.CDLL(None)
    for name in {*LIBRARY.values(), "sin", "cos", "exp", "log", "log2", "log10", "pow"}:
        address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        llvm.add_symbol(name, address)


def directory() -> Path:
    """Return where compiled code is kept: `LYAPNET_CACHE_DIR`, or the user's own cache."""
    chosen = os.environ.get("LYAPNET_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lyapnet"


def _path(identity: str) -> Path:
    return directory() / (hashlib.sha256(identity.encode()).hexdigest() + ".o")


def read(path: Path) -> bytes | None:
    """Return what is kept at a path, None where nothing is or where it is damaged."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    digest, code = whole[:_DIGEST], whole[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def keep(path: Path, code: bytes) -> None:
    """Keep code at a path, all of it or nothing; where the disk is full or read-only, nothing."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(temporary, path)
    except OSError:  # the next process compiles again: nothing else is lost
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
