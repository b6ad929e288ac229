"""The first blackout of a new server, with a real Postfix that has a list of mailboxes.

No address is known yet, and real mail and guesses come mixed. Postfix tells them apart.
"""

from pathlib import Path

from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from tests.against.listing import listed, waiting
from tests.against.primaries import PostfixPrimary
from tests.against.sending import on_the_wire, send_with_swaks, until

PEOPLE = tuple(f"person{number}@{DOMAIN}" for number in range(5))
GUESSES = tuple(f"guess{number}@{DOMAIN}" for number in range(15))
LETTER = on_the_wire(b"From: someone@sender.example\nSubject: are you there?\n\nHello.\n")
QUICK = '[deliver]\nprobe = "1 second"\n'
LEARN = '"learn"'
SECONDS_MAX = 180.0  # ten guesses are tried at once, the others in their minute


def test_people_get_their_mail_and_guesses_are_kept_as_refused(place: Path) -> None:
    postfix = PostfixPrimary.prepared(place, mailboxes=PEOPLE)
    with (
        Secondpost(place / "ours", free_port(), postfix.port, QUICK, recipients=LEARN) as secondpost,
        postfix,
    ):
        postfix.stop()
        for recipient in (*GUESSES[:8], *PEOPLE, *GUESSES[8:]):
            send_with_swaks(LETTER, secondpost.port, place, recipient)
        assert len(waiting(secondpost)) == len(PEOPLE) + len(GUESSES)
        postfix.start()
        until(lambda: len(waiting(secondpost)) == 0, SECONDS_MAX, secondpost.trouble)
        assert len(postfix.stored()) == len(PEOPLE)
        kept = [row["recipient"] for row in listed(secondpost)]
        assert sorted(kept) == sorted(GUESSES)
        assert {row["standing"] for row in listed(secondpost)} == {"kept (refused)"}
