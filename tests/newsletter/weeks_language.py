"""The language of weeks/: what happens to a blog and its newsletter on which day, and the result.

    newsletter  start=new min=1 only=notes   before day 0; `feed NAME [CATEGORY]` for more feeds
    day 4       write 1-3                    posts, dated now; or `write 4-6 dated 1-3`,
                                             `write 7 in notes`
    day 5       site link=https://new.example/{slug}
    day 6       edit 3 title                 or text, link, category
    day 7       delete 2                     restore 2 brings it back
    day 8       feed down                    html, empty, torn, stale, alternating; ok ends it
    day 9       owner take 5                 or skip 5, take all, skip all
    day 30      end
    issue       1 2 3                        the posts of each issue, in its order
    waiting, held, skipped, seen             the posts in that state at the end
    because     its date is long             words in the reason of every held article
    alarms      1                            the number of alarms about held articles
    never       12                           posts that no fetch of the feed could have seen

Posts are identified by number. Day 0 is a Monday; an issue is due each Friday (day 4, 11, 18 …).
The changes of a day, one per line, are made before the feeds are fetched.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STATES = ("waiting", "held", "skipped", "seen")


@dataclass(frozen=True)
class Step:
    day: float
    verb: str
    words: tuple[str, ...]


@dataclass
class Weeks:
    name: str
    newsletter: dict[str, str] = field(default_factory=dict)
    feeds: dict[str, str] = field(default_factory=lambda: {"feed": ""})
    steps: list[Step] = field(default_factory=list)
    issues: list[list[int]] = field(default_factory=list)
    states: dict[str, list[int]] = field(default_factory=lambda: {state: [] for state in STATES})
    because: str = ""
    alarms: int = 0
    never: list[int] = field(default_factory=list)


def numbers(text: str) -> list[int]:
    """Parse "3", "1-4" or "1-3,7"."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def read_weeks(path: Path) -> Weeks:
    weeks = Weeks(path.stem)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) > 0:
            try:
                _read_line(weeks, words)
            except (ValueError, IndexError) as error:
                raise ValueError(f"{path.name}:{number}: {error}") from error
    return weeks


def _read_line(weeks: Weeks, words: list[str]) -> None:
    match words:
        case ["newsletter", *settings]:
            weeks.newsletter |= settings_of(settings)
        case ["feed", name, *category]:
            weeks.feeds[name] = " ".join(category)
        case ["day", day, verb, *rest]:
            weeks.steps.append(Step(float(day), verb, tuple(rest)))
        case ["issue", *posts]:
            weeks.issues.append(_posts(posts))
        case [state, *posts] if state in STATES:
            weeks.states[state] = _posts(posts)
        case ["never", *posts]:
            weeks.never = _posts(posts)
        case ["because", *text]:
            weeks.because = " ".join(text)
        case ["alarms", times]:
            weeks.alarms = int(times)
        case _:
            raise ValueError(f"unknown: {' '.join(words)}")


def _posts(words: list[str]) -> list[int]:
    return [n for word in words for n in numbers(word)]


def settings_of(words: list[str] | tuple[str, ...]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


def all_weeks(folder: Path) -> Iterator[Weeks]:
    for path in sorted(folder.glob("*.weeks")):
        yield read_weeks(path)


def post_of(title: str) -> int:
    found = re.match(r"Article (\d+)", title)
    assert found is not None, title
    return int(found[1])
