"""Rounds that have nothing to do come every ten minutes: a month has millions of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from secondpost.deliver import loop, sites_down
from secondpost.roles.parts import Rhythms

CALM_SECONDS = 600.0
CALM_RHYTHMS = Rhythms(CALM_SECONDS, CALM_SECONDS, CALM_SECONDS, CALM_SECONDS, CALM_SECONDS)
ROUNDS = (
    (sites_down, "LOOK_SECONDS_MAX"),
    (loop, "SITES_STILL_SECONDS"),
    (loop, "IDLE_LOOK_SECONDS"),
    (loop, "SWEEP_SECONDS"),
    (loop, "EXPIRE_SECONDS"),
    (loop, "LOOK_SECONDS_MAX"),
)


@contextmanager
def calm() -> Iterator[None]:
    """For services that are started meanwhile."""
    saved = [getattr(module, name) for module, name in ROUNDS]
    for module, name in ROUNDS:
        setattr(module, name, CALM_SECONDS)
    try:
        yield
    finally:
        for (module, name), seconds in zip(ROUNDS, saved, strict=True):
            setattr(module, name, seconds)
