"""Every page and mail, on a phone and a desktop, light and dark, in a real browser."""

from dataclasses import replace
from itertools import product
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.look.browser import AXE, DESKTOP, NARROW, PHONE, ZOOMED, Looking, Scheme, opened
from tests.look.hard_article import IMAGE
from tests.look.mails import MAILS
from tests.look.site import PAGES, Page

SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def faults(looking: Looking, name: str) -> list[str]:
    """All faults of what is shown, in every mode."""
    found: list[str] = []
    for width, scheme in product((PHONE, DESKTOP), SCHEMES):
        looking.see(width, scheme)
        looking.photograph(f"{name}-{width}-{scheme}")
        found += [f"{width} {scheme}: {one}" for one in looking.violations()]
    for width in (NARROW, PHONE, ZOOMED):
        looking.see(width, "light")
        found += [f"{width}: too wide: {one}" for one in looking.too_wide()]
    return [*found, *looking.complaints]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_good_to_look_at(browser: Browser, pages: dict[str, Page], name: str) -> None:
    with opened(browser, pages[name]) as looking:
        assert looking.status == pages[name].status
        found = faults(looking, name)
        looking.tab.evaluate("document.documentElement.style.fontSize = '200%'")
        looking.see(PHONE, "light")
        found += [f"letters twice as large: {one}" for one in looking.too_wide()]
        assert found == []
        at = urlsplit(pages[name].url)
        own = {pages[name].url, f"http://{at.netloc}/static/style.css"}
        # The archived issue shows the article's own picture, from the blog.
        assert set(looking.asked) - own <= ({IMAGE} if name == "archive" else set())


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_good_to_look_at(browser: Browser, mails: dict[str, Page], name: str) -> None:
    with opened(browser, mails[name]) as looking:
        assert faults(looking, name) == []
        assert set(looking.asked) - {mails[name].url} <= {IMAGE}


@pytest.mark.parametrize(
    "name",
    ["index", "guide", "security", "recipes/listmonk", "flow", "decisions/index"],
)
def test_a_page_of_the_manual_is_good_to_look_at(browser: Browser, manual: str, name: str) -> None:
    """With a table of contents, long lines, broad tables, a diagram, and pages in a folder."""
    page = Page(f"{manual}/{name}.html")
    with opened(browser, page) as looking:
        assert faults(looking, f"manual-{name.replace('/', '-')}") == []
        assert set(looking.asked) == {page.url, f"{manual}/style.css"}


def test_the_pages_of_the_manual_are_found_from_its_first_line(browser: Browser, manual: str) -> None:
    page = Page(f"{manual}/security.html")
    with opened(browser, page, script=False) as looking:
        for scheme in SCHEMES:
            looking.see(PHONE, scheme)
            assert looking.unseen_when_focused() == []
        looking.tab.get_by_role("link", name="All pages").click()
        looking.tab.get_by_role("link", name="Operations", exact=True).click()
        assert looking.heading() == "Operations"


@pytest.mark.parametrize("name", ["home", "leave", "me", "archive", "approve"])
def test_what_the_tab_key_reaches_has_a_ring(browser: Browser, pages: dict[str, Page], name: str) -> None:
    with opened(browser, pages[name]) as looking:
        for scheme in SCHEMES:
            looking.see(DESKTOP, scheme)
            assert looking.unseen_when_focused() == []


def test_the_whole_way_of_a_reader_goes_without_script(browser: Browser, pages: dict[str, Page]) -> None:
    with opened(browser, pages["home"], script=False) as looking:
        looking.tab.get_by_label("Your email address").fill("without-script@reader.example")
        looking.press("Subscribe")
        assert looking.heading() == "Check your inbox"
        looking.tab.goto(pages["walk-confirm"].url)
        looking.press("Yes, send me The Blog")
        assert looking.heading() == "Welcome!"
        looking.tab.goto(pages["walk-leave"].url)
        assert looking.heading() == "Unsubscribe from The Blog?"
        looking.press("Unsubscribe")
        assert looking.heading() == "You are unsubscribed"
        looking.tab.goto(pages["walk-me"].url)
        assert looking.heading() == "Your data"
        assert "You were unsubscribed." in looking.tab.inner_text("main")
        looking.tab.get_by_text("Delete your data").click()
        looking.press("Delete my data")
        assert looking.heading() == "Your data has been deleted"
        assert looking.complaints == []


def test_an_owner_approves_without_script_and_an_opened_link_alone_sends_nothing(
    browser: Browser, pages: dict[str, Page]
) -> None:
    with opened(browser, pages["approve"], script=False) as looking:
        assert looking.heading() == "Approve the next issue of The Blog?"
        for _ in range(2):
            looking.tab.reload()
            assert looking.heading() == "Approve the next issue of The Blog?"
        looking.press("Send this issue")
        assert looking.heading() == "The issue is approved"
        looking.tab.goto(pages["approve"].url)
        assert looking.heading() == "This issue has been approved already"
        assert looking.complaints == []


def test_the_form_of_a_site_elsewhere_leads_to_ours(browser: Browser, pages: dict[str, Page]) -> None:
    """The browser's headers tell a foreign form from ours, which it shows for a second press."""
    at = urlsplit(pages["home"].url)
    html = (
        f'<form method="post" action="{pages["home"].url}"><input name="email" value="ann@elsewhere.example">'
        "<button>Go</button></form>"
    )
    with opened(
        browser, replace(pages["home"], url=f"http://localhost:{at.port}/blog"), html=html
    ) as looking:
        looking.press("Go")
        looking.tab.evaluate(AXE)
        assert "press Subscribe once more" in looking.tab.inner_text("main")
        assert faults(looking, "home-asked-from-elsewhere") == []
        looking.press("Subscribe")
        assert looking.heading() == "Check your inbox"


def test_the_archive_says_nothing_that_is_meant_for_one_reader(
    browser: Browser, pages: dict[str, Page], mails: dict[str, Page]
) -> None:
    with opened(browser, mails["issue"]) as looking:
        assert "Unsubscribe" in looking.tab.inner_text("body")
        assert "because you are subscribed" in looking.tab.inner_text("body")
    with opened(browser, pages["archive"]) as looking:
        shown = looking.tab.inner_text("body")
        assert "nsubscribe" not in shown
        assert "because you are subscribed" not in shown
        looking.tab.get_by_role("link", name="All issues, and how to subscribe").wait_for()
