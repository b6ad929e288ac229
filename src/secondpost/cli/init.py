"""secondpost init: ask a few questions, write the configuration and the keys, show what to publish."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, config_option_of
from secondpost.cli.init_dialogue import Dialogue
from secondpost.cli.init_file import (
    earlier_file,
    is_found_by_commands,
    path_to_write,
    usual_store,
    written_file,
)
from secondpost.cli.init_flags import answer_flags, given_answers
from secondpost.cli.init_words import say_file, say_keys, say_next, say_proxy
from secondpost.cli.opening import become_owner
from secondpost.cli.screen import say_json
from secondpost.config.addresses import name_server
from secondpost.config.faults import Wrong
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.owner.init_documents import init_document
from secondpost.processes.user import UserRefused, prepare_store, service_user
from secondpost.roles.first_look import FirstLook, look_around_here, make_keys
from secondpost.setup.config_file import config_text
from secondpost.setup.next_steps import next_steps
from secondpost.setup.proxies import PROGRAMS, Proxy, Snippet, snippet
from secondpost.setup.questions import Scene, Texts
from secondpost.setup.surroundings import Surroundings
from secondpost.world.ports import DiskFailed, KeyFault

SERVICE_USER = str(Config.__dataclass_fields__["user"].default)


@click.command(cls=Command)
@answer_flags
@click.option(
    "--proxy",
    type=click.Choice([proxy.value for proxy in Proxy]),
    help="The web server in front of the pages, if it is not the one that runs here.",
)
@click.option("--yes", "says_yes", is_flag=True, help="Take all proposed answers, and replace the file.")
@JSON
def init(proxy: str | None, says_yes: bool, as_json: bool) -> None:
    """Set this server up: answer a few questions; get a configuration, keys, and the records to publish.

    Every question is also an option. Without a terminal, or with --yes, questions without one take
    the answer that would be proposed. A second run begins with the answers of the first, shows what
    would change, and keeps the earlier file.
    """
    given = given_answers()
    here = look_around_here(SERVICE_USER)
    path = path_to_write(config_option_of(click.get_current_context()), here.is_root)
    earlier = earlier_file(path)
    scene = Scene(
        here, path, os.getcwd(), usual_store(path, here.is_root), None if earlier is None else earlier.answers
    )
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    with closing(FirstLook(_dns_servers(given, scene))) as look:
        dialogue = Dialogue(given, look, asks, says_yes, says=not as_json)
        answers = dialogue.hold(scene)
    written = written_file(
        path, config_text(answers), earlier, asks=asks, says_yes=says_yes, says=not as_json
    )
    config = read_config(path)
    keys = _made_keys(config)
    steps = list(next_steps(config, here, is_found=is_found_by_commands(path)))
    before = _proxy_snippet(config, here, proxy)
    if as_json:
        say_json(init_document(config, written.state, written.kept, keys, dialogue.notes, before, steps))
        return
    say_file(path, written)
    say_keys(config, keys)
    say_proxy(before)
    say_next(steps)


def _dns_servers(given: Mapping[str, Texts], scene: Scene) -> Sequence[Endpoint]:
    """Those of the command line, or of the earlier file; none means those of this machine."""
    usual = () if scene.earlier is None else scene.earlier.dns_servers
    try:
        return [name_server(text) for text in given.get("--dns-server", usual) if text != "none"]
    except Wrong as wrong:
        raise click.UsageError(f"--dns-server: {wrong}; {wrong.hint}") from None


def _made_keys(config: Config) -> list[str]:
    """Make the store and the missing keys, as the user who runs the service."""
    try:
        prepare_store(config, service_user(config))
        become_owner(config)
        return make_keys(config)
    except UserRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    except (KeyFault, DiskFailed) as fault:
        raise Ending(str(fault), Exit.UNREACHABLE) from None


def _proxy_snippet(config: Config, here: Surroundings, named: str | None) -> Snippet | None:
    """For the web server that is named, or runs here; Caddy needs least where there is none."""
    url = config.web.url
    if len(config.newsletters) == 0 or url is None or not url.startswith("https://"):
        return None
    program = here.web_server
    usual = Proxy.CADDY if program is None else PROGRAMS[program]
    host = url.removeprefix("https://")
    return snippet(usual if named is None else Proxy(named), host, str(config.web.listen[0]))
