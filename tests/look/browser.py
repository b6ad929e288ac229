"""Debian's Chromium, driven by playwright: requests and console messages of a page, and axe-core.

Screenshots of all pages are kept in build/look for people to look at.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, FloatRect, Route, sync_playwright
from playwright.sync_api import Page as Tab

from tests.look.hard_article import IMAGE
from tests.look.site import Page

Scheme = Literal["light", "dark"]

PHONE, NARROW, DESKTOP, ZOOMED = 360, 320, 1280, 640  # CSS pixels; 640 is 1280 at 200 %
HEIGHT = 800
SHOT_PIXELS_MAX = 2_500  # height of a screenshot; a long one takes a second
RING_PIXELS_MIN = 2
FOCUSED_MAX = 200
LOAD_MS = 30_000.0
SHOTS = Path("build") / "look"
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900">'
    '<rect width="1600" height="900" fill="#7a94a8"/></svg>'
)

# target-size (WCAG 2.2) is off by default.
_VIOLATIONS = """async () => {
  const options = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
  const found = await axe.run(document, options);
  return found.violations.flatMap(one => one.nodes.map(
    node => `${one.id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`));
}"""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .map(one => [one, Math.round(one.getBoundingClientRect().right)])
    .filter(([one, right]) => right > width + 1)
    .map(([one, right]) => `${one.tagName} ${one.className}: ${right} > ${width}`);
}"""
_FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  if (one === document.body) return null;
  const width = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
  return {name: `${one.tagName} ${one.textContent.trim()}`, style: style.outlineStyle, width};
}"""


@dataclass  # without slots: playwright sets an attribute beside each handler
class Looking:
    """One tab and its events."""

    tab: Tab
    page: Page
    html: str | None  # replaces the page if it is not ours
    asked: list[str] = field(default_factory=list)  # requested URLs
    complaints: list[str] = field(default_factory=list)  # of the console
    status: int | None = None  # of the page; None until it is open

    def open(self) -> None:
        self.tab.on("console", self._heard)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.route("**/*", self._ask)
        response = self.tab.goto(self.page.url, timeout=LOAD_MS)
        assert response is not None
        self.status = response.status
        self.tab.evaluate(AXE)

    def see(self, width: int, scheme: Scheme) -> None:
        self.tab.set_viewport_size({"width": width, "height": HEIGHT})
        self.tab.emulate_media(color_scheme=scheme)

    def photograph(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        width = self.tab.evaluate("document.documentElement.clientWidth")
        height = self.tab.evaluate("document.documentElement.scrollHeight")
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(height, SHOT_PIXELS_MAX)}
        self.tab.screenshot(path=SHOTS / f"{name}.png", full_page=True, clip=clip)

    def violations(self) -> list[str]:
        return [str(one) for one in self.tab.evaluate(_VIOLATIONS)]

    def too_wide(self) -> list[str]:
        """The elements that make the page scroll sideways."""
        return [str(one) for one in self.tab.evaluate(_TOO_WIDE)]

    def press(self, button: str) -> None:
        """Press a button that submits its form, and load the resulting page."""
        with self.tab.expect_navigation(timeout=LOAD_MS):
            self.tab.get_by_role("button", name=button).click()

    def heading(self) -> str:
        return self.tab.get_by_role("heading", level=1).inner_text()

    def unseen_when_focused(self) -> list[str]:
        """Elements without a visible focus ring when reached by Tab; or that there are none."""
        found, seen = [], 0
        self.tab.keyboard.press("Tab")
        while (focused := self.tab.evaluate(_FOCUSED)) is not None and seen < FOCUSED_MAX:
            seen += 1
            if focused["style"] != "auto" and focused["width"] < RING_PIXELS_MIN:
                found.append(focused["name"])
            self.tab.keyboard.press("Tab")
        return found if seen > 0 else ["nothing"]

    def _heard(self, message: ConsoleMessage) -> None:
        # Chromium reports the page's own error status like this.
        is_own_status = f"responded with a status of {self.page.status} " in message.text
        if message.type in ("error", "warning") and not is_own_status:
            self.complaints.append(message.text)

    def _ask(self, route: Route) -> None:
        url = route.request.url
        self.asked.append(url)
        is_first = self.status is None and url == self.page.url
        if is_first and self.html is not None:
            route.fulfill(body=self.html, content_type="text/html; charset=utf-8")
        elif is_first:
            body = self.page.body if len(self.page.body) > 0 else None
            headers = {**route.request.headers, **self.page.headers}
            route.continue_(method=self.page.method, post_data=body, headers=headers)
        elif url == IMAGE:
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        elif urlsplit(url).port == urlsplit(self.page.url).port:
            route.continue_()
        else:
            route.abort()


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


_CALLERS = count(1)


@contextmanager
def opened(browser: Browser, page: Page, script: bool = True, html: str | None = None) -> Iterator[Looking]:
    """A new tab without stored data, from its own network."""
    number = next(_CALLERS)
    headers = {"x-forwarded-for": f"10.{number >> 8}.{number & 255}.1"}
    context = browser.new_context(java_script_enabled=script, extra_http_headers=headers)
    try:
        looking = Looking(context.new_page(), page, html)
        looking.open()
        yield looking
    finally:
        context.close()
