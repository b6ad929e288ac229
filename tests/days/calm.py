"""Idle rounds come every ten minutes: a month would have millions of them otherwise."""

from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.roles.parts import Rhythms

CALM_SECONDS = 600.0
CALM_RHYTHMS = Rhythms(
    CALM_SECONDS,
    CALM_SECONDS,
    CALM_SECONDS,
    CALM_SECONDS,
    CALM_SECONDS,
    offers_seconds=CALM_SECONDS,
    alarms_seconds=CALM_SECONDS,
    arrivals_seconds=CALM_SECONDS,
    deliver=DeliverRhythm(
        due_seconds_max=CALM_SECONDS,
        sweep_seconds=CALM_SECONDS,
        expire_seconds=CALM_SECONDS,
        standing_still_seconds=CALM_SECONDS,
        idle_seconds=CALM_SECONDS,
        down_seconds_max=CALM_SECONDS,
    ),
)
