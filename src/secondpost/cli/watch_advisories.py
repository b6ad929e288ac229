"""secondpost watch advisories: the holes that are known in what runs here, as the service last answered."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command
from secondpost.cli.opening import become_owner, configuration, store_faults_shown
from secondpost.cli.screen import printable_lines, say, say_json
from secondpost.mail.duration import age_text
from secondpost.owner.figures import counted
from secondpost.protocols.osv.findings import AdvisoryFinding

if TYPE_CHECKING:
    from secondpost.roles.advisory_desk import KeptHere

OFF = "They are not asked for: advisories = true in [watch] has it done daily."


@click.command("advisories", cls=Command)
@JSON
def advisories(as_json: bool) -> None:
    """List known holes in what runs here, and whether they apply."""
    config = configuration()
    from secondpost.owner.advisory_documents import advisories_document
    from secondpost.protocols.osv.findings import known_holes
    from secondpost.roles.advisories import service_host, what_runs
    from secondpost.roles.advisory_desk import kept_here

    runs = what_runs(config)
    become_owner(config)
    with store_faults_shown(config):
        kept = asyncio.run(kept_here(config))
    holes = known_holes(kept.advisories, runs.inventory, runs.here)
    service, is_asked = service_host(config), config.watch.advisories
    if as_json:
        say_json(
            advisories_document(service, kept.look, runs.inventory, holes, kept.since_ms, is_asked=is_asked)
        )
        return
    for line in _answer_lines(service, kept, is_asked=is_asked):
        say(line)
    for line in _hole_lines(holes, kept):
        say(printable_lines(line))
    if kept.age_ms is not None:
        open_now = sum(one.is_open for one in holes)
        said = "no known hole is" if open_now == 0 else counted(open_now, "known hole is", "known holes are")
        say(f"Of {len(runs.inventory)} things that run here, {said} open.")


def _answer_lines(service: str, kept: "KeptHere", *, is_asked: bool) -> Iterator[str]:
    """How old the last good answer is, and what has gone wrong since."""
    look = kept.look
    if not is_asked:
        yield OFF
    if kept.age_ms is not None:
        yield f"{service} last gave a good answer {age_text(kept.age_ms)} ago."
    elif look.tried_ms is not None or is_asked:
        yield f"{service} has given no good answer yet."
    if look.failing_ms is not None:
        failing = age_text(max(kept.now_ms - look.failing_ms, 0))
        yield printable_lines(f"It has failed for {failing}: {look.why}. What it said before stands.")


def _hole_lines(holes: Sequence[AdvisoryFinding], kept: "KeptHere") -> Iterator[str]:
    from secondpost.owner.advisory_documents import holes_to_show, known_since_ms
    from secondpost.setup.advisories import diagnosis_of

    for hole in holes_to_show(holes):
        since_ms = known_since_ms(hole, kept.since_ms)
        since = "" if since_ms is None else f" for {age_text(max(kept.now_ms - since_ms, 0))}"
        found = diagnosis_of(hole)
        yield f"{'OPEN' if hole.is_open else 'known'}{since}: {found.text}"
        if hole.is_open:
            yield from (f"  do: {line}" for line in found.remedy.splitlines())
