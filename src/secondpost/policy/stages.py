"""The decisions of each stage of an SMTP dialogue, in their order. To add a decision, add a file to
this folder and an entry to STAGES.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from secondpost.mail.questions import AskingPolicy
from secondpost.mail.verdict import ACCEPT, VERDICTS, Accept, Defer, Reject, Verdict
from secondpost.policy.author import judge_author
from secondpost.policy.caller import judge_places
from secondpost.policy.company import judge_company
from secondpost.policy.known import AtConnect, AtContent, AtHello, AtMail, AtRcpt, Decision, Judgement, Stage
from secondpost.policy.loop import judge_loop
from secondpost.policy.offered import judge_content, judge_envelope
from secondpost.policy.recipient import judge_recipient
from secondpost.policy.room import judge_declared_room, judge_disk, judge_whole_room
from secondpost.policy.unverified import judge_unverified, judge_whole_unverified


@dataclass(frozen=True, slots=True)
class Stages:
    connect: tuple[Decision[AtConnect], ...]
    hello: tuple[Decision[AtHello], ...]
    mail: tuple[Decision[AtMail], ...]
    rcpt: tuple[Decision[AtRcpt], ...]
    content: tuple[Decision[AtContent], ...]


STAGES = Stages(
    connect=(judge_places,),
    hello=(),
    mail=(judge_disk,),
    rcpt=(judge_envelope, judge_recipient, judge_declared_room, judge_company, judge_unverified),
    content=(judge_loop, judge_author, judge_whole_room, judge_content, judge_whole_unverified),
)


def judge(stage: tuple[Decision[Stage], ...], known: Stage) -> Judgement:
    """Make the decisions of a stage in order. Returns the first verdict that does not accept;
    otherwise an Accept with the way that the last decision named.
    """
    for place, decision in enumerate(stage):
        verdict = decision(known)
        if verdict is ACCEPT:
            continue
        if isinstance(verdict, Defer | Reject):
            return verdict
        if not isinstance(verdict, Accept):
            return _judge_on(verdict, stage[place + 1 :], known)
        known = replace(known, accepted=verdict)
    return known.accepted


def _judge_on(
    asking: AskingPolicy[Verdict], rest: tuple[Decision[Stage], ...], known: Stage
) -> AskingPolicy[Verdict]:
    verdict = yield from asking
    if not isinstance(verdict, Accept):
        return verdict
    judgement = judge(rest, known if verdict is ACCEPT else replace(known, accepted=verdict))
    return judgement if isinstance(judgement, VERDICTS) else (yield from judgement)
