"""Mail providers: who keeps the mailboxes of many domains, known by their MX hosts.

Pace, warm-up and the guards against mass suspensions look at a provider as a whole, since its
domains and servers share what it thinks of us. A site that no profile knows is a provider of its own.
"""

from dataclasses import dataclass

from secondpost.mail.plan import NO_WAY

PROFILES_DATED = "2026-11-30"  # when the profiles were last looked through


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A provider that we know; `hosts` are endings of the names of its MX hosts, with a leading dot."""

    key: str  # in the store, commands and settings
    name: str  # for people
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider; of one without a profile, key and name are its site."""

    key: str
    name: str
    profile: ProviderProfile | None = None


PROFILES: tuple[ProviderProfile, ...] = (
    ProviderProfile("google", "Google", (".google.com", ".googlemail.com", ".smtp.goog")),
    ProviderProfile("microsoft", "Microsoft", (".outlook.com", ".hotmail.com", ".mx.microsoft")),
    ProviderProfile("yahoo", "Yahoo", (".yahoodns.net",)),
    ProviderProfile("apple", "Apple", (".icloud.com", ".me.com", ".apple.com")),
    ProviderProfile("gmx", "GMX and WEB.DE", (".gmx.net", ".web.de", ".kundenserver.de")),
    ProviderProfile("mailru", "mail.ru", (".mail.ru",)),
)


def provider_of_site(site: str) -> Provider:
    """The provider of a site (mail/plan): every one of its hosts must be of the profile."""
    hosts = [host.partition(":")[0].lower() for host in site.removeprefix(NO_WAY).split(",")]
    for profile in PROFILES:
        if all(f".{host}".endswith(profile.hosts) for host in hosts):
            return Provider(profile.key, profile.name, profile)
    return Provider(site, site)
