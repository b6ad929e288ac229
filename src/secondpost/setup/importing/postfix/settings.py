"""Values of Postfix's parameters: of a service, of main.cf, or the default, with $names expanded
(postconf(5)). Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from secondpost.setup.importing.postfix.statements import MainStatement
from secondpost.setup.importing.postfix.words import closing

EXPANSIONS_DEEP_MAX = 50  # names within names
EXPANDED_CHARACTERS_MAX = 2_000_000  # more than any real list of domains

_NAME = re.compile(r"[A-Za-z0-9_]+")
_COMPARED = re.compile(r"\s*(==|!=|<=level|<level|>=level|>level|<=|>=|<|>)\s*")

# Of Postfix 3.7 (postconf -d), for the parameters that are asked here.
DEFAULTS: Mapping[str, str] = {
    "compatibility_level": "0",
    "mydestination": "$myhostname, localhost.$mydomain, localhost",
    "myorigin": "$myhostname",
    "relay_domains": "${{$compatibility_level} <level {2} ? {$mydestination} : {}}",
    "relay_transport": "relay",
    "smtp_fallback_relay": "$fallback_relay",
    "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps",
    "virtual_alias_maps": "$virtual_maps",
    "virtual_alias_domains": "$virtual_alias_maps",
    "virtual_mailbox_domains": "$virtual_mailbox_maps",
    "inet_interfaces": "all",
    "inet_protocols": "all",
    "parent_domain_matches_subdomains": "debug_peer_list,fast_flush_domains,mynetworks,"
    "permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
    "smtpd_relay_restrictions": "${{$compatibility_level} <level {1} ? {} : "
    "{permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}",
    "smtpd_relay_before_recipient_restrictions": "${{$compatibility_level} <level {3.6} ? {no} : {yes}}",
    "smtpd_reject_unlisted_recipient": "yes",
    "reject_tempfail_action": "defer_if_permit",
    "unverified_recipient_tempfail_action": "$reject_tempfail_action",
    "smtpd_tls_key_file": "$smtpd_tls_cert_file",
    "mail_name": "Postfix",
    "config_directory": "/etc/postfix",
    "data_directory": "/var/lib/postfix",
    "queue_directory": "/var/spool/postfix",
    "default_database_type": "hash",
}


class ExpansionWrong(Exception):
    """A value that cannot be expanded: its names lead in a circle, or it grows without end."""


@dataclass(frozen=True, slots=True)
class PostfixSettings:
    """`main`: the statements of main.cf that count, by name. `own`: what a service has instead."""

    main: Mapping[str, MainStatement]
    machine: Mapping[str, str]  # the defaults that the machine's name decides
    own: Mapping[str, str] = field(default_factory=dict)

    def of_service(self, own: Mapping[str, str]) -> "PostfixSettings":
        return replace(self, own=own)

    def is_set(self, name: str) -> bool:
        return name in self.own or name in self.main

    def text(self, name: str) -> str:
        """The expanded value; "" for what is not set and has no default. Raises ExpansionWrong."""
        return _Expansion(self).text(name, 0)

    def expanded(self, value: str) -> str:
        return _Expansion(self).expanded(value, 0)

    def is_on(self, name: str) -> bool:
        return self.text(name).lower() == "yes"

    def raw(self, name: str) -> str:
        if name in self.own:
            return self.own[name]
        statement = self.main.get(name)
        if statement is not None:
            return statement.value
        return self.machine.get(name, DEFAULTS.get(name, ""))


@dataclass(slots=True)
class _Expansion:
    """An expansion, bounded in depth and in the text that it makes."""

    settings: PostfixSettings
    characters: int = 0

    def text(self, name: str, deep: int) -> str:
        return self.expanded(self.settings.raw(name), deep)

    def expanded(self, value: str, deep: int) -> str:
        if "$" not in value:
            return value
        if deep > EXPANSIONS_DEEP_MAX:
            raise ExpansionWrong("its $names lead in a circle")
        parts, at = list[str](), 0
        while (dollar := value.find("$", at)) >= 0:
            parts.append(value[at:dollar])
            part, at = self._macro(value, dollar + 1, deep)
            parts.append(part)
            self.characters += len(part) + 1
            if self.characters > EXPANDED_CHARACTERS_MAX:
                raise ExpansionWrong("its $names make a text without end")
        return "".join((*parts, value[at:]))

    def _macro(self, value: str, at: int, deep: int) -> tuple[str, int]:
        """What stands after a dollar sign, and where the text goes on."""
        if value[at : at + 1] == "$":
            return "$", at + 1
        if value[at : at + 1] in ("{", "("):
            end = closing(value, at)
            return self._inside(value[at + 1 : end].strip(), deep + 1), end + 1
        name = _NAME.match(value, at)
        if name is None:
            return "$", at
        return self.text(name[0], deep + 1), name.end()

    def _inside(self, inside: str, deep: int) -> str:
        """${name}, ${name?then}, ${name:otherwise}, ${name?{then}:{otherwise}}, ${{a} == {b} ? …}."""
        if inside.startswith("{"):
            return self._comparison(inside, deep)
        name = _NAME.match(inside)
        if name is None:
            return ""
        rest = inside[name.end() :].lstrip()
        found = self.text(name[0], deep)
        if rest.startswith("?"):
            return self._chosen(rest, deep, is_true=len(found) > 0)
        if rest.startswith(":"):
            return found if len(found) > 0 else self._alternative(rest[1:], deep)[0]
        return found

    def _comparison(self, inside: str, deep: int) -> str:
        left_end = closing(inside, 0)
        operator = _COMPARED.match(inside, left_end + 1)
        if operator is None or inside[operator.end() : operator.end() + 1] != "{":
            raise ExpansionWrong("it compares in a way that is not known here")
        right_end = closing(inside, operator.end())
        left = self.expanded(inside[1:left_end].strip(), deep)
        right = self.expanded(inside[operator.end() + 1 : right_end].strip(), deep)
        rest = inside[right_end + 1 :].lstrip()
        return self._chosen(rest, deep, is_true=_holds(left, operator[1], right))

    def _chosen(self, rest: str, deep: int, *, is_true: bool) -> str:
        """Of `?{then}:{otherwise}`, the one that counts; either may be missing."""
        if not rest.startswith("?"):
            return self._alternative(rest[1:], deep)[0] if rest.startswith(":") and not is_true else ""
        then, after = self._alternative(rest[1:], deep, is_wanted=is_true)
        if is_true:
            return then
        return self._alternative(after[1:], deep)[0] if after.startswith(":") else ""

    def _alternative(self, text: str, deep: int, *, is_wanted: bool = True) -> tuple[str, str]:
        """A text in braces and what comes after it; without braces it reaches to the end."""
        text = text.lstrip()
        end = closing(text, 0) if text.startswith("{") else len(text)
        written = text[1:end].strip() if text.startswith("{") else text
        return (self.expanded(written, deep) if is_wanted else ""), text[end + 1 :].lstrip()


def _holds(left: str, operator: str, right: str) -> bool:
    if operator.endswith("level"):
        order = _order(_level(left), _level(right))
    elif _is_number(left) and _is_number(right):
        order = _order((int(left),), (int(right),))
    else:
        order = _order(left, right)
    return {
        "==": order == 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[operator.removesuffix("level")]


def _order(left: str | tuple[int, ...], right: str | tuple[int, ...]) -> int:
    if isinstance(left, str) or isinstance(right, str):
        return (str(left) > str(right)) - (str(left) < str(right))
    return (left > right) - (left < right)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _level(text: str) -> tuple[int, ...]:
    """A compatibility level such as 3.6."""
    parts = [int(part) if _is_number(part) else 0 for part in text.split(".")[:3]]
    return (*parts, 0, 0)[:3]
