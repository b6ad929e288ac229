"""One function per table of the file: from its Section to its record.

Every key is taken even if others are missing, so that all faults are found; None then stands for a
record that cannot be made. Defaults are those of the records.
"""

from secondpost.config import addresses, forms, grammars
from secondpost.config.faults import Wrong, quoted
from secondpost.config.files import (
    ACME_READERS,
    LIST_READERS,
    NETWORKS_READERS,
    REACH_READERS,
    FilesBeside,
    pem_file,
    secret_file,
)
from secondpost.config.keys import KEYS
from secondpost.config.networks import check_networks
from secondpost.config.recipients import RecipientFaults, read_recipients, recipient
from secondpost.config.records import (
    REACH_URLS,
    Acme,
    AcmeChallenge,
    Alarms,
    AnyRecipient,
    ArticleOrder,
    Authenticate,
    Backup,
    BareNewlines,
    Deliver,
    Dkim,
    Dns,
    Fetch,
    LearnedRecipients,
    Metrics,
    NetworkLookup,
    NetworksFile,
    NetworkSource,
    Newsletter,
    ReachPlace,
    ReachSettings,
    Receive,
    RecipientFile,
    RecipientSource,
    RecipientUrl,
    Route,
    Send,
    Start,
    Tls,
    Unknown,
    Watch,
    Web,
)
from secondpost.config.section import Section
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import SUBMISSIONS_PORT, TlsDemand
from secondpost.mail.reach import ReachSource
from secondpost.mail.sts_policy import StsMode

MB, GB, TB = 10**6, 10**9, 10**12
MESSAGE_OCTETS_LEAST = 64_000  # RFC 5321 §4.5.3.1.7: the least that a server must accept
WATCH_SPEED_MAX = 100_000  # an hour in 36 ms
RECIPIENTS_LEAST = 100  # RFC 5321 §4.5.3.1.8
SMTP_PORT = 25
ROUTED_LANES = (Lane.RELAY, Lane.ISSUES, Lane.OWN)  # the lane unverified follows relay
UNSAFE_TLS = (TlsDemand.NONE, TlsDemand.OPPORTUNISTIC)
NOWHERE = Domain("invalid")  # RFC 2606: placeholder in a record that will not be used


def web(section: Section, hostname: Domain | None) -> Web:
    usual = Web(None if hostname is None else f"https://{hostname}")
    return Web(
        url=section.take("url", addresses.web_url, usual.url),
        listen=section.filled_list("listen", addresses.web_door, usual.listen, 'write listen = ["[::]:443"]'),
        trusted_proxies=section.take_list("trusted_proxies", addresses.network, ()),
    )


def tls(section: Section, beside: FilesBeside) -> Tls:
    _only_together(section, "certificate", "key")
    if section.has("acme") and (section.has("certificate") or section.has("key")):
        section.fault("acme", "there is a certificate already", "leave out acme, or certificate and key")
    contact = section.take("acme", addresses.mailbox, None)
    return Tls(
        acme=None if contact is None else str(contact),
        certificate=section.take("certificate", pem_file(beside, "CERTIFICATE"), None),
        key=section.take("key", pem_file(beside, "PRIVATE KEY"), None),
        mta_sts=section.take("mta_sts", forms.choice(StsMode), None),
    )


def acme(section: Section, tls_section: Section, beside: FilesBeside) -> Acme:
    _only_together(section, "key_id", "key_file")
    for key in KEYS["acme"]:
        if section.has(key) and not tls_section.has("acme"):
            hint = 'write acme = "me@example.net" under [tls] too'
            section.fault(key, "no certificate is got by ACME", hint)
    usual = Acme()
    return Acme(
        directory=section.take("directory", addresses.https_url, usual.directory),
        challenge=section.take("challenge", forms.choice(AcmeChallenge), None),
        root=section.take("root", pem_file(beside, "CERTIFICATE", ACME_READERS), None),
        key_id=section.take("key_id", forms.text, None),
        key_file=section.take("key_file", secret_file(beside, ACME_READERS), None),
    )


def _only_together(section: Section, one: str, two: str) -> None:
    for key, other in ((one, two), (two, one)):
        if section.has(key) and not section.has(other):
            name, missing = section.name(key), section.name(other)
            section.fault(key, f"{name} alone is not enough", f"write {missing} too")


def receive(section: Section) -> Receive:
    usual = Receive()
    return Receive(
        listen=section.filled_list("listen", addresses.door, usual.listen, 'write listen = ["[::]:25"]'),
        bare_newlines=section.take("bare_newlines", forms.choice(BareNewlines), usual.bare_newlines),
        connections=section.take("connections", forms.number(1, 100_000), usual.connections),
        connections_per_client=section.take(
            "connections_per_client", forms.number(1, 100_000), usual.connections_per_client
        ),
        recipients=section.take("recipients", forms.number(RECIPIENTS_LEAST, 10_000), usual.recipients),
        timeout_ms=section.take("timeout", forms.duration(SECOND_MS, HOUR_MS), usual.timeout_ms),
    )


