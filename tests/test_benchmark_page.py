"""docs/benchmarks.md: its tables come from the data as they are now."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables():
    path = ROOT / "docs" / "_ext" / "benchmark_tables.py"
    spec = importlib.util.spec_from_file_location("benchmark_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_mark_becomes_a_table(tables):
    marks = tables.MARK.findall(PAGE)
    assert len(marks) == PAGE.count("<!--")
    for mark in marks:
        text = tables.render(mark.split())
        assert "| --- |" in text
        assert text.startswith("```bash\n")
        script = re.search(r"python (benchmarks/\w+\.py)", text)[1]
        assert (ROOT / script).is_file()
    assert "<!--" not in tables.fill(PAGE)


def test_a_table_follows_its_data(tables, tmp_path):
    data = json.loads((tables.DATA / "training_speed.json").read_text(encoding="utf-8"))
    found = data["training"]["training"]
    found["seconds"]["lyapnet, epoch"]["median"] = 1.23456
    found["ratios"]["JAX, epoch"] = {"value": 0.25, "low": 0.2, "high": 0.3}
    (tmp_path / "training_speed.json").write_text(json.dumps(data), encoding="utf-8")
    text = tables.render(["training_speed"], tmp_path)
    assert "| training | 1234.56 |" in text
    assert "| 0.25 [0.20, 0.30] |" in text


def test_missing_data_stop_the_build(tables, tmp_path):
    with pytest.raises(FileNotFoundError):
        tables.render(["training_speed"], tmp_path)
