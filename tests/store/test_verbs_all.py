"""Each verb of the store runs in a test on the recording engine, without a database."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from secondpost.store import verbs
from secondpost.store.verbs.engine import Verbs
from tests.store.recording import over

Ran = tuple[str, str]  # class of verbs, method


def groups() -> Iterator[type[Verbs]]:
    """The classes of verbs, each once, from its own module."""
    for module in iter_modules(verbs.__path__):
        for _, found in inspect.getmembers(import_module(f"{verbs.__name__}.{module.name}"), inspect.isclass):
            if issubclass(found, Verbs) and found.__module__.endswith(f".{module.name}"):
                yield found


def public_verbs() -> set[Ran]:
    return {
        (group.__name__, name)
        for group in groups()
        for name, found in vars(group).items()
        if inspect.isfunction(found) and not name.startswith("_")
    }


def recorded() -> set[Ran]:
    """The methods called by tests over the recording engine, with their defining class."""
    named = {group.__name__: group for group in groups()}
    called = {
        call
        for file in Path(__file__).parent.glob("test_verbs_*.py")
        for call in _called_in(ast.parse(file.read_text(encoding="utf-8")))
    }
    return {
        (next(one for one in named[group].__mro__ if name in vars(one)).__name__, name)
        for group, name in called
        if hasattr(named[group], name)
    }


def _called_in(module: ast.Module) -> Iterator[Ran]:
    for test in module.body:
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            stores = {
                target.id: group
                for node in ast.walk(test)
                if isinstance(node, ast.Assign) and (group := _group_over(node.value)) is not None
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            given = {group for node in ast.walk(test) if (group := _group_over(node)) is not None}
            for node in ast.walk(test):
                if isinstance(node, ast.Lambda):  # called with a group
                    yield from ((group, called) for group in given for called in _attributes(node))
                if isinstance(node, ast.Attribute):
                    on = node.value
                    group = stores.get(on.id) if isinstance(on, ast.Name) else _group_over(on)
                    if group is not None:
                        yield group, node.attr


def _attributes(within: ast.AST) -> Iterator[str]:
    return (node.attr for node in ast.walk(within) if isinstance(node, ast.Attribute))


def _group_over(node: ast.AST) -> str | None:
    """The class in `over(engine, Class)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == over.__name__:
        _, group = node.args
        return group.id if isinstance(group, ast.Name) else None
    return None


def test_each_verb_runs_on_the_recording_driver() -> None:
    assert public_verbs() - recorded() == set()


def test_a_verb_that_no_test_runs_would_be_found() -> None:
    text = "def test_one():\n    store = over(RecordingEngine([]), ClaimsVerbs)\n    store.lease()\n"
    assert set(_called_in(ast.parse(text))) == {("ClaimsVerbs", "lease")}
    assert set(_called_in(ast.parse("def test_one():\n    place.open().lease()\n"))) == set()
    assert ("ClaimsVerbs", "settle") in public_verbs()
