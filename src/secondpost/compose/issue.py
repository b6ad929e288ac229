"""Compose an issue: one HTML and one text part for all readers, from the same articles or from a
letter.

Pure, except for reading its templates. Articles are included whole while there is room; if the HTML
exceeds its bound, the longest become excerpts, then mere titles, but none is left out. Mail
programs cut off mails above about 100 KB, and with the end the link to unsubscribe.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from css_inline import CSSInliner

from secondpost.compose.article_frame import framed
from secondpost.compose.article_html import DROPPED, clean_article, host_of
from secondpost.compose.html_text import LINE_CHARACTERS, PlainText, html_to_text
from secondpost.compose.markdown import markdown_to_html
from secondpost.compose.templating import Templates, TemplateValue, trusted
from secondpost.mail.article import Article
from secondpost.mail.issue_content import Hole
from secondpost.mail.language import Direction, direction_of_text

HTML_OCTETS_MAX = 80_000
EXCERPT_CHARACTERS_MAX = 400
MADE_TITLE_CHARACTERS_MAX = 80  # for a title taken from the text
SUBJECT_CHARACTERS_MAX = 78
PREHEADER_CHARACTERS_MAX = 140
ROUNDS_MAX = 6  # of shortening; inlining styles makes articles longer than measured
# Follows the preheader, so that a mail program's list shows nothing after it.
_FILLER = "\u200c\u00a0" * 60
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Masthead:
    """What every issue of a newsletter shows."""

    title: str
    language: str
    timezone: str
    subject: str | None  # fixed subject; None: from the articles
    home: str | None  # page for sign-up and archive; None without web pages
    postal_address: str | None
    images: bool


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail with marked holes (mail/issue_content)."""

    subject: str
    html: str
    text: str  # lines end with \n


class Extent(IntEnum):
    """How much of an article the mail contains."""

    TITLE = 0  # the title alone, as a link
    EXCERPT = 1
    WHOLE = 2


@dataclass(slots=True)
class _Piece:
    """An article being fitted into the issue."""

    link: str
    title: str
    language: str  # "" if unknown
    direction: Direction
    byline: str
    html: str  # cleaned
    excerpt: str  # plain text
    extent: Extent

    def octets(self) -> int:
        match self.extent:
            case Extent.WHOLE:
                return len(self.html.encode())
            case Extent.EXCERPT:
                return len(self.excerpt.encode())
            case Extent.TITLE:
                return 0


@dataclass(frozen=True, slots=True)
class _OwnWords:
    """The owner's own words: a foreword, or a letter."""

    html: str  # cleaned; "" without any
    direction: Direction


