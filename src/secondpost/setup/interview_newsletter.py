"""The interview about the newsletter and its pages."""

from collections.abc import Callable
from dataclasses import replace

from secondpost.config.addresses import host_of_url
from secondpost.setup.answers import Answers, NewsletterAnswer
from secondpost.setup.questions import NONE, Interview, OwnerQuestion, Scene, Separator, Texts, checked
from secondpost.setup.surroundings import OURS

PAGES_PORT = 8025
LOOPBACK = "127.0.0.1"
USUAL = NewsletterAnswer(
    "weekly",
    "newsletter@unanswered.invalid",
    ("https://unanswered.invalid/feed.xml",),
    "friday 09:00",
    "UTC",
)


def ask_newsletter(scene: Scene, answers: Answers) -> Interview[Answers]:
    earlier = None if scene.earlier is None else scene.earlier.newsletter
    usual = replace(USUAL, timezone=scene.surroundings.timezone) if earlier is None else earlier
    needed = "without a feed, and without --backup, there is nothing to do here"
    feeds = yield from OwnerQuestion(
        "--feed",
        "Feed of your blog",
        checked(
            scene,
            lambda texts: _with(answers, replace(usual, feeds=texts) if len(texts) > 0 else None),
            needed if len(answers.backups) == 0 else "",
        ),
        "https://www.example.net/feed.xml",
        (() if len(answers.backups) > 0 else None) if earlier is None else earlier.feeds,
        "A newsletter is made from it. Leave it empty if there is none."
        if len(answers.backups) > 0
        else "A newsletter is made from it.",
        Separator.BLANKS,
    ).ask()
    if len(feeds) == 0:
        return answers
    return (yield from _ask_details(scene, answers, replace(usual, feeds=feeds), is_new=earlier is None))


def _ask_details(
    scene: Scene, answers: Answers, newsletter: NewsletterAnswer, *, is_new: bool
) -> Interview[Answers]:
    def asked(put: Callable[[str], NewsletterAnswer], question: OwnerQuestion) -> Interview[NewsletterAnswer]:
        check = checked(scene, lambda texts: _with(answers, put(texts[0])), "it is needed")
        texts = yield from replace(question, faults=check).ask()
        return put(texts[0])

    sender = f"newsletter@{_sender_domain(answers, newsletter.feeds)}" if is_new else newsletter.sender
    newsletter = yield from asked(
        lambda text: replace(newsletter, name=text),
        _question("--newsletter", "Name of the newsletter", newsletter.name, "Part of its web address."),
    )
    newsletter = yield from asked(
        lambda text: replace(newsletter, sender=text),
        _question("--from", "Its sender", sender, "An address, or: The Blog <newsletter@example.net>."),
    )
    newsletter = yield from asked(
        lambda text: replace(newsletter, every=text),
        _question(
            "--every",
            "When an issue is sent",
            newsletter.every,
            "Such as daily, monday,friday 09:00, first monday, or when ready.",
        ),
    )
    newsletter = yield from asked(
        lambda text: replace(newsletter, timezone=text),
        _question("--timezone", "In the time zone", newsletter.timezone, ""),
    )
    return _with(answers, newsletter)


def _question(flag: str, text: str, suggestion: str, about: str) -> OwnerQuestion:
    return OwnerQuestion(flag, text, lambda texts: (), suggestion, (suggestion,), about)


def _with(answers: Answers, newsletter: NewsletterAnswer | None) -> Answers:
    return replace(answers, newsletter=newsletter)


def _sender_domain(answers: Answers, feeds: Texts) -> str:
    """The blog's own domain: the one backed up here, else the host of its feed without www."""
    host = host_of_url(feeds[0])
    domains = [backup.domain for backup in answers.backups]
    for domain in domains:
        if host == domain or host.endswith(f".{domain}"):
            return domain
    return domains[0] if len(domains) > 0 else host.removeprefix("www.")


def ask_pages(scene: Scene, answers: Answers) -> Interview[Answers]:
    """Where the pages are: with a certificate of our own on ports 443 and 80, else behind a web server."""
    earlier = scene.earlier
    if answers.newsletter is None:
        if earlier is None:
            return answers
        return replace(
            answers, pages=earlier.pages, pages_listen=earlier.pages_listen, proxies=earlier.proxies
        )
    usual = f"https://{answers.hostname}"
    is_public = len(scene.surroundings.public_addresses + answers.addresses) > 0
    suggestion = usual if is_public else NONE
    if earlier is not None and earlier.newsletter is not None:
        suggestion = earlier.pages or usual
    urls = yield from OwnerQuestion(
        "--web-url",
        "Web address of its pages",
        checked(scene, lambda texts: replace(answers, pages=texts[0]), "write none if there are to be none"),
        usual,
        (suggestion,),
        "Readers sign up, confirm and leave there. none: by mail alone.",
    ).ask()
    is_written = earlier is not None and earlier.pages == urls[0]
    answers = replace(answers, pages=urls[0] if is_written or urls[0] != usual else None)
    if answers.pages == NONE:
        return answers
    return (yield from _ask_pages_listen(scene, answers, is_behind=urls[0].startswith("https:")))


def _ask_pages_listen(scene: Scene, answers: Answers, *, is_behind: bool) -> Interview[Answers]:
    earlier = scene.earlier
    had_pages = earlier is not None and earlier.newsletter is not None and earlier.pages != NONE
    usual: Texts
    proxies: Texts
    if had_pages and earlier is not None:
        usual, proxies = earlier.pages_listen, earlier.proxies
    elif answers.acme is not None and scene.surroundings.web_server is None:
        usual, proxies = (), ()  # ports 443 and 80, which the pages need no web server for
    else:
        usual, proxies = (f"{LOOPBACK}:{_free_port(scene)}",), (LOOPBACK,) if is_behind else ()

    def with_listen(texts: Texts) -> Answers:
        return replace(answers, pages_listen=texts, proxies=proxies if len(texts) > 0 else ())

    texts = yield from OwnerQuestion(
        "--web-listen",
        "Where the pages are served to the web server in front",
        checked(scene, with_listen),
        f"{LOOPBACK}:{PAGES_PORT}",
        usual,
        separator=Separator.WORDS,
        is_asked=False,
    ).ask()
    return with_listen(texts)


def _free_port(scene: Scene) -> int:
    taken = {one.endpoint.port for one in scene.surroundings.port_holders if one.program != OURS}
    return next(port for port in range(PAGES_PORT, PAGES_PORT + len(taken) + 1) if port not in taken)
