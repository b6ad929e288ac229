"""What is in the Debian package, looked at with Debian's own tools."""

import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

from bench.peers import PROJECT
from tests.against.t15_packages.built import package

LIBRARY = "usr/lib/secondpost/lib/python3.11/site-packages"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(["dpkg-deb", "--raw-extract", package(), folder], check=True)
    return folder


def output(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_lintian_finds_no_fault_and_every_override_is_needed() -> None:
    found = output("lintian", "--allow-root", "--display-info", package()).splitlines()
    assert [line for line in found if line.startswith(("E:", "W:")) or "unused-override" in line] == []
    assert len(found) > 0  # it did look: remarks on the wheels remain


def test_every_part_is_there(tree: Path) -> None:
    for place in (
        "etc/secondpost",
        "usr/bin/secondpost",
        "usr/lib/sysusers.d/secondpost.conf",
        "usr/share/man/man1/secondpost.1.gz",
        "usr/share/man/man1/secondpost-queue.1.gz",
        "usr/share/man/man5/secondpost.toml.5.gz",
        "usr/share/bash-completion/completions/secondpost",
        "usr/share/zsh/vendor-completions/_secondpost",
        "usr/share/fish/vendor_completions.d/secondpost.fish",
        "usr/share/doc/secondpost/copyright",
        "usr/share/doc/secondpost/changelog.Debian.gz",
        "usr/share/doc/secondpost/docs/settings.md",
        "usr/share/doc/secondpost/manual/index.html",
        "usr/share/doc/secondpost/manual/style.css",
    ):
        path = tree / place
        assert path.exists() or path.is_symlink(), place


def test_nothing_is_there_that_does_not_run(tree: Path) -> None:
    names = {path.name for path in (tree / LIBRARY).iterdir()}
    assert names.isdisjoint({"pip", "setuptools", "hatchling", "pytest"})
    programs = {path.name for path in (tree / "usr/lib/secondpost/bin").iterdir()}
    assert programs == {"python3", "secondpost"}


def test_every_module_is_compiled_and_the_bytecode_counts_always(tree: Path) -> None:
    """Compiled by hash and unchecked (PEP 552): the time of the file plays no part."""
    modules = list((tree / LIBRARY).rglob("*.py"))
    assert len(modules) > 1000
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-311.pyc"
        assert compiled.read_bytes()[4:8] == b"\1\0\0\0", module


def test_no_path_of_the_machine_that_built_it_is_inside(tree: Path) -> None:
    built_in = (str(PROJECT).encode(), b"debian/secondpost/usr", b"build/deb/")
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            assert [mark for mark in built_in if mark in content] == [], path


def test_it_depends_on_what_is_linked(tree: Path) -> None:
    control = (tree / "DEBIAN" / "control").read_text()
    (depends,) = re.findall(r"(?m)^Depends: (.*)$", control)
    assert re.search(r"\blibc6 \(>= 2\.\d+\)", depends)
    assert "python3 (>= 3.11), python3 (<< 3.12)" in depends
    libraries = output("find", tree / LIBRARY, "-name", "*.so*", "-exec", "ldd", "{}", "+")
    assert "not found" not in libraries


def test_the_licence_of_every_library_is_in_the_copyright_file(tree: Path) -> None:
    text = (tree / "usr/share/doc/secondpost/copyright").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)^Comment: (\S+) (\S+)$", text))
    inside = {(one.name, one.version) for one in distributions(path=[str(tree / LIBRARY)])}
    assert named == {one for one in inside if one[0] != "secondpost"}


def test_the_man_pages_are_read_without_a_complaint(tree: Path) -> None:
    pages = sorted((tree / "usr/share/man").rglob("*.gz"))
    assert len(pages) > 10
    for page in pages:
        assert output("mandoc", "-T", "lint", "-W", "warning", page) == "", page
        rendered = subprocess.run(
            ["man", "--warnings", "--encoding", "UTF-8", "--local-file", page],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (len(rendered.stdout) > 500, rendered.stderr) == (True, ""), page


def test_every_shell_can_read_its_completion(tree: Path) -> None:
    share = tree / "usr/share"
    assert output("bash", "-n", share / "bash-completion/completions/secondpost") == ""
    assert output("zsh", "-n", share / "zsh/vendor-completions/_secondpost") == ""
    assert output("fish", "--no-execute", share / "fish/vendor_completions.d/secondpost.fish") == ""


def test_the_maintainer_scripts_are_plain_shell(tree: Path) -> None:
    for name in ("postinst", "prerm", "postrm"):
        script = tree / "DEBIAN" / name
        assert script.read_text().splitlines()[0] == "#!/bin/sh"
        assert output("dash", "-n", script) == ""
        assert "\nset -e\n" in script.read_text()
