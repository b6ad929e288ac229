"""The newsletters' part of `status`: readers, today's sign-ups, issues under way and to come."""

from typing import TYPE_CHECKING

from secondpost.cli.readers_mail import say_readers_mail
from secondpost.cli.screen import say
from secondpost.config.records import Config
from secondpost.newsletter.renaming import cut_short_text, left_behind_sentence
from secondpost.owner.figures import counted
from secondpost.owner.issue_words import deferred_text, reckoning_text, standing_sentence
from secondpost.owner.reader_words import sign_ups_text
from secondpost.owner.status_newsletters import NewslettersStand, Stands

if TYPE_CHECKING:
    from secondpost.owner.names import NamesInStore


def say_newsletters(found: NewslettersStand, config: Config, now_ms: int) -> None:
    say_readers_mail(found.mail, now_ms)
    for stands in found.stands:
        _say_newsletter(stands)
    say_names(found.names)


def say_names(names: "NamesInStore") -> None:
    """Print newsletters that are in the store and not in the file, and unfinished renames, if any."""
    for known in names.left_behind:
        say(f"NOT NAMED: {left_behind_sentence(known, len(names.left_behind), names.unused)}")
    for former in names.half_renamed:
        say(f"NOT DONE: {cut_short_text(former)}")


def _say_newsletter(stands: Stands) -> None:
    name = stands.outlook.newsletter
    say(f"{name} has {counted(stands.readers, 'reader', 'readers')}. {stands.outlook.reason}")
    if stands.sign_ups.asked > 0:
        say(f"Sign-ups for {name} today: {sign_ups_text(stands.sign_ups)}.")
    if stands.under_way is not None:
        issue, reckoning = stands.under_way.issue, stands.under_way.reckoning
        say(f"{standing_sentence(issue, stands.zone)} {reckoning_text(reckoning)}.")
        if stands.under_way.last is not None:
            say(f"{deferred_text(stands.under_way.deferred, stands.under_way.last)}.")
