"""Tables of patterns: regexp: and pcre: (regexp_table(5), pcre_table(5)), and cidr: (cidr_table(5)). Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import product

from secondpost.mail.address import as_ip
from secondpost.setup.importing.postfix.statements import LogicalLine, logical_lines

PATTERN_CHARACTERS_MAX = 2_000
SEARCHED_CHARACTERS_MAX = 320  # the longest address
NAMED_MAX = 1_000  # texts that one pattern names

POSIX_CLASSES = {
    "[:alnum:]": "A-Za-z0-9",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:upper:]": "A-Z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\s",
    "[:blank:]": r" \t",
    "[:xdigit:]": "0-9A-Fa-f",
}
_ENTRY = re.compile(r"(if\s+)?(!?)\s*([^\sA-Za-z0-9])", re.IGNORECASE)
_FLAGS = re.compile(r"[A-Za-z]*")
_FIELD = re.compile(r"\$(?:([0-9])|\{([0-9])\}|\(([0-9])\)|(\$))")
# What takes exponential time to search, and what Python reads in another way than Postfix.
_COSTLY = re.compile(r"[+*}]\)+[+*{]")
_READ_OTHERWISE = re.compile(r"\[\[|\[\^\[|--|&&|~~|\\[<>]|\[[^\]]*\\\]")
# "This domain and those below it", as it is often written.
_BELOW_TOO = re.compile(r"^\^?(?:\(\^\|\\\.\)|\((?:\?:)?(?:\.\*|\.\+|\[\^@\]\*)\\\.\)\??|\.\*|\.\+|@)?")


@dataclass(frozen=True, slots=True)
class RuleNotUnderstood:
    """A rule that is not understood could apply, so that the table's answer is not known."""

    line: int


