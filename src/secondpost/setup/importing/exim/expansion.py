"""Expanded strings, worked out where the outcome is certain: `${if …}`, `${lookup …}`, variables. Pure.

Specification, chapter 11, "String expansions". What depends on the client or the message, or uses
an item that is not read here, is Unsaid: an answer that is not exact would be worse than none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import ip_address, ip_network

from secondpost.setup.importing.exim.splitting import (
    NotClosed,
    braced,
    braced_up_to,
    closing,
    escaped,
    split_braces,
    split_list,
)
from secondpost.setup.importing.exim.tables import Tables, UnreadTable, matches, parse_search

DEPTH_MAX = 40
TEXT_CHARACTERS_MAX = 100_000


class About(Enum):
    """What an answer depends on that is not known."""

    CLIENT = auto()  # the client, its sender or its message: an ordinary one may get through
    RECIPIENT = auto()  # the recipient, or what is not known


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A condition or text that cannot be worked out; `why` continues a sentence about it."""

    about: About
    why: str


Truth = bool | Unsaid


class NotExact(Exception):
    def __init__(self, unsaid: Unsaid) -> None:
        self.unsaid = unsaid
        super().__init__(unsaid.why)


class ForcedFailure(Exception):
    """`fail` in an expansion."""


Matcher = Callable[[str, str, str], Truth]  # kind of list, list, subject

_VARIABLE = re.compile(r"\$(?:\{([a-zA-Z_0-9]+)\}|([a-zA-Z_][a-zA-Z_0-9]*|\d+))")
_MENTIONED = re.compile(r"(?:\$\{?|def:)([a-z_][a-z_0-9]*)")
_OF_CLIENT = re.compile(
    r"sender_|senders?$|received_|message_|spam|malware|found_extension|rcpt_|recipients|tls_|authenticat|"
    r"host_|dns|h_|header_|rh_|bh_|interface_|smtp_|tod_|body_|max_received|bounce_|spf_|dkim_|dmarc_|arc_|"
    r"warn|return_path|load_average|queue_size|runrc|rcpt|bheader_|rheader_|prdr_|mime_|regex_|acl_verify|"
    r"exim_|pid|connection_|eval"
)
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_WORDS = re.compile(r"[a-z_]+")
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_CONDITION = re.compile(r"\s*(!?)\s*(def:[a-z_0-9A-Z]+:?|[a-z_0-9]+|==?|<=?|>=?)\s*")


