"""Rules of the tree: floors, forbidden calls, no dead code, no global state, limited lengths.

CONTRIBUTING.md has the reason for each rule. The rules of imports are contracts in pyproject.toml.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "src" / "secondpost"
LINES_MAX = 450

FORBIDDEN_CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    # call: (the replacement, where the call is allowed: prefixes of dotted module names)
    "datetime.now": ("the Clock", ("world.real.",)),
    "datetime.utcnow": ("the Clock", ("world.real.",)),
    "datetime.today": ("the Clock", ("world.real.",)),
    "date.today": ("the Clock", ("world.real.",)),
    "time.time": ("the Clock", ("world.real.", "demo")),
    "time.time_ns": ("the Clock", ("world.real.", "demo")),
    "time.sleep": ("call_later of the loop", ("world.real.", "store.sqlite", "demo")),
    "urllib.request.urlopen": ("the Fetcher", ()),
    "urlopen": ("the Fetcher", ()),
    "print": ("the console of the command, or the log", ("cli", "demo", "__main__")),
    "input": ("an argument", ("cli",)),
    "breakpoint": ("nothing", ()),
    "exec": ("nothing", ()),
    "eval": ("nothing", ()),
    "os._exit": ("an exception", ("processes",)),
    "os.fork": ("the supervisor", ("processes",)),
    "os.system": ("the supervisor", ()),
    "asyncio.open_connection": ("Net.connect", ("demo",)),
    "asyncio.start_server": ("Net.listen", ("demo",)),
    "asyncio.to_thread": ("Work.run", ("world.real.",)),
    "Thread": ("Work.line", ("world.real.", "demo")),
    "threading.Thread": ("Work.line", ("world.real.", "demo")),
    "open": (
        "the Disk, or a reader of the command",
        ("cli", "owner.export", "config", "world.real.", "processes", "demo"),
    ),
    "logging.getLogger": ("MailLog", ("roles", "processes", "cli")),
}

FORBIDDEN_METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "run_in_executor": ("Work.run", ("world.real.",)),
    "create_connection": ("Net.connect", ("world.real.", "demo")),
    "create_server": ("Net.listen", ("world.real.", "demo")),
    "create_datagram_endpoint": ("Net or the Resolver", ("world.real.", "demo")),
}

FORBIDDEN_FILE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "types",
}

# Unfinished work belongs in an issue, not a comment; and nothing may depend on one machine.
FORBIDDEN_WORDS = re.compile(
    r"\b(?:TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b"
    r"|--(?:extra-)?index-url|/home/[a-z]+/|/Users/[A-Za-z]+/|(?<![\w.])/root/"
)

# Methods that a library calls by their names.
CALLED_FROM_OUTSIDE = {
    "convert",
    "datagram_received",
    "error_received",
    "handle_data",
    "handle_endtag",
    "handle_starttag",
    "_send_request",
    "validation",
    "startup",
}


@dataclass(frozen=True)
class Source:
    path: Path
    module: str  # without the leading "secondpost.", "" for the package itself
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))


@cache
def shipped() -> tuple[Source, ...]:
    return tuple(sources_in(SHIPPED, SHIPPED))


def sources_in(folder: Path, base: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        yield Source(path, module, path.read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    """The files that git would commit; outside a repository, all but generated folders."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        found = [ROOT / name.decode() for name in listing.stdout.split(b"\0") if len(name) > 0]
        return [path for path in found if path.is_file()]
    made = {".venv", ".git", ".peers", "build", "dist"}
    return [p for p in ROOT.rglob("*") if p.is_file() and made.isdisjoint(p.relative_to(ROOT).parts)]


def dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            before = dotted(inner)
            return f"{before}.{name}" if len(before) > 0 else f".{name}"
        case _:
            return ""


def place(source: Source, node: ast.stmt | ast.expr) -> str:
    return f"{source.path.relative_to(ROOT)}:{node.lineno}"


def test_the_floors_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [str(lint), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_nothing_reaches_past_the_ports() -> None:
    faults = []
    for source in shipped():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call):
                continue
            name = dotted(node.func)
            last = name.rsplit(".", 1)[-1]
            for rule, rules, said in (
                (name, FORBIDDEN_CALLS, name),
                (name.removeprefix("datetime."), FORBIDDEN_CALLS, name),
                (last if "." in name else "", FORBIDDEN_METHODS, name),
            ):
                if rule not in rules:
                    continue
                instead, allowed = rules[rule]
                if not source.module.startswith(allowed):
                    faults.append(f"{place(source, node)}: {said}() here; use {instead}")
                break
    assert faults == [], "\n".join(faults)


def test_pure_means_pure() -> None:
    """A module whose docstring says it is pure imports nothing impure directly."""
    acting = set(contract("pure")["forbidden_modules"])
    faults = []
    for source in shipped():
        first = (ast.get_docstring(source.tree) or "").partition("\n\n")[0]
        if re.search(r"\bpure\b", first, re.IGNORECASE) is None:
            continue
        faults += [
            f"{place(source, statement)}: says it is pure and imports {name}"
            for statement, name in imports(source)
            if name.partition(".")[0] in acting
        ]
    assert faults == [], "\n".join(faults)


