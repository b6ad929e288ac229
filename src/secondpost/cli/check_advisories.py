"""The advisories of `check security`: read from files, or asked for, or as they were last answered."""

import asyncio
from dataclasses import dataclass, replace

from secondpost.cli.command import Ending, Exit
from secondpost.cli.opening import become_owner, store_faults_shown
from secondpost.config.records import Config
from secondpost.protocols.osv.findings import known_holes
from secondpost.protocols.osv.inventory import TITLES
from secondpost.setup.advisories import AdvisoriesSeen, examine_advisories, not_looked_up
from secondpost.setup.diagnosis import Diagnosis
from secondpost.watch.advisories import NotAnswered, WhatRuns


@dataclass(frozen=True, slots=True)
class AdvisoryWish:
    also: tuple[str, ...] = ()
    files: str | None = None  # where advisories are read instead of asked for
    asks: bool = False  # whatever the configuration says


@dataclass(frozen=True, slots=True)
class RunsHere:
    """`from_files`: what was read from files; None if none were named."""

    wish: AdvisoryWish
    runs: WhatRuns
    missing: tuple[str, ...]
    from_files: AdvisoriesSeen | None


def runs_here(config: Config | None, wish: AdvisoryWish) -> RunsHere:
    """What runs here, and the files if there are any. Root sees more."""
    from secondpost.roles.advisories import what_runs

    runs = what_runs(config, wish.also, runs_programs=True)
    titles = {one.title for one in runs.inventory}
    missing = tuple(word for word in wish.also if TITLES[word] not in titles)
    from_files = None if wish.files is None else _from_files(wish.files, runs)
    return RunsHere(wish, runs, missing, from_files)


def look_at_advisories(config: Config | None, here: RunsHere) -> list[Diagnosis]:
    """As root, becomes the store's owner if advisories are asked for, which takes a configuration."""
    if here.from_files is not None:
        seen = here.from_files
    elif config is None:
        return [not_looked_up()]
    elif config.watch.advisories or here.wish.asks:
        seen = asyncio.run(_asked(config, here.runs))
    else:
        return [not_looked_up()]
    return list(examine_advisories(replace(seen, missing=here.missing)))


def _from_files(path: str, runs: WhatRuns) -> AdvisoriesSeen:
    from secondpost.world.real.advisory_files import AdvisoriesMissing, read_advisories

    try:
        read = read_advisories(path, tuple(runs.inventory))
    except AdvisoriesMissing as missing:
        raise Ending(
            f"{missing}; name a .json or .zip file of OSV, or a folder of such files", Exit.USAGE
        ) from None
    holes = known_holes(read.advisories, runs.inventory, runs.here)
    lacking = tuple(one for one in runs.inventory if read.lacks(one))
    seen = AdvisoriesSeen(path, runs.inventory, holes, unasked=lacking, problem=read.problem)
    return replace(seen, has_answer=read.records > 0, from_files=True)


async def _asked(config: Config, runs: WhatRuns) -> AdvisoriesSeen:
    from secondpost.roles.advisories import service_host
    from secondpost.roles.advisory_desk import ask_now, kept_here

    try:
        become_owner(config)
        with store_faults_shown(config):
            kept = await kept_here(config)
    except Ending:
        kept = None  # what else is looked at says what is wrong with the store
    before = [] if kept is None else kept.advisories
    found = await ask_now(config, runs, before)
    seen = AdvisoriesSeen(service_host(config), runs.inventory, ())
    if isinstance(found, NotAnswered):
        age_ms = None if kept is None else kept.age_ms
        holes = known_holes(before, runs.inventory, runs.here)
        has_answer = age_ms is not None
        return replace(seen, holes=holes, problem=found.reason, age_ms=age_ms, has_answer=has_answer)
    problem = ""
    if len(found.unreadable) > 0:
        problem = f"{len(found.unreadable)} of its advisories cannot be read: {found.unreadable[0]}"
    holes = known_holes(found.advisories, runs.inventory, runs.here)
    return replace(seen, holes=holes, unasked=found.unasked, problem=problem)
