"""The newsletters."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms, grammars
from secondpost.config.key import Key, ListForm, ValueForm
from secondpost.config.records.watching import TIMEZONE
from secondpost.config.values import ArticleOrder, Start
from secondpost.mail.duration import DAY_MS, MINUTE_MS

FROM = ValueForm('"Name <address>", or a mail address', grammars.from_header)
SLOT = ValueForm('times of the week or month, or "when ready"', grammars.slot)


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A newsletter, made from feeds."""

    name: Annotated[
        str,
        Key(
            ValueForm("small letters, digits and hyphens, at most 32", grammars.newsletter_name),
            "Its name in addresses and commands: small letters, digits and hyphens. When you change "
            "it, `newsletter rename OLD NEW` moves its readers to the new name.",
            '"weekly"',
            need='write name = "weekly"',
            missing="",
        ),
    ]
    sender: Annotated[
        str,
        Key(
            FROM,
            "The sender: a name and an address, or only an address.",
            '"The Blog <newsletter@example.net>"',
            name="from",
            need='write from = "The Blog <newsletter@example.net>"',
            missing="",
        ),
    ]
    feeds: Annotated[
        tuple[str, ...],
        Key(
            ListForm(ValueForm("a web address", addresses.url)),
            "The feeds of your blog.",
            '["https://www.example.net/feed.xml"]',
            need='write feeds = ["https://www.example.net/feed.xml"]',
            missing=(),
        ),
    ]
    every: Annotated[
        str,
        Key(
            SLOT,
            "When an issue goes out: `daily`, `monday,friday`, `first monday`, `day 1`, `every 2 "
            "weeks friday`, each with a time (09:00 if none), or `when ready`: as soon as there are "
            "enough articles.",
            '"friday 09:00"',
        ),
    ] = "when ready"
    timezone: Annotated[
        str,
        Key(
            TIMEZONE, "The time zone of `every`, and of the times shown for the newsletter.", '"Europe/Oslo"'
        ),
    ] = "UTC"
    min_articles: Annotated[
        int, Key(forms.number(1, 100), "How many new articles an issue needs; with fewer, it waits.", "3")
    ] = 2
    order: Annotated[
        ArticleOrder,
        Key(
            forms.choice(ArticleOrder),
            "The order of the articles in an issue, and so which one leads and gives the subject: "
            '`"newest"` first, `"oldest"` first, or as the `"feed"` lists them (of several feeds, one '
            "after the other).",
            '"oldest"',
        ),
    ] = ArticleOrder.NEWEST
    title: Annotated[
        str | None,
        Key(forms.TEXT, "The newsletter's title.", '"The Blog’s week"', default="the feed's title"),
    ] = None
    reply_to: Annotated[
        str | None,
        Key(FROM, "Where answers of readers go.", '"me@example.net"', default="the `from` address"),
    ] = None
    subject: Annotated[
        str | None,
        Key(
            forms.TEXT,
            "The subject line of an issue.",
            '"This week on The Blog"',
            default="made from the articles",
        ),
    ] = None
    template: Annotated[
        str | None,
        Key(
            forms.TEXT,
            "The template that issues are made with. Not in this version yet: it warns.",
            '"plain"',
            default="ours",
        ),
    ] = None
    language: Annotated[
        str,
        Key(
            ValueForm("a language tag such as en or nb-NO", grammars.language),
            "The language of issues and pages, as declared to mail programs and browsers; it also "
            "sets the direction of writing. Our own texts in them are English in this version, which "
            "warns of any other language.",
            '"nb"',
        ),
    ] = "en"
    list_id: Annotated[
        str | None,
        Key(
            ValueForm("a full domain", grammars.list_id),
            "The list's permanent id, by which mail programs sort.",
            '"weekly.example.net"',
            default="made from name and domain",
        ),
    ] = None
    approve: Annotated[bool, Key(forms.SWITCH, "Whether an issue waits until you say yes.", "true")] = False
    undo_ms: Annotated[
        int,
        Key(
            forms.duration(0, 7 * DAY_MS),
            "How long an issue waits before it goes out, so that you can stop it.",
            '"1 hour"',
        ),
    ] = 15 * MINUTE_MS
    settle_ms: Annotated[
        int,
        Key(
            forms.duration(0, DAY_MS),
            "How long an article must be in the feed before it can be sent.",
            '"1 hour"',
        ),
    ] = 10 * MINUTE_MS
    start: Annotated[
        Start,
        Key(
            forms.choice(Start),
            'With `"new"`, articles that are in the feed when it is first read are not sent; with '
            '`"everything"` they fill the first issue.',
            '"everything"',
        ),
    ] = Start.NEW
    only: Annotated[
        tuple[str, ...],
        Key(
            ListForm(forms.TEXT, "leave the key out to take every article"),
            "Only articles with one of these categories.",
            '["notes"]',
            default="all",
        ),
    ] = ()
    skip: Annotated[
        tuple[str, ...], Key(ListForm(forms.TEXT), "No articles with one of these categories.", '["draft"]')
    ] = ()
    images: Annotated[
        bool,
        Key(forms.SWITCH, "Whether issues show images; otherwise their alternative text is shown.", "false"),
    ] = True
    postal_address: Annotated[
        str | None,
        Key(
            ValueForm("a text of one or more lines", forms.lines),
            "Your postal address for the footer of an issue, which the law of some countries requires.",
            '"P.O. Box 1, Oslo"',
            default="none",
        ),
    ] = None
