"""Asks for the page on which readers leave by its public URL, as `check delivery` and the deliver role do."""

from secondpost.config.records import Config
from secondpost.mail.questions import NameQuestion
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.protocols.tokens import Purpose, Ring, Token
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.leave_link import examine_leave_link
from secondpost.setup.looks import PageLook, PageSeen, PageUnseen, Seen
from secondpost.web.content_policy import POLICY
from secondpost.world.asking import drive, names_from
from secondpost.world.ports import Fetcher, FetchError, Poster
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.interfaces import interface_addresses
from secondpost.world.real.keys import load_key_ring

PAGE_OCTETS_MAX = 1_000_000
PAGE_SECONDS_MAX = 10.0  # for one request


def leave_token(config: Config) -> str:
    """The token of a leave link that belongs to no reader. Raises KeyFault and DiskFailed."""
    return load_key_ring(config.store, Ring.LINKS).write(Token(Purpose.LEAVE, NO_SUBSCRIBER, 0))


async def see_page(pages: Fetcher, poster: Poster, look: PageLook) -> PageSeen | PageUnseen:
    """Open a page, or post its form. `pages` and `poster` must reach private addresses, to which our own URL
    may lead from here.
    """
    try:
        if look.form is None:
            fetched = await pages.get(look.url, {}, PAGE_OCTETS_MAX)
        else:
            headers = {"content-type": "application/x-www-form-urlencoded"}
            fetched = await poster.post(look.url, headers, look.form)
    except FetchError as error:
        return PageUnseen(str(error))
    is_ours = POLICY in fetched.headers.get("content-security-policy", "")  # a proxy may add its own
    return PageSeen(fetched.status, fetched.url, is_ours)


async def look_at_leave_link(config: Config) -> tuple[Diagnosis, ...]:
    """What `check delivery` finds about the link; nothing without pages. Raises KeyFault while there are
    no keys, and DiskFailed.
    """
    if config.web.url is None:
        return ()
    token = leave_token(config)
    resolver = RealResolver(config.dns.servers, RealDice())
    pages = RealFetcher(resolver, allow_private=True, total_seconds=PAGE_SECONDS_MAX)
    names = names_from(resolver)

    async def answer(question: NameQuestion | PageLook) -> Seen:
        return await (see_page(pages, pages, question) if isinstance(question, PageLook) else names(question))

    try:
        return await drive(examine_leave_link(config, token, interface_addresses()), answer)
    finally:
        resolver.close()
