"""secondpost check delivery: send a self-test through the backup way, or explain a header that came back
from the mailbox.
"""

import asyncio
import os
import sys
from typing import BinaryIO

import click

from secondpost.cli.check_roads import show_roads
from secondpost.cli.check_words import VERBOSE, say_diagnoses
from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import become_owner, configuration, store_faults_shown
from secondpost.cli.parameters import DOMAIN, MAILBOX
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Config
from secondpost.mail.address import Domain, Mailbox
from secondpost.owner.check_documents import header_document, self_test_document
from secondpost.protocols.smtp.transcript import DOT, GREETING
from secondpost.setup.diagnosis import has_fault
from secondpost.setup.header_diagnosis import HeaderReading
from secondpost.setup.pasted_headers import HEADER_OCTETS_MAX, read_pasted
from secondpost.setup.self_test import HostVisit, SelfTest, certificate_text, diagnose

COMMANDS = {GREETING: "(greeting)", DOT: "(the message)"}
TO = click.option(
    "--to", type=MAILBOX, metavar="ADDRESS", help="The mailbox to send to, of this domain (else postmaster)."
)
HEADERS = click.option(
    "--headers",
    metavar="FILE",
    help="Explain this header or message from the mailbox (-: standard input).",
)


@click.command(cls=Command)
@click.argument("domain", type=DOMAIN, required=False)
@TO
@HEADERS
@JSON
@VERBOSE
@click.pass_context
def delivery(
    context: click.Context,
    domain: Domain | None,
    to: Mailbox | None,
    headers: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Look at all roads of mail, or send a test message to DOMAIN's primary.

    Without DOMAIN no mail is sent: port 25, the primaries, smart hosts, block lists and the newsletters'
    pages are looked at. With DOMAIN a test message goes to its primary, as its backup would send it, and
    the replies are shown word for word. With --headers, explain what the primary wrote about a message
    that came through this server, and what makes it trust this server.
    """
    config = configuration()
    if domain is None:
        if to is not None or headers is not None:
            raise click.UsageError("--to and --headers need the DOMAIN of a [[backup]].")
        show_roads(config, as_json=as_json, verbose=verbose)
        return
    if config.backup_for(domain) is None:
        text = f"{domain} is no [[backup]] domain of {config.path}: a self-test goes to no other"
        raise Ending(text, Exit.NO)
    if headers is not None:
        if to is not None:
            raise click.UsageError("--to is for a message that is sent; --headers sends none.")
        _explain(context, config, domain, headers, as_json)
        return
    mailbox = Mailbox("postmaster", domain) if to is None else to
    if mailbox.domain != domain:
        raise click.UsageError(f"--to {mailbox} is not an address of {domain}.")
    _send(context, config, mailbox, as_json=as_json, verbose=verbose)


# ---------------------------------------------------------------- a header


def _explain(context: click.Context, config: Config, domain: Domain, path: str, as_json: bool) -> None:
    fields = read_pasted(_read(path))
    if len(fields) == 0:
        raise Ending(f"{path} holds no header: paste it from its first line on", Exit.NO)
    from secondpost.roles.relay_names import explain_header

    reading = asyncio.run(explain_header(config, domain, fields))
    if as_json:
        say_json(header_document(config.path, reading))
    else:
        _say_reading(config, reading)
    if has_fault(reading.diagnoses):
        context.exit(Exit.NO)


def _read(path: str) -> bytes:
    if path == "-":
        return _bounded(sys.stdin.buffer, "standard input")
    try:
        with open(path, "rb") as file:
            return _bounded(file, path)
    except OSError as error:
        raise Ending(f"{path} cannot be read: {error.strerror}", Exit.NO) from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    octets = file.read(HEADER_OCTETS_MAX + 1)
    if len(octets) > HEADER_OCTETS_MAX:
        text = f"{name} is larger than {HEADER_OCTETS_MAX} octets: save only the header of the message"
        raise Ending(text, Exit.NO)
    return octets


def _say_reading(config: Config, reading: HeaderReading) -> None:
    kinds = " with ".join(kind.value for kind in reading.kinds)
    say(f"primary: {kinds if len(kinds) > 0 else 'of a kind that was not recognised'}")
    taker, ours = reading.chain.taker, reading.chain.ours
    if ours is not None:
        say(f"before:  {ours.client} [{ours.address}] handed the message to {config.hostname}")
    if taker is not None:
        say(f"after:   {taker.by} took it from {taker.client} [{taker.address}]")
    for result in reading.findings.results:
        say(f"it says: {result.method}={result.result}")
    say_diagnoses(config.path, reading.diagnoses, verbose=True)


# ---------------------------------------------------------------- a self-test


def _send(context: click.Context, config: Config, to: Mailbox, *, as_json: bool, verbose: bool) -> None:
    from secondpost.roles.delivery_check import run_self_test

    if os.path.isdir(config.store):
        become_owner(config)
    with store_faults_shown(config):
        done = asyncio.run(run_self_test(config, to))
    diagnoses = list(diagnose(done.test, done.relay))
    if as_json:
        say_json(self_test_document(config.path, done.test, diagnoses))
    else:
        _say_way(done.test)
        say_diagnoses(config.path, diagnoses, verbose=verbose, explains_notes=True)
        _say_next(done.test)
    if has_fault(diagnoses):
        context.exit(Exit.NO)


def _say_way(test: SelfTest) -> None:
    say(f"Self-test {test.token} from <> to {test.to}")
    for visit in test.visits:
        _say_visit("deliver", visit)
    if test.handed_in is not None:
        _say_visit("receive", test.handed_in.visit)
        if len(test.handed_in.queue_id) > 0:
            say(f"spool: {test.handed_in.queue_id} {test.handed_in.state}")
        if len(test.handed_in.said) > 0:
            say(f"deliver: {test.handed_in.said}")


def _say_visit(station: str, visit: HostVisit) -> None:
    say(f"{station}: {visit.host}")
    for exchange in visit.exchanges:
        say(f"  > {COMMANDS.get(exchange.command, exchange.command)}")
        for line in exchange.reply.encode().decode("ascii").splitlines():
            say(f"  < {line}")
        if exchange.command == "STARTTLS" and visit.tls is not None:
            say(f"    TLS: {visit.tls}")
            if visit.certificate is not None:
                say(f"    certificate {certificate_text(visit.certificate)}")
    if len(visit.failure) > 0:
        say(f"  {visit.failure}")


def _say_next(test: SelfTest) -> None:
    if test.is_sent:
        when = "Open" if test.is_delivered else "As soon as it is delivered, open"
        say(f"{when} “Secondpost self-test {test.token}” in the mailbox of {test.to},")
        say("save its header and type:")
        say(f"  secondpost check delivery {test.to.domain} --headers FILE")
