"""The interview of `secondpost init`: what is asked, in which order, and what each answer leads to.

A generator: it yields questions, look-ups and notes, and returns the answers. Each answer is checked
by reading the file that it leads to, as `check config` would.
"""

import posixpath
from dataclasses import replace

from secondpost.config.addresses import full_domain
from secondpost.config.faults import Wrong
from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.setup.answers import NOT_ANSWERED, Answers
from secondpost.setup.interview_backup import ask_backups
from secondpost.setup.interview_host import ask_acme, ask_addresses, ask_certificate, ask_doors
from secondpost.setup.interview_newsletter import ask_newsletter, ask_pages
from secondpost.setup.interview_smart_host import ask_smart_host
from secondpost.setup.questions import Interview, Names, OwnerQuestion, Scene, Separator, Texts, checked
from secondpost.setup.surroundings import Surroundings

LOCAL_NAMES = ("localhost.localdomain", "localhost.local")


def interview(scene: Scene) -> Interview[Answers]:
    earlier = scene.earlier
    answers = (
        NOT_ANSWERED if earlier is None else replace(NOT_ANSWERED, more=earlier.more, others=earlier.others)
    )
    names = Names()
    answers = yield from _ask_hostname(scene, names, answers)
    answers = yield from _ask_store(scene, answers)
    answers = yield from ask_doors(scene, answers)
    answers = yield from ask_backups(scene, names, answers)
    answers = yield from ask_newsletter(scene, answers)
    answers = yield from _ask_owner(scene, answers)
    answers = yield from ask_addresses(scene, names, answers)
    answers = yield from ask_smart_host(scene, names, answers)
    answers = yield from ask_certificate(scene, answers)
    answers = yield from ask_acme(scene, answers)
    return (yield from ask_pages(scene, answers))


def _ask_hostname(scene: Scene, names: Names, answers: Answers) -> Interview[Answers]:
    if scene.earlier is not None:
        suggestion: Texts | None = (scene.earlier.hostname,)
    else:
        suggestion = yield from _own_name(scene.surroundings, names)
    texts = yield from OwnerQuestion(
        "--hostname",
        "Name of this server",
        checked(
            scene,
            lambda texts: replace(answers, hostname=texts[0]),
            "other servers find this one by its name",
        ),
        "mx2.example.net",
        suggestion,
        "The full name by which other servers find this one; it will stand in the MX records.",
    ).ask()
    return replace(answers, hostname=texts[0])


def _own_name(here: Surroundings, names: Names) -> Interview[Texts | None]:
    """The machine's name, or else the name that the DNS gives one of its addresses."""
    if _is_full_name(here.name):
        return (here.name,)
    found = yield from names.look_up([Ptr(address) for address in here.public_addresses])
    hosts = [host for one in found or () if isinstance(one, PtrAnswer) for host in one.hosts]
    return next(((host,) for host in hosts if _is_full_name(host)), None)


def _is_full_name(name: str) -> bool:
    try:
        return full_domain(name).name not in LOCAL_NAMES
    except Wrong:
        return False


def _ask_store(scene: Scene, answers: Answers) -> Interview[Answers]:
    def with_store(texts: Texts) -> Answers:
        return replace(answers, store=posixpath.normpath(posixpath.join(scene.folder, texts[0])))

    texts = yield from OwnerQuestion(
        "--store",
        "Folder for mail, keys and sockets",
        checked(scene, with_store, "mail needs a place"),
        "/var/lib/secondpost",
        (scene.store if scene.earlier is None else scene.earlier.store,),
        is_asked=False,
    ).ask()
    return with_store(texts)


def _ask_owner(scene: Scene, answers: Answers) -> Interview[Answers]:
    texts = yield from OwnerQuestion(
        "--owner",
        "Your address",
        checked(scene, lambda texts: replace(answers, owner=texts), "alarms need an address"),
        "me@elsewhere.example",
        None if scene.earlier is None else scene.earlier.owner,
        "Alarms and mail to postmaster go there: it must not be at a domain that is backed up here.",
        Separator.WORDS,
    ).ask()
    return replace(answers, owner=texts)
