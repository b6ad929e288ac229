"""secondpost init: ask a few questions, write the configuration and the keys, show what to publish."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, config_option_of
from secondpost.cli.init_dialogue import Dialogue
from secondpost.cli.init_file import (
    earlier_file,
    is_found_by_commands,
    opened_zone,
    path_to_write,
    usual_store,
    written_file,
)
from secondpost.cli.init_flags import answer_flags, given_answers
from secondpost.cli.init_records import (
    Records,
    refuse_missing,
    say_waited,
    show_nothing,
    wait_for_records,
    watching,
    write_zone,
)
from secondpost.cli.init_words import say_duties, say_next, say_result
from secondpost.cli.opening import become_owner
from secondpost.cli.parameters import AGE
from secondpost.cli.screen import say_json
from secondpost.config.addresses import name_server
from secondpost.config.faults import Wrong
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.config.warnings import user_exists
from secondpost.mail.address import Endpoint
from secondpost.mail.duration import MINUTE_MS, duration_text
from secondpost.owner.init_documents import init_document
from secondpost.processes.user import UserRefused, prepare_store, service_user
from secondpost.roles.first_look import FirstLook, look_around_here, make_keys
from secondpost.roles.zones import facts_of_machine, needed_records, own_keys
from secondpost.setup.answers import Answers
from secondpost.setup.next_steps import SetUp, next_steps
from secondpost.setup.proxies import PROGRAMS, Proxy, Snippet, snippet
from secondpost.setup.questions import SILENT_DNS, Note, Scene, Texts
from secondpost.setup.surroundings import Surroundings
from secondpost.setup.wanted import records_wanted
from secondpost.world.ports import DiskFailed, KeyFault

WAIT_MS = 10 * MINUTE_MS


@click.command(cls=Command)
@answer_flags
@click.option(
    "--proxy",
    type=click.Choice([proxy.value for proxy in Proxy]),
    help="The web server in front of the pages, if it is not the one that runs here.",
)
@click.option("--zone", metavar="FILE", help="Write the records to this file too, as lines of a zone file.")
@click.option("--wait", "waits", is_flag=True, help="Wait until all records are visible in the DNS.")
@click.option("--wait-for", type=AGE, help=f"Wait so long at most, instead of {duration_text(WAIT_MS)}.")
@click.option("--yes", "says_yes", is_flag=True, help="Take all proposed answers, and replace the file.")
@JSON
@click.pass_context
def init(
    context: click.Context,
    proxy: str | None,
    zone: str | None,
    waits: bool,
    wait_for: int | None,
    says_yes: bool,
    as_json: bool,
) -> None:
    """Set this server up: answer a few questions; get a configuration, keys, and the records to publish.

    Every question is also an option. Without a terminal, or with --yes, questions without one take
    the answer that would be proposed. A second run begins with the answers of the first, shows what
    would change, and keeps the earlier file.
    """
    if wait_for is not None and not waits:
        raise click.UsageError("--wait-for says nothing without --wait")
    seconds_max = (WAIT_MS if wait_for is None else wait_for) / 1000
    here = look_around_here()
    path = path_to_write(config_option_of(context), here.is_root)
    earlier = earlier_file(path)
    scene = Scene(
        here, path, os.getcwd(), usual_store(path, here.is_root), None if earlier is None else earlier.answers
    )
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    answers, notes = _held(scene, asks=asks, says_yes=says_yes, says=not as_json)
    written = written_file(path, answers, earlier, asks=asks, says_yes=says_yes, says=not as_json)
    config = read_config(path)
    with opened_zone(os.devnull if zone is None else zone) as zone_file:
        keys, records = _keys_and_records(config, notes)
        write_zone(zone_file, records)
    result = SetUp(
        config=config,
        state=written.state,
        kept=written.kept,
        keys=keys,
        records=records,
        proxy=_proxy_snippet(config, here, proxy),
        steps=tuple(
            next_steps(
                config,
                here,
                has_user=user_exists(config.user),
                is_found=is_found_by_commands(path),
                waited=waits,
            )
        ),
    )
    if as_json:
        missing = wait_for_records(config, records, seconds_max, show_nothing) if waits else None
        say_json(init_document(result, notes, missing))
        context.exit(Exit.DONE if missing is None or len(missing) == 0 else Exit.NO)
    say_result(result)
    missing = ()
    if waits:
        with watching(len(records)) as show:
            missing = wait_for_records(config, records, seconds_max, show)
        say_waited(missing)
    say_next(result.steps)
    say_duties(result.config)
    refuse_missing(missing)


def _held(scene: Scene, *, asks: bool, says_yes: bool, says: bool) -> tuple[Answers, Sequence[Note]]:
    """Hold the interview; its answers, and what it noted."""
    given = given_answers()
    with closing(FirstLook(_dns_servers(given, scene))) as look:
        dialogue = Dialogue(given, look, asks, says_yes, says)
        return dialogue.hold(scene), dialogue.notes


def _dns_servers(given: Mapping[str, Texts], scene: Scene) -> Sequence[Endpoint]:
    """Those of the command line, or of the earlier file; none means those of this machine."""
    usual = () if scene.earlier is None else scene.earlier.dns_servers
    try:
        return [name_server(text) for text in given.get("--dns-server", usual) if text != "none"]
    except Wrong as wrong:
        raise click.UsageError(f"--dns-server: {wrong}; {wrong.hint}") from None


def _keys_and_records(config: Config, notes: Sequence[Note]) -> tuple[tuple[str, ...], Records]:
    """Make the store and the missing keys, as the user who runs the service; and say what to publish."""
    try:
        prepare_store(config, service_user(config))
        known = facts_of_machine(config)  # first, since root sees more than the owner of the store
        become_owner(config)
        keys = tuple(make_keys(config))
        if any(note.text == SILENT_DNS for note in notes):
            return keys, records_wanted(config, own_keys(config), known)
        return keys, asyncio.run(needed_records(config, known))
    except UserRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    except (KeyFault, DiskFailed) as fault:
        raise Ending(str(fault), Exit.UNREACHABLE) from None


def _proxy_snippet(config: Config, here: Surroundings, named: str | None) -> Snippet | None:
    """For the web server that is named, or runs here; Caddy needs least where there is none."""
    url = config.web.url
    if len(config.newsletters) == 0 or url is None or not url.startswith("https://") or config.web.has_https:
        return None
    program = here.web_server
    usual = Proxy.CADDY if program is None else PROGRAMS[program]
    host = url.removeprefix("https://")
    chosen = snippet(usual if named is None else Proxy(named), host, str(config.web.doors[0]))
    if program is None and named is None:
        return replace(chosen, install=f"apt-get install {usual}")
    return chosen
