"""All verbs of a store of mail."""

from secondpost.store.verbs.accepting import AcceptingVerbs
from secondpost.store.verbs.advisories import AdvisoriesVerbs
from secondpost.store.verbs.alarms import AlarmsVerbs
from secondpost.store.verbs.arrivals import ArrivalsVerbs
from secondpost.store.verbs.attacks import AttacksVerbs
from secondpost.store.verbs.claims import ClaimsVerbs
from secondpost.store.verbs.days import DaysVerbs
from secondpost.store.verbs.desk import DeskVerbs
from secondpost.store.verbs.intake import IntakeVerbs
from secondpost.store.verbs.keeping import KeepingVerbs
from secondpost.store.verbs.primaries import PrimariesVerbs
from secondpost.store.verbs.reach import ReachVerbs
from secondpost.store.verbs.refused import RefusedVerbs
from secondpost.store.verbs.sites import SitesVerbs
from secondpost.store.verbs.witness import WitnessVerbs


class MailVerbs(
    IntakeVerbs,
    ClaimsVerbs,
    SitesVerbs,
    PrimariesVerbs,
    DaysVerbs,
    AlarmsVerbs,
    AttacksVerbs,
    AdvisoriesVerbs,
    ArrivalsVerbs,
    ReachVerbs,
    DeskVerbs,
    RefusedVerbs,
    KeepingVerbs,
    WitnessVerbs,
    AcceptingVerbs,
):
    """Implements the ports of a store of mail; an adapter adds how it is opened."""
