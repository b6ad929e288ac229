"""Render a digest or a letter, and check the result before it is sent.

Only the output is checked, not the input: a template that shows nothing, a lost link, or an issue
with fewer articles than its minimum is found here and held for the owner.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from html import escape
from html.parser import HTMLParser

from secondpost.compose.html_words import text_of
from secondpost.compose.issue import HTML_OCTETS_MAX, Composed, IssueComposer, Masthead, shown_title
from secondpost.compose.markdown import words_of
from secondpost.compose.masthead import content_of, masthead_of
from secondpost.config.records import Newsletter, Web
from secondpost.mail.article import Article
from secondpost.mail.issue import Issue, IssueKind
from secondpost.mail.issue_content import MARKS, Hole, IssueContent, ReaderMailKind
from secondpost.newsletter.publish import CannotCompose, IssueText
from secondpost.protocols.mime.header_fields import FieldFault
from secondpost.protocols.mime.issue_mail import SEED_OCTETS
from secondpost.protocols.mime.quoted_printable import TextFault
from secondpost.store.newsletter_ports import LedgerEntry
from secondpost.world.ports import Dice

ARTICLES_MAX = 100  # per issue; as mere titles, so many still fit into the HTML
TEXT_CHARACTERS_MIN = 120  # of the text part; the frame alone has more
TEST_MARK = "[Test]"  # before the subject of a test copy (R22)
OTHER_HOLES = frozenset({Hole.VIEW_URL.value, Hole.ME_URL.value})  # besides the link to unsubscribe
TEXT_PER_ARTICLE_MIN = 10  # title and link alone are longer

_TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARK = re.compile(f"[{''.join(sorted(MARKS))}]")
_ABSOLUTE = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_ACTIVE = frozenset({"script", "iframe", "form", "object", "embed", "input", "button", "link", "base"})
_ADDRESSES = frozenset({"href", "src", "action", "background"})


class Rule(StrEnum):
    """What a rendered issue must fulfil, checked in HTML and text where both have it."""

    SUBJECT = "it has a subject"
    WORDS = "a letter has words, and all are in both parts"
    ENOUGH = "it has at least as many articles as its minimum"
    TITLE = "every article's title is in both parts"
    LINK = "every article's link is in both parts"
    HOLE = "it has nothing personal but the reader's links, once each"
    LEAVE = "the link to unsubscribe is in each part exactly once"
    TOKEN = "no template token is left in it"
    TEXT = "the text part is not too short"
    SIZE = "the HTML is not too large"
    ABSOLUTE = "all its addresses are absolute"
    PASSIVE = "it has no active content"
    WRITTEN = "it can be written as a mail"


@dataclass(frozen=True, slots=True)
class OutputFault:
    rule: Rule
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


class FaultyIssue(CannotCompose):
    """The rendered issue must not be sent. The text is for the owner."""

    def __init__(self, faults: tuple[OutputFault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Rendered:
    """A digest or a letter that passed every rule."""

    composed: Composed
    content: IssueContent


class DigestRenderer:
    """Renders digests and letters; made once, holds the templates.

    `feed_title` gives the title of a newsletter's feed, "" if there is none.
    """

    def __init__(self, web: Web, dice: Dice, feed_title: Callable[[Newsletter], Awaitable[str]]) -> None:
        self._web = web
        self._dice = dice
        self._feed_title = feed_title
        self._composer = IssueComposer()

    async def compose(
        self, newsletter: Newsletter, issue: Issue, entries: Sequence[LedgerEntry]
    ) -> IssueText:
        """The content of an issue, as publish needs it. Raises FaultyIssue."""
        if issue.kind is IssueKind.LETTER:
            letter = await self.letter(newsletter, issue.number, issue.created_ms, issue.subject, issue.body)
            return IssueText(letter.composed.subject, letter.content.encode())
        articles = [entry.article for entry in entries]
        rendered = await self.render(
            newsletter, issue.number, issue.created_ms, articles, issue.minimum, issue.body
        )
        return IssueText(rendered.composed.subject, rendered.content.encode())

    async def test_copy(
        self, newsletter: Newsletter, dated_ms: int, articles: Sequence[Article], minimum: int, foreword: str
    ) -> Rendered:
        """A test copy for the owner: what readers would get, marked in the subject, without a link
        to the archive. Raises FaultyIssue.
        """
        masthead = masthead_of(newsletter, self._web, await self._feed_title(newsletter))
        composed = self._checked(masthead, None, dated_ms, articles, minimum, foreword)
        page = masthead.home or f"mailto:{parseaddr(newsletter.sender)[1]}"
        marked = Composed(
            f"{TEST_MARK} {composed.subject}",
            composed.html.replace(Hole.VIEW_URL.marker, escape(page)),
            composed.text.replace(Hole.VIEW_URL.marker, page),
        )
        return self._finished(newsletter, masthead, marked, dated_ms)

    async def render(
        self,
        newsletter: Newsletter,
        number: int | None,
        dated_ms: int,
        articles: Sequence[Article],
        minimum: int,
        foreword: str = "",
    ) -> Rendered:
        """Render a digest; without `number` for a preview of an issue not made yet. Raises
        FaultyIssue.
        """
        masthead = masthead_of(newsletter, self._web, await self._feed_title(newsletter))
        composed = self._checked(masthead, number, dated_ms, articles, minimum, foreword)
        return self._finished(newsletter, masthead, composed, dated_ms)

    async def letter(
        self, newsletter: Newsletter, number: int | None, dated_ms: int, subject: str, body: str
    ) -> Rendered:
        """Render a letter; without `number` for a preview. Raises FaultyIssue."""
        masthead = masthead_of(newsletter, self._web, await self._feed_title(newsletter))
        composed = self._composer.compose_letter(masthead, number, dated_ms // 1000, subject, body)
        frame = (masthead.title, masthead.postal_address or "", subject, body)
        faults = letter_faults(composed, body, frame)
        if len(faults) > 0:
            raise FaultyIssue(faults)
        return self._finished(newsletter, masthead, composed, dated_ms)

    def _checked(
        self,
        masthead: Masthead,
        number: int | None,
        dated_ms: int,
        articles: Sequence[Article],
        minimum: int,
        foreword: str,
    ) -> Composed:
        if len(articles) == 0:
            raise FaultyIssue((OutputFault(Rule.ENOUGH, f"0 of {minimum}"),))
        try:
            composed = self._composer.compose(masthead, number, dated_ms // 1000, articles, foreword)
        except ValueError as fault:  # a library refused a value of the feed: fail this issue only
            raise FaultyIssue((OutputFault(Rule.WRITTEN, str(fault)),)) from fault
        frame = (masthead.title, masthead.subject or "", masthead.postal_address or "", foreword)
        faults = output_faults(composed, articles, minimum, frame)
        if len(faults) > 0:
            raise FaultyIssue(faults)
        return composed

    def _finished(
        self, newsletter: Newsletter, masthead: Masthead, composed: Composed, dated_ms: int
    ) -> Rendered:
        seed = self._dice.token(SEED_OCTETS)
        try:
            content = content_of(ReaderMailKind.ISSUE, newsletter, masthead, composed, dated_ms, seed)
        except (FieldFault, TextFault) as fault:
            raise FaultyIssue((OutputFault(Rule.WRITTEN, str(fault)),)) from fault
        return Rendered(composed, content)


def output_faults(
    composed: Composed, articles: Sequence[Article], minimum: int, frame: Sequence[str] = ()
) -> tuple[OutputFault, ...]:
    """All faults of a composed digest; empty if it may be sent.

    `frame` holds the texts around the articles, in the owner's words.
    """
    seen = _seen(composed)
    lines = Counter(composed.text.split("\n"))
    links = Counter(article.link for article in articles)  # two articles may share a link
    found = _Faults()
    check = found.check
    least = max(minimum, 1)
    shown = links & Counter(link for link, title in seen.headings if len(title) > 0)
    check(shown.total() >= least, Rule.ENOUGH, f"the HTML has {shown.total()} of {least}")
    shown_in_text = links & lines
    check(shown_in_text.total() >= least, Rule.ENOUGH, f"the text has {shown_in_text.total()} of {least}")
    text = _in_one_line(composed.text)
    headings = {title for _, title in seen.headings}
    for article in articles:
        title = shown_title(article)
        check(title in headings, Rule.TITLE, f"{title!r} is missing in the HTML")
        check(title in text, Rule.TITLE, f"{title!r} is missing in the text")
    for part, missing in (("HTML", links - shown), ("text", links - shown_in_text)):
        for link in missing:
            check(False, Rule.LINK, f"{link} is missing in the {part}")
    floor = TEXT_CHARACTERS_MIN + TEXT_PER_ARTICLE_MIN * len(articles)
    check(len(text) >= floor, Rule.TEXT, f"{len(text)} of at least {floor} characters")
    _check_frame(found, composed, seen, articles, frame)
    return tuple(found.faults)


def letter_faults(composed: Composed, body: str, frame: Sequence[str] = ()) -> tuple[OutputFault, ...]:
    """All faults of a composed letter; empty if it may be sent. `body` is its Markdown."""
    seen, found, words = _seen(composed), _Faults(), words_of(body)
    found.check(len(words) > 0, Rule.WORDS, "it has none")
    for part, content in (("HTML", " ".join(seen.words)), ("text", composed.text)):
        lost = [word for word in words if word not in content]
        found.check(len(lost) == 0, Rule.WORDS, f"{lost[:1]} is missing in the {part}")
    _check_frame(found, composed, seen, (), frame)
    return tuple(found.faults)


@dataclass(frozen=True, slots=True)
class _Faults:
    faults: list[OutputFault] = field(default_factory=list)

    def check(self, holds: bool, rule: Rule, detail: str) -> None:
        if not holds:
            self.faults.append(OutputFault(rule, detail))


def _seen(composed: Composed) -> "_Seen":
    seen = _Seen()
    seen.feed(composed.html)
    seen.close()
    return seen


def _check_frame(
    found: _Faults, composed: Composed, seen: "_Seen", articles: Sequence[Article], frame: Sequence[str]
) -> None:
    """Check what a digest and a letter have in common."""
    check = found.check
    check(len(composed.subject.strip()) > 0 and "\n" not in composed.subject, Rule.SUBJECT, "there is none")
    for part, content in (("HTML", composed.html), ("text", composed.text)):
        holes = _holes_in(content)
        count = holes.pop(Hole.LEAVE_URL.value, 0)
        check(count == 1, Rule.LEAVE, f"it is in the {part} {count} times")
        for mark, times in holes.items():
            check(mark in OTHER_HOLES and times == 1, Rule.HOLE, f"{mark!r} is in the {part} {times} times")
    for part, content in (("HTML", " ".join(seen.words)), ("text", composed.text)):
        for token in _left_over(content, articles, frame):
            check(False, Rule.TOKEN, f"{token!r} is in the {part}")
    octets = len(composed.html.encode())
    check(octets <= HTML_OCTETS_MAX, Rule.SIZE, f"{octets} of at most {HTML_OCTETS_MAX} octets")
    for address in seen.addresses:
        check(_ABSOLUTE.match(address) is not None or _is_hole(address), Rule.ABSOLUTE, repr(address))
    for active in sorted(seen.active):
        check(False, Rule.PASSIVE, active)


class _Seen(HTMLParser):
    """What a mail program finds in the HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.headings: list[tuple[str, str]] = []  # link and title of each article
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.active: set[str] = set()
        self._heading: list[str] | None = None
        self._link = ""
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            self.active.add(f"<{tag}>")
        if tag == "style":
            self._unseen += 1
        if tag == "h2":
            self._heading, self._link = [], ""
        for name, value in attrs:
            if name.startswith("on"):
                self.active.add(f"{name}=")
            if name in _ADDRESSES:
                self.addresses.append(value or "")
            if tag == "a" and name == "href" and self._heading is not None:
                self._link = value or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._unseen -= 1
        if tag == "h2" and self._heading is not None:
            self.headings.append((self._link, _in_one_line("".join(self._heading))))
            self._heading = None

    def handle_data(self, data: str) -> None:
        if self._unseen > 0:
            return
        self.words.append(data)
        if self._heading is not None:
            self._heading.append(data)


def _left_over(content: str, articles: Sequence[Article], frame: Sequence[str]) -> list[str]:
    """Template tokens that neither the articles nor the owner wrote.

    Articles may be about templates, or open a brace that another article closes, so only a token's
    opening is searched in their texts.
    """
    tokens = {_in_one_line(token) for token in _TOKEN.findall(content)}
    if len(tokens) == 0:
        return []
    written = " ".join(frame) + "".join(
        f"{article.title} {article.author} {article.summary} {article.link} "
        # text_of: picture descriptions, and text between tags.
        f"{article.html} {text_of(article.html)} "
        for article in articles
    )
    return sorted(token for token in tokens if token[:2] not in written)


def _holes_in(content: str) -> Counter[str]:
    """Counts the names between two marks, known holes or not."""
    return Counter(_MARK.split(content)[1::2])


def _is_hole(address: str) -> bool:
    return len(address) > 0 and address[0] in MARKS


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