@dataclass(slots=True)
class Expander:
    """`variables`: those whose values are known. `match_list`: for match_domain and its kin."""

    tables: Tables
    variables: Mapping[str, str]
    match_list: Matcher
    depth: int = field(default=0)

    def expand(self, text: str) -> str:
        """Raises NotExact or ForcedFailure."""
        if "$" not in text and "\\" not in text:
            return text
        self.depth += 1
        try:
            if self.depth > DEPTH_MAX or len(text) > TEXT_CHARACTERS_MAX:
                raise NotExact(Unsaid(About.RECIPIENT, "is too long or too deep to be worked out"))
            return self._expanded(text)
        except NotClosed:
            raise NotExact(Unsaid(About.RECIPIENT, "has a brace that is not closed")) from None
        finally:
            self.depth -= 1

    def _expanded(self, text: str) -> str:
        parts, at = list[str](), 0
        while at < len(text):
            one = text[at]
            if one == "\\":
                part, at = escaped(text, at)
            elif one == "$" and text.startswith("${", at):
                end = closing(text, at + 1)
                part, at = self._item(text[at + 2 : end].strip(), text[at : end + 1]), end + 1
            elif one == "$":
                match = _VARIABLE.match(text, at)
                part, at = ("$", at + 1) if match is None else (self._variable(match[2]), match.end())
            else:
                part, at = one, at + 1
            parts.append(part)
        return "".join(parts)

    def _variable(self, name: str) -> str:
        value = self.variables.get(name)
        if value is None:
            raise NotExact(Unsaid(about_variables([name]), f"depends on ${name}"))
        return value

    def _item(self, inside: str, whole: str) -> str:
        word = _WORDS.match(inside)
        name = "" if word is None else word[0]
        if re.fullmatch(r"[a-zA-Z_0-9]+", inside):
            return self._variable(inside)
        rest = inside[len(name) :]
        if name == "if":
            truth, end = self.condition(rest, 0)
            return self._branch(truth, braced(rest, end), "true")
        if name == "lookup":
            return self._lookup(rest, whole)
        if name == "extract":
            return self._extract(braced(rest, 0), whole)
        if name in ("lc", "uc", "domain", "local_part", "quote_local_part") and rest.startswith(":"):
            return _operated(name, self.expand(rest[1:]))
        if name == "sg":
            return self._replaced(braced(rest, 0), whole)
        if name == "eval":
            # Counters of the client's mistakes and the like: what a recipient is, no number says.
            unknown = [one for one in _MENTIONED.findall(whole) if one not in {*self.variables, *_ITEMS}]
            about = about_variables(unknown) if len(unknown) > 0 else About.CLIENT
            raise NotExact(Unsaid(about, "depends on a number"))
        raise NotExact(unsaid_item(whole, name or inside[:20]))

    def _branch(self, holds: bool, arguments: list[str], usual: str, value: str | None = None) -> str:
        """The text for yes or no; `fail` in its place is a forced failure."""
        place = 0 if holds else 1
        if place >= len(arguments):
            return usual if holds and len(arguments) == 0 else ""
        chosen = arguments[place]
        if chosen == "fail":
            raise ForcedFailure
        if value is None:
            return self.expand(chosen)
        with_value = {**self.variables, "value": value}
        return Expander(self.tables, with_value, self.match_list, self.depth).expand(chosen)

    def _lookup(self, rest: str, whole: str) -> str:
        """`${lookup{KEY} TYPE {FILE} {YES} {NO}}`."""
        rest = rest.strip()
        if not rest.startswith("{"):
            raise NotExact(unsaid_item(whole, "lookup"))
        key_end = closing(rest, 0)
        kind, brace, _ = rest[key_end + 1 :].partition("{")
        search = parse_search(kind)
        if search is None or len(brace) == 0:
            raise NotExact(unsaid_item(whole, "lookup"))
        file, *branches = braced(rest, key_end + 1 + len(kind))
        found = self.tables.find(search, self.expand(file), self.expand(rest[1:key_end]))
        if isinstance(found, UnreadTable):
            raise NotExact(Unsaid(About.RECIPIENT, f"needs {self.expand(file)}, which {found.why}"))
        value = None if found is None else found.value
        return self._branch(found is not None, branches, value or "", value)

    def _extract(self, arguments: list[str], whole: str) -> str:
        """`${extract{NUMBER}{SEPARATORS}{TEXT}{YES}{NO}}`."""
        if len(arguments) < 3 or _NUMBER.fullmatch(self.expand(arguments[0]).strip()) is None:
            raise NotExact(unsaid_item(whole, "extract"))
        number = int(self.expand(arguments[0]))
        pieces = re.split(f"[{re.escape(self.expand(arguments[1]))}]", self.expand(arguments[2]))
        place = number - 1 if number > 0 else len(pieces) + number
        value = pieces[place] if number != 0 and 0 <= place < len(pieces) else None
        return self._branch(value is not None, arguments[3:], value or "", value)

    def _replaced(self, arguments: list[str], whole: str) -> str:
        if len(arguments) != 3 or "$" in arguments[2].replace("\\$", ""):
            raise NotExact(unsaid_item(whole, "sg"))
        subject, pattern, new = (self.expand(one) for one in arguments)
        try:
            return re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", new), subject)
        except (re.error, IndexError, RecursionError):
            raise NotExact(unsaid_item(whole, "sg")) from None

    def condition(self, text: str, at: int) -> tuple[bool, int]:
        """The truth of the condition that begins at `at`, and where it ends. Raises NotExact."""
        self.depth += 1
        try:
            if self.depth > DEPTH_MAX:
                raise NotExact(Unsaid(About.RECIPIENT, "is too deep to be worked out"))
            return self._condition(text, at)
        finally:
            self.depth -= 1

    def _condition(self, text: str, at: int) -> tuple[bool, int]:
        match = _CONDITION.match(text, at)
        if match is None:
            raise NotExact(unsaid_item(text, "if"))
        is_negated, word, at = match[1] == "!", match[2], match.end()
        if word.startswith("def:"):
            name = word.removeprefix("def:").rstrip(":")
            return (len(self._variable(name)) > 0) is not is_negated, at
        arguments, end = braced_up_to(text, at, 1 if word in _ONE else 2 if word in _TWO else 99)
        if word in ("and", "or"):
            return self._all_or_any(word, arguments) is not is_negated, end
        truth = self._compared(word, arguments, text)
        return truth is not is_negated, end

    def _all_or_any(self, word: str, arguments: list[str]) -> bool:
        """What is not exact does not matter if another part decides."""
        unsaid: NotExact | None = None
        for one in split_braces(arguments[0]) if len(arguments) > 0 else []:
            try:
                truth, _ = self.condition(one, 0)
            except NotExact as error:
                unsaid = error if unsaid is None or error.unsaid.about is About.RECIPIENT else unsaid
                continue
            if truth is (word == "or"):
                return truth
        if unsaid is not None:
            raise unsaid
        return word == "and"

    def _compared(self, word: str, arguments: list[str], text: str) -> bool:
        values = [self.expand(one) for one in arguments]
        match word, values:
            case "exists", [path]:
                return self.tables.exists(path)
            case (("eq" | "eqi"), [one, other]):
                return one == other if word == "eq" else one.lower() == other.lower()
            case (("bool" | "bool_lax"), [one]):
                return is_true(one)
            case "match", [subject, pattern]:
                found = matches(pattern, subject)
                if found is not None:
                    return found
            case "match_ip", [subject, items]:
                found = _in_networks(subject, split_list(items))
                if found is not None:
                    return found
            case (("match_domain" | "match_local_part" | "match_address"), [subject, items]):
                said = self.match_list(word.removeprefix("match_"), items, subject)
                if isinstance(said, Unsaid):
                    raise NotExact(said)
                return said
            case (("inlist" | "inlisti"), [subject, items]):
                return subject.lower() in [one.lower() for one in split_list(items)]
            case _, [one, other] if word in _COMPARISONS and _is_number(one) and _is_number(other):
                return _COMPARISONS[word](int(one or 0), int(other or 0))  # §11.7: nothing is zero
        raise NotExact(unsaid_item(text, word))


