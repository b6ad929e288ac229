"""Read a table of the file into its record, as the descriptions of its keys say; and what keys of one table
say about each other.

Every key is taken even if others are missing, so that all faults are found; None then stands for a
record that cannot be made.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from secondpost.config import addresses, forms
from secondpost.config.faults import Wrong, quoted
from secondpost.config.file_readers import LIST_READERS, NETWORKS_READERS
from secondpost.config.files import FilesBeside, pem_file, secret_file
from secondpost.config.key import FileContent, FileForm, Form, Key, ListForm, OwnForm
from secondpost.config.keys import FIELDS, KEYS
from secondpost.config.networks import check_networks
from secondpost.config.recipients import RecipientFaults, read_recipients, recipient
from secondpost.config.records import (
    Acme,
    AnyRecipient,
    Backup,
    Dkim,
    LearnedRecipients,
    Metrics,
    NetworkLookup,
    NetworksFile,
    NetworkSource,
    Newsletter,
    ReachSettings,
    RecipientFile,
    RecipientSource,
    RecipientUrl,
    Route,
    Tls,
    Watch,
    Web,
)
from secondpost.config.records.backup import NOWHERE
from secondpost.config.records.doors import DOOR
from secondpost.config.section import Section
from secondpost.mail.address import Domain
from secondpost.mail.plan import SUBMISSIONS_PORT, TlsDemand
from secondpost.mail.reach import ReachSource

UNSAFE_TLS = (TlsDemand.NONE, TlsDemand.OPPORTUNISTIC)

_INVALID = object()  # in place of a value that has a fault

R = TypeVar("R")


def read_table(section: Section, beside: FilesBeside, record: Callable[..., R], **own: object) -> R:
    """The record of a table. `own`: by field, the values of an OwnForm, and defaults that others decide."""
    return record(**{**own, **dict(values(section, beside))})


def values(section: Section, beside: FilesBeside) -> Iterator[tuple[str, object]]:
    """Field and value of each key that is valid, or must be there; faults are reported."""
    for one in FIELDS[section.table]:
        is_needed = len(one.key.need) > 0
        if (is_needed or section.has(one.name)) and not isinstance(one.key.form, OwnForm):
            taken = _taken(section, one.name, one.key, beside)
            if taken is not _INVALID:
                yield one.field, taken
            elif is_needed:
                yield one.field, one.key.missing


def _taken(section: Section, name: str, key: Key, beside: FilesBeside) -> object:
    form = key.form
    if isinstance(form, ListForm):
        if len(key.need) > 0:
            return section.need_list(name, form.of, key.need)
        if form.if_empty is not None:
            return section.filled_list(name, form.of, (), form.if_empty)
        return section.take_list(name, form.of, ())
    assert not isinstance(form, OwnForm)
    one = _file_form(form, beside) if isinstance(form, FileForm) else form
    return (
        section.need(name, one, key.need, _INVALID)
        if len(key.need) > 0
        else section.take(name, one, _INVALID)
    )


def _file_form(form: FileForm, beside: FilesBeside) -> Form[str]:
    match form.content:
        case FileContent.CERTIFICATE:
            return pem_file(beside, "CERTIFICATE", form.readers)
        case FileContent.PRIVATE_KEY:
            return pem_file(beside, "PRIVATE KEY", form.readers)
        case FileContent.SECRET:
            return secret_file(beside, form.readers)


def _only_together(section: Section, one: str, two: str) -> None:
    for key, other in ((one, two), (two, one)):
        if section.has(key) and not section.has(other):
            name, missing = section.name(key), section.name(other)
            section.fault(key, f"{name} alone is not enough", f"write {missing} too")


def web(section: Section, beside: FilesBeside, hostname: Domain) -> Web:
    return read_table(section, beside, Web, url=None if hostname == NOWHERE else f"https://{hostname}")


def tls(section: Section, beside: FilesBeside) -> Tls:
    _only_together(section, "certificate", "key")
    if section.has("acme") and (section.has("certificate") or section.has("key")):
        section.fault("acme", "there is a certificate already", "leave out acme, or certificate and key")
    return read_table(section, beside, Tls)


def acme(section: Section, tls_section: Section, beside: FilesBeside) -> Acme:
    _only_together(section, "key_id", "key_file")
    for key in KEYS["acme"]:
        if section.has(key) and not tls_section.has("acme"):
            hint = 'write acme = "me@example.net" under [tls] too'
            section.fault(key, "no certificate is got by ACME", hint)
    return read_table(section, beside, Acme)


def metrics(section: Section) -> Metrics:
    if section.values.get("listen") == "none":
        return Metrics(())
    hint = 'write listen = "none" to show no figures'
    return Metrics(section.filled_list("listen", DOOR, Metrics().listen, hint))


def dkim(section: Section, beside: FilesBeside) -> Dkim:
    taken = read_table(section, beside, Dkim)
    if taken.rsa == taken.ed25519:
        key = "ed25519" if section.has("ed25519") else "rsa"
        section.fault(key, f"both keys have the selector {quoted(taken.rsa)}", "give each its own")
    return taken


def watch(section: Section, beside: FilesBeside) -> Watch:
    def networks(value: object) -> NetworkSource:
        return _network_source(forms.text(value), beside)

    return read_table(section, beside, Watch, networks=section.take("networks", networks, NetworkLookup.NONE))


def _network_source(written: str, beside: FilesBeside) -> NetworkSource:
    if written.startswith("file:"):
        path = beside.path(written.removeprefix("file:"))
        if beside.checks_for(NETWORKS_READERS):
            check_networks(path)
        return NetworksFile(path)
    if written in tuple(NetworkLookup):
        return NetworkLookup(written)
    hint = 'write "none", "cymru", or "file:/PATH" of a table such as ip2asn-combined.tsv'
    raise Wrong(f"{quoted(written)} is not a way to find networks", hint)


def reach(section: Section, beside: FilesBeside) -> ReachSettings:
    taken = read_table(section, beside, ReachSettings)
    for key in KEYS["reach"]:
        if section.has(key) and not section.has("countries"):
            section.fault(
                key, "there is no country to ask from", f'write {section.name("countries")} = ["RU"] too'
            )
    if section.has("countries") and taken.control in taken.countries:
        reason = f"{taken.control} is asked as the control already"
        section.fault("countries", reason, f"name another country with {section.name('control')}")
    sources = [place.source for place in taken.sources]
    if len(set(sources)) < len(sources):
        section.fault("sources", "a source is here twice", "leave one out")
    if ReachSource.GLOBALPING not in sources:
        section.fault("sources", "without globalping nothing tries to connect", 'add "globalping"')
    if ReachSource.ATLAS in sources and not section.has("atlas_key_file"):
        hint = f"write {section.name('atlas_key_file')}, or leave atlas out"
        section.fault("sources", "RIPE Atlas needs a key", hint)
    return taken


# -- [[backup]]


def backup(section: Section, beside: FilesBeside) -> Backup | None:
    taken = read_table(section, beside, Backup)
    taken = replace(taken, recipients=_recipients(section, taken, beside))
    if taken.enforce_dmarc and not taken.authenticate.is_on:
        section.fault("enforce_dmarc", 'authenticate = "off" leaves nothing to judge by', 'write "record"')
    return None if taken.domain == NOWHERE else taken


def _recipients(section: Section, usual: Backup, beside: FilesBeside) -> tuple[RecipientSource, ...]:
    def form(value: object) -> RecipientSource:
        return _recipient_source(forms.text(value), usual.domain, beside)

    sources = section.filled_list(
        "recipients", form, usual.recipients, 'list the recipients, or write "learn" to find out'
    )
    if AnyRecipient() in sources and len(sources) > 1:
        section.fault("recipients", '"any" includes every address', 'leave out "any" or all the others')
    fetched = [source for source in sources if isinstance(source, RecipientUrl)]
    if len(fetched) > 0 and LearnedRecipients() not in sources:
        # A warning is not enough: valid recipients would be refused permanently.
        reason = "this version does not fetch lists yet: it would refuse addresses that only the list names"
        section.fault("recipients", reason, 'add "learn"')
    return sources


def _recipient_source(written: str, domain: Domain, beside: FilesBeside) -> RecipientSource:
    if written == "any":
        return AnyRecipient()
    if written == "learn":
        return LearnedRecipients()
    if written.startswith("file:"):
        path = beside.path(written.removeprefix("file:"))
        return _recipient_file(path, domain) if beside.checks_for(LIST_READERS) else RecipientFile(path)
    if written.startswith("https:"):
        return RecipientUrl(addresses.url(written, ("https",)))
    if written.startswith("http:"):
        raise Wrong(f"{quoted(written)} is not encrypted", "write https:")
    if "@" not in written:
        meant = quoted(f"{written}@{domain}")
        hint = f'write an address, "file:/PATH", "https://…", "learn" or "any"; did you mean {meant}?'
        raise Wrong(f"{quoted(written)} is not one of the forms of recipients", hint)
    # Without a domain, the address cannot be checked against it.
    return addresses.utf8_mailbox(written) if domain == NOWHERE else recipient(written, domain)


def _recipient_file(path: str, domain: Domain) -> RecipientFile:
    try:
        read_recipients(path, domain)
    except RecipientFaults as faults:
        if domain == NOWHERE:
            return RecipientFile(path)
        first, *others = [Wrong(f"the list cannot be used: {text}") for text in faults.texts(path)]
        raise Wrong(first.reason, more=tuple(others)) from None
    return RecipientFile(path)


# -- [[route]]


def route(section: Section, beside: FilesBeside) -> Route | None:
    _only_together(section, "username", "password_file")
    taken = read_table(section, beside, Route, lane=None)
    has_host = len(taken.host.host) > 0
    if has_host and taken.username is not None:
        _check_password_is_safe(section, taken)
    if has_host and taken.host.port == SUBMISSIONS_PORT and taken.tls in UNSAFE_TLS:
        reason = f"port {SUBMISSIONS_PORT} is encrypted from the first octet"
        section.fault("tls", reason, 'write tls = "verify" or "encrypt"')
    is_whole = has_host and taken.domain != NOWHERE and (taken.lane is not None or not section.has("lane"))
    return taken if is_whole else None


def _check_password_is_safe(section: Section, taken: Route) -> None:
    # On this machine nothing can be overheard; but plain text has to be asked for.
    in_clear = taken.tls is TlsDemand.NONE and addresses.is_loopback(taken.host.host)
    if taken.tls in UNSAFE_TLS and not in_clear:
        reason = f"with {quoted(taken.tls.value)} the password could cross the network in the clear"
        section.fault("tls", reason, 'write tls = "verify"')


# -- [[newsletter]]


def newsletter(section: Section, beside: FilesBeside) -> Newsletter | None:
    taken = read_table(section, beside, Newsletter)
    return None if len(taken.name) == 0 or len(taken.sender) == 0 else taken
