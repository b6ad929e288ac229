"""The parts of a configuration: options, named lists, ACLs, routers, transports, rules. Pure.

Specification, chapter 6, "Structure of the configuration file": the options come first; then each
section begins with `begin` and its name, in any order.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.exim.lines import Logical, Macro, ReadLine, Unread

LIST_KINDS = ("domainlist", "hostlist", "addresslist", "localpartlist")

_NAMED_LIST = re.compile(
    r"(?:hide[ \t]+)?(domainlist|hostlist|addresslist|localpartlist)(?:_cache)?[ \t]+"
    r"([A-Za-z0-9_]+)[ \t]*=[ \t]*(.*)"
)
_OPTION = re.compile(r"(hide[ \t]+)?([a-z0-9_]+)(?:[ \t]*=[ \t]*(.*))?")
_BEGIN = re.compile(r"begin[ \t]+(\w+).*")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)[ \t]*:[ \t]*(.*)")
_VERB = re.compile(r"(accept|defer|deny|discard|drop|require|warn)\b[ \t]*(.*)")
_CONDITION = re.compile(r"(!?)[ \t]*(set[ \t]+\w+|[a-z0-9_]+)(?:[ \t]*=[ \t]*(.*))?")
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Setting:
    """An option. `value` is None for a switch; `no_name` and `not_name` are switches with `is_off`."""

    place: OldPlace
    written: str
    name: str
    value: str | None
    is_off: bool = False
    is_hidden: bool = False  # a secret, which Exim shows to no one

    @property
    def is_on(self) -> bool:
        """Whether a switch is on; an option with a value that is not a word for no is on as well."""
        return not self.is_off and (self.value is None or self.value.strip().lower() not in ("false", "no"))


@dataclass(frozen=True, slots=True)
class NamedList:
    place: OldPlace
    written: str
    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition or modifier of an ACL statement; `set acl_m_x` is named "set", with `target`."""

    name: str
    value: str
    is_negated: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True)
class AclStatement:
    place: OldPlace
    written: str
    verb: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """A router, transport or authenticator."""

    place: OldPlace
    name: str
    settings: Mapping[str, Setting]

    def text(self, name: str) -> str | None:
        setting = self.settings.get(name)
        return None if setting is None else setting.value

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        setting = self.settings.get(name)
        return setting is not None and setting.is_on

    @property
    def kind(self) -> str:
        return (self.text("driver") or "").strip()


@dataclass(frozen=True, slots=True)
class SectionRule:
    """A line of the sections retry and rewrite."""

    place: OldPlace
    written: str
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """`other`: lines that belong nowhere, or could not be read."""

    settings: tuple[Setting, ...]
    lists: Mapping[tuple[str, str], NamedList]
    acls: Mapping[str, tuple[AclStatement, ...]]
    routers: tuple[Driver, ...]
    transports: Mapping[str, Driver]
    authenticators: tuple[Driver, ...]
    retry: tuple[SectionRule, ...]
    rewrite: tuple[SectionRule, ...]
    macros: tuple[Macro, ...]
    other: tuple[Unread, ...]

    def setting(self, name: str) -> Setting | None:
        """The option; the last one counts."""
        found = [one for one in self.settings if one.name == name]
        return found[-1] if len(found) > 0 else None

    def text(self, name: str) -> str | None:
        setting = self.setting(name)
        return None if setting is None else setting.value


@dataclass(slots=True)
class _Parts:
    settings: list[Setting] = field(default_factory=list)
    lists: dict[tuple[str, str], NamedList] = field(default_factory=dict)
    acls: dict[str, list[AclStatement]] = field(default_factory=dict)
    drivers: dict[str, list[Driver]] = field(default_factory=dict)
    rules: dict[str, list[SectionRule]] = field(default_factory=dict)
    macros: list[Macro] = field(default_factory=list)
    other: list[Unread] = field(default_factory=list)


def configuration(lines: Iterable[ReadLine]) -> Configuration:
    parts = _Parts()
    for section, content in _sections(lines, parts):
        if section == "main":
            for line in content:
                _main_line(line, parts)
        elif section == "acl":
            _acls(content, parts)
        elif section in ("routers", "transports", "authenticators"):
            parts.drivers.setdefault(section, []).extend(_drivers(content, parts))
        elif section in ("retry", "rewrite"):
            parts.rules.setdefault(section, []).extend(
                SectionRule(line.place, line.written, line.text) for line in content
            )
        else:
            parts.other += [_stray(line, f'There is no section "{section}".') for line in content]
    return Configuration(
        settings=tuple(parts.settings),
        lists=parts.lists,
        acls={name: tuple(statements) for name, statements in parts.acls.items()},
        routers=tuple(parts.drivers.get("routers", ())),
        transports={one.name: one for one in parts.drivers.get("transports", ())},
        authenticators=tuple(parts.drivers.get("authenticators", ())),
        retry=tuple(parts.rules.get("retry", ())),
        rewrite=tuple(parts.rules.get("rewrite", ())),
        macros=tuple(parts.macros),
        other=tuple(parts.other),
    )


