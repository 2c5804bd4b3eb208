"""What is released: wheel, source distribution, the text of the index, and dates that agree."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import lyapnet

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lyapnet"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = ("lyapnet", "tests", "docs", "notebooks", "benchmarks", "conda", ".github", ".ci")
BUILT = ("__pycache__", "_build", "api", "tutorials", ".ipynb_checkpoints", "*.png")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Copy the sources, without what has been built."""
    source = tmp_path_factory.mktemp("source")
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, source)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns(*BUILT))
    return source


def build(what, source, folder):
    """Call a hook of the build backend; return the file that it makes."""
    code = f"import sys; from setuptools.build_meta import {what}; {what}(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (path,) = (path for path in folder.iterdir() if path.suffix in (".whl", ".gz"))
    return path


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("build_wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    return email.message_from_bytes(archive.read(name))


def test_wheel_holds_the_package_and_nothing_else(wheel):
    shipped = set(zipfile.ZipFile(wheel).namelist())
    code = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}
    assert code | {"lyapnet/py.typed"} <= shipped
    assert {name.split("/")[0].split("-")[0] for name in shipped} == {"lyapnet"}


def test_wheel_installs_the_command(wheel):
    archive = zipfile.ZipFile(wheel)
    (entry,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "lyapnet = lyapnet.cli:main" in archive.read(entry).decode()


def test_source_distribution_holds_all_that_its_tests_need(source, tmp_path):
    with tarfile.open(build("build_sdist", source, tmp_path)) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and not {"build", "lyapnet.egg-info"} & set(path.parts)
    }
    assert len(wanted) > 300
    assert wanted <= shipped, sorted(wanted - shipped)
    assert not [name for name in shipped if "_build" in name or name.endswith(".pyc")]


def test_index_shows_a_readme_that_it_can_render(metadata):
    text = metadata.get_payload()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "# lyapnet" in text.lstrip()[:12]
    assert "## Twenty lines of Python" in text
    assert not re.search(r"!\[", text), "a picture has no address on an index"
    assert "$" not in text, "an index does not typeset formulas"
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert links
    assert all(link.startswith("https://") for link in links), links


def test_version_stands_in_one_place(wheel):
    version = lyapnet.__version__
    assert wheel.name.split("-")[1] == version
    for name in ("pyproject.toml", "setup.cfg", "setup.py", "docs/conf.py", "conda/meta.yaml"):
        assert version not in (ROOT / name).read_text(encoding="utf-8"), name


def test_citation_and_changelog_agree_on_version_and_date():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r"^version: (.+)$", citation, re.MULTILINE)[1]
    date = re.search(r"^date-released: (.+)$", citation, re.MULTILINE)[1]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d\S*) - (\S+)$", changelog, re.MULTILINE)
    assert (version, date) == newest.groups()
    assert lyapnet.__version__.startswith(version) or "dev" in lyapnet.__version__
    repository = PROJECT["urls"].get("Repository")  # where it is known it is cited
    assert not repository or f"repository-code: {repository}" in citation


def test_conda_asks_for_what_pip_asks_for():
    recipe = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    asked = dict(re.findall(r"^    - ([\w-]+) >=(\S+)$", recipe, re.MULTILINE))
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(x for name in ("all",) for x in of(name, extras))]
    for requirement in wanted:
        name, _, floor = requirement.partition(">=")
        name = {"matplotlib": "matplotlib-base"}.get(name, name)
        assert asked.get(name) == floor, requirement
    assert asked["python"] == PROJECT["requires-python"].removeprefix(">=")


def of(name, extras):
    """Return the requirements of an extra, those of the extras that it names among them."""
    for requirement in extras[name]:
        inner = re.fullmatch(r"lyapnet\[(.*)\]", requirement)
        if inner:
            for other in inner[1].split(","):
                yield from of(other, extras)
        else:
            yield requirement


def test_actions_are_pinned_to_commits():
    uses = [
        line.strip()
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert uses
    for line in uses:
        assert re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_what_is_tested_as_oldest_is_what_is_allowed():
    """The floors in pyproject.toml and the versions of the job for them are one."""
    lines = (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = PROJECT["optional-dependencies"]
    parts = (extras[name] for name in ("precision", "parallel", "cluster", "io"))
    asked = [line for part in (PROJECT["dependencies"], *parts) for line in part]
    floors = dict(line.split(">=") for line in asked if ">=" in line)
    assert floors.keys() == pinned.keys()
    for name, version in pinned.items():
        assert re.fullmatch(rf"{re.escape(floors[name])}(\.0)*", version), name
