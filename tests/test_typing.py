"""What type checkers tell users: mypy and pyright read `typed/user.py`, a script as users write it.

A line with ``reveal_type`` says in its comment what must be found, one with ``refused`` must be
an error, and no other line may be one.
"""

import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lyapnet as ln

SCRIPT = Path(__file__).parent / "typed" / "user.py"
LINES = dict(enumerate(SCRIPT.read_text(encoding="utf-8").splitlines(), 1))
REVEALED = {
    number: line.rpartition("# ")[2]
    for number, line in LINES.items()
    if line.startswith("reveal_type")
}
REFUSED = {number for number, line in LINES.items() if line.endswith("# refused")}


def judge(revealed, errors):
    """Compare what a checker found, by line, with what the script says."""
    assert len(REVEALED) > 10
    assert set(errors) == REFUSED, errors
    assert set(revealed) == set(REVEALED)
    for number, wanted in REVEALED.items():
        pattern = r"ndarray\[.*dtype" if wanted == "NDArray" else rf"\b{wanted}\b(?!\[)"
        assert re.search(pattern, revealed[number]), (LINES[number], revealed[number])


def public():
    """Return the public functions, and the methods of public classes, by name."""
    for name in ln.__all__:
        thing = getattr(ln, name)
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            for member, x in inspect.getmembers(thing, callable):
                own = getattr(x, "__module__", None) or ""
                if own.startswith("lyapnet") and (member == "__init__" or member[0] != "_"):
                    yield f"{name}.{member}", x


@pytest.mark.parametrize(
    ("name", "function"), list(public()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_help_prints_types_as_they_are_written(name, function):
    for parameter in inspect.signature(function).parameters.values():
        if parameter.annotation is not parameter.empty:
            assert "'" not in inspect.formatannotation(parameter.annotation), parameter


@pytest.mark.parametrize("name", [
    "lyapunov_spectrum", "spectrum_from_jacobians", "condition_number", "condition_from_jacobians",
    "covariant_vectors", "finite_time_exponents", "floss", "mean_field_exponent", "critical_gain",
    "VanillaRNN.random", "LSTM.random", "GRU.random", "Spectrum.plot", "Spectrum.extend",
])  # fmt: skip
def test_no_argument_is_of_any_type(name):
    function = dict(public())[name]
    for parameter in inspect.signature(function).parameters.values():
        assert str(parameter.annotation) not in ("Any", "Any | None"), parameter


@pytest.mark.slow
def test_mypy_finds_types(tmp_path):
    pytest.importorskip("mypy")
    settings = ["--config-file=", "--follow-imports=silent", "--ignore-missing-imports"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, f"--cache-dir={tmp_path}", str(SCRIPT)],
        capture_output=True, text=True,
    )  # fmt: skip
    found = re.findall(r"user\.py:(\d+): (\w+): (.*)", done.stdout)
    judge(
        {int(n): text for n, _, text in found if text.startswith("Revealed")},
        {int(n): text for n, kind, text in found if kind == "error"},
    )


@pytest.mark.slow
def test_pyright_finds_types():
    beside = shutil.which("pyright", path=str(Path(sys.executable).parent))
    if not beside:
        pytest.skip("pyright is not installed")
    done = subprocess.run(
        [beside, "--outputjson", "--pythonpath", sys.executable, str(SCRIPT)],
        capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout)["generalDiagnostics"]
    at = [(x["range"]["start"]["line"] + 1, x["severity"], x["message"]) for x in found]
    judge(
        {n: text.partition(" is ")[2] for n, kind, text in at if kind == "information"},
        {n: text for n, kind, text in at if kind == "error"},
    )