def metrics(section: Section) -> Metrics:
    if section.values.get("listen") == "none":
        return Metrics(())
    hint = 'write listen = "none" to show no figures'
    return Metrics(section.filled_list("listen", addresses.door, Metrics().listen, hint))


def dns(section: Section) -> Dns:
    return Dns(section.take_list("servers", addresses.name_server, ()))


def deliver(section: Section) -> Deliver:
    usual = Deliver()
    return Deliver(
        probe_ms=section.take("probe", forms.duration(SECOND_MS, HOUR_MS), usual.probe_ms),
        connections_per_site=section.take(
            "connections_per_site", forms.number(1, 1_000), usual.connections_per_site
        ),
        port=section.take("port", forms.number(1, 65_535), usual.port),
    )


def fetch(section: Section) -> Fetch:
    return Fetch(section.take("allow_private", forms.switch, Fetch().allow_private))


def send(section: Section) -> Send:
    usual = Send()
    return Send(
        only_to=section.filled_list("only_to", grammars.only_to, (), "leave the key out to mail everyone"),
        unverified=section.take("unverified", forms.switch, usual.unverified),
    )


def dkim(section: Section) -> Dkim:
    usual = Dkim()
    taken = Dkim(
        rsa=section.take("rsa", grammars.selector, usual.rsa),
        ed25519=section.take("ed25519", grammars.selector, usual.ed25519),
    )
    if taken.rsa == taken.ed25519:
        key = "ed25519" if section.has("ed25519") else "rsa"
        section.fault(key, f"both keys have the selector {quoted(taken.rsa)}", "give each its own")
    return taken


def alarms(section: Section) -> Alarms:
    usual = Alarms()
    return Alarms(
        webhook=section.take("webhook", addresses.secret_url, None),
        held_after_ms=section.take("held_after", forms.duration(SECOND_MS, 7 * DAY_MS), usual.held_after_ms),
        digest=section.take("digest", grammars.schedule, usual.digest),
        all_is_well=section.take("all_is_well", grammars.schedule, usual.all_is_well),
        timezone=section.take("timezone", grammars.timezone, usual.timezone),
    )


def watch(section: Section, beside: FilesBeside) -> Watch:
    def networks(value: object) -> NetworkSource:
        return _network_source(forms.text(value), beside)

    usual = Watch()
    return Watch(
        networks=section.take("networks", networks, usual.networks),
        speed=section.take("speed", forms.number(1, WATCH_SPEED_MAX), usual.speed),
        advisories=section.take("advisories", forms.switch, usual.advisories),
        advisories_url=section.take("advisories_url", addresses.service_url, usual.advisories_url),
    )


def reach(section: Section, beside: FilesBeside) -> ReachSettings:
    hint = f'write {section.name("countries")} = ["RU"], or leave the key out to ask no one'
    usual = ReachSettings()
    taken = ReachSettings(
        countries=section.filled_list("countries", grammars.country, usual.countries, hint),
        control=section.take("control", grammars.country, usual.control),
        every_ms=section.take("every", forms.duration(MINUTE_MS, DAY_MS), usual.every_ms),
        sources=section.filled_list("sources", _reach_place, usual.sources, 'write "globalping"'),
        globalping_token_file=section.take("globalping_token_file", secret_file(beside, REACH_READERS), None),
        atlas_key_file=section.take("atlas_key_file", secret_file(beside, REACH_READERS), None),
    )
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


def _reach_place(value: object) -> ReachPlace:
    """`NAME`, or `NAME:URL` for a mirror."""
    written = forms.text(value)
    name, colon, url = written.partition(":")
    if name not in tuple(ReachSource):
        named = ", ".join(quoted(source.value) for source in ReachSource)
        raise Wrong(f"{quoted(name)} is not a source", f"there are {named}")
    source = ReachSource(name)
    return ReachPlace(source, REACH_URLS[source] if len(colon) == 0 else addresses.service_url(url))


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


# -- [[backup]]


