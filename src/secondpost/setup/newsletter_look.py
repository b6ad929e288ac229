"""Looks at a newsletter from outside: its pages by their public URL, its feed, and what it says of itself."""

from secondpost.config.records import Config, Newsletter
from secondpost.mail.article import (
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.leave_link import OK, way_to_pages
from secondpost.setup.looks import Looking, PageLook, PageSeen, PageUnseen, ReadFeed


def examine_newsletter(
    config: Config, newsletter: Newsletter, has_begun: bool
) -> Looking[tuple[Diagnosis, ...]]:
    """`has_begun`: the service ever ran; before that no page can be there."""
    found = [_postal_address(config, newsletter)]
    if config.web.url is not None:
        page = f"{config.web.url}/{newsletter.name}/"
        if has_begun:
            found.append(_page(config, page, (yield from PageLook(page).ask())))
        else:
            text = f"The service was not started yet, so {page} cannot be opened."
            found.append(Diagnosis(Check.SIGN_UP_PAGE, page, Grade.NOTE, text, "secondpost serve"))
    for url in newsletter.feeds:
        answered = yield from ReadFeed(FeedAsked(url)).ask()
        found.append(_feed(newsletter, url, answered))
    return tuple(found)


def _postal_address(config: Config, newsletter: Newsletter) -> Diagnosis:
    if newsletter.postal_address is None:
        text = f"{newsletter.name} has no postal address."
        remedy = f'postal_address = "…" in its [[newsletter]] in {config.path}'
        return Diagnosis(Check.POSTAL_ADDRESS, newsletter.name, Grade.NOTE, text, remedy)
    return Diagnosis(Check.POSTAL_ADDRESS, newsletter.name, Grade.WELL, f"{newsletter.name} has one.")


def _page(config: Config, url: str, seen: PageSeen | PageUnseen) -> Diagnosis:
    check = Check.SIGN_UP_PAGE
    way = way_to_pages(config)
    if isinstance(seen, PageUnseen):
        return Diagnosis(check, url, Grade.FAULT, f"{url} cannot be opened: {seen.why}.", way)
    if not seen.is_ours:
        text = f"At {url} another program answers (HTTP {seen.status})."
        return Diagnosis(check, url, Grade.FAULT, text, way)
    if seen.status != OK:
        text = f"{url} answers with HTTP {seen.status}."
        return Diagnosis(check, url, Grade.FAULT, text, "secondpost reload")
    return Diagnosis(check, url, Grade.WELL, f"{url} can be opened.")


def _feed(newsletter: Newsletter, url: str, answered: FeedAnswered) -> Diagnosis:
    check = Check.FEED
    match answered.found:
        case FeedRead(articles=articles):
            many = f"{len(articles)} article{'' if len(articles) == 1 else 's'}"
            return Diagnosis(check, url, Grade.WELL, f"{url} has {many}.")
        case FeedUnchanged():
            return Diagnosis(check, url, Grade.WELL, f"{url} is unchanged.")
        case FeedGone():
            remedy = f"write its new address into feeds of {newsletter.name}, or remove it there"
            return Diagnosis(check, url, Grade.FAULT, f"{url} was removed for good (HTTP 410).", remedy)
        case FeedUnreadable(reason) | FeedNotLookedAt(reason):
            remedy = f"open {url} in a browser; correct it, or feeds of {newsletter.name}"
            return Diagnosis(check, url, Grade.FAULT, f"{url} gives no articles: {reason}", remedy)
