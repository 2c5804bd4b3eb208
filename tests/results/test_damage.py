"""A little of what `tests/fuzz` does at length: damaged files, kills, and two writers at once."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz"
sys.path.insert(0, str(FUZZ))

import damage
import mutations

sys.path.remove(str(FUZZ))

NEEDS = {".safetensors": "safetensors", ".h5": "h5py", ".keras": "h5py"}


@pytest.mark.parametrize("name", damage.KINDS)
def test_damaged_files_are_refused_by_name(tmp_path, name):
    if Path(name).suffix in NEEDS:
        pytest.importorskip(NEEDS[Path(name).suffix])
    seen = damage.fuzz(name, 60, tmp_path)
    assert seen["refused"] > 10


def test_every_bit_of_our_files_counts(tmp_path):
    """Not only where a random hit falls: the archive's own headers, and the digest itself."""
    write, read, _ = damage.KINDS["run.npz"]
    path = tmp_path / "x.npz"
    write(path)
    good = path.read_bytes()
    for at in range(0, len(good), 7):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"x\.npz"):
            read(path)


def test_what_a_function_reaches_counts():
    seen = mutations.fuzz(40)
    assert min(seen.values()) >= 20


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
@pytest.mark.parametrize(("script", "count"), [("killed", 3), ("together", 2)])
def test_killed_and_together(script, count):
    """In a process of its own, without threads: they fork."""
    done = subprocess.run([sys.executable, FUZZ / f"{script}.py", str(count)], timeout=300)
    assert done.returncode == 0
