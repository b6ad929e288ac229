"""The orders of versions that advisories are written in: one function each, which compares two texts.

Each returns a number below, at or above zero, as the first is older, as old as, or newer than the other, and
raises VersionUnreadable for a text that is no such version.
"""

import re
from collections.abc import Callable
from itertools import zip_longest

VERSION_CHARACTERS_MAX = 200  # no integer in it is too long to be read

Order = Callable[[str, str], int]


class VersionUnreadable(Exception):
    """The text says what is wrong with which version."""


# -- Debian: deb-version(7)
_DEBIAN = re.compile(r"[A-Za-z0-9.+~:-]+")
_DEBIAN_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_END = 0  # of a part without digits: it stands after "~" and before everything else


def debian_order(one: str, other: str) -> int:
    """Debian's and Ubuntu's packages: epoch, upstream version, revision."""
    left, right = _debian_pieces(one), _debian_pieces(other)
    if left[0] != right[0]:
        return left[0] - right[0]
    for ours, theirs in zip(left[1:], right[1:], strict=True):
        order = _debian_part_order(ours, theirs)
        if order != 0:
            return order
    return 0


def _debian_pieces(version: str) -> tuple[int, str, str]:
    epoch, rest = _epoch_and_rest(_checked(version.strip(), _DEBIAN))
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return epoch, upstream, revision


def _epoch_and_rest(version: str) -> tuple[int, str]:
    epoch, colon, rest = version.partition(":")
    if len(colon) == 0:
        return 0, version
    if not epoch.isdecimal():
        raise VersionUnreadable(f"{version!r} has no number as its epoch")
    return int(epoch), rest


def _debian_part_order(one: str, other: str) -> int:
    nothing = ((_END,), 0)
    for left, right in zip_longest(_debian_parts(one), _debian_parts(other), fillvalue=nothing):
        if left != right:
            return 1 if left > right else -1
    return 0


def _debian_parts(text: str) -> list[tuple[tuple[int, ...], int]]:
    found = _DEBIAN_PARTS.findall(text)
    return [((*map(_debian_weight, letters), _END), int(digits or "0")) for letters, digits in found]


def _debian_weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256


# -- RPM: rpm-version(7)
_RPM = re.compile(r"[\x21-\x7e]+")
_RPM_SEGMENT = re.compile(r"[~^]|[0-9]+|[A-Za-z]+")


def rpm_order(one: str, other: str) -> int:
    """Packages of Fedora, Red Hat and their kin: epoch, version, release. A release that only one of them
    names is not compared.
    """
    left, right = _rpm_pieces(one), _rpm_pieces(other)
    if left[0] != right[0]:
        return left[0] - right[0]
    order = rpm_part_order(left[1], right[1])
    if order != 0 or len(left[2]) == 0 or len(right[2]) == 0:
        return order
    return rpm_part_order(left[2], right[2])


def _rpm_pieces(version: str) -> tuple[int, str, str]:
    epoch, rest = _epoch_and_rest(_checked(version.strip(), _RPM))
    upstream, _, release = rest.partition("-")
    return epoch, upstream, release


def rpm_part_order(one: str, other: str) -> int:
    """Two versions, or two releases."""
    pairs = zip_longest(_RPM_SEGMENT.findall(one), _RPM_SEGMENT.findall(other), fillvalue="")
    for left, right in pairs:
        if left != right:
            order = _rpm_segment_order(left, right)
            if order != 0:
                return order
    return 0


def _rpm_segment_order(one: str, other: str) -> int:
    """Of two that differ; "" is the end. "~" stands before the end, and "^" right after it."""
    for mark, order in (("~", -1), ("", -1), ("^", -1)):
        if one == mark:
            return order
        if other == mark:
            return -order
    if one.isdecimal() and other.isdecimal():
        return int(one) - int(other)
    if one.isdecimal() or other.isdecimal():
        return 1 if one.isdecimal() else -1
    return 1 if one > other else -1


# -- Python: the version specifiers specification (once PEP 440)
_PYTHON = re.compile(
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]+)?)?"
    r"(?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]+)?)?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]+)?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_PYTHON_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_BEFORE, _AFTER = -1, 1


