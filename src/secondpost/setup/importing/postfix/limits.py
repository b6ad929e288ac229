"""Limits that apply to every domain: how long mail waits, how large it is, what separates a detail."""

from secondpost.config.faults import Wrong
from secondpost.config.grammars import delimiters as delimiters_form
from secondpost.mail.duration import DAY_MS, HOUR_MS, duration_text
from secondpost.setup.answers import Entries, Entry, toml_text
from secondpost.setup.importing.postfix.amounts import number, size_written, time_ms
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.settings import PostfixSettings

USUAL_SIZE = 10_240_000  # message_size_limit
SIZE_LEAST, SIZE_MOST = 64_000, 10**9  # max_size
KEEP_LEAST_MS, KEEP_MOST_MS = HOUR_MS, 366 * DAY_MS


def usual_entries(settings: PostfixSettings, ledger: PostfixLedger) -> Entries:
    """Entries of each [[backup]]."""
    _say_tls(settings, ledger)
    if settings.is_set("soft_bounce") and not settings.is_on("soft_bounce"):
        ledger.carried("soft_bounce")
    return (*_keep(settings, ledger), *_size(settings, ledger), *_delimiters(settings, ledger))


def _say_tls(settings: PostfixSettings, ledger: PostfixLedger) -> None:
    name = "smtp_tls_security_level"
    level = settings.text(name).lower()
    if level == "may":
        ledger.carried(name)
    elif level not in ("", "encrypt", "verify", "secure"):
        ledger.changed(name, "TLS is used with servers that offer it; `tls` of a [[route]] demands it.")


def _keep(settings: PostfixSettings, ledger: PostfixLedger) -> Entries:
    name = "maximal_queue_lifetime"
    if not settings.is_set(name):
        ledger.changed(name, "Mail waits for its primary for 31 days here, not for 5 (`keep`).")
        return ()
    keep = time_ms(settings.text(name), "d")
    if keep is None:
        ledger.not_carried(name, "It is not a time.")
        return ()
    keep = min(max(keep, KEEP_LEAST_MS), KEEP_MOST_MS)
    ledger.changed(name, "After it mail is kept until you decide, and never bounced.", ("backup", 0, "keep"))
    return (Entry("keep", toml_text(duration_text(keep))),)


def _size(settings: PostfixSettings, ledger: PostfixLedger) -> Entries:
    name = "message_size_limit"
    if not settings.is_set(name):
        why = f"Postfix took messages up to {USUAL_SIZE} octets; here they may be larger (`max_size`)."
        ledger.changed(name, why)
        return ()
    size = number(settings.text(name))
    if size is None:
        ledger.not_carried(name, "It is not a number of octets.")
        return ()
    bounded = min(max(size, SIZE_LEAST), SIZE_MOST) if size > 0 else SIZE_MOST
    if bounded == size:
        ledger.carried(name, ("backup", 0, "max_size"))
    else:
        ledger.changed(name, "It is between 64 KB and 1 GB here.", ("backup", 0, "max_size"))
    return (Entry("max_size", toml_text(size_written(bounded))),)


def _delimiters(settings: PostfixSettings, ledger: PostfixLedger) -> Entries:
    try:
        written = delimiters_form(settings.text("recipient_delimiter"))
    except Wrong as wrong:
        ledger.not_carried("recipient_delimiter", f"{wrong}.")
        written = ""
    else:
        ledger.carried("recipient_delimiter", ("backup", 0, "delimiters"))
    return (Entry("delimiters", toml_text(written)),)
