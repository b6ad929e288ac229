"""Documents of the commands that approve and arrange the next issue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApprovedDocument:
    """The document of `issue approve`."""

    newsletter: str
    articles: list[int]
    readers: int


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """The document of `issue lead` and `issue order`."""

    newsletter: str
    articles: list[int]  # that come first in the next issue
