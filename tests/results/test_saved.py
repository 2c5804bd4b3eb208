"""Files of earlier versions: read as they were written, each kind of them, value for value."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln
from lyapnet.results import storage, tree
from lyapnet.results.result import Result
from lyapnet.spectrum.exponents import Exponents
from lyapnet.weights import read_cell

FOLDER = Path(__file__).parents[1] / "fixtures" / "saved"
FIRST = FOLDER / "1"
EXPECTED = json.loads((FIRST / "expected.json").read_text())
OBJECTS = sorted(EXPECTED.keys() - {"torch"})


@pytest.fixture(scope="module")
def kinds():
    """Return the script that wrote the files, under the name that its sweep noted."""
    spec = importlib.util.spec_from_file_location("saved_kinds", FOLDER / "saved_kinds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_json(x):
    """Return what JSON gives back of a tree."""
    return json.loads(json.dumps(x))


def assert_same(found, expected):
    """Compare trees of JSON; what a class has got since may come on top."""
    if isinstance(expected, dict):
        for name, item in expected.items():
            assert_same(found[name], item)
    else:
        assert_array_equal(found, expected)


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_the_first_format(kinds, name):
    thing = ln.load(FIRST / f"{name}.npz")
    assert_same(as_json(kinds.contents(thing)), EXPECTED[name])
    assert repr(thing)


def test_every_class_of_the_first_format_is_known():
    named = {x["class"] for x in walk(EXPECTED) if "class" in x}
    assert len(named) > 20
    assert named <= set(tree._CLASSES)


def test_every_result_can_be_saved():
    """A class that is not registered could be made, and not written; bases are not made."""
    waiting, found = [Result], set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind not in (Result, Exponents) and kind.__module__.startswith("lyapnet."):
            found.add(kind)
    assert len(found) > 10
    assert not {kind.__name__ for kind in found if tree._CLASSES.get(kind.__name__) is not kind}


def walk(node):
    """Yield all dictionaries in a tree."""
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node:
        if isinstance(item, dict | list):
            yield from walk(item)


@pytest.mark.parametrize("name", ["floss", "train"])
def test_checkpoints_of_the_first_format_go_on(kinds, tmp_path, name):
    path = shutil.copy(FIRST / f"{name}_checkpoint.npz", tmp_path)
    epochs = []
    r = getattr(kinds, name)(path, lambda record: epochs.append(record.epoch))
    assert epochs[0] == 3  # stopped in the third, saved after the second
    for part in ("loss", "exponents"):  # other processors round otherwise
        assert_allclose(getattr(r, part), EXPECTED[name][part], rtol=1e-9)


def test_a_sweep_of_the_first_format_is_read_and_goes_on(kinds, tmp_path):
    folder = shutil.copytree(FIRST / "sweep", tmp_path / "sweep")
    expected = {
        (point["gain"], seed): value
        for point, seed, value in zip(*(EXPECTED["sweep"][x] for x in KEYS), strict=True)
    }
    found = ln.load_sweep(folder)
    for point, seed, value in zip(found.points, found.seeds, found.values, strict=True):
        assert_same(as_json(kinds.contents(value)), expected[point["gain"], seed])
    lost = sorted(folder.glob("*.npz"))[0]
    lost.unlink()
    again = ln.sweep(
        kinds.gains, {"gain": [0.5, 0.9]}, seeds=2, rng=0, progress=False, directory=folder
    )
    assert lost.exists()
    for point, seed, value in zip(again.points, again.seeds, again.values, strict=True):
        assert_allclose(value["exponents"], expected[point["gain"], seed]["exponents"], rtol=1e-9)


KEYS = ("points", "seeds", "values")


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_weights_of_the_command_line(ending):
    cell = read_cell(FIRST / f"torch.{ending}")
    for name, x in ln.from_torch(EXPECTED["torch"]).params.items():
        assert_array_equal(cell.params[name], x)


def test_a_file_names_classes_of_the_registry_alone(tmp_path):
    """Whatever else it names, with or without a module, is neither imported nor run."""
    path = tmp_path / "x.npz"
    for name in ("lyapnet.__main__:x", "lyapnet.cli:main", "os:system", "main", "", 3, None):
        head = {"format": 1, "tree": {"thing": {"__class__": name, "state": {}}}}
        np.savez(path, **{storage.HEAD: np.array(json.dumps(head))})
        with pytest.raises(ValueError, match=r"x\.npz.*class"):
            ln.load(path)


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(TypeError, match="'Spectrum'"):
        storage.register(type("Spectrum", (), {}))


def test_a_class_of_a_user_is_not_taken_for_one_of_ours(tmp_path):
    class Spectrum(ln.VanillaRNN):
        pass

    with pytest.raises(TypeError, match="no class of lyapnet"):
        Spectrum(np.eye(2)).save(tmp_path / "x.npz")