def python_order(one: str, other: str) -> int:
    """Python's packages, and Python itself."""
    left, right = _python_key(one), _python_key(other)
    return 0 if left == right else 1 if left > right else -1


def _python_key(version: str) -> tuple[object, ...]:
    found = _PYTHON.fullmatch(_checked(version.strip(), None))
    if found is None:
        raise VersionUnreadable(f"{version!r} is no version of a Python package")
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    has_pre, has_post, has_dev = (found[each] is not None for each in ("pre", "post", "dev"))
    pre: tuple[int, str, int] = (_AFTER, "", 0)
    if has_pre:
        word = found["pre"].lower()
        pre = (0, _PYTHON_PRE.get(word, word), int(found["pre_number"] or "0"))
    elif has_dev and not has_post:  # 1.0.dev1 comes before 1.0a1
        pre = (_BEFORE, "", 0)
    post = (int(found["post_bare"] or found["post_number"] or "0"),) if has_post else (-1,)
    dev = (0, int(found["dev_number"] or "0")) if has_dev else (_AFTER, 0)
    return int(found["epoch"] or "0"), tuple(release), pre, post, dev, _python_local(found["local"])


def _python_local(local: str | None) -> tuple[tuple[int, int, str], ...]:
    parts = [] if local is None else re.split(r"[-_.]", local.lower())
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)


# -- SemVer 2.0.0 §11
_SEMVER = re.compile(
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+){0,2})(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)


def semver_order(one: str, other: str) -> int:
    left, right = _semver_key(one), _semver_key(other)
    return 0 if left == right else 1 if left > right else -1


def _semver_key(version: str) -> tuple[object, ...]:
    found = _SEMVER.fullmatch(_checked(version.strip(), None))
    if found is None:
        raise VersionUnreadable(f"{version!r} is no semantic version")
    numbers = [int(part) for part in found["numbers"].split(".")]
    identifiers = () if found["pre"] is None else tuple(map(_semver_identifier, found["pre"].split(".")))
    return (*numbers, *(0 for _ in range(3 - len(numbers)))), len(identifiers) == 0, identifiers


def _semver_identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


# -- what OpenSSL, SQLite and mail servers call their releases
_DOTTED = re.compile(r"(?:[A-Za-z]+[-_]?)*(?P<version>[0-9]+(?:[._-]?[0-9A-Za-z]+)*)")
_DOTTED_PART = re.compile(r"[0-9]+|[a-z]+")
_BEFORE_RELEASE = frozenset({"alpha", "beta", "pre", "rc", "dev", "snapshot"})
_DOTTED_END = (0, 0, "")


def dotted_order(one: str, other: str) -> int:
    """Numbers with dots; a letter after them is newer (1.1.1w, 6.6.2p1), unless it marks what came before
    the release (4.97-RC1). A tag such as "openssl-3.0.7" is read as its version.
    """
    pairs = zip_longest(_dotted_parts(one), _dotted_parts(other), fillvalue=_DOTTED_END)
    for left, right in pairs:
        if left != right:
            return 1 if left > right else -1
    return 0


def _dotted_parts(version: str) -> list[tuple[int, int, str]]:
    found = _DOTTED.fullmatch(_checked(version.strip(), None))
    if found is None:
        raise VersionUnreadable(f"{version!r} is no version with dots")
    return [_dotted_part(part) for part in _DOTTED_PART.findall(found["version"].lower())]


def _dotted_part(part: str) -> tuple[int, int, str]:
    if part.isdecimal():
        return (int(part), 0, "")
    return (-1, 0, part) if part in _BEFORE_RELEASE else (0, 1, part)


def _checked(version: str, form: re.Pattern[str] | None) -> str:
    if not 0 < len(version) <= VERSION_CHARACTERS_MAX or not version.isascii():
        raise VersionUnreadable(f"{version[:40]!r} is no version")
    if form is not None and form.fullmatch(version) is None:
        raise VersionUnreadable(f"{version!r} has a character that no version has")
    return version
