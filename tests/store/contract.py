"""The contract: runs a test on each engine in turn and compares the rows that it leaves."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TypeVar

from tests.store.left_rows import Dump, differences
from tests.store.place import Place

TEST_SECONDS_MAX = 120.0  # ends a hanging test; a flood of sign-ups over the wire takes some 10 s
SQLITE = ("sqlite in shared memory", "sqlite on disk")
POSTGRESQL = "postgresql"

T = TypeVar("T")
Story = Callable[..., Coroutine[object, None, None]]  # called with `place`
Engines = Mapping[str, Callable[[], Place]]  # engine name to the place for one test


def on_each_engine(test: Story, engines: Engines) -> None:
    """Run a test on all engines. Raises AssertionError if their rows differ.

    The test's own exception gets the engine's name as a note.
    """
    left: dict[str, Dump] = {}
    for name, place_of in engines.items():
        try:
            left[name] = asyncio.run(bounded(_left_by(test, place := place_of()), place))
        except BaseException as error:
            error.add_note(f"on {name}")
            raise
    first, *others = left
    for name in others:
        different = "\n".join(differences(left[first], left[name]))
        assert different == "", f"{first} (-) and {name} (+) have other rows:\n{different}"


async def bounded(running: Coroutine[object, None, T], place: Place | None) -> T:
    """Run a coroutine with a time limit, and close the place."""
    try:
        async with asyncio.timeout(TEST_SECONDS_MAX):
            return await running
    finally:
        if place is not None:
            await place.close()


async def _left_by(test: Story, place: Place) -> Dump:
    await test(place=place)
    rows = await place.rows()
    wrong = await place.contradictions()
    assert wrong == [], f"what triggers computed is not what a recount finds: {wrong}"
    return rows
