"""The domains that are backed up."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms, grammars
from secondpost.config.addresses import SMTP_PORT
from secondpost.config.key import Key, ListForm, OwnForm, ValueForm
from secondpost.config.values import Authenticate, LearnedRecipients, RecipientSource, Unknown, source_text
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.duration import DAY_MS, HOUR_MS

DOMAIN = ValueForm("a full domain", addresses.full_domain)
NOWHERE = Domain("invalid")  # RFC 2606: placeholder in a record that will not be used
HOST = ValueForm("a host or an IP address, with a port if it is not 25", addresses.endpoint(SMTP_PORT))
REFUSED_OCTETS_MAX = 1_000_000_000  # of mail the primary refused, for a domain without quota
REFUSED_PART_OF_QUOTA = 10  # for a domain with one: a tenth
MB, GB, TB = 10**6, 10**9, 10**12
MESSAGE_OCTETS_LEAST = 64_000  # RFC 5321 §4.5.3.1.7: the least that a server must accept


@dataclass(frozen=True, slots=True)
class Backup:
    """A domain whose mail we accept while its primary cannot."""

    domain: Annotated[
        Domain,
        Key(
            DOMAIN,
            "The domain that is backed up. It can be neither the hostname nor `bounces`, because "
            "those have no primary.",
            '"example.net"',
            need='write domain = "example.net"',
            missing=NOWHERE,
        ),
    ]
    primary: Annotated[
        tuple[Endpoint, ...],
        Key(
            ListForm(HOST, "leave the key out for the better MX hosts in DNS"),
            "Where the mail is passed on to, in this order: hosts, with a port if it is not 25. "
            "Without it, the MX hosts in DNS that are preferred to this server.",
            '["mx1.provider.example", "192.0.2.7:2525"]',
            default="from DNS",
        ),
    ] = ()
    recipients: Annotated[
        tuple[RecipientSource, ...],
        Key(
            OwnForm(
                'a list; each element is a mail address, "file:" and a path, "https:" and the rest of an '
                'address, "learn" or "any"',
                source_text,
            ),
            "The recipients of the domain; mail for all others is refused at once. Each is an "
            "address; `file:` and a path; an `https:` address of such a list (this version does not "
            "fetch it yet, and needs `learn` as well); `learn`, to ask the primary; or `any` alone, "
            "which accepts mail for every address. An address with `%`, `!` or a second `@` before "
            "the domain, which a primary might forward elsewhere, is accepted only when it is listed.",
            '["learn", "file:/etc/secondpost/recipients"]',
        ),
    ] = (LearnedRecipients(),)
    keep_ms: Annotated[
        int,
        Key(
            forms.duration(HOUR_MS, 366 * DAY_MS),
            "How long mail waits for the primary, from 1 hour to 366 days; a change applies to mail "
            "that is already waiting. After that it is kept until you decide.",
            '"62 days"',
        ),
    ] = 31 * DAY_MS
    keep_refused_ms: Annotated[
        int,
        Key(
            forms.duration(HOUR_MS, 366 * DAY_MS),
            "How long mail that the primary refused is kept for you to look at, from 1 hour to 366 "
            "days, counted from the refusal; then it is deleted. A change applies to mail that is "
            "already kept. Such mail takes no space from waiting mail, and at most a tenth of "
            "`quota`, or 1 GB without a `quota`; beyond that, and while the disk has less free than "
            "`reserve`, the oldest is deleted first.",
            '"30 days"',
        ),
    ] = 7 * DAY_MS
    quota: Annotated[
        int | None,
        Key(
            forms.size(MB, 100 * TB),
            "How much mail may wait for this domain; beyond it, senders get a temporary error. Mail "
            "that is arriving counts too: from MAIL on the size declared with SIZE, and incomplete "
            "bodies, together up to a quarter of the quota, so that senders who never finish do not "
            "block the domain for others. At its end a message is accepted only if it fits in "
            "addition to everything stored and being stored.",
            '"10 GB"',
            default="no limit but the disk",
        ),
    ] = None
    max_size: Annotated[
        int,
        Key(
            forms.size(MESSAGE_OCTETS_LEAST, GB),
            "The largest message that is accepted, from 64 KB to 1 GB; less if the primary announces "
            "a smaller SIZE.",
            '"25 MB"',
        ),
    ] = 50_000_000
    unknown: Annotated[
        Unknown,
        Key(
            forms.choice(Unknown),
            "With `learn`, what is done with mail for an address of which nothing is known while the "
            'primary cannot be asked: `"hold"` (it is accepted and waits behind all other mail; when '
            "the primary is back, its answer decides, and refused mail is kept, not bounced), "
            '`"defer"` (a temporary error) or `"reject"`. With `"hold"` at most a quarter of the '
            "domain's space (`quota`, or the disk's) may be used for it, a message may have at most "
            "10 such recipients, and one network may send at most 100 such messages an hour.",
            '"defer"',
        ),
    ] = Unknown.HOLD
    delimiters: Annotated[
        str,
        Key(
            ValueForm("a text of up to eight characters", grammars.delimiters),
            'The characters that separate a mailbox from a detail: with `"+"`, mail for me+tag@ is '
            "accepted wherever me@ is known; with a tag that the primary has not accepted before it "
            "waits behind all other mail, because the primary may not support tags. Up to eight of "
            '``#$&\'*+-/=?^_`{|}~``; `""` turns this off.',
            '"+-"',
        ),
    ] = "+"
    authenticate: Annotated[
        Authenticate,
        Key(
            forms.choice(Authenticate),
            'What is done about who sent a message, as SPF, DKIM, DMARC and ARC say: `"record"` (it '
            "is evaluated on arrival, shown by `trace`, and written into the message as "
            '`Authentication-Results`), `"seal"` (an ARC set is added as well when the message is '
            'passed on, so that the primary can trust it) or `"off"`. See '
            "[below](#who-sent-a-message).",
            '"seal"',
        ),
    ] = Authenticate.RECORD
    enforce_dmarc: Annotated[
        bool,
        Key(
            forms.SWITCH,
            "Whether mail that fails DMARC is refused (550 5.7.26) where its author's domain "
            "publishes `p=reject`. Not while DNS does not answer, and not if servers of "
            "`trusted_sealers` say that it was changed on its way. A message whose From names more "
            "than five domains, or an author whose domain cannot be read, is refused too; so is one "
            "with more than one From field, whatever they say, since mail programs differ in which "
            "they show. A message for several domains is refused only if all of them say so.",
            "true",
        ),
    ] = False
    trusted_sealers: Annotated[
        tuple[Domain, ...],
        Key(
            ListForm(DOMAIN),
            "With `enforce_dmarc`, the domains whose ARC seals you believe, such as those of mailing "
            "lists that change what they pass on: a message that fails DMARC is taken if its chain of "
            "seals is whole and all its seals are of these domains (`d=`), and put off (451 4.4.3) while "
            "a key of such seals cannot be looked up. Anybody can seal a forgery, so no other seal "
            "excuses one.",
            '["lists.example"]',
        ),
    ] = ()

    @property
    def refused_octets_max(self) -> int:
        """Octets of mail refused by the primary that may be kept, in addition to the quota."""
        return REFUSED_OCTETS_MAX if self.quota is None else self.quota // REFUSED_PART_OF_QUOTA
