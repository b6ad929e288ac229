"""The interview about this machine: its ports, its addresses, its certificate."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address

from secondpost.config.addresses import ascii_domain
from secondpost.config.faults import Fault
from secondpost.config.files import FilesBeside, pem_file
from secondpost.mail.address import Endpoint, as_ip
from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.mail.questions import AddressAnswer, Addresses, Finding
from secondpost.setup.answers import Answers
from secondpost.setup.questions import (
    Interview,
    Names,
    Note,
    OwnerQuestion,
    Scene,
    Separator,
    Texts,
    checked,
    formed,
)
from secondpost.setup.surroundings import HTTPS_PORTS

SMTP_PORT = 25
TRIAL_DOOR = "127.0.0.1:2525"
MAIL_SERVERS = {"exim4": "exim4", "master": "postfix", "smtpd": "opensmtpd", "sendmail-mta": "sendmail"}


def ask_doors(scene: Scene, answers: Answers) -> Interview[Answers]:
    """Where mail comes in, and which DNS servers are asked: seldom worth a question."""
    earlier, here = scene.earlier, scene.surroundings
    low = not here.can_open(SMTP_PORT)
    usual = (TRIAL_DOOR,) if low else ()
    listen = yield from OwnerQuestion(
        "--listen",
        "Where mail is accepted",
        checked(scene, lambda texts: replace(answers, listen=texts)),
        "[::]:25",
        usual if earlier is None else earlier.listen,
        f"Only root may open port {SMTP_PORT}; another port is for a trial.",
        Separator.WORDS,
        is_asked=low and earlier is None,
    ).ask()
    answers = replace(answers, listen=listen)
    doors = {Endpoint.parse(one, None).port for one in listen} if len(listen) > 0 else {SMTP_PORT}
    if SMTP_PORT in doors:
        yield from _note_holders(here.holders(SMTP_PORT))
    servers = yield from OwnerQuestion(
        "--dns-server",
        "DNS servers",
        checked(scene, lambda texts: replace(answers, dns_servers=texts)),
        "127.0.0.1:53",
        () if earlier is None else earlier.dns_servers,
        separator=Separator.WORDS,
        is_asked=False,
    ).ask()
    if len(servers) == 0 and len(here.resolvers) > 0 and not here.has_own_resolver:
        text = (
            f"DNS questions go to {here.resolvers[0].host}. For mail, a resolver on this machine is better, "
            "since block lists refuse shared ones: apt-get install unbound"
        )
        yield from Note(text).ask()
    return replace(answers, dns_servers=servers)


def _note_holders(holders: Sequence[str]) -> Interview[None]:
    for program in holders:
        name = MAIL_SERVERS.get(program, program)
        stop = f": systemctl disable --now {name}" if program in MAIL_SERVERS else ""
        by = name if len(name) > 0 else "another program"
        text = f"Port {SMTP_PORT} is taken by {by}. Stop it before the service starts{stop}"
        yield from Note(text if len(stop) > 0 else f"{text}.", is_warning=True).ask()


def ask_addresses(scene: Scene, names: Names, answers: Answers) -> Interview[Answers]:
    """The public addresses, which a machine behind NAT does not know itself."""
    here = scene.surroundings
    found = yield from _addresses_in_dns(names, answers.hostname)
    is_hidden = len(here.public_addresses) == 0
    usual = tuple(one for one in found if ip_address(one).is_global) if is_hidden else ()
    private = ", ".join(here.private_addresses) if len(here.private_addresses) > 0 else "only loopback"
    addresses = yield from OwnerQuestion(
        "--address",
        "Its public addresses",
        _reachable(checked(scene, lambda texts: replace(answers, addresses=texts))),
        "192.0.2.25",
        usual if scene.earlier is None else scene.earlier.addresses,
        f"This machine has no public address of its own ({private}). By which is it reached from outside? "
        "Leave it empty if by none.",
        Separator.WORDS,
        is_asked=is_hidden,
    ).ask()
    answers = replace(answers, addresses=addresses)
    public = {*here.public_addresses, *(str(as_ip(one)) for one in addresses)}
    if len(public) == 0:
        text = "Without a public address, no other server can deliver mail here."
        yield from Note(text, is_warning=True).ask()
    elif is_hidden:
        text = f"Let the router pass port {SMTP_PORT} of {', '.join(sorted(public))} on to this machine."
        yield from Note(text).ask()
    elif len(found) > 0 and public.isdisjoint(found):
        text = f"The DNS says that {answers.hostname} is {', '.join(found)}; this machine is not among them."
        yield from Note(text, is_warning=True).ask()
    yield from _note_reverse_names(names, answers.hostname, sorted(public))
    return answers


def _note_reverse_names(names: Names, hostname: str, public: Sequence[str]) -> Interview[None]:
    """Say which public addresses have another name in the DNS, or none."""
    answered = yield from names.look_up([Ptr(address) for address in public])
    for address, answer in zip(public, answered if answered is not None else (), strict=False):
        if not isinstance(answer, PtrAnswer) or answer.finding is Finding.FAILED:
            continue
        if ascii_domain(hostname).lower() not in answer.hosts:
            called = (
                f"is called {', '.join(answer.hosts)}, not {hostname},"
                if len(answer.hosts) > 0
                else "has no name"
            )
            text = f"{address} {called} in the DNS (PTR): many servers refuse mail from it."
            yield from Note(text, is_warning=True).ask()


def _reachable(check: Callable[[Texts], tuple[Fault, ...]]) -> Callable[[Texts], tuple[Fault, ...]]:
    """A check that refuses addresses which others cannot reach, and then does the rest."""

    def faults(texts: Texts) -> tuple[Fault, ...]:
        for text in texts:
            address = as_ip(text)
            if address is not None and not address.is_global:
                reason = f"{text} is a private address, which others cannot reach"
                return (Fault("addresses", 0, reason, "write the one that your provider or router shows"),)
        return check(texts)

    return faults


def _addresses_in_dns(names: Names, hostname: str) -> Interview[Texts]:
    answered = yield from names.look_up([Addresses(ascii_domain(hostname).lower())])
    if answered is None or not isinstance(answered[0], AddressAnswer):
        return ()
    return answered[0].addresses


def ask_certificate(scene: Scene, answers: Answers) -> Interview[Answers]:
    """A certificate, which other servers need in order to deliver encrypted."""
    here, earlier = scene.surroundings, scene.earlier
    found = [one for one in here.certificates if one.hostname == answers.hostname]
    usual: Texts = () if len(found) == 0 else (found[0].certificate,)
    if earlier is not None and earlier.certificate is not None:
        usual = (earlier.certificate,)
    in_file = () if earlier is None else (earlier.certificate, earlier.key)

    beside = FilesBeside(posixpath.dirname(scene.path))

    def place(texts: Texts) -> Texts:
        return tuple(scene.place(text, in_file) for text in texts)

    paths = yield from OwnerQuestion(
        "--certificate",
        "File with a certificate for this server",
        lambda texts: formed(pem_file(beside, "CERTIFICATE"))(place(texts)),
        "/etc/secondpost/certificate.pem",
        usual,
        "In PEM form, with its chain. With one, mail comes in encrypted; leave it empty if there is none.",
        is_asked=len(usual) > 0 and earlier is None,
    ).ask()
    if len(paths) == 0:
        return answers
    (certificate,) = place(paths)
    keys = [one.key for one in here.certificates if one.certificate == certificate]
    if earlier is not None and earlier.key is not None:
        keys.insert(0, earlier.key)

    def with_key(texts: Texts) -> Answers:
        return replace(answers, certificate=certificate, key=place(texts)[0])

    texts = yield from OwnerQuestion(
        "--key",
        "File with its private key",
        checked(scene, with_key, "a certificate is of no use without its key"),
        "/etc/secondpost/key.pem",
        (keys[0],) if len(keys) > 0 else None,
        is_asked=len(keys) == 0 or earlier is None,
    ).ask()
    return with_key(texts)


def ask_acme(scene: Scene, answers: Answers) -> Interview[Answers]:
    """Whether certificates are got by themselves: by default where the authority can reach this server,
    and no other program has its ports or got a certificate for this name.
    """
    if answers.certificate is not None:
        return answers
    here, earlier = scene.surroundings, scene.earlier
    has_one = any(one.hostname == answers.hostname for one in here.certificates)
    is_reached = len(here.public_addresses + answers.addresses) > 0 and not has_one
    is_free = all(here.can_open(port) and len(here.holders(port)) == 0 for port in HTTPS_PORTS)
    usual: Texts = answers.owner[:1] if is_reached and is_free else ()
    if earlier is not None:
        usual = () if earlier.acme is None else (earlier.acme,)

    def with_acme(texts: Texts) -> Answers:
        return replace(answers, acme=texts[0] if len(texts) > 0 else None)

    texts = yield from OwnerQuestion(
        "--acme",
        "Your address for Let's Encrypt",
        checked(scene, with_acme),
        "me@elsewhere.example",
        usual,
        "The server then gets its certificate by itself, through ports 80 and 443, and renews it. To give "
        "the address is to agree to their terms; leave it empty to name files instead.",
        is_asked=earlier is None and is_reached and is_free,
    ).ask()
    return with_acme(texts)