class IssueComposer:
    """Composes issues; made once, holds the templates and the style sheet."""

    def __init__(self) -> None:
        self._templates = Templates("secondpost.compose")
        self._style = self._templates.render("digest.css", {})
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def compose(
        self,
        masthead: Masthead,
        number: int | None,
        dated_s: int,
        articles: Sequence[Article],
        foreword: str = "",
    ) -> Composed:
        """Compose an issue. Raises ValueError if there is no article.

        `number` is None for a preview; the foreword is Markdown.
        """
        if len(articles) == 0:
            raise ValueError("an issue has at least one article")
        pieces = _pieces(masthead, articles)
        subject = _subject(masthead, pieces)
        shared = _shared(masthead, number, dated_s, subject, _preheader(pieces))
        return self._composed(shared, _words(masthead, foreword), pieces)

    def compose_letter(
        self, masthead: Masthead, number: int | None, dated_s: int, subject: str, body: str
    ) -> Composed:
        """Compose a letter; `body` is Markdown. It is never shortened: the caller checks its size."""
        words = _words(masthead, body)
        preheader = _cut(" ".join(html_to_text(words.html).text.split()), PREHEADER_CHARACTERS_MAX)
        return self._composed(_shared(masthead, number, dated_s, subject, preheader), words, [])

    def _composed(self, shared: dict[str, TemplateValue], words: _OwnWords, pieces: list[_Piece]) -> Composed:
        shared |= {
            "foreword": trusted(words.html) if len(words.html) > 0 else None,
            "foreword_direction": words.direction.value,
        }
        return Composed(str(shared["subject"]), self._html(shared, pieces), self._text(shared, words, pieces))

    def _html(self, shared: dict[str, TemplateValue], pieces: list[_Piece]) -> str:
        room = HTML_OCTETS_MAX
        for _ in range(ROUNDS_MAX):
            shorten(pieces, room)
            html = self._rendered(shared, pieces)
            excess = len(html.encode()) - HTML_OCTETS_MAX
            if excess <= 0:
                break
            room = max(0, min(room, sum(piece.octets() for piece in pieces)) - excess)
        return html

    def _rendered(self, shared: dict[str, TemplateValue], pieces: list[_Piece]) -> str:
        articles: list[TemplateValue] = [
            {
                "link": piece.link,
                "host": host_of(piece.link),
                "title": piece.title,
                "language": piece.language,
                "direction": piece.direction.value,
                "byline": "" if piece.extent is Extent.TITLE else piece.byline,
                "body": _body(piece),
                "is_whole": piece.extent is Extent.WHOLE and len(piece.html) > 0,
            }
            for piece in pieces
        ]
        values = {**shared, "articles": articles, "style": trusted(self._style)}
        return self._inliner.inline(self._templates.render("digest.html", values))

    def _text(self, shared: dict[str, TemplateValue], words: _OwnWords, pieces: list[_Piece]) -> str:
        plain = html_to_text(words.html)
        links = len(plain.links)
        articles: list[TemplateValue] = []
        for piece in pieces:
            text, notes = _as_text(piece, links + 1)
            links += len(notes)
            title = _folded(piece.title)
            articles.append(
                {
                    "link": piece.link,
                    "title": title,
                    "rule": "=" * max(len(line) for line in title.split("\n")),
                    "byline": piece.byline,
                    "text": text,
                    "notes": notes,
                }
            )
        own: dict[str, TemplateValue] = {"words": plain.text, "words_notes": _notes(plain, 1)}
        return self._templates.render("digest.txt", {**shared, **own, "articles": articles})


def shorten(pieces: Sequence[_Piece], room: int) -> None:
    """Shorten articles until all fit into `room` octets: the longest whole ones to excerpts, then
    excerpts to titles.
    """
    octets = sum(piece.octets() for piece in pieces)
    for extent in (Extent.WHOLE, Extent.EXCERPT):
        longest = sorted((p for p in pieces if p.extent is extent), key=_Piece.octets, reverse=True)
        for piece in longest:
            if octets <= room:
                return
            before = piece.octets()
            piece.extent = Extent(extent - 1)
            octets += piece.octets() - before


def _shared(
    masthead: Masthead, number: int | None, dated_s: int, subject: str, preheader: str
) -> dict[str, TemplateValue]:
    return {
        "language": masthead.language,
        "title": masthead.title.translate(DROPPED),
        "subject": subject,
        "dateline": _dateline(masthead, number, dated_s),
        "home": masthead.home,
        "view": Hole.VIEW_URL.marker,
        "leave": Hole.LEAVE_URL.marker,
        "me": Hole.ME_URL.marker,
        "postal_address": masthead.postal_address,
        "preheader": preheader,
        "filler": _FILLER,
    }


def _words(masthead: Masthead, markdown: str) -> _OwnWords:
    html = markdown_to_html(markdown, masthead.images)
    return _OwnWords(html, direction_of_text(html_to_text(html).text, masthead.language))


def _notes(plain: PlainText, first_link: int) -> list[TemplateValue]:
    """The numbered links below a text."""
    return [{"number": first_link + index, "link": link} for index, link in enumerate(plain.links)]


def shown_title(article: Article) -> str:
    """The article's title, else its first words, else its host."""
    title = " ".join(article.title.translate(DROPPED).split())
    if len(title) > 0:
        return title
    words = _plain(article)
    return _cut(words, MADE_TITLE_CHARACTERS_MAX) if len(words) > 0 else host_of(article.link)


def _pieces(masthead: Masthead, articles: Sequence[Article]) -> list[_Piece]:
    hosts = {host_of(article.link) for article in articles}
    return [_piece(masthead, article, len(hosts) > 1) for article in articles]


