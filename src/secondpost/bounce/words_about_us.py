"""The words in which mail servers refuse the sender, whatever they say of the recipient. Pure.

Looked for first: many hosts send such refusals with a status of another subject, and with words about
the recipient too. A refusal whose status and words both name the mailbox needs a sure word to be about
us. Cases for every pattern are in tests/bounce/replies.
"""

import re

from secondpost.bounce.faulty_sender import is_sender_at_fault
from secondpost.bounce.wording import any_of, without_names

# Lists, IP address, authentication, names, rate and TLS.
_SURE = any_of(
    # block lists and reputation
    r"spamhaus",
    r"spamcop",
    r"sorbs",
    r"uceprotect",
    r"senderscore",
    r"invaluement",
    r"\b(?:block|black|deny|reject)[ -]?list(?:s|ed|ing)?\b",
    r"\b[dr]?bls?\b",
    r"\brbl\b",
    r"dnsbl",
    r"\bdenied list\b",
    r"badmailfrom",
    r"\bsperrliste|\bliste noire|\blista ne[gr]r?a|\bczarn(?:ej|a) li[sś]",
    r"(?<!not )listed (?:at|by|in|on)\b",
    r"reputation",
    r"poor(?:ly)? reput",
    r"banned sending ip",
    r"\bs3(?:140|150|114)\b",
    r"\btss?0\d\b",
    r"\bipts?\d\d\b",
    r"\bofr_?506\b",
    r"messages from \S{1,60} weren['’]?t sent",
    r"aol will not accept",
    r"intrusion prevention",
    r":blocked\)",
    r"\bcs01\b",
    r"\bhm0\d\b",
    r"(?:your|sending|sender'?s?|client|connecting|source)\b.{0,20}\bip\b.{0,60}(?:block|refus"
    r"|reject|denied|not allowed|temporarily deferred|banned|restrict)",
    r"from ip (?:address )?\S{1,50} (?:blocked|denied|rejected|refused)",
    r"\bip-?adresse\b.{0,40}(?:gesperrt|blockiert|abgelehnt)",
    r"\badresse ip\b.{0,60}(?:bloqu|interdit|refus|rejet|non autoris)",
    r"\badres ip\b.{0,40}(?:zablok|odrzuc)",
    r"\bip(?: address)?\b.{0,80}(?:is|has been|was|were)(?: temporarily)? (?:blocked|banned"
    r"|blacklisted|deferred|rate[ -]?limited|refused|restricted|listed)",
    r"blocked (?:using|by|for|due|because|from sending|your|e?-?mails? from)",
    r"^\W{0,5}blocked\b",
    r"part of their network is on our",
    r"(?:host|server|network|client|sender|domain|message|mail|email|connection)s?"
    r"(?: \S{1,60})? (?:is|has been|was|were|are)(?: temporarily| currently)? (?:blocked"
    r"|banned|blacklisted|refused by policy)",
    r"(?:sender|domain|envelope|from)(?: address)?(?: \S{1,60})? (?:is )?(?:rejected|denied"
    r"|blocked|refused|banned)",
    r"of sender address",
    r"sender e-?mail address",
    r"(?:unroutable|unrouteable|valid) sender",
    r"emetteur invalide",
    r"\bbatv\b",
    r"sender verify (?:failed|callout)",
    r"callback setup failed",
    r"sender (?:address )?rejected",
    r"(?:invalid|forged) sender",
    r"bad sender",
    r"unknown sender",
    r"\bblocked (?:the )?(?:sender|you)\b",
    r"said: [45]\d\d[ -]#?[45]\.7\.\d{1,3}\b(?!.{0,80}(?:unknown|no such|not exist|not found))",
    # authentication
    r"\bdmarc\b",
    r"\b(?:open)?spf\b",
    r"\bdkim\b",
    r"\barc\b (?:seal|chain)",
    r"unauthenticated",
    r"authentication (?:required|failed|checks?)",
    r"not (?:pass )?authenticat",
    r"authentication[- ]?results",
    r"sender id\b",
    r"domainkeys",
    # names of ours
    r"\bptr\b",
    r"reverse[ -]?dns",
    r"\brdns\b",
    r"reverse (?:hostname|lookup|record|name)",
    r"fcrdns",
    r"cannot find your (?:reverse )?hostname",
    r"no matching host ?name",
    r"(?:cannot|can'?t) resolve your",
    r"unresolvable relay",
    r"mismatches client",
    r"dynamic ip\b",
    r"invalid dns\b",  # IONOS and GMX: of our address, or of the domain of the envelope sender
    r"client host(?:name)?\b.{0,40}(?:rejected|not found|blocked)",
    r"helo (?:command )?(?:rejected|name|refused)",
    r"ehlo.{0,30}(?:rejected|invalid)",
    r"\bhelo\b.{0,40}(?:invalid|forbidden)",
    # rate
    r"rate[ -]?limit",
    r"rate (?:exceed|is too)",
    r"too many (?:\S{1,20} ){0,2}(?:messages|mails|emails|connections|sessions|recipients|users"
    r"|addresses|errors)",
    r"maximum number of messages",
    r"too many requests",
    r"\bsend(?:ing)? (?:quota|limit)",
    r"sending account",
    r"quota (?:is )?exceeded for (?:sender|this (?:hour|minute|day))",
    r"quota of messages from",
    r"(?:suspended|disabled|deactivated|blocked) (?:from|for) sending",
    r"smtp relay provider",
    r"\b(?:ip|domain|connection) frequency",
    r"bounce attack",
    r"\b(?-i:(?:MI|DT|RP|HL):(?!NSU)[A-Z]{3})\b",  # 163.com and 126.com; NSU: no such user
    r"(?:daily|hourly) (?:\S{1,20} ){0,3}limit exceeded",
    r"directory harvest",
    r"(?:sending|mail|message|connection)s? (?:too fast|limit|rate|quota for your|frequency)",
    r"throttl",
    r"slow down",
    r"too (?:fast|much mail)",
    r"exceed\w* .{0,40}(?:per (?:hour|minute|day|second)|connections?|rate)",
    r"concurrent connections",
    r"unusual (?:rate|volume|amount)",
    r"excessive (?:volume|number|amount|rate)",
    r"traffic (?:limit|from)",
    r"try(?:ing)? to send too",
    r"receiving mail (?:at a rate|too quickly)",
    r"messages? per (?:hour|minute|day|connection)",
    # TLS
    r"must (?:use|issue a) (?:tls|starttls)",
    r"starttls (?:is )?(?:required|first)",
    r"requires? (?:tls|encryption|starttls)",
    r"transport layer security",
    r"without tls",
    r"\btls (?:is )?(?:required|needed)",
    r"\btls (?:versions?|1\.\d)\b.{0,40}(?:\bnot\b|\bold\b|unsupported|upgrade)",
    r"encryption (?:is )?(?:required|needed)",
    # ways that lead round
    r"(?:mail|message) loop\b|loop detected",
    r"too many hops|hop count exceeded",
    r"route requires",
)

