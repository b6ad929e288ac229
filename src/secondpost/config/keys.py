"""Every key of the file, by table; the reader knows these, and docs/settings.md explains them.

The empty name stands for the top of the file, before the first [table].
"""

from collections.abc import Mapping

TOP = ""

KEYS: Mapping[str, tuple[str, ...]] = {
    TOP: ("version", "hostname", "store", "owner", "bounces", "database", "user", "reserve", "addresses"),
    "web": ("url", "listen", "trusted_proxies"),
    "tls": (
        "acme",
        "certificate",
        "key",
        "mta_sts",
    ),
    "acme": ("directory", "challenge", "root", "key_id", "key_file"),
    "receive": (
        "listen",
        "bare_newlines",
        "connections",
        "connections_per_client",
        "recipients",
        "timeout",
    ),
    "dns": ("servers",),
    "deliver": ("probe", "connections_per_site", "port"),
    "fetch": ("allow_private",),
    "send": ("only_to", "unverified"),
    "dkim": ("rsa", "ed25519"),
    "metrics": ("listen",),
    "alarms": ("webhook", "held_after", "digest", "all_is_well", "timezone"),
    "watch": ("networks", "speed", "advisories", "advisories_url"),
    "reach": ("countries", "control", "every", "sources", "globalping_token_file", "atlas_key_file"),
    "backup": (
        "domain",
        "primary",
        "recipients",
        "keep",
        "keep_refused",
        "quota",
        "max_size",
        "unknown",
        "delimiters",
        "authenticate",
        "enforce_dmarc",
        "trusted_sealers",
    ),
    "route": ("domain", "lane", "host", "username", "password_file", "tls"),
    "newsletter": (
        "name",
        "from",
        "feeds",
        "every",
        "timezone",
        "min_articles",
        "order",
        "title",
        "reply_to",
        "subject",
        "template",
        "language",
        "list_id",
        "approve",
        "undo",
        "settle",
        "start",
        "only",
        "skip",
        "images",
        "postal_address",
    ),
}

REPEATED = frozenset({"backup", "route", "newsletter"})  # [[name]], any number of them


def header(table: str) -> str:
    """The line that opens the table in the file."""
    return f"[[{table}]]" if table in REPEATED else f"[{table}]"
