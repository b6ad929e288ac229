"""The interview about the way out: a smart host, if port 25 is closed outward."""

from collections.abc import Sequence
from dataclasses import replace
from email.utils import parseaddr
from ipaddress import ip_address

from secondpost.config.addresses import ascii_domain, is_loopback
from secondpost.config.forms import text as one_line
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.questions import AddressAnswer, Addresses, Mx, MxAnswer
from secondpost.setup.answers import Answers, Entries, Entry, SmartHostAnswer
from secondpost.setup.questions import (
    Interview,
    Names,
    Note,
    OwnerQuestion,
    Reach,
    Scene,
    Texts,
    checked,
    formed,
)

SMTP_PORT = 25
DOMAINS_TRIED_MAX = 4  # whose mail servers show whether port 25 is open outward
HOSTS_TRIED_MAX = 4


def ask_smart_host(scene: Scene, names: Names, answers: Answers) -> Interview[Answers]:
    """A smart host, if no connection to port 25 of others succeeds."""
    tried = yield from _mail_servers(names, answers)
    reached = (yield from Reach(tried).ask()) if len(tried) > 0 else frozenset[Endpoint]()
    is_closed = len(tried) > 0 and len(reached) == 0
    if len(reached) > 0:
        yield from Note(f"Port {SMTP_PORT} is open outward: {sorted(reached)[0].host} answers.").ask()
    earlier = None if scene.earlier is None else scene.earlier.smart_host
    shown = ", ".join(one.host for one in tried)
    hosts = yield from OwnerQuestion(
        "--smart-host",
        "Smart host, HOST:PORT",
        checked(scene, lambda texts: _with_smart_host(answers, texts, earlier, is_closed)),
        "smtp.example.com:587",
        () if earlier is None else (earlier.host,),
        f"Port {SMTP_PORT} seems closed outward: {shown} cannot be reached. "
        "A smart host passes your mail on; leave it empty if your provider will open the port.",
        is_asked=is_closed,
    ).ask()
    answers = _with_smart_host(answers, hosts, earlier, is_closed)
    if answers.smart_host is None:
        if is_closed:
            text = f"Until port {SMTP_PORT} is open outward, or a smart host is named, no mail leaves here."
            yield from Note(text, is_warning=True).ask()
        return answers
    return (yield from _ask_login(scene, answers, answers.smart_host))


def _mail_servers(names: Names, answers: Answers) -> Interview[tuple[Endpoint, ...]]:
    """Addresses of a few servers that take mail for the domains concerned."""
    domains = [one.domain for one in answers.backups if len(one.primary) == 0]
    if answers.newsletter is not None:
        domains.append(parseaddr(answers.newsletter.sender)[1].rpartition("@")[2])
    domains += [one.rpartition("@")[2] for one in answers.owner]
    asked = list(dict.fromkeys(ascii_domain(one).lower() for one in domains))[:DOMAINS_TRIED_MAX]
    exchangers = yield from names.look_up([Mx(Domain.parse(one)) for one in asked])
    own = ascii_domain(answers.hostname).lower()
    named = [Endpoint.parse(host, SMTP_PORT) for one in answers.backups for host in one.primary]
    hosts = [one.host for one in named if one.port == SMTP_PORT]
    for answer in exchangers if exchangers is not None else ():
        if isinstance(answer, MxAnswer):
            hosts += [one.host for one in answer.records if one.host not in (own, ".")][:1]
    found = yield from names.look_up([Addresses(one) for one in dict.fromkeys(hosts[:HOSTS_TRIED_MAX])])
    addresses = [one.addresses for one in found or () if isinstance(one, AddressAnswer)]
    firsts = [first for one in addresses for first in _one_of_each_kind(one)]
    # A server in the same private network shows nothing about the way out of it.
    outside = [one for one in firsts if ip_address(one).is_global]
    chosen = outside if len(outside) > 0 else firsts
    return tuple(Endpoint(one, SMTP_PORT) for one in dict.fromkeys(chosen))


def _one_of_each_kind(addresses: Sequence[str]) -> list[str]:
    """The first IPv4 and the first IPv6 address."""
    kinds = {ip_address(one).version: one for one in reversed(addresses)}
    return list(kinds.values())


def _with_smart_host(
    answers: Answers, texts: Texts, earlier: SmartHostAnswer | None, is_closed: bool
) -> Answers:
    if len(texts) == 0:
        return replace(answers, smart_host=None)
    # Mail for a primary that cannot be reached directly has no other way.
    needs_relay = is_closed and any(_on_smtp_port(one.primary) for one in answers.backups)
    if earlier is not None and earlier.host == texts[0]:
        return replace(answers, smart_host=replace(earlier, relays=earlier.relays or needs_relay))
    return replace(answers, smart_host=SmartHostAnswer(texts[0], relays=needs_relay))


def _on_smtp_port(primary: Texts) -> bool:
    return all(Endpoint.parse(one, SMTP_PORT).port == SMTP_PORT for one in primary)


def _ask_login(scene: Scene, answers: Answers, smart_host: SmartHostAnswer) -> Interview[Answers]:
    users = yield from OwnerQuestion(
        "--smart-host-user",
        "Its user name",
        formed(one_line),
        "me",
        () if smart_host.username is None else (smart_host.username,),
        "Leave it empty if it asks for none.",
    ).ask()
    if len(users) == 0:
        return replace(answers, smart_host=replace(smart_host, username=None, password_file=None))

    def with_login(texts: Texts) -> Answers:
        path = scene.place(texts[0], [smart_host.password_file])
        login = replace(smart_host, username=users[0], password_file=path, more=_with_verified(smart_host))
        return replace(answers, smart_host=login)

    files = yield from OwnerQuestion(
        "--smart-host-password-file",
        "File with its password",
        checked(scene, with_login, "the password stands on the first line of a file"),
        "/etc/secondpost/password",
        None if smart_host.password_file is None else (smart_host.password_file,),
    ).ask()
    return with_login(files)


def _with_verified(smart_host: SmartHostAnswer) -> Entries:
    """Its other entries, with a check of its certificate before it gets the password."""
    host = Endpoint.parse(smart_host.host, SMTP_PORT).host
    if is_loopback(host) or any(entry.key == "tls" for entry in smart_host.more):
        return smart_host.more
    return (*smart_host.more, Entry("tls", '"verify"'))
