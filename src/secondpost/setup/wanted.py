"""Every record that the server and its newsletters need, in the order in which to publish them. Pure."""

from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from ipaddress import ip_address

from secondpost.config.records import Config, Newsletter
from secondpost.mail.address import Domain, Endpoint, Mailbox, as_ip
from secondpost.mail.envelope import Lane
from secondpost.setup.facts import DkimKey, Facts
from secondpost.setup.records import PublishedBy, Turn, WantedRecord
from secondpost.setup.wanted_backup import FIRST_PREFERENCE, records_of_backup


def records_wanted(config: Config, keys: Sequence[DkimKey], facts: Facts) -> tuple[WantedRecord, ...]:
    """`keys`: of both algorithms. `facts`: as completed by `look_around`."""
    wanted = [
        *_host(config, facts),
        *_web_host(config, facts),
        *_proofs_of_host(config, keys),
        *_tlsa(config, facts),
        *_authority(config, facts),
        *_bounces(config),
    ]
    for domain in sender_domains(config):
        wanted += _proofs_of_sender(domain, keys)
    for backup in config.backups:
        wanted += records_of_backup(config, backup, facts)
    in_order = sorted(wanted, key=lambda record: record.turn.number)
    # A sender's domain may be the hostname: its records are then wanted for both.
    first = {(record.name, record.type, record.value): record for record in reversed(in_order)}
    return tuple(record for record in in_order if first[record.name, record.type, record.value] is record)


def sender_domains(config: Config) -> tuple[Domain, ...]:
    """The domains of all newsletters' `from` addresses, without repeats."""
    return tuple(dict.fromkeys(sender_domain(newsletter) for newsletter in config.newsletters))


def sender_domain(newsletter: Newsletter) -> Domain:
    return Mailbox.parse(parseaddr(newsletter.sender)[1]).domain


def signing_domains(config: Config) -> tuple[Domain, ...]:
    """The domains that sign: the hostname, for this server's own mail, and those of the senders."""
    return tuple(dict.fromkeys((config.hostname, *sender_domains(config))))


def policy_domains(config: Config) -> tuple[Domain, ...]:
    """The domains whose MTA-STS policies are served here, if their mta-sts host leads here."""
    if config.policy_mode is None:
        return ()
    backups = [backup.domain for backup in config.backups]
    own = [config.bounces] if len(config.newsletters) > 0 else []
    return tuple(dict.fromkeys([*backups, *own, *sender_domains(config)]))


def smart_host(config: Config, lane: Lane) -> Endpoint | None:
    """The smart host through which mail of a lane to any domain leaves; None: it goes out from here."""
    of_lane = [route for route in config.routes if route.domain is None and route.lane in (None, lane)]
    exact = [route for route in of_lane if route.lane is lane]
    chosen = [*exact, *of_lane][:1]
    return chosen[0].host if len(chosen) > 0 else None


def web_host(config: Config) -> str | None:
    """The host of the newsletters' pages, if it has a name of its own."""
    if config.web.url is None or len(config.newsletters) == 0:
        return None
    host = Endpoint.parse(config.web.url.partition("://")[2], default_port=443).host
    is_own_name = host != config.hostname.name and as_ip(host) is None and host != "localhost"
    return host if is_own_name else None


# -- the host
def _host(config: Config, facts: Facts) -> Iterator[WantedRecord]:
    why = "other servers find this one under its name"
    yield from _addresses(config.hostname.name, facts, why)
    for address in facts.addresses:
        reverse = ip_address(address).reverse_pointer
        why = "large providers refuse mail from an address whose name does not lead back to it"
        yield WantedRecord(reverse, "PTR", f"{config.hostname}.", why, Turn.HOST, PublishedBy.HOSTER)


def _web_host(config: Config, facts: Facts) -> Iterator[WantedRecord]:
    host = web_host(config)
    if host is not None:
        yield from _addresses(host, facts, "readers find the pages on which they confirm and leave")


def _addresses(host: str, facts: Facts, why: str) -> Iterator[WantedRecord]:
    for address in facts.addresses:
        yield WantedRecord(host, "AAAA" if ":" in address else "A", address, why, Turn.HOST)


