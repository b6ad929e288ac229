"""The state of readers and sign-ups, in words."""

from secondpost.mail.bounce_kind import AGAINST_A_READER, Weighed
from secondpost.mail.subscriber import SubscriberState
from secondpost.store.subscriber_ports import Bounce, SignedUp, SignUpCounts, SignUpOutcome, Suppression

WHY_NOTHING_WAS_SENT = {
    SignedUp.LIMITED: "too many sign-ups came from that network within an hour",
    SignedUp.REPEATED: "the address was asked to confirm less than a day earlier, or twice already",
    SignedUp.CROWDED: "too many confirmations waited for an answer, at that domain or in all",
    SignedUp.ALREADY: "the address already belongs to a reader",
    SignedUp.SUPPRESSED: "the address is suppressed",
    SignedUp.TRAPPED: "a field that only programs see was filled in",
    SignedUp.REFUSED: "so many sign-ups came from that network that the page refused them",
}
# Short forms, for counts.
SHORTLY = {
    SignedUp.LIMITED: "from a network with too many sign-ups",
    SignedUp.REPEATED: "asked a short time before",
    SignedUp.CROWDED: "too many confirmations without an answer",
    SignedUp.ALREADY: "already readers",
    SignedUp.SUPPRESSED: "suppressed",
    SignedUp.TRAPPED: "filled in by programs",
    SignedUp.REFUSED: "refused by the page",
}

CAME_OF_BOUNCES = {
    Weighed.NEW: "not looked at yet",
    Weighed.COUNTED: "counted",
    Weighed.SUSPENDED: "suspended the reader",
    Weighed.HELD: "waits for you",
    Weighed.ACCEPTED: "suspended the reader, as you decided",
    Weighed.FORGIVEN: "forgiven by you",
}
# How a reader in this state gets issues again; of the others there is nothing to say.
WAYS_BACK = {
    SubscriberState.LEFT: "they sign up again, and confirm",
    SubscriberState.SUSPENDED: "they sign up again, and confirm; or you confirm them (subscribers confirm)",
    SubscriberState.COMPLAINED: (
        "they write to you that they want it, you lift the suppression, and confirm them"
        " (subscribers suppress --lift, subscribers confirm)"
    ),
}


def state_text(state: SubscriberState) -> str:
    match state:
        case SubscriberState.LEFT | SubscriberState.COMPLAINED:
            return f"has {state}"
        case _:
            return f"is {state}"


def state_since_text(state: SubscriberState, moment: str) -> str:
    match state:
        case SubscriberState.LEFT | SubscriberState.COMPLAINED:
            return f"{state} on {moment}"
        case _:
            return f"has been {state} since {moment}"


def suppression_text(found: Suppression) -> str:
    where = "for all newsletters" if found.newsletter == "" else f"for {found.newsletter}"
    why = f"{found.reason}, {found.evidence}" if len(found.evidence) > 0 else found.reason.value
    lifted = "; signing up again and confirming lifts it" if found.yields else ""
    return f"{where}: {why}{lifted}"


def came_of_text(bounce: Bounce) -> str:
    if bounce.kind not in AGAINST_A_READER:
        return "not the reader's fault"
    return CAME_OF_BOUNCES[bounce.weighed]


def outcome_text(one: SignUpOutcome) -> str:
    """The result of a sign-up."""
    if one.outcome is SignedUp.CONFIRM:
        answer = "it was answered" if one.is_confirmed else "it was not answered"
        return f"by {one.how}; a mail asked to confirm, and {answer}"
    return f"by {one.how}; nothing was sent, because {WHY_NOTHING_WAS_SENT[one.outcome]}"


def sign_ups_text(counts: SignUpCounts) -> str:
    """A day's sign-ups in one sentence."""
    text = f"{counts.asked:,} asked, {counts.confirmed:,} of them confirmed"
    nothing = {outcome: many for outcome, many in counts.outcomes.items() if outcome in SHORTLY and many > 0}
    if len(nothing) == 0:
        return text
    reasons = ", ".join(f"{many:,} {SHORTLY[outcome]}" for outcome, many in nothing.items())
    return f"{text}; nothing was sent to {sum(nothing.values()):,}: {reasons}"
