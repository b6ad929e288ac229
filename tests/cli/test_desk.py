"""The owner's commands use exactly the owner's transitions of the table of states."""

from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.delivery_states import DELIVERY_EDGES, DeliveryActor, delivery_sources_of
from secondpost.mail.envelope import Lane
from secondpost.spool.desk import OwnerVerb, Standing, standing_of

LEADS_TO = {
    OwnerVerb.HOLD: State.HELD,
    OwnerVerb.RELEASE: State.WAITING,
    OwnerVerb.RETRY: State.WAITING,
    OwnerVerb.REDIRECT: State.WAITING,
    OwnerVerb.DROP: State.DROPPED,
}


def test_the_verbs_are_the_owners_edges() -> None:
    by_verb = {(source, LEADS_TO[verb]) for verb in OwnerVerb for source in verb.takes}
    assert by_verb == {
        (edge.source, edge.target) for edge in DELIVERY_EDGES if edge.by is DeliveryActor.OWNER
    }


def test_what_the_owner_holds_is_only_released_or_dropped() -> None:
    assert [verb for verb in OwnerVerb if State.HELD in verb.takes] == [
        OwnerVerb.RELEASE,
        OwnerVerb.DROP,
        OwnerVerb.REDIRECT,
    ]
    assert set(OwnerVerb.RETRY.takes) | set(OwnerVerb.RELEASE.takes) == set(
        delivery_sources_of(State.WAITING, DeliveryActor.OWNER)
    )


def test_every_state_and_reason_has_a_standing() -> None:
    for state in State:
        for lane in Lane:
            for down in (False, True):
                for kept_for in KeptFor if state is State.KEPT else (None,):
                    assert standing_of(lane, state, down, kept_for) in Standing
    kept = {standing_of(Lane.RELAY, State.KEPT, False, reason) for reason in KeptFor}
    assert len(kept) == len(KeptFor)


def test_only_backup_mail_is_held_by_the_absence_of_a_primary() -> None:
    assert standing_of(Lane.RELAY, State.WAITING, True, None) is Standing.HELD_PRIMARY
    assert standing_of(Lane.OWN, State.WAITING, True, None) is Standing.WAITING
    assert standing_of(Lane.RELAY, State.WAITING, False, None) is Standing.WAITING