def _proofs_of_host(config: Config, keys: Sequence[DkimKey]) -> Iterator[WantedRecord]:
    host = config.hostname
    why = f"this server may send under its own name (SPF){_smart_host_words(config, *_lanes_of_host(config))}"
    yield WantedRecord(host.name, "TXT", host_spf(config), why, Turn.HOST)
    for key in keys:
        yield _dkim(host, key, Turn.HOST)


def host_spf(config: Config) -> str:
    return f"v=spf1 a {_rest(config, *_lanes_of_host(config))}"


def bounces_spf(config: Config) -> str:
    return f"v=spf1 mx {_rest(config, Lane.ISSUES)}"


def _lanes_of_host(config: Config) -> tuple[Lane, ...]:
    """The lanes of mail whose envelope has the hostname."""
    has_issues = len(config.newsletters) > 0 and config.bounces == config.hostname
    return (Lane.OWN, Lane.ISSUES) if has_issues else (Lane.OWN,)


def _rest(config: Config, *lanes: Lane) -> str:
    """What SPF says of all other addresses. A smart host's are not known here: until the owner adds
    them, its mail must not be refused.
    """
    return "-all" if all(smart_host(config, lane) is None for lane in lanes) else "~all"


def _smart_host_words(config: Config, *lanes: Lane) -> str:
    for lane in lanes:
        host = smart_host(config, lane)
        if host is not None:
            return f"; add the include that {host.host} names in its instructions, before ~all"
    return ""


def _dkim(domain: Domain, key: DkimKey, turn: Turn) -> WantedRecord:
    name = f"{key.selector}._domainkey.{domain}"
    return WantedRecord(
        name, "TXT", key.text, f"the signature {key.selector} of {domain} can be checked (DKIM)", turn
    )


def _tlsa(config: Config, facts: Facts) -> Iterator[WantedRecord]:
    """Only in a signed zone: elsewhere no sender looks at it (RFC 7672 §2.2)."""
    if facts.tls_key is not None and facts.host_signing.is_signed:
        # RFC 7672 §3.1.1: 3 1 1 outlives a renewal with the same key.
        yield WantedRecord(
            tlsa_name(config.hostname.name),
            "TLSA",
            f"3 1 1 {facts.tls_key}",
            "senders can insist on this server's own key (DANE); publish the next key before it is used",
            Turn.HOST,
            is_optional=True,
        )


def tlsa_name(host: str) -> str:
    return f"_25._tcp.{host}"


def _authority(config: Config, facts: Facts) -> Iterator[WantedRecord]:
    if len(facts.authority) > 0 and forbids(facts):
        yield WantedRecord(
            facts.caa_name,
            "CAA",
            f'0 issue "{facts.authority}"',
            f"{facts.authority} may issue this server's certificate (CAA); others are named there already",
            Turn.HOST,
        )


def forbids(facts: Facts) -> bool:
    """Whether the CAA records forbid the authority to issue certificates for the hostname."""
    issuers = [record.value for record in facts.caa if record.tag == "issue"]
    # RFC 8659 §4.2: without an issue property, any authority may issue.
    named = [value.partition(";")[0].strip().lower() for value in issuers]
    return len(issuers) > 0 and facts.authority not in named


# -- newsletters
def _bounces(config: Config) -> Iterator[WantedRecord]:
    if len(config.newsletters) == 0 or config.bounces == config.hostname:
        return  # RFC 5321 §5.1: without MX records, the host itself is the MX
    bounces = config.bounces.name
    why = "reports about mail to readers, and mail from readers, reach this server"
    yield WantedRecord(bounces, "MX", f"{FIRST_PREFERENCE} {config.hostname}.", why, Turn.SENDERS)
    why = f"mail to readers may come from here (SPF){_smart_host_words(config, Lane.ISSUES)}"
    yield WantedRecord(bounces, "TXT", bounces_spf(config), why, Turn.SENDERS)


def _proofs_of_sender(domain: Domain, keys: Sequence[DkimKey]) -> Iterator[WantedRecord]:
    for key in keys:
        yield _dkim(domain, key, Turn.SENDERS)
    why = "large providers require it from everyone who sends to many (DMARC)"
    yield WantedRecord(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none", why, Turn.SENDERS)
