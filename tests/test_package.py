"""The package as a whole: what it loads, and how its rooms stand."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lyapnet"

# Imports go one way: a module imports from the lines above its own, never from below, and
# those of one line stand beside each other.
ROOMS = [
    ("errors", "numerics"),
    ("results", "validate", "compiled"),
    ("runs", "optimize", "systems"),
    ("cells", "catalog", "tangent"),
    ("spectrum", "orbits", "flossing", "weights"),
    ("condition", "training"),
    # the face, lyapnet/__init__.py, stands here: what is above it may use lyapnet as its users do
    ("paper", "torch", "jax"),
    ("cli",),
    ("__main__",),
]
FLOOR = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}


def python(*code):
    """Run code in a fresh interpreter and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


# ---- loading


def test_import_loads_nothing_optional_or_slow():
    # tqdm.auto among them: in a notebook without ipywidgets it warns as soon as it is loaded
    unwanted = {
        "matplotlib", "mpmath", "gmpy2", "flint", "joblib", "pandas", "xarray", "h5py", "h5netcdf",
        "safetensors", "numba", "llvmlite", "torch", "jax", "keras", "distributed", "dask",
        "ipywidgets", "IPython", "tqdm.auto", "scipy.stats", "scipy.optimize",
        "scipy.interpolate", "scipy.sparse.linalg", "scipy.spatial",
    }  # fmt: skip
    loaded = set(python("import sys, lyapnet", "print(*sys.modules, sep='\\n')"))
    assert "lyapnet" in loaded
    assert not unwanted & loaded


def test_public_modules_show_what_is_theirs():
    import lyapnet

    modules = [name for name in lyapnet.__all__ if isinstance(getattr(lyapnet, name), ModuleType)]
    assert {"catalog", "penalty", "tasks"} <= set(modules)
    for name in modules:
        module = getattr(lyapnet, name)
        assert sorted(dir(module)) == sorted(module.__all__), name
        assert all(hasattr(module, member) for member in module.__all__)
        assert importlib.import_module(f"lyapnet.{name}") is module


def test_every_error_is_a_public_name():
    import lyapnet
    from lyapnet import errors

    own = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    own = {name for name in own if issubclass(getattr(errors, name), Exception)}
    assert {"FileError", "LyapnetError"} <= own
    assert own <= set(lyapnet.__all__)


# ---- the one-way order


def room_of(path):
    """Return the room of a file: ``cells`` for lyapnet/cells/vanilla.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def named(name):
    """Return the room that an import names, ``__init__`` for a public name of the package."""
    room = name[1] if len(name) > 1 else "__init__"
    there = len(name) > 2 or (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()
    return room if there or room == "__version__" else "__init__"


def imports(path):
    """Return the rooms that a file imports from, wherever in the file it does so."""
    package = path.relative_to(ROOT).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = [*base, *(node.module.split(".") if node.module else ())]
            names = [[*module, alias.name] for alias in node.names]
        found.update(named(name) for name in names if name[0] == "lyapnet")
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path):
    room = room_of(path)
    assert room in FLOOR, f"{room} has no place yet: give it one in ROOMS"
    for other in imports(path):
        if other in (room, "__version__"):
            continue
        if other == "__init__" and FLOOR[room] >= FLOOR["paper"]:
            continue  # the outermost rooms may use lyapnet as its users do
        assert other in FLOOR, f"lyapnet.{other} has no place yet: give it one in ROOMS"
        assert FLOOR[other] < FLOOR[room], f"{room} imports {other}, which stands below it"


def test_every_place_is_taken_once():
    assert len(FLOOR) == sum(map(len, ROOMS))


# ---- the files


def test_no_file_names_a_path_of_one_machine():
    absolute = re.compile(r"(?<![\w.:/~-])/(?:home|root|Users|work|tmp|mnt|opt)/\w|[A-Z]:\\Users")
    folders = ("lyapnet", "tests", "docs", "notebooks", "benchmarks", ".github", ".ci")
    text = {".py", ".md", ".toml", ".cfg", ".cff", ".yaml", ".yml", ".ipynb", ".json", ".txt", ""}
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    files += [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    built = {"__pycache__", "_build", "generated", ".ipynb_checkpoints"}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files
        if path.suffix in text and not built & set(path.relative_to(ROOT).parts)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if absolute.search(line)
    ]
    assert not found, "\n".join(found)
