"""Show a file in the browser of the person at this terminal, or say how to see it elsewhere.

Most servers have no screen: then the path is said, with a line to type on one's own machine.
"""

import getpass
import os
import shlex
import sys
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from secondpost.config.records import Config

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")  # of the environment of a desktop
BROWSER = "BROWSER"  # names a browser (Python's webbrowser)


@dataclass(frozen=True, slots=True)
class Typist:
    """Who typed the command, before it became the store's owner."""

    uid: int
    name: str
    is_by_sudo: bool


def typist() -> Typist:
    by_sudo = os.environ.get("SUDO_USER", "")
    return Typist(os.geteuid(), by_sudo or _user_name(), is_by_sudo=len(by_sudo) > 0)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return "root"


def preview_path(config: Config, newsletter: str, ending: str) -> str:
    """Where a preview is written that is only to be looked at: a later one replaces it.

    In the home of the person, since browsers in a snap or flatpak see no other folder, and none in /tmp.
    """
    name, home = f"secondpost-{newsletter}.{ending}", os.path.expanduser("~")
    store = os.path.realpath(config.store)
    is_store = os.path.commonpath([store, os.path.realpath(home)]) == store
    if os.path.isdir(home) and os.access(home, os.W_OK) and not is_store:
        return os.path.join(home, name)
    return os.path.join(tempfile.mkdtemp(prefix="secondpost-"), name)


def shown_in_browser(who: Typist, config: Config, newsletter: str, path: str) -> str:
    """Open the file, which has to exist; returns what was done, or what to type instead."""
    if _can_open(who) and webbrowser.open(Path(path).as_uri()):
        return "Your browser shows it."
    at = f"{who.name}@{config.hostname}"
    if who.is_by_sudo:  # the file is root's, and root seldom may come by ssh
        form = "--text" if path.endswith(".txt") else "--html -"
        there = f"sudo secondpost issue preview {newsletter} {form}"
        line = f"ssh {at} {shlex.quote(there)} > {shlex.quote(os.path.basename(path))}"
    else:
        line = f"scp {shlex.quote(f'{at}:{path}')} ."
    return f"There is no browser here. To see it, type on your own machine: {line}"


def _can_open(who: Typist) -> bool:
    """A command that became another user has no access to the screen of the person."""
    if os.geteuid() != who.uid:
        return False
    has_screen = sys.platform == "darwin" or any(len(os.environ.get(name, "")) > 0 for name in SCREENS)
    return has_screen or len(os.environ.get(BROWSER, "")) > 0