# Spam, policy and names of providers, which a refusal of a mailbox may mention.
_LOOSE = any_of(
    # block lists and reputation
    r"barracuda(?:central)?",
    r"proofpoint",
    r"cloudmark",
    r"abusix",
    # spam
    r"\bspam\w*",
    r"unsolicited",
    r"unrequested[ _]mail",
    r"junk ?mail",
    r"\bube\b",
    r"\buce\b",
    r"bulk ?mail(?:er|ing)?",
    r"complaints?\b",
    r"abus(?:e|ive)\b",
    r"looks? like (?:spam|phish)",
    r"phish",
    r"likely suspicious",
    r"suspicious(?:ly)?\b",
    r"banned content",
    r"recurrent pattern",
    # policy
    r"(?:access|relay(?:ing)?|permission|delivery|service|message|connection) (?:is )?denied",
    r"message refused",
    r"not (?:currently )?(?:authori[sz]ed|permitted|allowed)",
    r"unable to relay",
    r"\bpolicy\b",
    r"policies",
    r"prohibited",
    r"administrative(?:ly)? (?:prohib|reject|block|den)",
    r"local(?:ly)? (?:polic|reject)",
    r"content filter",
    r"mail ?box rule",
    r"rejected by (?:the )?(?:recipient|user|customer|antispam|filter)",
    r"postmaster\.(?:live|mail\.ru|yahooinc|google|gmx|web\.de|mail\.com|1und1|ionos)",
    r"postmaster\.aol",
    r"senders\.yahooinc",
    r"support\.google\.com/mail/\?p=",
    r"go\.microsoft\.com",
    r"sendersupport",
    r"unblock(?:ing)?\b",
    r"de-?list",
    r"accepts? (?:e-?)?mails? (?:only )?from",
    r"accepts? (?:only )?from",
    r"accepts? (?:any )?newsletters?",
    r"mails? from (?:you|outside)\b",
    r"mails? (?:from|of|for) your (?:domain|server|host|ip)\b",
    r"classified as\b",
)

# Words that the patterns above would take for us, though they are about the mailbox.
_BY_PROVIDER = any_of(
    # Microsoft: no such mailbox
    r"recipient address(?:es)? rejected ?: access denied",
    r"recipientnotfound",
    # QQ
    r"mailbox unavailable or access denied",
    r"blocked .{0,20}inactiv",
    r"support\.google\.com/mail/\?p=(?:nosuchuser|disableduser|overquota\w*|inactive\w*"
    r"|maxsizeerror|badrcptsyntax)",
    r"go\.microsoft\.com/fwlink/\?LinkID=526653",
)
# GMX, WEB.DE and IONOS name their page in refusals of a mailbox too.
_PAGE = re.compile(
    r"((?:mailbox unavailable|exceeded storage allocation)\b.{0,160})for explanation visit \S{1,400}",
    re.IGNORECASE,
)


def speaks_of_us(line: str) -> bool:
    """Whether the words are about the sender, whatever else they mention."""
    said = _said(line)
    if _BY_PROVIDER.search(said) is not None:
        return False
    return _LOOSE.search(said) is not None or _speaks_surely(said)


def speaks_surely_of_us(line: str) -> bool:
    """Whether the words are about the sender, and no refusal of a mailbox would use them."""
    said = _said(line)
    return _BY_PROVIDER.search(said) is None and _speaks_surely(said)


def _speaks_surely(said: str) -> bool:
    return _SURE.search(said) is not None or is_sender_at_fault(said)


def _said(line: str) -> str:
    return _PAGE.sub(r"\1", without_names(line))
