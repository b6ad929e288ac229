"""Make the mail that asks to confirm: short, and without anything from the form.

A stranger who enters another's address must not be able to write to them through it.
"""

from css_inline import CSSInliner

from secondpost.compose.issue import Composed, Masthead
from secondpost.compose.masthead import content_of, masthead_of
from secondpost.compose.templating import Templates, TemplateValue, trusted
from secondpost.config.records import Newsletter, Web
from secondpost.mail.issue_content import Hole, IssueContent, ReaderMailKind


class ConfirmationComposer:
    """Composes confirmations; made once, holds the templates and the style sheet."""

    def __init__(self) -> None:
        self._templates = Templates("secondpost.compose")
        self._style = self._templates.render("digest.css", {})
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def content(
        self, newsletter: Newsletter, web: Web, feed_title: str, dated_ms: int, seed: bytes
    ) -> IssueContent:
        """The mail, ready for signing/assembly; equal `dated_ms` and `seed` give the same mail at
        every attempt.
        """
        masthead = masthead_of(newsletter, web, feed_title)
        composed = self.compose(masthead)
        return content_of(ReaderMailKind.CONFIRMATION, newsletter, masthead, composed, dated_ms, seed)

    def compose(self, masthead: Masthead) -> Composed:
        subject = f"Please confirm your subscription to {masthead.title}"
        values: dict[str, TemplateValue] = {
            "language": masthead.language,
            "title": masthead.title,
            "subject": subject,
            "home": masthead.home,
            "confirm": Hole.CONFIRM_URL.marker,
            "postal_address": masthead.postal_address,
        }
        html = self._templates.render("confirmation.html", {**values, "style": trusted(self._style)})
        text = self._templates.render("confirmation.txt", values)
        return Composed(subject, self._inliner.inline(html), text)
