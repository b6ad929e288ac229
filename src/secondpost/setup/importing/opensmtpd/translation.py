"""A smtpd.conf of today from one before 6.4: its statements, comments and order, in the new words.

What has no equivalent stays as a comment with the reason. Included files are written into the new one,
where they were included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from secondpost.setup.importing.carried import Fate, ReportLine
from secondpost.setup.importing.old_files import OldFiles
from secondpost.setup.importing.opensmtpd.hiding import secrets_in, shown_text
from secondpost.setup.importing.opensmtpd.lexer import SmtpdPart, SmtpdStatement, parts_of
from secondpost.setup.importing.opensmtpd.new_text import action_text, action_word, match_texts
from secondpost.setup.importing.opensmtpd.reading import said_of
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdActionStatement,
    SmtpdFrom,
    SmtpdIdle,
    SmtpdListener,
    SmtpdPki,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSetting,
    SmtpdTableStatement,
)
from secondpost.setup.importing.opensmtpd.targets import RelayTls, relay_url
from secondpost.setup.importing.opensmtpd.words import (
    NEW_KEYWORDS,
    entries_text,
    quoted_string,
    string_text,
    written,
)
from secondpost.setup.importing.writing import FoundAgain

USUAL_TTL = "4d"
RENAMED_OPTIONS = {"mask-source": "mask-src"}
LOST_OPTIONS = {
    "filter": "Filters are other programs since 6.4, so mail is not filtered: set a filter up anew.",
    "dsn-notify": "There is no such option since 6.4.",
    "dsn-ret": "There is no such option since 6.4.",
}
LOST_SETTINGS = {
    "filter": LOST_OPTIONS["filter"],
    "enqueuer": LOST_OPTIONS["filter"],
    "curve": "There is no such setting since 6.4.",
}
LOGINS = "Before 6.4 `from` also decided about clients that had logged in; now `auth` or `!auth` does."
EITHER = "secure:// tried both ways of TLS; this one begins with it, on port 465."


@dataclass(frozen=True, slots=True)
class TranslatedConf:
    """`report` has the lines of `text`, the new smtpd.conf. `has_secrets`: passwords or keys stand in it."""

    text: str
    report: tuple[FoundAgain, ...]
    has_secrets: bool


@dataclass(frozen=True, slots=True)
class _Written:
    """The lines that a statement becomes; none if it is not carried over."""

    lines: tuple[str, ...]
    fate: Fate = Fate.CARRIED
    why: str = ""


def translated(files: OldFiles, path: str) -> TranslatedConf:
    """Raises OldConfigFaults."""
    parts = parts_of(files, path)
    statements = [part for part in parts if isinstance(part, SmtpdStatement)]
    said = said_of(files, statements, is_old=True)
    return _Translation(parts, said).translated(path)


@dataclass(slots=True)
class _Translation:
    parts: Sequence[SmtpdPart]
    said: Sequence[SmtpdSaid]
    actions: dict[str, str] = field(default_factory=dict)  # from what an action does to its name
    ttl: str = USUAL_TTL  # of rules at this place

    def translated(self, path: str) -> TranslatedConf:
        lines = [f"# For OpenSMTPD 6.4 and later, made from {path}."]
        report: list[FoundAgain] = []
        said, secrets = iter(self.said), secrets_in(self.said)
        for part in self.parts:
            if not isinstance(part, SmtpdStatement):
                lines += part.text.split("\n")
                continue
            made = self._said(next(said))
            first = len(lines) + 1
            lines += _with_remarks(part, made)
            count = len(made.lines)
            numbers = tuple(range(len(lines) - count + 1, len(lines) + 1)) if count > 0 else (first,)
            report.append(
                FoundAgain(ReportLine(part.place, shown_text(part, secrets), made.fate, made.why), numbers)
            )
        return TranslatedConf("\n".join(lines) + "\n", tuple(report), len(secrets) > 0)

    @property
    def has_logins(self) -> bool:
        return any(isinstance(one, SmtpdListener) and one.auth is not None for one in self.said)

    @property
    def last_ttl(self) -> str:
        """Of the new file as a whole: `expire` was for the rules behind it."""
        found = [one.value for one in self.said if isinstance(one, SmtpdSetting) and one.name == "queue ttl"]
        return found[-1] if len(found) > 0 else USUAL_TTL

    def _said(self, said: SmtpdSaid) -> _Written:
        match said:
            case SmtpdIdle(statement=statement):
                return _idle(statement)
            case SmtpdTableStatement():
                return _table(said)
            case SmtpdListener():
                return _listener(said)
            case SmtpdPki():
                return _pki(said)
            case SmtpdSetting():
                if said.name == "queue ttl":
                    self.ttl = said.value
                return _setting(said, is_last=said.name != "queue ttl" or said.value == self.last_ttl)
            case SmtpdRule():
                return self._rule(said)
            case SmtpdActionStatement(statement=statement):
                return _Written((statement.text,))

    def _rule(self, rule: SmtpdRule) -> _Written:
        whys = list(_whys(rule, has_logins=self.has_logins))
        fate = Fate.CARRIED if set(whys) <= {LOGINS} else Fate.CHANGED
        if rule.action is None:
            lines = tuple(match_texts(rule, "reject", has_logins=self.has_logins))
            return _Written(lines, fate, " ".join(whys))
        ttl = rule.action.ttl or (self.ttl if self.ttl != self.last_ttl else None)
        text = action_text(rule.action, ttl)
        new = []
        if text not in self.actions:
            self.actions[text] = f"{action_word(rule.action)}_{len(self.actions) + 1}"
            new = [f"action {quoted_string(self.actions[text])} {text}"]
        decision = f"action {quoted_string(self.actions[text])}"
        lines = (*new, *match_texts(rule, decision, has_logins=self.has_logins))
        return _Written(lines, fate, " ".join(whys))


def _with_remarks(statement: SmtpdStatement, made: _Written) -> Iterator[str]:
    """The lines, with the statement's own comment and, of what has no equivalent, the reason."""
    if len(made.lines) == 0 or made.fate is not Fate.CARRIED:
        if len(made.lines) == 0:
            yield f"# not carried over: {statement.text}"
        yield f"#   {made.why}"
    if len(statement.remark) > 0 and (len(made.lines) != 1 or made.lines[0].startswith("#")):
        yield statement.remark
        yield from made.lines
        return
    remark = f"  {statement.remark}" if len(statement.remark) > 0 else ""
    yield from (f"{line}{remark}" for line in made.lines)