@dataclass(frozen=True, slots=True)
class RuleResult:
    """`text`: the rule as it stands there."""

    value: str
    line: int
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class _Condition:
    pattern: re.Pattern[str] | IPv4Network | IPv6Network | None  # None: not understood
    is_negated: bool


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A rule with the `if` conditions around it; `written` is the pattern between its delimiters."""

    conditions: tuple[_Condition, ...]  # the last is its own
    written: str
    value: str
    line: int

    def search(self, text: str) -> RuleResult | RuleNotUnderstood | None:
        found: re.Match[str] | None = None
        is_understood = True
        for condition in self.conditions:
            if condition.pattern is None:
                is_understood = False
                continue
            if not isinstance(condition.pattern, re.Pattern) and not _is_of_family(condition.pattern, text):
                return None
            found, matches = _search(condition.pattern, text)
            if matches == condition.is_negated:
                return None
        if not is_understood:
            return RuleNotUnderstood(self.line)
        value = _FIELD.sub(lambda field: _field(field, found), self.value)
        return RuleResult(value, self.line, f"/{self.written}/ {self.value}")

    @property
    def is_understood(self) -> bool:
        return all(condition.pattern is not None for condition in self.conditions)


def _search(
    pattern: re.Pattern[str] | IPv4Network | IPv6Network, text: str
) -> tuple[re.Match[str] | None, bool]:
    if isinstance(pattern, re.Pattern):
        found = pattern.search(text)
        return found, found is not None
    address = as_ip(text)
    return None, address is not None and address in pattern


def _is_of_family(network: IPv4Network | IPv6Network, text: str) -> bool:
    """A name, or an address of the other version of IP, is in no network, and outside of none
    (cidr_match_execute).
    """
    address = as_ip(text)
    return address is not None and address.version == network.version


def _field(field: re.Match[str], found: re.Match[str] | None) -> str:
    if field[4] is not None:
        return "$"
    number = int(field[1] or field[2] or field[3])
    if found is None or number > (found.re.groups):
        return ""
    return found[number] or ""


@dataclass(frozen=True, slots=True)
class RuleTable:
    """Rules in order; the first that applies counts."""

    rules: tuple[PatternRule, ...]

    def lookup(self, text: str) -> RuleResult | RuleNotUnderstood | None:
        if len(text) > SEARCHED_CHARACTERS_MAX:
            return None
        for rule in self.rules:
            result = rule.search(text)
            if result is not None:
                return result
        return None


def pattern_table(text: str) -> RuleTable:
    return RuleTable(tuple(_rules(text, _pattern_line)))


def network_table(text: str) -> RuleTable:
    return RuleTable(tuple(_rules(text, _network_line)))


@dataclass(frozen=True, slots=True)
class _PatternLine:
    """A line of a table; `opens` if it is an `if`."""

    opens: bool
    condition: _Condition
    written: str
    value: str


def _rules(text: str, read: Callable[[LogicalLine], _PatternLine]) -> Iterator[PatternRule]:
    around = list[_Condition]()
    for logical in logical_lines(text):
        if logical.text.lower() == "endif":
            if len(around) > 0:
                around.pop()
            continue
        one = read(logical)
        if one.opens:
            around.append(one.condition)
        else:
            yield PatternRule((*around, one.condition), one.written, one.value, logical.line)


def _pattern_line(logical: LogicalLine) -> _PatternLine:
    """`/pattern/flags value`, `!/pattern/ value`, or `if /pattern/`; any other character may delimit."""
    head = _ENTRY.match(logical.text)
    if head is None:
        return _PatternLine(False, _Condition(None, False), "", "")
    end = head.end()
    while end < len(logical.text) and logical.text[end] != head[3]:
        end += 2 if logical.text[end] == "\\" else 1
    written = logical.text[head.end() : end]
    flags = _FLAGS.match(logical.text, min(end + 1, len(logical.text)))
    letters = "" if flags is None else flags[0]
    value = logical.text[end + 1 + len(letters) :].strip()
    condition = _Condition(_compiled(written, letters), head[2] == "!")
    return _PatternLine(head[1] is not None, condition, written, value)


def _compiled(written: str, flags: str) -> re.Pattern[str] | None:
    """None: Python might read or search it in another way."""
    pattern = written
    for name, characters in POSIX_CLASSES.items():
        pattern = pattern.replace(name, characters)
    is_too_much = len(pattern) > PATTERN_CHARACTERS_MAX or _COSTLY.search(pattern) is not None
    if is_too_much or _READ_OTHERWISE.search(pattern) is not None or not set(flags) <= set("im"):
        return None
    # Each `i` turns the default round, which is to take no notice of case.
    try:
        return re.compile(pattern, re.IGNORECASE if flags.count("i") % 2 == 0 else 0)
    except (re.error, OverflowError, RecursionError):
        return None


def _network_line(logical: LogicalLine) -> _PatternLine:
    opens = logical.text.lower().startswith("if ")
    rest = logical.text[3:].strip() if opens else logical.text
    is_negated = rest.startswith("!")
    written, _, value = rest.lstrip("! ").partition(" ")
    try:
        network = ip_network(written.strip("[]").replace("]/", "/"))
    except ValueError:
        network = None
    return _PatternLine(opens, _Condition(network, is_negated), written, value.strip())


def named_addresses(written: str) -> tuple[str, ...]:
    """The addresses that a pattern such as ^(anna|bert)@example\\.net$ names; empty if they are endless."""
    if not (written.startswith("^") and written.endswith("$")):
        return ()
    return tuple(text for text in _named(written[1:-1]) if "@" in text)


def named_domains(written: str) -> tuple[str, ...]:
    """The domains that a pattern names, alone or after an @, such as @example\\.(net|org)$."""
    _, at, after = written.rpartition("@")
    domain = after if len(at) > 0 else written
    domain = _BELOW_TOO.sub("", domain).removesuffix("$")
    return tuple(text for text in _named(domain) if "@" not in text)


def _named(pattern: str) -> tuple[str, ...]:
    """Every text that a pattern of letters, alternatives and groups matches; empty if it has more."""
    try:
        texts, end = _alternatives(pattern, 0, 0)
    except ValueError:
        return ()
    return texts if end == len(pattern) else ()


def _alternatives(pattern: str, at: int, deep: int) -> tuple[tuple[str, ...], int]:
    """The texts of alternatives up to a closing parenthesis, and its place. Raises ValueError."""
    found = list[str]()
    current: tuple[str, ...] = ("",)
    ends: tuple[str, ...]
    while at < len(pattern) and pattern[at] != ")":
        character = pattern[at]
        if character == "|":
            found += current
            current, at = ("",), at + 1
            continue
        if character == "(" and deep < 10:
            start = at + 3 if pattern.startswith("(?:", at) else at + 1
            ends, at = _alternatives(pattern, start, deep + 1)
            if pattern[at : at + 1] != ")":
                raise ValueError
            at += 1
        elif character == "\\" and pattern[at + 1 : at + 2] in (".", "-", "+", "_", "@", "/"):
            ends, at = (pattern[at + 1],), at + 2
        elif pattern.startswith("[.]", at):
            ends, at = (".",), at + 3
        elif character.isalnum() or character in "-_@=#~":
            ends, at = (character.lower(),), at + 1
        else:
            raise ValueError
        if pattern[at : at + 1] in ("*", "+", "?", "{"):
            raise ValueError
        if len(current) * len(ends) + len(found) > NAMED_MAX:
            raise ValueError
        current = tuple(map("".join, product(current, ends)))
    return (*found, *current), at