def backup(section: Section, beside: FilesBeside) -> Backup | None:
    domain = section.need("domain", addresses.full_domain, 'write domain = "example.net"')
    usual = Backup(NOWHERE if domain is None else domain)
    taken = Backup(
        domain=usual.domain,
        primary=section.filled_list(
            "primary", addresses.endpoint(SMTP_PORT), (), "leave the key out for the better MX hosts in DNS"
        ),
        recipients=_recipients(section, usual, beside),
        keep_ms=section.take("keep", forms.duration(HOUR_MS, 366 * DAY_MS), usual.keep_ms),
        keep_refused_ms=section.take(
            "keep_refused", forms.duration(HOUR_MS, 366 * DAY_MS), usual.keep_refused_ms
        ),
        quota=section.take("quota", forms.size(MB, 100 * TB), None),
        max_size=section.take("max_size", forms.size(MESSAGE_OCTETS_LEAST, GB), usual.max_size),
        unknown=section.take("unknown", forms.choice(Unknown), usual.unknown),
        delimiters=section.take("delimiters", grammars.delimiters, usual.delimiters),
        authenticate=section.take("authenticate", forms.choice(Authenticate), usual.authenticate),
        enforce_dmarc=section.take("enforce_dmarc", forms.switch, usual.enforce_dmarc),
        trusted_sealers=section.take_list("trusted_sealers", addresses.full_domain, usual.trusted_sealers),
    )
    if taken.enforce_dmarc and not taken.authenticate.is_on:
        section.fault("enforce_dmarc", 'authenticate = "off" leaves nothing to judge by', 'write "record"')
    return None if domain is None else taken


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
    hint = 'write the domain whose mail takes this way, or "*" for all'
    domain = section.need("domain", addresses.domain_or_any, hint)
    host = section.need("host", addresses.endpoint(SMTP_PORT), 'write host = "smtp.example:587"')
    for key, other in (("username", "password_file"), ("password_file", "username")):
        if section.has(key) and not section.has(other):
            section.fault(key, f"{key} alone is not enough", f"write {other} too")
    taken = Route(
        domain=None if domain == addresses.ANY_DOMAIN else domain,
        lane=section.take("lane", forms.choice(ROUTED_LANES), None),
        host=Endpoint("", 0) if host is None else host,
        username=section.take("username", forms.text, None),
        password_file=section.take("password_file", secret_file(beside), None),
        tls=section.take("tls", forms.choice(TlsDemand), None),
    )
    if host is not None and taken.username is not None:
        _check_password_is_safe(section, taken)
    if host is not None and host.port == SUBMISSIONS_PORT and taken.tls in UNSAFE_TLS:
        reason = f"port {SUBMISSIONS_PORT} is encrypted from the first octet"
        section.fault("tls", reason, 'write tls = "verify" or "encrypt"')
    readable = host is not None and domain is not None and (taken.lane is not None or not section.has("lane"))
    return taken if readable else None


def _check_password_is_safe(section: Section, taken: Route) -> None:
    # On this machine nothing can be overheard; but plain text has to be asked for.
    in_clear = taken.tls is TlsDemand.NONE and addresses.is_loopback(taken.host.host)
    if taken.tls in UNSAFE_TLS and not in_clear:
        reason = f"with {quoted(taken.tls.value)} the password could cross the network in the clear"
        section.fault("tls", reason, 'write tls = "verify"')


# -- [[newsletter]]


def newsletter(section: Section) -> Newsletter | None:
    name = section.need("name", grammars.newsletter_name, 'write name = "weekly"')
    sender = section.need("from", grammars.from_header, 'write from = "The Blog <newsletter@example.net>"')
    feeds = section.need_list("feeds", addresses.url, 'write feeds = ["https://www.example.net/feed.xml"]')
    usual = Newsletter(name or "", sender or "", feeds)
    taken = Newsletter(
        name=usual.name,
        sender=usual.sender,
        feeds=feeds,
        every=section.take("every", grammars.slot, usual.every),
        timezone=section.take("timezone", grammars.timezone, usual.timezone),
        min_articles=section.take("min_articles", forms.number(1, 100), usual.min_articles),
        order=section.take("order", forms.choice(ArticleOrder), usual.order),
        title=section.take("title", forms.text, None),
        reply_to=section.take("reply_to", grammars.from_header, None),
        subject=section.take("subject", forms.text, None),
        template=section.take("template", forms.text, None),
        language=section.take("language", grammars.language, usual.language),
        list_id=section.take("list_id", grammars.list_id, None),
        approve=section.take("approve", forms.switch, usual.approve),
        undo_ms=section.take("undo", forms.duration(0, 7 * DAY_MS), usual.undo_ms),
        settle_ms=section.take("settle", forms.duration(0, DAY_MS), usual.settle_ms),
        start=section.take("start", forms.choice(Start), usual.start),
        only=section.filled_list("only", forms.text, (), "leave the key out to take every article"),
        skip=section.take_list("skip", forms.text, ()),
        images=section.take("images", forms.switch, usual.images),
        postal_address=section.take("postal_address", forms.lines, None),
    )
    return None if name is None or sender is None else taken
