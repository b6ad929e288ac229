"""The wheel and the source archive are complete, and the same octets whenever they are built."""

import zipfile
from pathlib import Path

import pytest

from release.commit import commit_file
from tests.packages.archives import ROOT, Archives, build, unpack
from tests.test_tidy import tracked_files

PACKAGE = ROOT / "src" / "secondpost"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_the_wheel_has_every_file_of_the_package_and_no_other(archives: Archives) -> None:
    names = set(zipfile.ZipFile(archives.wheel).namelist())
    in_package = {name for name in names if name.startswith("secondpost/")}
    in_tree = {f"secondpost/{p.relative_to(PACKAGE)}" for p in tracked_files() if PACKAGE in p.parents}
    added = {"secondpost/commit.txt", "secondpost/requirements.install.lock"}
    assert in_package - added == in_tree


def test_the_wheel_says_with_which_libraries_it_was_tested(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        carried = wheel.read("secondpost/requirements.install.lock")
    assert carried == (ROOT / "requirements.install.lock").read_bytes()


def test_the_wheel_says_from_which_commit_it_is(archives: Archives) -> None:
    known = commit_file(ROOT)
    with zipfile.ZipFile(archives.wheel) as wheel:
        found = [wheel.read(name) for name in wheel.namelist() if name == "secondpost/commit.txt"]
    assert found == ([] if known is None else [known.read_bytes()])


def test_the_source_builds_the_same_wheel_and_the_same_source(archives: Archives, tmp_path: Path) -> None:
    tree = unpack(archives.source, tmp_path / "source")
    again = build(tree, tmp_path / "dist")
    assert again.wheel.read_bytes() == archives.wheel.read_bytes()
    assert again.source.read_bytes() == archives.source.read_bytes()


def test_the_source_has_every_file_of_the_tree(archives: Archives, tmp_path: Path) -> None:
    tree = unpack(archives.source, tmp_path / "source")
    unpacked = {path.relative_to(tree) for path in tree.rglob("*") if path.is_file()}
    made = {Path("PKG-INFO"), Path("commit.txt")}
    assert unpacked - made == {path.relative_to(ROOT) for path in tracked_files()}
