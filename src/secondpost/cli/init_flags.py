"""The options of `secondpost init` that answer its questions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import click

_GIVEN = "secondpost.init"  # in the context: the texts of each flag

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class AnswerFlag:
    name: str
    metavar: str
    help: str
    is_many: bool = False
    needs: str = ""  # without that flag nothing asks for this one


ANSWER_FLAGS = (
    AnswerFlag("--hostname", "NAME", "This server's full name."),
    AnswerFlag("--backup", "DOMAIN", "A domain to back up, or none.", True),
    AnswerFlag(
        "--recipients",
        "SOURCE",
        "Recipients of the domains: learn, any, file:PATH or an address; {domain} stands for the domain.",
        True,
        "--backup",
    ),
    AnswerFlag("--primary", "HOST[:PORT]", "Where their mail goes, if not in the DNS.", True, "--backup"),
    AnswerFlag("--feed", "URL", "A feed to make a newsletter from, or none.", True),
    AnswerFlag("--newsletter", "NAME", "The newsletter's name, as in its web address.", needs="--feed"),
    AnswerFlag("--from", "ADDRESS", "Its sender: an address, or Name <address>.", needs="--feed"),
    AnswerFlag("--every", "WHEN", 'When an issue is sent: "friday 09:00".', needs="--feed"),
    AnswerFlag("--timezone", "ZONE", "The time zone of that: Europe/Oslo.", needs="--feed"),
    AnswerFlag("--owner", "ADDRESS", "Your address, at a domain that is not backed up here.", True),
    AnswerFlag("--address", "IP", "A public address of this machine behind NAT, or none.", True),
    AnswerFlag("--smart-host", "HOST[:PORT]", "A server that passes your mail on, or none."),
    AnswerFlag("--smart-host-user", "NAME", "Your user name there, or none.", needs="--smart-host"),
    AnswerFlag("--smart-host-password-file", "FILE", "The file with your password.", needs="--smart-host"),
    AnswerFlag(
        "--acme", "ADDRESS", "Your address for Let's Encrypt, which then issues certificates, or none."
    ),
    AnswerFlag("--certificate", "FILE", "A certificate for this server, with its chain, or none."),
    AnswerFlag("--key", "FILE", "Its private key.", needs="--certificate"),
    AnswerFlag("--web-url", "URL", "The address of the newsletter's pages, or none.", needs="--feed"),
    AnswerFlag("--web-listen", "IP:PORT", "Where a web server in front finds them.", True, "--feed"),
    AnswerFlag("--listen", "IP:PORT", "Where mail is accepted; port 25 if left out.", True),
    AnswerFlag("--dns-server", "IP[:PORT]", "A DNS server, in place of those of this machine.", True),
    AnswerFlag("--store", "FOLDER", "Where mail, keys and sockets are kept."),
)


def answer_flags(command: F) -> F:
    for flag in reversed(ANSWER_FLAGS):
        command = click.option(
            flag.name,
            metavar=flag.metavar,
            multiple=flag.is_many,
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help=f"{flag.help} May be repeated." if flag.is_many else flag.help,
        )(command)
    return command


def _remember(context: click.Context, option: click.Parameter, value: str | tuple[str, ...] | None) -> None:
    if value is None or value == ():
        return
    given = dict(context.meta.get(_GIVEN, {}))
    given[option.opts[0]] = (value,) if isinstance(value, str) else value
    context.meta[_GIVEN] = given


def given_answers() -> Mapping[str, tuple[str, ...]]:
    """The texts of each flag on the command line."""
    given: dict[str, tuple[str, ...]] = click.get_current_context().meta.get(_GIVEN, {})
    return given