def contract(name: str) -> dict[str, list[str]]:
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = next(
        each for each in tree["tool"]["importlinter"]["contracts"] if each["id"] == name
    )
    return found


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node, node.module
            for alias in node.names:
                yield node, f"{node.module}.{alias.name}"


def test_no_state_at_module_level() -> None:
    """No global configuration, registry or cache: stations get it by the constructor."""
    mutable_calls = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
    faults = []
    for source in shipped():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Global):
                faults.append(f"{place(source, node)}: global {', '.join(node.names)}")
        for statement in source.tree.body:
            if isinstance(statement, ast.Assign):
                names, value = [dotted(target) for target in statement.targets], statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                names, value = [dotted(statement.target)], statement.value
            else:
                continue
            if isinstance(value, ast.Call) and dotted(value.func).rsplit(".", 1)[-1] in mutable_calls:
                faults.append(f"{place(source, statement)}: {', '.join(names)} is mutable")
            literal = isinstance(value, ast.List | ast.Set | ast.ListComp | ast.SetComp)
            table = isinstance(value, ast.Dict | ast.DictComp)
            constant = all(name.strip("_").isupper() for name in names)
            if (literal and names != ["__all__"]) or (table and not constant):
                faults.append(
                    f"{place(source, statement)}: {', '.join(names)} is mutable: a tuple, a frozenset?"
                )
    assert faults == [], "\n".join(faults)


def test_tables_are_never_written_to() -> None:
    """A dict in capitals is a table: it is never assigned to."""
    tables: set[str] = set()
    for source in shipped():
        for statement in source.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() | ast.DictComp()):
                    tables.add(name)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() | ast.DictComp()):
                    tables.add(name)
    faults = []
    for source in shipped():
        for node in ast.walk(source.tree):
            match node:
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name in tables:
                    faults.append(f"{place(source, node)}: writes to {name}")
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id=name), attr="update" | "pop" | "setdefault" | "clear" | "popitem"
                    )
                ) if name in tables:
                    faults.append(f"{place(source, node)}: changes {name}")
    assert faults == [], "\n".join(faults)


def test_files_are_short_enough_to_hold_in_mind() -> None:
    faults = [
        f"{source.path.relative_to(ROOT)}: {source.text.count(chr(10))} lines, at most {LINES_MAX}"
        for source in shipped()
        if source.text.count("\n") > LINES_MAX
    ]
    assert faults == [], "\n".join(faults)


def test_files_are_nouns_of_mail() -> None:
    faults = [
        str(source.path.relative_to(ROOT))
        for source in shipped()
        if not FORBIDDEN_FILE_NAMES.isdisjoint(source.module.split("."))
    ]
    assert faults == [], "\n".join(faults)


def test_one_name_means_one_thing() -> None:
    """A class or type alias has a unique name; CONTRIBUTING.md has the exceptions."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, heading, rest = page.partition("## Names that stand twice, and why\n")
    assert len(heading) > 0, "CONTRIBUTING.md has no such section"
    allowed = {
        name: set(re.findall(r"`([\w/.]+)`", where))
        for name, where in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", rest.partition("\n## ")[0], re.MULTILINE)
    }
    simulated = sources_in(ROOT / "simulation", ROOT)
    places: dict[str, set[str]] = {}
    for source in (*shipped(), *simulated):
        path = source.path.relative_to(SHIPPED if source.path.is_relative_to(SHIPPED) else ROOT)
        for name in names_of_types(source.tree):
            places.setdefault(name, set()).add(str(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == allowed


def names_of_types(tree: ast.Module) -> Iterator[str]:
    """Classes, and aliases spelled like classes, but not type variables."""
    for statement in tree.body:
        match statement:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if re.match(r"_?[A-Z]\w*[a-z]", name) is not None:
                    yield name


def test_every_file_says_what_it_is_for() -> None:
    faults = [
        str(source.path.relative_to(ROOT)) for source in shipped() if ast.get_docstring(source.tree) is None
    ]
    assert faults == [], "\n".join(faults)


def test_no_file_is_dead() -> None:
    """Each module is imported by another shipped one, or starts a command or process."""
    imported = {name.removeprefix("secondpost.") for source in shipped() for _, name in imports(source)}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    begin = {target.partition(":")[0].removeprefix("secondpost.") for target in scripts.values()}
    named = {  # modules loaded by name, such as a command that is imported only when used
        node.value.removeprefix("secondpost.")
        for source in shipped()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    faults = [
        str(source.path.relative_to(ROOT))
        for source in shipped()
        if source.path.name not in ("__init__.py", "__main__.py")
        and source.module not in imported | begin | named
    ]
    assert faults == [], "\n".join(faults)


def test_no_function_is_dead() -> None:
    """A public class, function or method is named somewhere besides its definition."""
    named = CALLED_FROM_OUTSIDE | {name for source in shipped() for name in names_in(source.tree)}
    for folder in ("simulation", "tests", "bench"):
        named |= {name for source in sources_in(ROOT / folder, ROOT) for name in names_in(source.tree)}
    faults = [
        f"{place(source, node)}: nobody uses {node.name}"
        for source in shipped()
        for node in definitions(source.tree.body)
        if node.name not in named and not node.name.startswith("__")
    ]
    assert faults == [], "\n".join(faults)


def names_in(tree: ast.Module) -> Iterator[str]:
    """Names that code uses, without those in its comments and docstrings; a string may name one too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]
        elif isinstance(node, ast.keyword) and node.arg is not None:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value


