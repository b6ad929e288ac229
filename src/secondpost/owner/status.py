"""The status: what waits, is held or kept, the primaries, and the newsletters."""

from collections.abc import Sequence

from secondpost import __version__
from secondpost.config.records import Config
from secondpost.mail.delivery import State
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.witness import CopyHold
from secondpost.owner.alarms import alarm_document
from secondpost.owner.documents import CountDocument, StatusDocument, site_document
from secondpost.owner.figures import utc_time
from secondpost.owner.primaries import PrimaryStands, primary_document
from secondpost.owner.provider_documents import paused_document
from secondpost.owner.readers_mail import readers_mail_document
from secondpost.owner.refused import refused_document
from secondpost.owner.status_newsletters import NewslettersStand, newsletter_document, unnamed_documents
from secondpost.spool.desk import Standing, standing_of
from secondpost.store.owner_ports import Count, Refused, SiteDown


def standing_of_count(count: Count) -> Standing:
    return standing_of(count.lane, count.state, count.site_down, count.kept_for)


def _total(counts: list[Count], *standings: Standing) -> int:
    return sum(count.deliveries for count in counts if standing_of_count(count) in standings)


def status_document(
    config: Config,
    runs: bool,
    alarms: Sequence[AlarmRecord],
    counts: list[Count],
    down: list[SiteDown],
    refused: list[Refused],
    primaries: list[PrimaryStands],
    found: NewslettersStand | None,
    copy: CopyHold | None,
    blocked: Sequence[str],
) -> StatusDocument:
    return StatusDocument(
        version=__version__,
        hostname=str(config.hostname),
        config=config.path,
        store=config.store,
        running=runs,
        copy=None if copy is None else copy.why,
        waiting=_total(counts, Standing.WAITING, Standing.CLAIMED),
        held_primary=_total(counts, Standing.HELD_PRIMARY),
        held_owner=_total(counts, Standing.HELD_OWNER),
        kept=sum(count.deliveries for count in counts if count.state is State.KEPT),
        octets=sum(count.octets for count in counts),
        alarms=[alarm_document(one) for one in alarms],
        counts=[
            CountDocument(
                domain=count.domain,
                lane=count.lane.value,
                standing=standing_of_count(count).value,
                site=count.site,
                deliveries=count.deliveries,
                octets=count.octets,
                oldest=utc_time(count.oldest_ms),
            )
            for count in counts
        ],
        sites_down=[site_document(site) for site in down],
        refused=[refused_document(one, config) for one in refused],
        primaries=[primary_document(one) for one in primaries],
        blocked=list(blocked),
        newsletters=[] if found is None else [newsletter_document(stands) for stands in found.stands],
        readers_mail=None if found is None else readers_mail_document(found.mail),
        paused_providers=[] if found is None else [paused_document(pause) for pause in found.pauses],
        unnamed=[] if found is None else unnamed_documents(found),
    )
