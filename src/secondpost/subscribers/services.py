"""Table of the export formats of newsletter services and list servers: formats, columns and words.

`importing` recognises a file by it, and reports the meaning of each column before anything is
written. Below are also the columns of a list of no known service, and the words that may mean that
a person wants no mail.
"""

from collections.abc import Mapping
from types import MappingProxyType

from secondpost.subscribers.hosted_services import HOSTED_SERVICES
from secondpost.subscribers.list_servers import LIST_SERVERS
from secondpost.subscribers.meanings import (
    ExportForm,
    Meaning,
    Moment,
    Plain,
    ReaderStanding,
    YesNo,
    each,
    words,
)

EXPORTS: tuple[ExportForm, ...] = (*LIST_SERVERS, *HOSTED_SERVICES)

_STATE = words(
    active="active,subscribed,subscriber,member,confirmed,enabled,regular,premium,free,paid,comped,"
    "gifted,trialing,true,yes",
    pending="pending,unconfirmed,not confirmed,unactivated,awaiting confirmation,invited",
    left="unsubscribed,unsubscribe,unsub,opted out,opt-out,left,cancelled,canceled,removed,deleted,"
    "archived,disabled,inactive,non-subscribed,not subscribed,never subscribed,no email,no mail,false,no",
    suppressed="bounced,hard bounced,soft bounced,bounce,hard bounce,soft bounce,undeliverable,"
    "unreachable,invalid,cleaned,complained,complaint,spam,marked as spam,spam complaint,"
    "abuse,junk,blocked,blocklisted,blacklisted,banned,suppressed,suspended,"
    "spam reported,reported spam",
)

# Column meanings in a list of no known service, and for columns that a known format does not have.
GENERAL: Mapping[str, Meaning] = MappingProxyType(
    each(
        Plain.ADDRESS,
        "email,mail,email address,subscriber email,user email,contact email,email id,e-post,"
        "e-mail-adresse,adresse e-mail,correo electrónico,indirizzo email",
    )
    | each(Plain.NAME, "name,full name,first name,last name,display name,vorname,nachname")
    | each(
        Plain.CREATED, "created,created at,creation date,date created,date added,added at,joined,joined at"
    )
    | each(
        Plain.AGREED_AT,
        "confirmed at,confirmation date,confirmation time,confirm time,opt-in time,opt-in date,"
        "opted in at,agreed at,consent date,consent at",
    )
    | each(
        Plain.KEPT,
        "sms status,sms marketing,sms consent,sms marketing consent,accepts sms marketing,"
        "accepts whatsapp marketing",
    )
    | each(Plain.AGREED_FROM, "ip,ip address,opt-in ip,signup ip,confirm ip,confirmation ip,consent ip")
    | each(
        Moment(ReaderStanding.LEFT),
        "unsubscribed at,unsubscribe date,unsubscribed date,unsubscription date,date unsubscribed,"
        "unsubscribe time,unsub time,unsub date,unsubscribe reason,unsubscription reason,unsub reason,"
        "opt-out date,opt-out time,opted out at,opted out date,left at,left date,cancelled at,"
        "canceled at,removed at,deleted at,deleted date",
    )
    | each(
        Moment(ReaderStanding.SUPPRESSED),
        "bounced at,bounce date,bounced date,bounce reason,bounce type,complained at,complaint date,"
        "complaint type,cleaned at,clean time,blocked at,blocklisted at,blacklisted at,"
        "undeliverability date,undeliverability reason,suppressed at,suppression reason",
    )
    | each(
        YesNo(yes=ReaderStanding.LEFT, no=None),
        "unsubscribed,is unsubscribed,opt-out,opted out,email opt-out,do not mail,do not email,no mail,"
        "email disabled,deleted,disabled",
    )
    | each(
        YesNo(yes=ReaderStanding.SUPPRESSED, no=None),
        "bounced,hard bounced,complained,complaint,marked as spam,blocklisted,blacklisted,blocked,banned,"
        "suppressed,undeliverable",
    )
    | each(
        YesNo(yes=ReaderStanding.ACTIVE, no=ReaderStanding.LEFT),
        "subscribed,is subscribed,subscribed to emails,active,is active,accepts email marketing,"
        "accepts marketing,accepts newsletter,email marketing,email marketing consent,email consent,"
        "marketing consent,email subscriber status,email subscriber status 1,opt-in,opted in,email opt-in,"
        "marketing opt-in,newsletter opt-in,newsletter subscription,subscribed to newsletter",
    )
    | each(YesNo(yes=ReaderStanding.ACTIVE, no=ReaderStanding.PENDING), "confirmed,is confirmed")
    | each(
        _STATE,
        "state,status,subscriber status,member status,subscription status,subscription state,"
        "email status,contact status,newsletter status,mailing status",
    )
)

