"""Runs scenarios on all cores, each in its own process."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash.judging import Verdict


def verdicts_of(names: Iterable[str], play: Callable[[str, Path], Verdict]) -> dict[str, Verdict]:
    """Play the scenarios. `play` must be a module-level function, since it is pickled by name."""
    wanted = list(names)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return dict(zip(wanted, pool.map(partial(_played, play), wanted), strict=True))


def _played(play: Callable[[str, Path], Verdict], name: str) -> Verdict:
    with TemporaryDirectory(dir="/dev/shm") as path:
        return play(name, Path(path))
