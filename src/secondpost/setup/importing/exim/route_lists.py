"""The rules of a manual route: patterns, and hosts with their ports. Pure.

Specification, chapter 20, "The manualroute router".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class RouteHost:
    """A host of a manual route. `port`: None where the transport decides."""

    name: str
    port: int | None

    def text(self, usual_port: int) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        port = usual_port if self.port is None else self.port
        return name if port == 25 else f"{name}:{port}"


def matched(pattern: str, domain: str) -> dict[str, str]:
    """§20.4: $0 is the domain that fitted, $1 what a * stood for."""
    if pattern.startswith("*"):
        return {"0": domain, "1": domain[: len(domain) - len(pattern) + 1]}
    return {"0": domain}


def rules_of(text: str) -> Iterator[str]:
    separator, text = ";", text.strip()
    if text.startswith("<") and len(text) > 1:
        separator, text = text[1], text[2:]
    for rule in text.replace(separator * 2, "\0").split(separator):
        if len(rule.strip()) > 0:
            yield rule.replace("\0", separator).strip()


def first_word(text: str) -> tuple[str, str]:
    """The first word, which may be quoted, and the rest."""
    text = text.strip()
    if text[:1] in ('"', "'"):
        end = text.find(text[0], 1)
        return (text[1:], "") if end < 0 else (text[1:end], text[end + 1 :].strip())
    first, _, rest = text.partition(" ")
    return first, rest.strip()


def host_list(text: str) -> tuple[str, str]:
    """An unquoted list of hosts, which may have spaces around its colons, and the options after it."""
    text = text.strip()
    if text.startswith(("<", "${")):
        return text, ""
    match = re.match(r"\S+(?:\s*(?<!:):(?!:)\s*\S+)*", text)
    end = len(text) if match is None else match.end()
    return text[:end], text[end:].strip()


def hosts_of(items: list[str]) -> Iterator[RouteHost]:
    """Hosts with ports, without the marks of randomized groups and of MX records (§20.5)."""
    for item in items:
        bare = re.sub(r"/mx$", "", item.strip(), flags=re.IGNORECASE)
        match = _PORT.fullmatch(bare)
        if match is not None:
            name = match[1] if match[1] is not None else match[2]
            yield RouteHost(name.lower(), None if match[3] is None else int(match[3]))
        elif bare not in ("", "+"):
            yield RouteHost(bare.lower(), None)  # an IPv6 address without brackets
