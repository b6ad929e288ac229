"""Looks at a newsletter from outside: its pages by their public URL, its feed, and what it says of itself."""

from secondpost.config.records import Config, Newsletter
from secondpost.mail.article import FeedAsked, FeedNotLookedAt, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking, PageLook, PageSeen, PageUnseen, ReadFeed

OK = 200
OWN_PORTS = "ports 443 and 80 of {url} must lead to this server; secondpost tls show"
REDIRECTS = range(300, 400)
ONE_CLICK = b"List-Unsubscribe=One-Click"  # RFC 8058 §3.2


def examine_newsletter(
    config: Config, newsletter: Newsletter, token: str | None, has_begun: bool
) -> Looking[tuple[Diagnosis, ...]]:
    """`token`: of a leave link that belongs to no reader; None while there are no keys.
    `has_begun`: the service ever ran; before that no page can be there.
    """
    found = [_postal_address(config, newsletter)]
    if config.web.url is not None:
        page = f"{config.web.url}/{newsletter.name}/"
        if has_begun:
            found += yield from _pages(config, newsletter, page, token)
        else:
            text = f"The service was not started yet, so {page} cannot be opened."
            found.append(Diagnosis(Check.SIGN_UP_PAGE, page, Grade.NOTE, text, "secondpost serve"))
    for url in newsletter.feeds:
        answered = yield from ReadFeed(FeedAsked(url)).ask()
        found.append(_feed(newsletter, url, answered.found))
    return tuple(found)


def _pages(
    config: Config, newsletter: Newsletter, page: str, token: str | None
) -> Looking[tuple[Diagnosis, ...]]:
    sign_up = _page(config, page, (yield from PageLook(page).ask()))
    if token is None:
        return (sign_up,)
    link = f"{config.web.url}/leave/{token}"
    return sign_up, _leave_link(config, newsletter, (yield from PageLook(link, ONE_CLICK).ask()))


def _postal_address(config: Config, newsletter: Newsletter) -> Diagnosis:
    if newsletter.postal_address is None:
        text = f"{newsletter.name} has no postal address."
        remedy = f'postal_address = "…" in its [[newsletter]] in {config.path}'
        return Diagnosis(Check.POSTAL_ADDRESS, newsletter.name, Grade.NOTE, text, remedy)
    return Diagnosis(Check.POSTAL_ADDRESS, newsletter.name, Grade.WELL, f"{newsletter.name} has one.")


def _page(config: Config, url: str, seen: PageSeen | PageUnseen) -> Diagnosis:
    check = Check.SIGN_UP_PAGE
    proxy = f"let the web server for {config.web.url} pass all requests to {config.web.doors[0]}"
    if config.web.has_https:
        proxy = OWN_PORTS.format(url=config.web.url)
    if isinstance(seen, PageUnseen):
        return Diagnosis(check, url, Grade.FAULT, f"{url} cannot be opened: {seen.why}.", proxy)
    if not seen.is_ours:
        text = f"At {url} another program answers (HTTP {seen.status})."
        return Diagnosis(check, url, Grade.FAULT, text, proxy)
    if seen.status != OK:
        text = f"{url} answers with HTTP {seen.status}."
        return Diagnosis(check, url, Grade.FAULT, text, "secondpost reload")
    return Diagnosis(check, url, Grade.WELL, f"{url} can be opened.")


def _leave_link(config: Config, newsletter: Newsletter, seen: PageSeen | PageUnseen) -> Diagnosis:
    check, name = Check.LEAVE_LINK, newsletter.name
    proxy = "let the web server in front pass POST requests below /leave/ unchanged"
    if isinstance(seen, PageUnseen):
        text = f"Nobody can leave {name} with one click: {seen.why}."
        remedy = OWN_PORTS.format(url=config.web.url) if config.web.has_https else proxy
        return Diagnosis(check, name, Grade.FAULT, text, remedy)
    if seen.status in REDIRECTS:
        text = f"The link that leaves {name} with one click redirects, and mail providers do not follow."
        return Diagnosis(check, name, Grade.FAULT, text, proxy)
    if seen.status != OK or not seen.is_ours:
        text = f"The link that leaves {name} with one click answers with HTTP {seen.status}."
        return Diagnosis(check, name, Grade.FAULT, text, proxy)
    return Diagnosis(check, name, Grade.WELL, f"One click leaves {name}.")


def _feed(
    newsletter: Newsletter, url: str, found: FeedRead | FeedUnreadable | FeedUnchanged | FeedNotLookedAt
) -> Diagnosis:
    check = Check.FEED
    match found:
        case FeedRead(articles=articles):
            many = f"{len(articles)} article{'' if len(articles) == 1 else 's'}"
            return Diagnosis(check, url, Grade.WELL, f"{url} has {many}.")
        case FeedUnchanged():
            return Diagnosis(check, url, Grade.WELL, f"{url} is unchanged.")
        case FeedUnreadable(reason) | FeedNotLookedAt(reason):
            remedy = f"open {url} in a browser; correct it, or feeds of {newsletter.name}"
            return Diagnosis(check, url, Grade.FAULT, f"{url} gives no articles: {reason}", remedy)
