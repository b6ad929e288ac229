"""What is known of the reach of the MX addresses from other countries, as the owner's command shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.records import ReachSettings
from secondpost.mail.reach import RawAnswer, ReachContext, ReachCount, ReachSource, ReachView, SourceState
from secondpost.owner.figures import utc_time
from secondpost.owner.reach_documents import (
    ReachAnswerDocument,
    ReachDocument,
    ReachNetworkDocument,
    ReachRoundDocument,
    ReachSourceDocument,
    ReachViewDocument,
)
from secondpost.store.reach_ports import RAW_ANSWERS_MAX, ReachDesk
from secondpost.watch.reach.quota import in_window, quota_of
from secondpost.watch.reach.words import context_text, contexts_of


@dataclass(frozen=True, slots=True)
class ReachPicture:
    settings: ReachSettings
    views: Sequence[ReachView]  # of the countries that are watched
    counts: Sequence[ReachCount]  # of the rounds that are shown
    last: Sequence[ReachCount]  # of the last round
    sources: Sequence[SourceState]  # those that are configured
    contexts: Sequence[ReachContext]
    answers: Sequence[RawAnswer]

    def last_count(self, address: str, country: str) -> ReachCount | None:
        found = [one for one in self.last if (one.address, one.country) == (address, country)]
        return found[0] if len(found) > 0 else None

    def rounds_of(self, view: ReachView) -> Sequence[ReachCount]:
        key = (view.target.address, view.country)
        return [one for one in self.counts if (one.address, one.country) == key]

    def contexts_of(self, view: ReachView) -> Sequence[str]:
        return [context_text(one) for one in contexts_of(view, self.contexts)]

    @property
    def last_ms(self) -> int | None:
        return max((one.at_ms for one in self.last), default=None)


async def reach_picture(
    store: ReachDesk, settings: ReachSettings, since_ms: int, now_ms: int
) -> ReachPicture:
    """`since_ms`: from when on rounds are shown."""
    states = await store.reach_sources()
    return ReachPicture(
        settings,
        [view for view in await store.reach_views() if view.country in settings.countries],
        await store.reach_counts(since_ms),
        await store.last_reach_counts(),
        [_present(settings, states, place.source, now_ms) for place in settings.sources],
        await store.reach_contexts(),
        await store.raw_answers(RAW_ANSWERS_MAX),
    )


def _present(
    settings: ReachSettings, states: dict[ReachSource, SourceState], source: ReachSource, now_ms: int
) -> SourceState:
    """The state in the window of now, in which nothing may have been asked yet."""
    return in_window(states.get(source, SourceState(source)), quota_of(settings, source), now_ms)


def reach_document(picture: ReachPicture) -> ReachDocument:
    settings = picture.settings
    return ReachDocument(
        on=settings.is_on,
        countries=list(settings.countries),
        control=settings.control,
        every_seconds=settings.every_ms // 1000,
        last_round=_time(picture.last_ms),
        views=[_view_document(picture, view) for view in picture.views],
        rounds=[
            ReachRoundDocument(
                utc_time(one.at_ms), one.address, one.country, one.passes, one.fails, one.unknown
            )
            for one in picture.counts
        ],
        sources=[_source_document(settings, state) for state in picture.sources],
        answers=[
            ReachAnswerDocument(
                one.number, utc_time(one.at_ms), one.source.value, one.asked, one.status, one.octets
            )
            for one in picture.answers
        ],
    )


def _view_document(picture: ReachPicture, view: ReachView) -> ReachViewDocument:
    return ReachViewDocument(
        address=view.target.address,
        host=view.target.host,
        domains=list(view.target.domains),
        country=view.country,
        verdict=view.verdict.value,
        since=_time(view.since_ms),
        looked=_time(view.looked_ms),
        confirmation=view.confirmation.value,
        confirmed=_time(view.confirmed_ms),
        alarm=view.is_alarm,
        networks=[
            ReachNetworkDocument(
                one.network.asn,
                one.network.name,
                one.failed,
                one.passed,
                one.is_blocked,
                _time(one.since_ms),
                utc_time(one.looked_ms),
            )
            for one in view.networks
        ],
        context=list(picture.contexts_of(view)),
    )


def _source_document(settings: ReachSettings, state: SourceState) -> ReachSourceDocument:
    quota = quota_of(settings, state.source)
    return ReachSourceDocument(
        source=state.source.value,
        url=settings.url(state.source) or "",
        used=state.used,
        quota=quota.units,
        window_seconds=quota.window_ms // 1000,
        rests_until=_time(state.rests_until_ms),
        answered=_time(state.answered_ms),
        failed=_time(state.failed_ms),
        failure=state.failure,
        found=state.found,
    )


def _time(at_ms: int | None) -> str | None:
    """0 stands for never."""
    return None if at_ms is None or at_ms == 0 else utc_time(at_ms)