def _idle(statement: SmtpdStatement) -> _Written:
    if not statement.is_macro:
        return _Written((f"# {statement.text}: its lines follow",))
    name, _, value = statement.tokens
    if name.text in NEW_KEYWORDS:
        why = "The name is a word of its own since 6.4; the value stands where it was used."
        return _Written((), Fate.CHANGED, why)
    return _Written((f"{name.text} = {quoted_string(value.text)}",))


def _table(said: SmtpdTableStatement) -> _Written:
    tokens = said.statement.tokens
    name = string_text(tokens[1].text)
    if tokens[2].text != "{":
        source = tokens[2].text
        kind = source.partition(":")[0]
        if source.startswith("/") or kind in ("file", "db", "static"):
            return _Written((f"table {name} {quoted_string(source)}",))
        why = "Tables of this kind speak another protocol since 7.6: install its program of today."
        return _Written((f"table {name} {quoted_string(source)}",), Fate.CHANGED, why)
    return _Written((f"table {name} {entries_text(said.table.entries)}",))


def _listener(said: SmtpdListener) -> _Written:
    words = [string_text(said.interface)] if said.interface is not None else ["socket"]
    words += [said.family] if said.family is not None else []
    rest = [f"tag {string_text(said.tag)}"] if said.tag is not None else []
    rest += [f"hostname {string_text(said.hostname)}"] if said.hostname is not None else []
    rest += [f"pki {string_text(said.pki)}"] if said.pki is not None else []
    whys: dict[str, None] = {}
    for extra in said.extras:
        word, _, value = extra.partition(" ")
        if word in LOST_OPTIONS:
            whys[LOST_OPTIONS[word]] = None
        elif word != "verify":
            rest.append(f"{RENAMED_OPTIONS.get(word, word)} {value}".strip())
    verify = " verify" if "verify" in said.extras else ""
    port = [f"port {said.port}"] if said.port is not None else []
    tls = [f"{said.tls}{verify}"] if said.tls is not None else []
    if said.tls == "secure":  # smtps and STARTTLS, each on its port
        whys["secure meant smtps and tls: now each is a line."] = None
        kinds: list[list[str]] = [[*port, "tls"], ["smtps"]]
    else:
        kinds = [[*port, *tls]]
    lines = tuple(" ".join(["listen on", *words, *kind, *rest]) for kind in kinds)
    return _Written(lines, Fate.CARRIED if len(whys) == 0 else Fate.CHANGED, " ".join(whys))


def _pki(said: SmtpdPki) -> _Written:
    name = string_text(said.name)
    lines = []
    if said.certificate is not None:
        lines.append(f"pki {name} cert {quoted_string(said.certificate)}")
    if said.key is not None:
        lines.append(f"pki {name} key {quoted_string(said.key)}")
    if len(lines) == 0:
        why = "Parameters of one's own for Diffie-Hellman are not read since 6.4."
        return _Written((f"pki {name} dhe auto",), Fate.CHANGED, why)
    return _Written(tuple(lines))


def _setting(said: SmtpdSetting, *, is_last: bool) -> _Written:
    if said.name in LOST_SETTINGS:
        return _Written((), Fate.NOT_CARRIED, LOST_SETTINGS[said.name])
    if not is_last:
        why = "The last such line counts for all; rules with another time have it themselves."
        return _Written((), Fate.CHANGED, why)
    keywords = len(said.name.split()) if said.statement.keyword in ("queue", "limit") else 1
    tokens = list(said.statement.tokens[keywords:])
    match said.name:
        case "bounce warn-interval" if len(tokens) == 0:
            return _Written((), Fate.NOT_CARRIED, "Since 6.4 there is always a warning, after four hours.")
        case "ca":
            return _Written((f"ca {string_text(tokens[0].text)} cert {quoted_string(tokens[2].text)}",))
        case "queue encryption" if len(tokens) == 2:
            return _Written((f"queue encryption {written(tokens[1])}",))
    text = " ".join(_limit_word(token.text, written(token)) for token in tokens)
    return _Written((f"{said.name} {text}".strip().replace(" ,", ","),))


def _limit_word(text: str, shown: str) -> str:
    """`for domain` and the families in a limit are words, not strings."""
    return text if text in ("for", "domain", "inet4", "inet6", ",") else shown


def _whys(rule: SmtpdRule, *, has_logins: bool) -> Iterator[str]:
    if has_logins and rule.source.kind is not SmtpdFrom.ANY:
        yield LOGINS
    if not isinstance(rule.action, SmtpdRelay):
        return
    if any(extra.startswith("filter") for extra in rule.action.extras):
        yield LOST_OPTIONS["filter"]
    if rule.action.host is not None:
        url = relay_url(rule.action.host.entries[0].key, is_old=True)
        if url is not None and url.tls is RelayTls.EITHER:
            yield EITHER