def _sections(lines: Iterable[ReadLine], parts: _Parts) -> Iterator[tuple[str, Sequence[Logical]]]:
    name, content = "main", list[Logical]()
    for line in lines:
        if isinstance(line, Macro):
            parts.macros.append(line)
        elif isinstance(line, Unread):
            parts.other.append(line)
        else:
            begin = _BEGIN.fullmatch(line.text)
            if begin is None:
                content.append(line)
            else:
                yield name, content
                name, content = begin[1], []
    yield name, content


def _main_line(line: Logical, parts: _Parts) -> None:
    named = _NAMED_LIST.fullmatch(line.text)
    if named is not None:
        one = NamedList(line.place, line.written, named[1], named[2], unquoted(named[3]))
        parts.lists[named[1], named[2]] = one
        return
    setting = _setting(line)
    if setting is None:
        parts.other.append(_stray(line, "This is not an option of Exim."))
    else:
        parts.settings.append(setting)


def _setting(line: Logical) -> Setting | None:
    match = _OPTION.fullmatch(line.text)
    if match is None:
        return None
    name, value = match[2], match[3]
    bare = name.removeprefix("no_") if name.startswith("no_") else name.removeprefix("not_")
    is_off = value is None and bare != name
    return Setting(
        place=line.place,
        written=line.written,
        name=bare if is_off else name,
        value=None if value is None else unquoted(value),
        is_off=is_off,
        is_hidden=match[1] is not None,
    )


def _acls(content: Sequence[Logical], parts: _Parts) -> None:
    acl: list[AclStatement] | None = None
    for line in content:
        name, text = _NAME.fullmatch(line.text), line.text
        if name is not None and _VERB.fullmatch(name[1]) is None:
            acl = parts.acls.setdefault(name[1], [])
            text = name[2]
            if len(text) == 0:
                continue
        verb = _VERB.fullmatch(text)
        if acl is None or (verb is None and len(acl) == 0):
            parts.other.append(_stray(line, "It stands before the first statement of an ACL."))
        elif verb is not None:
            acl.append(AclStatement(line.place, line.written, verb[1], tuple(_conditions(verb[2]))))
        else:
            last = acl[-1]
            written = f"{last.written} {line.written}".strip()
            conditions = (*last.conditions, *_conditions(text))
            acl[-1] = AclStatement(last.place, written, last.verb, conditions)


def _conditions(text: str) -> Iterator[Condition]:
    if len(text.strip()) == 0:
        return
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        # Not understood: taken for a condition of which nothing is known.
        yield Condition("?", text.strip())
        return
    is_negated, name, value = match[1] == "!", match[2], unquoted(match[3] or "")
    if name.startswith("set"):
        yield Condition("set", value, is_negated, name.split()[1])
    else:
        yield Condition(name, value, is_negated)


def _drivers(content: Sequence[Logical], parts: _Parts) -> Iterator[Driver]:
    place, name, settings = OldPlace("", 0), "", dict[str, Setting]()
    for line in content:
        header = _NAME.fullmatch(line.text)
        if header is not None and len(header[2]) == 0:
            if len(name) > 0:
                yield Driver(place, name, settings)
            place, name, settings = line.place, header[1], {}
            continue
        setting = _setting(line)
        if setting is None or len(name) == 0:
            parts.other.append(_stray(line, "It is not an option of a driver."))
        else:
            settings[setting.name] = setting
    if len(name) > 0:
        yield Driver(place, name, settings)


def _stray(line: Logical, why: str) -> Unread:
    return Unread(line.place, line.written, why)


def unquoted(value: str) -> str:
    """A value in double quotes, in which a backslash is an escape; any other is as it stands.

    Chapter 6, "String values" and "Boolean options".
    """
    value = value.strip()
    if len(value) < 2 or not value.startswith('"') or not value.endswith('"'):
        return value
    return _ESCAPE.sub(_escaped, value[1:-1])


def _escaped(match: re.Match[str]) -> str:
    one = match[1]
    if one[0] in "01234567":
        return chr(int(one, 8) & 0xFF)
    if one[0] == "x" and len(one) > 1:
        return chr(int(one[1:], 16))
    return _ESCAPED.get(one, one)
