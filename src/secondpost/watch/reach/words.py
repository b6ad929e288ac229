"""What the owner reads of a block: the alarm, and what the sources say. Pure."""

from collections.abc import Sequence

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.moment import utc_text
from secondpost.mail.reach import Confirmation, NetworkView, ReachContext, ReachSource, ReachView
from secondpost.mail.standing_alarms import StandingAlarms

CONFIRMED = {
    Confirmation.NOT_ASKED: "",
    Confirmation.CONFIRMED: "RIPE Atlas confirms it",
    Confirmation.CONTRADICTED: "RIPE Atlas reaches it from these networks",
    Confirmation.NO_ANSWER: "RIPE Atlas could not say",
}


def alarm_subject(view: ReachView) -> str:
    return f"{view.target.address} from {view.country}"


def block_text(view: ReachView, control: str, contexts: Sequence[ReachContext]) -> str:
    """Which address, from which networks, since when, and what else is known of it."""
    target = view.target
    mx = f"the MX of {', '.join(target.domains)}" if len(target.domains) > 0 else "this server"
    parts = [
        f"port 25 of {target.host}, {mx}, cannot be reached from {networks_text(view.blocked)} "
        f"since {utc_text(view.since_ms)}; from {control} it can",
        CONFIRMED[view.confirmation],
        *(context_text(one) for one in contexts_of(view, contexts)),
    ]
    return "; ".join(part for part in parts if len(part) > 0)


def networks_text(networks: Sequence[NetworkView]) -> str:
    named = [str(one.network) for one in networks]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def contexts_of(view: ReachView, contexts: Sequence[ReachContext]) -> list[ReachContext]:
    """Those of the view's address, host and domains that say something."""
    subjects = {view.target.address, view.target.host, *view.target.domains}
    return [
        one
        for one in contexts
        if one.subject in subjects and one.country == view.country and len(one.text) > 0
    ]


def context_text(context: ReachContext) -> str:
    if context.source is ReachSource.REGISTER:
        return f"the register has {context.subject}: {context.text}"
    return f"{context.source.named} on {context.subject}: {context.text}"


def state_alarms(
    alarms: StandingAlarms, views: Sequence[ReachView], control: str, contexts: Sequence[ReachContext]
) -> None:
    """Begin the alarms of what is blocked, and end the others."""
    standing = {one.subject for one in alarms.standing() if one.kind is AlarmKind.BLOCKED_ABROAD}
    for view in views:
        subject = alarm_subject(view)
        if view.is_alarm:
            alarms.begin(AlarmKind.BLOCKED_ABROAD, subject, block_text(view, control, contexts))
        elif subject in standing:
            alarms.end(AlarmKind.BLOCKED_ABROAD, subject, _end_text(view))
    for subject in standing - {alarm_subject(view) for view in views}:
        alarms.end(AlarmKind.BLOCKED_ABROAD, subject, "it is not watched any more")


def _end_text(view: ReachView) -> str:
    if view.confirmation is Confirmation.CONTRADICTED:
        return "RIPE Atlas reaches it from all networks that failed"
    return f"none of the networks that failed does so any more; last looked at {utc_text(view.looked_ms)}"