_ONE = ("exists", "bool", "bool_lax", "and", "or", "isip", "isip4", "isip6", "first_delivery", "acl")
_TWO = (
    "eq", "eqi", "match", "match_domain", "match_local_part", "match_address", "match_ip", "inlist",
    "inlisti", "=", "==", "<", ">", "<=", ">=", "lt", "lti", "gt", "gti", "le", "lei", "ge", "gei",
    "crypteq", "forany", "forall",
)  # fmt: skip


def unsaid_item(whole: str, name: str) -> Unsaid:
    """An item that is not worked out here, judged by the variables in it."""
    about = about_variables(_MENTIONED.findall(whole)) if "lookup" not in whole else About.RECIPIENT
    return Unsaid(about, f"uses {name}, which is not worked out here")


def about_variables(names: list[str]) -> About:
    """CLIENT if they all are of the client or its message."""
    others = [one for one in names if one not in _ITEMS]
    if len(others) > 0 and all(_OF_CLIENT.match(one) is not None for one in others):
        return About.CLIENT
    return About.RECIPIENT


_ITEMS = frozenset({"if", "eval", "lc", "uc", "mask", "reverse_ip", "sg", "extract", "length", "strlen"})


def is_true(text: str) -> bool:
    """The rule for `condition` (§43, "ACL conditions"; §15, `condition`)."""
    word = text.strip().lower()
    return word not in ("", "0", "no", "false")


def _in_networks(address: str, items: Sequence[str]) -> bool | None:
    """As `match_ip` asks; None if an item is no network."""
    try:
        one = ip_address(address)
        for item in items:
            if one in ip_network(item.removeprefix("!").strip(), strict=False):
                return not item.startswith("!")
    except ValueError:
        return None
    return len(items) > 0 and items[-1].startswith("!")  # §10: after a last item with !, all else is in it


def _is_number(text: str) -> bool:
    return text == "" or _NUMBER.fullmatch(text.strip()) is not None


def _operated(name: str, text: str) -> str:
    match name:
        case "lc":
            return text.lower()
        case "uc":
            return text.upper()
        case "domain":
            return text.rpartition("@")[2] if "@" in text else ""
        case "local_part":
            return text.rpartition("@")[0]
        case _:
            return text
