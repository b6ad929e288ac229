"""The amount of mail kept that a primary refused, and when the oldest is removed."""

from secondpost.config.records import Backup, Config
from secondpost.owner.documents import RefusedDocument
from secondpost.owner.figures import utc_time
from secondpost.store.owner_ports import Refused


def refused_document(refused: Refused, config: Config) -> RefusedDocument:
    backup = config.backup_of(refused.domain)
    return RefusedDocument(
        domain=refused.domain.name,
        deliveries=refused.deliveries,
        octets=refused.octets,
        room=backup.refused_octets_max,
        oldest=utc_time(refused.oldest_ms),
        oldest_goes=utc_time(goes_ms(refused, backup)),
    )


def goes_ms(refused: Refused, backup: Backup) -> int:
    return refused.oldest_ms + backup.keep_refused_ms
