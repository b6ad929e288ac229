"""secondpost tls: the server's certificate and its key."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import become_owner, configuration
from secondpost.cli.screen import say, say_json
from secondpost.config.files import FileWrong
from secondpost.config.records import Config
from secondpost.protocols.certificate_questions import CertificateWish

if TYPE_CHECKING:
    from secondpost.owner.certificate_document import CertificateDocument

STOP = click.option("--stop", is_flag=True, help="Keep the key, and give the change up.")


@click.group(cls=Group)
def tls() -> None:
    """Show the certificate, renew it, and change its key."""


@tls.command(cls=Command)
@JSON
def show(as_json: bool) -> None:
    """Show the certificate in use, its TLSA record, and how far a change of the key is."""
    config = configuration()
    become_owner(config)
    document = _document(config)
    if as_json:
        say_json(document)
        return
    for line in _lines(document, config):
        say(line)


@tls.command(cls=Command)
def renew() -> None:
    """Order a new certificate now, with the key that is in use."""
    _ask(CertificateWish.RENEW)


@tls.command(cls=Command)
@STOP
def roll(stop: bool) -> None:
    """Change the key, in the order that senders who check it can follow.

    The next key is made at once, and its TLSA record is printed. Publish it beside the old one: the key
    changes by itself when no resolver can have the old record alone any more.
    """
    config = _ask(CertificateWish.KEEP_KEY if stop else CertificateWish.ROLL)
    document = _document(config)
    if document.next_record is not None:
        say("Add this record beside the old one, if you have published that:")
        say(f"  {document.next_record}")
        say("Without such records the key changes within minutes. `secondpost tls show` says how far it is.")


def _document(config: Config) -> "CertificateDocument":
    from secondpost.owner.certificate_document import certificate_document
    from secondpost.roles.certificate_desk import now_ms, stored_certificate

    try:
        stored = stored_certificate(config)
    except (OSError, FileWrong) as error:
        raise Ending(f"the certificate cannot be read: {error}", Exit.UNREACHABLE) from None
    is_acme = config.tls.acme is not None
    return certificate_document(stored, config.hostname.name, now_ms(), is_acme=is_acme)


def _ask(wish: CertificateWish) -> Config:
    """Ask the running service; a refusal ends the command."""
    config = configuration()
    if config.tls.acme is None:
        text = (
            f'the certificate is not got by ACME: write acme = "me@example.net" under [tls] in {config.path}'
        )
        raise Ending(text, Exit.NO)
    become_owner(config)
    from secondpost.roles.certificate_desk import ask_service

    answered = asyncio.run(ask_service(config, wish))
    if answered is None:
        text = "no service runs that could do it: start it with `secondpost serve`"
        raise Ending(text, Exit.UNREACHABLE)
    if not answered.is_granted:
        raise Ending(answered.text, Exit.NO)
    say(answered.text)
    return config


def _lines(document: "CertificateDocument", config: Config) -> Iterator[str]:
    if document.ends is None:
        yield "There is no certificate yet." if config.tls.acme is not None else "There is no certificate."
    else:
        yield f"For {', '.join(document.names)}"
        yield f"Issued by {document.issuer or 'an authority without a name'}"
        yield f"Ends {document.ends}, in {document.days_left} days"
    if document.renewed is not None:
        yield f"Renewed from {document.renewed} on, by itself, with the same key"
    if document.record is not None:
        yield f"Its key in DNS (DANE): {document.record}"
    if document.next_record is not None and document.record is not None:
        yield f"The next key: {document.next_record}"
    if len(document.to_do) > 0:
        yield f"Change of the key: {document.to_do}"
    if len(document.failure) > 0:
        yield f"The last order failed: {document.failure}"
        yield f"It is tried again at {document.tried}"