def definitions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Definitions that must be named to be used; decorators may reach decorated ones."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(node.decorator_list) == 0:
            yield node
        elif isinstance(node, ast.ClassDef):
            yield node
            yield from definitions(node.body)


def test_no_test_changes_a_constant() -> None:
    """Bounds and rhythms are arguments: a test passes its own or uses the real ones."""
    faults = [
        f"{place(source, node)}: {name}"
        for folder in ("tests", "simulation", "bench")
        for source in sources_in(ROOT / folder, ROOT)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.expr)
        for name in changed_by(node)
        if name.rpartition(".")[2].strip("_").isupper()
    ]
    assert faults == [], "\n".join(faults)


def changed_by(node: ast.expr) -> tuple[str, ...]:
    """The attributes and tables that this expression patches or assigns."""
    match node:
        case ast.Call(func=patch, args=[target, *more]):
            named = [each.value for each in (target, *more[:1]) if isinstance(each, ast.Constant)]
            match dotted(patch).rpartition(".")[2]:
                case "setattr" | "delattr":
                    return tuple(str(name) for name in named)
                case "setitem" | "delitem":
                    return (dotted(target),)
        case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
            return (name,)
    return ()


def test_no_test_is_skipped() -> None:
    """A test that may be skipped is missing when it matters."""
    pattern = re.compile(r"mark\.skip|mark\.xfail|pytest\.skip|pytest\.xfail|importorskip|unittest\.mock")
    faults = [
        f"{source.path.relative_to(ROOT)}: {found.group()}"
        for source in sources_in(ROOT / "tests", ROOT)
        if source.path != Path(__file__).resolve()
        for found in pattern.finditer(source.text)
    ]
    assert faults == [], "\n".join(faults)


def test_nothing_is_left_for_later_and_no_machine_is_named() -> None:
    faults = []
    for path in tracked_files():
        if path == Path(__file__).resolve():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        faults += [f"{path.relative_to(ROOT)}: {found.group()!r}" for found in FORBIDDEN_WORDS.finditer(text)]
    assert faults == [], "\n".join(faults)


LOCKS = ("requirements.lock", "requirements.install.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_hashes_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = [e for e in re.split(r"\n(?=\S)", text) if not e.startswith("#")]
    assert len(entries) > 10
    assert [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry.partition("\n")[0] for entry in entries if "==" not in entry] == []


def test_the_lock_holds_every_dependency() -> None:
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = (
        tree["project"]["dependencies"]
        + [one for group in tree["dependency-groups"].values() for one in group if isinstance(one, str)]
        + tree["build-system"]["requires"]
    )
    assert names_of(wanted) - locked_in("requirements.lock").keys() == set()


def test_what_an_owner_installs_is_all_that_the_service_needs_in_the_versions_that_are_tested() -> None:
    """What builds the package is among what is tested, and is not installed."""
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed, tested = locked_in("requirements.install.lock"), locked_in("requirements.lock")
    assert names_of(tree["project"]["dependencies"]) - installed.keys() == set()
    assert names_of(tree["build-system"]["requires"]) <= tested.keys() - installed.keys()
    assert (
        names_of(one for one in tree["dependency-groups"]["dev"] if isinstance(one, str)) & set(installed)
        == set()
    )
    assert installed.items() <= tested.items()


def names_of(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[<>=;~! \[]", each, maxsplit=1)[0].lower() for each in requirements}


def locked_in(lock: str) -> dict[str, str]:
    """The version and hashes of each name."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry.rstrip() for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    return {
        entry.partition("==")[0]: " ".join(
            [*re.findall(r"==(\S+)", entry)[:1], *re.findall(r"--hash=(\S+)", entry)]
        )
        for entry in entries
    }


def test_every_dependency_is_used() -> None:
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {
        re.split(r"[<>=;~! \[]", each, maxsplit=1)[0].lower() for each in tree["project"]["dependencies"]
    }
    packages = {
        "dnspython": "dns",
        "css-inline": "css_inline",
        "flufl-bounce": "flufl",
        "markdown-it-py": "markdown_it",
        "prometheus-client": "prometheus_client",
    }
    imported = {name.partition(".")[0] for source in shipped() for _, name in imports(source)}
    assert {name for name in names if packages.get(name, name) not in imported} == set()


def test_every_dependency_has_its_record() -> None:
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    records = " ".join(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    names = [
        re.split(r"[<>=;~! \[]", each, maxsplit=1)[0].lower() for each in tree["project"]["dependencies"]
    ]
    assert [name for name in names if f"-{name}.md" not in records] == []
