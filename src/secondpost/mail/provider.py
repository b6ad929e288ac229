"""Mail providers: who keeps the mailboxes of many domains, known by their MX hosts.

Pace, warm-up and the guards against mass suspensions look at a provider as a whole, since its
domains and servers share what it thinks of us. A site that no profile knows is a provider of its own.
"""

from dataclasses import dataclass

from secondpost.mail.plan import NO_WAY, UNSORTED

PROFILES_DATED = "2026-11-30"  # when the profiles were last looked through
OTHERS = "others"  # what all providers without a profile count as, so that the counts stay few


@dataclass(frozen=True, slots=True)
class PublishedLimits:
    """The limits that a provider publishes; None: it names no number."""

    url: str
    connections: int | None = None
    mails_per_connection: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A provider that we know; `hosts` are endings of the names of its MX hosts, with a leading dot.

    Connections are those of all its sites together. The mails per minute are where an issue begins;
    success raises them, and refusals lower them (deliver/provider_pace). Numbers that are not in
    `published` are ours, and careful ones.
    """

    key: str  # in the store, commands and settings
    name: str  # for people
    hosts: tuple[str, ...]
    connections: int = 10  # at once
    mails_per_connection: int = 100
    mails_per_minute: int = 120
    published: PublishedLimits | None = None  # None: no page about it was found


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider; of one without a profile, key and name are its site."""

    key: str
    name: str
    profile: ProviderProfile | None = None

    @property
    def counted_as(self) -> str:
        """The key under which its mails are counted by day."""
        return OTHERS if self.profile is None else self.key


# No provider publishes the mails per minute that it takes: that depends on what it thinks of the sender.
# Few name a number of connections, or of mails over one: `published` has those, and the page to look at
# again; all other numbers are chosen, small on purpose.
PROFILES: tuple[ProviderProfile, ...] = (
    # Raise the amount slowly, at a constant rate; no numbers.
    ProviderProfile(
        "google",
        "Google",
        (".google.com", ".googlemail.com", ".smtp.goog"),
        5,
        50,
        published=PublishedLimits("https://support.google.com/a/answer/81126"),
    ),
    # Mailboxes of outlook.com, hotmail.com, live.com and msn.com. Must come before the other one of
    # Microsoft. More connections than these need an arrangement; new senders get far fewer.
    ProviderProfile(
        "outlook",
        "Outlook.com",
        (".olc.protection.outlook.com", ".hotmail.com"),
        5,
        50,
        60,
        PublishedLimits("https://sendersupport.olc.protection.outlook.com/pm/Policies", connections=500),
    ),
    # Exchange Online: every company has hosts of its own; mx.microsoft is that with DNSSEC.
    ProviderProfile(
        "microsoft365", "Microsoft 365", (".mail.protection.outlook.com", ".mx.microsoft"), 5, 50
    ),
    # With AOL. After 20 mails it ends the connection without a word; of connections it says: be modest.
    ProviderProfile(
        "yahoo",
        "Yahoo and AOL",
        (".yahoodns.net",),
        5,
        20,
        published=PublishedLimits("https://help.yahoo.com/kb/SLN3433.html", mails_per_connection=20),
    ),
    # Only what mail should be like; no numbers.
    ProviderProfile(
        "apple",
        "Apple",
        (".icloud.com", ".me.com", ".apple.com"),
        5,
        5,
        published=PublishedLimits("https://support.apple.com/102322"),
    ),
    # Takes few mails from an address that it does not know yet, and puts the others off; no numbers.
    ProviderProfile("gmx", "GMX and WEB.DE", (".gmx.net", ".web.de"), 5, 50, 60),
    ProviderProfile("ionos", "IONOS", (".kundenserver.de", ".ionos.com", ".1and1.com"), 5),
    ProviderProfile("mailru", "Mail.ru", (".mail.ru",), 5, 50, 60),
    ProviderProfile("yandex", "Yandex", (".yandex.ru", ".yandex.net"), 5, 50, 60),
    # A new address gets only little mail through before it is known there; no numbers.
    ProviderProfile("tonline", "T-Online", (".t-online.de",), 5, 50, 30),
    # Of more it says "421 OFR004_104 Too many connections".
    ProviderProfile(
        "orange",
        "Orange",
        (".orange.fr", ".wanadoo.fr"),
        2,
        50,
        60,
        PublishedLimits("https://postmaster.orange.fr", connections=2, mails_per_connection=100),
    ),
    ProviderProfile("free", "Free", (".free.fr", ".proxad.net"), 2, 50, 60),
    ProviderProfile("proton", "Proton", (".protonmail.ch", ".proton.ch"), 5, 50),
    ProviderProfile("fastmail", "Fastmail", (".messagingengine.com",), 5),
    ProviderProfile("zoho", "Zoho", (".zoho.com", ".zoho.eu", ".zoho.in"), 5, 50),
    # Filters before the servers of many companies.
    ProviderProfile("mimecast", "Mimecast", (".mimecast.com", ".mimecast.co.za", ".mimecast-offshore.com")),
    ProviderProfile("proofpoint", "Proofpoint", (".pphosted.com", ".ppe-hosted.com")),
    ProviderProfile("barracuda", "Barracuda", (".barracudanetworks.com",)),
)
BY_KEY = {profile.key: profile for profile in PROFILES}


def provider_of_site(site: str) -> Provider:
    """The provider of a site (mail/plan): every one of its hosts must be of the profile."""
    hosts = [f".{host.partition(':')[0].lower()}" for host in site.removeprefix(NO_WAY).split(",")]
    for profile in PROFILES:
        if all(host.endswith(profile.hosts) for host in hosts):
            return Provider(profile.key, profile.name, profile)
    return Provider(site, site)


# The domains in which most people have their mailbox, by provider: known before the first mail to them.
_DOMAINS = {
    domain: key
    for key, domains in {
        "google": "gmail.com googlemail.com",
        "outlook": "outlook.com hotmail.com live.com msn.com outlook.de hotmail.de hotmail.fr hotmail.co.uk",
        "yahoo": "yahoo.com ymail.com rocketmail.com aol.com yahoo.de yahoo.fr yahoo.co.uk",
        "apple": "icloud.com me.com mac.com",
        "gmx": "gmx.de gmx.net gmx.at gmx.ch gmx.com web.de mail.com",
        "mailru": "mail.ru inbox.ru list.ru bk.ru",
        "yandex": "yandex.ru yandex.com ya.ru",
        "tonline": "t-online.de",
        "orange": "orange.fr wanadoo.fr",
        "free": "free.fr",
        "proton": "proton.me protonmail.com pm.me",
        "fastmail": "fastmail.com",
        "zoho": "zohomail.com",
    }.items()
    for domain in domains.split()
}


def provider_of_domain(domain: str) -> Provider:
    """The provider of a domain that was never routed, as its name has it; a guess."""
    key = _DOMAINS.get(domain.lower())
    return Provider(domain, domain) if key is None else provider_of_key(key)


def counted_name(key: str) -> str:
    """The name of a provider, or of all others together, as counted (Provider.counted_as)."""
    return "all others" if key == OTHERS else provider_of_key(key).name


def provider_of_place(domain: str, site: str) -> Provider:
    """The provider of a domain by its site; before it was routed by its name."""
    return provider_of_domain(domain) if site == UNSORTED else provider_of_site(site)


def provider_of_key(key: str) -> Provider:
    """The provider of a key as the store keeps it."""
    profile = BY_KEY.get(key)
    return Provider(key, key) if profile is None else Provider(key, profile.name, profile)