# Folded stems of words that may mean that a person left, bounced, complained, was blocked or
# deleted. In a column that is not understood, a cell with such a word stops the import until the
# owner says what the column means.
SUSPECT: frozenset[str] = frozenset(
    {
        "unsub", "optout", "optedout", "bounc", "hardbounce", "softbounce", "complain", "spam", "abuse",
        "junk", "block", "blacklist", "banned", "suppress", "suspend", "cleaned", "undeliver", "unreach",
        "invalid", "inactive", "disabled", "deactivat", "cancel", "deleted", "removed", "erased",
        "archived", "left", "gone", "quit", "stopped", "nomail", "noemail", "donotmail", "donotemail",
        "donotsend", "donotcontact", "byuser", "bybounce", "abmeld", "abgemeldet", "ausgetragen", "austrag",
        "abbestell", "gekundigt", "kundigung", "widerruf", "sperre", "gesperrt", "geloscht", "geloescht",
        "inaktiv", "unzustellbar", "ungultig", "beschwerde", "desabonn", "desinscri", "resiliation",
        "rejet", "bloque", "supprim", "desactiv", "plainte", "baja", "dadodebaja", "cancelad", "rebotad",
        "desuscri", "darsedebaja", "eliminad", "inactiv", "disiscri", "disattiv", "rimbalz", "descadastr",
        "uitgeschreven", "afgemeld", "opgezegd", "avregistrera", "avprenumerer", "avmeld", "abbestellt",
        "disiscritt", "nonsubscri", "notsubscri", "neversubscri", "notopted", "notsending", "nonmarketing",
        "exclud", "deaktiviert", "widerrufen", "bereinigt", "nichtabonn", "nichtangemeldet", "nonabonn",
        "noninscri", "nettoye", "listenoire", "supprime", "nosuscri", "anulad", "anulo", "depurad",
        "listanegra", "bloquead", "annullat", "noniscritt", "ripulit", "cancellat", "bloccat", "listanera",
        "naoinscrit", "removid", "excluid", "zwartelijst", "geblokkeerd", "verwijderd", "nietingeschreven",
        "nietaangemeld", "afmeldt", "avmeldt", "avanmal", "studsa", "wypisan", "rezygn", "zablokowan",
        "odhlasen", "отписа", "отказал", "удален",
    }
)  # fmt: skip

# Folded parts of column names that may say who wants mail: where such a column is not understood, a
# "no" in it also stops the import.
WANTS: frozenset[str] = frozenset(
    {
        "optin", "optedin", "subscri", "newsletter", "mailing", "marketing", "consent", "permission",
        "accepts", "active", "enabled", "status", "verified", "wantsmail", "getsmail", "receive",
        "abonn", "angemeldet", "anmeld", "einwillig", "zustimm", "aktiv", "consentement", "actif", "inscri",
        "suscri", "activo", "iscri", "attivo", "prenumer",
    }
)  # fmt: skip
NO: frozenset[str] = frozenset({"false", "no", "n", "f", "0", "nein", "non", "faux", "falsch", "nej", "nee"})