def _piece(masthead: Masthead, article: Article, names_host: bool) -> _Piece:
    html = clean_article(article.html, article.link, masthead.images)
    said = [article.author.translate(DROPPED), _published(masthead, article)]
    if names_host:
        said.append(host_of(article.link))
    title, excerpt = shown_title(article), _cut(_plain(article), EXCERPT_CHARACTERS_MAX)
    return _Piece(
        link=article.link,
        title=title,
        language=article.language,
        direction=direction_of_text(f"{title} {excerpt}", article.language or masthead.language),
        byline=" · ".join(part for part in said if len(part) > 0),
        html=html,
        excerpt=excerpt,
        extent=Extent.WHOLE if len(html) > 0 else Extent.EXCERPT,
    )


def _plain(article: Article) -> str:
    """The article's summary in one line, else its text."""
    summary = " ".join(article.summary.translate(DROPPED).split())
    if len(summary) > 0:
        return summary
    return " ".join(html_to_text(clean_article(article.html, "", False)).text.split())


def _body(piece: _Piece) -> TemplateValue:
    match piece.extent:
        case Extent.WHOLE:
            return trusted(framed(piece.html))
        case Extent.EXCERPT if len(piece.excerpt) > 0:
            return piece.excerpt
        case _:
            return None


def _as_text(piece: _Piece, first_link: int) -> tuple[str, list[TemplateValue]]:
    """An article as plain text, and its numbered links."""
    match piece.extent:
        case Extent.WHOLE:
            plain = html_to_text(piece.html, first_link)
            return plain.text, _notes(plain, first_link)
        case Extent.EXCERPT:
            return _folded(piece.excerpt), []
        case Extent.TITLE:
            return "", []


def subject_of(masthead: Masthead, articles: Sequence[Article]) -> str:
    """The subject of an issue of these articles, of which there is at least one."""
    return _subject(masthead, _pieces(masthead, articles))


def _subject(masthead: Masthead, pieces: list[_Piece]) -> str:
    if masthead.subject is not None:
        return masthead.subject
    titles = [piece.title for piece in pieces]
    if len(titles) == 2 and len(both := f"{titles[0]} · {titles[1]}") <= SUBJECT_CHARACTERS_MAX:
        return both
    rest = f", and {len(titles) - 1} more" if len(titles) > 1 else ""
    return _cut(titles[0], SUBJECT_CHARACTERS_MAX - len(rest)) + rest


def _preheader(pieces: list[_Piece]) -> str:
    """The text that mail programs show beside the subject: the beginning of the first article."""
    first = pieces[0]
    return _cut(first.excerpt if len(first.excerpt) > 0 else first.title, PREHEADER_CHARACTERS_MAX)


def _dateline(masthead: Masthead, number: int | None, dated_s: int) -> str:
    day = _day(datetime.fromtimestamp(dated_s, ZoneInfo(masthead.timezone)).date(), masthead.language)
    return day if number is None else f"No. {number} · {day}"


def _published(masthead: Masthead, article: Article) -> str:
    # The date of an article, "" without one. Hugo dates undated pages to the year 1, so dates
    # before 1970 are ignored.
    if article.published_ms is None or article.published_ms <= 0:
        return ""
    try:
        moment = datetime.fromtimestamp(article.published_ms / 1000, ZoneInfo(masthead.timezone))
    except (OverflowError, ValueError, OSError):
        return ""  # a feed may give any number
    return _day(moment.date(), masthead.language)


def _day(day: date, language: str) -> str:
    """A date, in words for English, else in ISO 8601."""
    if language.lower().partition("-")[0] != "en":
        return day.isoformat()
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _cut(text: str, characters_max: int) -> str:
    """Cut to so many characters, at a word if one ends near."""
    if len(text) <= characters_max:
        return text
    head = text[: characters_max - 1]
    words = head.rpartition(" ")[0]
    return (words if len(words) > characters_max // 2 else head).rstrip(" ,;:.–-") + "…"


def _folded(text: str) -> str:
    return textwrap.fill(text, LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
