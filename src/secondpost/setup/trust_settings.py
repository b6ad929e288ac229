"""The settings by which each kind of primary trusts its backup, with our name and addresses filled in.

A primary that trusts its backup judges a message by the server that handed it to the backup. One that
does not takes the backup for the sender: then SPF fails for nearly all mail, as it must for a relay.
Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpost.setup.primary_kind import PrimaryKind


@dataclass(frozen=True, slots=True)
class Relay:
    """This server, as a primary has to enter it."""

    name: str
    addresses: tuple[str, ...]  # IPv4 first

    def listed(self, separator: str, quote: str = "") -> str:
        if len(self.addresses) == 0:
            return f"{quote}ADDRESS-OF-{self.name}{quote}"
        return separator.join(f"{quote}{address}{quote}" for address in self.addresses)

    @property
    def ipv4(self) -> "Relay":
        """Only its IPv4 addresses, if it has any."""
        found = tuple(address for address in self.addresses if ":" not in address)
        return self if len(found) == 0 else Relay(self.name, found)

    def one_a_line(self, after: str = "") -> str:
        return "\n".join(f"{line}{after}" for line in self.listed("\n").split("\n"))


def trust_setting(kind: PrimaryKind, relay: Relay) -> str:
    """What to enter at the primary, in lines."""
    setting = _SETTINGS.get(kind)
    return _by_hoster(kind, relay) if setting is None else setting(relay)


def trust_settings(kinds: Sequence[PrimaryKind], relay: Relay) -> str:
    """What to enter at a primary of these kinds; general words if none was recognised."""
    if len(kinds) == 0:
        return (
            f"Enter this server's addresses where the primary keeps its trusted relays, its own backup MX\n"
            f"or its allow list, so that it checks neither SPF nor block lists for them: {relay.listed(', ')}"
        )
    return "\n".join(trust_setting(kind, relay) for kind in kinds)


def _google(relay: Relay) -> str:
    return (
        "In the Google Admin console: Apps, Google Workspace, Gmail, Spam, Phishing and Malware,\n"
        "Inbound gateway, Edit, Enable.\n"
        f"Gateway IPs: {relay.listed(', ')}\n"
        "Tick “Automatically detect external IP (recommended)”.\n"
        "Do not tick “Reject all mail not from gateway IPs”: most of your mail comes straight to Google."
    )


def _microsoft(relay: Relay) -> str:
    addresses = relay.ipv4.listed(",")
    return (
        "In Exchange Online PowerShell, a connector for this server, and enhanced filtering for it:\n"
        f'New-InboundConnector -Name "{relay.name}" -ConnectorType Partner -SenderDomains "*" '
        f"-SenderIPAddresses {addresses} -RestrictDomainsToIPAddresses $false -RequireTls $true\n"
        f'Set-InboundConnector -Identity "{relay.name}" -EFSkipLastIP $false -EFSkipIPs {addresses}'
    )


def _postfix(relay: Relay) -> str:
    return (
        "Postfix: /etc/postfix/backup_mx.cidr holds\n"
        f"{relay.one_a_line('  permit')}\n"
        "and main.cf names it in front of greylisting, block lists and policy servers:\n"
        "postscreen_access_list = permit_mynetworks, cidr:/etc/postfix/backup_mx.cidr\n"
        "smtpd_recipient_restrictions = …, reject_unauth_destination,\n"
        "    check_client_access cidr:/etc/postfix/backup_mx.cidr, …\n"
        "Do not add it to mynetworks: it may hand in your mail, but not send through your server."
    )


def _exim(relay: Relay) -> str:
    return (
        "Exim: in the ACL for RCPT, in front of SPF, block lists and greylisting:\n"
        f"accept  hosts   = <; {relay.listed(' ; ')}\n"
        "        domains = +local_domains : +relay_to_domains\n"
        "        verify  = recipient\n"
        "        control = dmarc_disable_verify"
    )


def _rspamd(relay: Relay) -> str:
    return (
        "rspamd looks behind this server with /etc/rspamd/local.d/external_relay.conf:\n"
        "enabled = true;\n"
        "rules {\n"
        "  EXTERNAL_RELAY_BACKUP_MX {\n"
        '    strategy = "ip_map";\n'
        f"    ip_map = [{relay.listed(', ', chr(34))}];\n"
        "  }\n"
        "}"
    )


def _spamassassin(relay: Relay) -> str:
    addresses = relay.listed(" ")
    return (
        "SpamAssassin: /etc/spamassassin/local.cf (a backup MX belongs to both):\n"
        f"trusted_networks  {addresses}\n"
        f"internal_networks {addresses}"
    )


def _opendmarc(relay: Relay) -> str:
    return (
        "OpenDMARC: in /etc/opendmarc.conf\n"
        "IgnoreHosts /etc/opendmarc/ignore.hosts\n"
        "and in that file\n"
        "127.0.0.1\n"
        f"{relay.one_a_line()}"
    )


def _spf_policy(relay: Relay) -> str:
    return (
        "The SPF policy server: in /etc/postfix-policyd-spf-python/policyd-spf.conf\n"
        f"Whitelist = {relay.listed(',')}"
    )


def _mailcow(relay: Relay) -> str:
    return (
        "mailcow: System, Configuration, Options, Forwarding Hosts: add each with the spam filter active:\n"
        f"{relay.one_a_line()}\n"
        "That ends greylisting and block lists for it. To have rspamd look behind it too, put into\n"
        "data/conf/rspamd/local.d/external_relay.conf:\n"
        f"{_rspamd(relay).partition(chr(10))[2]}"
    )


def _by_hoster(kind: PrimaryKind, relay: Relay) -> str:
    return (
        f"{kind.value}: if its administration has a list of trusted relays or allowed IP addresses, enter\n"
        f"{relay.listed(', ')}\n"
        "If it has none, ask its support. Mail that its senders sign with DKIM passes DMARC all the same."
    )


_SETTINGS: dict[PrimaryKind, Callable[[Relay], str]] = {
    PrimaryKind.GOOGLE: _google,
    PrimaryKind.MICROSOFT: _microsoft,
    PrimaryKind.POSTFIX: _postfix,
    PrimaryKind.EXIM: _exim,
    PrimaryKind.RSPAMD: _rspamd,
    PrimaryKind.SPAMASSASSIN: _spamassassin,
    PrimaryKind.OPENDMARC: _opendmarc,
    PrimaryKind.SPF_POLICY: _spf_policy,
    PrimaryKind.MAILCOW: _mailcow,
}
