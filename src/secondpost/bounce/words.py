"""The words in which mail servers refuse, by what they say. Pure.

Patterns are tried on at most TEXT_CHARACTERS_MAX characters, in one line; gaps in them are bounded,
so that none can be made slow. Cases for every pattern are in tests/bounce/replies.
"""

import re

TEXT_CHARACTERS_MAX = 1_000


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# Our reputation, authentication, rate, name or TLS. Looked for first: many hosts send such refusals
# with a status of another subject, and with words about the recipient too.
OF_US = _any_of(
    # block lists and reputation
    r"spamhaus",
    r"spamcop",
    r"barracuda(?:central)?",
    r"sorbs",
    r"uceprotect",
    r"senderscore",
    r"proofpoint",
    r"cloudmark",
    r"abusix",
    r"invaluement",
    r"\b(?:block|black|deny|reject)[ -]?list(?:s|ed|ing)?\b",
    r"\b[dr]?bls?\b",
    r"\brbl\b",
    r"dnsbl",
    r"(?<!not )listed (?:at|by|in|on)\b",
    r"reputation",
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
    r"poor(?:ly)? reput",
    r"banned content",
    r"recurrent pattern",
    # authentication
    r"\bdmarc\b",
    r"\bspf\b",
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
    # policy and TLS
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
    r"must (?:use|issue a) (?:tls|starttls)",
    r"starttls (?:is )?(?:required|first)",
    r"requires? (?:tls|encryption|starttls)",
    r"transport layer security",
    r"without tls",
    r"route requires",
    r"postmaster\.(?:live|mail\.ru|yahooinc|google|gmx|web\.de|mail\.com|1und1|ionos)",
    r"postmaster\.aol",
    r"senders\.yahooinc",
    r"support\.google\.com/mail/\?p=",
    r"go\.microsoft\.com",
    r"sendersupport",
    r"unblock(?:ing)?\b",
    r"de-?list",
    r"accepts? (?:e-?)?mails? (?:only )?from",
)

# Words that the patterns above would take for us, though they are about the mailbox.
_BY_PROVIDER = _any_of(
    # Microsoft: no such mailbox
    r"recipient address(?:es)? rejected ?: access denied",
    # GMX, WEB.DE and IONOS, which name their page in every refusal
    r"(?:mailbox unavailable|exceeded storage allocation).{0,10}for explanation visit",
    r"blocked .{0,20}inactiv",
    r"support\.google\.com/mail/\?p=(?:nosuchuser|disableduser|overquota\w*|inactive\w*"
    r"|maxsizeerror|badrcptsyntax)",
    r"go\.microsoft\.com/fwlink/\?LinkID=526653",
)

NO_SUCH_MAILBOX = _any_of(
    r"(?:user|mail ?box|recipient|address|account|destinat\w+)\b.{0,60}?(?:unknown|not "
    r"(?:be )?found|not (?:currently )?exist|n[o']t (?:seem to )?exist|invalid|not (?:a )?"
    r"(?:valid|known|local)|no longer (?:exists?|valid|here|available|on server|in use"
    r"|employed)|has (?:been )?(?:moved|deleted|removed|closed)|undeliverable|not our customer"
    r"|not listed|isn'?t here|not recogni[sz]ed|doesn'?t have"
    r"|(?:could|was)n['’]?t (?:be )?found)",
    r"wasn['’]?t found at",
    r"not our customer",
    r"(?:unknown|invalid|no such|nonexistent|non-existent|unrouteable|unroutable|bad) (?:or "
    r"(?:invalid|unknown|illegal) )?(?:local |e-?mail |final |destination |virtual )?(?:user"
    r"|mail ?box"
    r"|recipient|address|account|person|part|name here|local[- ]part|alias)",
    r"(?:user|account|person|recipient|mail ?box|one)? ?(?:does|do)(?:n'?t| not) (?:exist"
    r"|have an? \S{1,40} account)",
    r"no (?:mail ?box|account|user|one|person)\b.{0,30}\b(?:here|by that name|with that name"
    r"|found|of that name|under|available)",
    r"(?:there is )?no one (?:here )?(?:by|with|at)",
    r"not (?:an? )?(?:known|valid|active) (?:user|recipient|mail ?box|address)",
    r"is no longer valid",
    r"not present in (?:the )?directory",
    r"recipientnotfound",
    r"recipnotfound",
    r"recipient not found",
    r"user_?unknown",
    r"unknown_?user",
    r"no_?such_?user",
    r"nosuchuser",
    r"mailbox_?not_?found",
    r"user not known",
    r"is not known",
    r"adresse? d[eu]stinata\w+ inconnue",
    r"utente sconosciuto",
    r"empf(?:ä|ae)nger unbekannt",
    r"unbekannt",
    r"destinataire inconnu",
    r"usuario desconocido",
    r"inconnu\b",
    r"пользователь не найден",
    r"адресат не существует",
    r"(?:left|no longer works (?:at|for)) (?:the|this) (?:company|organi[sz]ation)",
)

FULL = _any_of(
    r"over ?quota",
    r"quota (?:is )?(?:exceed\w*|full|reached)",
    r"exceed\w* (?:\S{1,20} ){0,3}(?:storage|quota|mail ?box)",
    r"(?:mail ?box|inbox|storage|account|maildir|disk space)\b.{0,40}(?:is |are )?(?:full"
    r"|exceeded|exhausted|out of storage)",
    r"full (?:mail ?box|inbox)",
    r"not enough (?:storage|disk) space",
    r"insufficient (?:disk|storage|system storage)",
    r"out of (?:storage|disk) space",
    r"too much mail data",
    r"size of (?:the )?mail ?box",
    r"out of storage space",
    r"(?:account|mail ?box|user|address|recipient)\b.{0,60}?\b(?:is |has been |was |are )?"
    r"(?:currently |temporarily )?(?:disabled|inactive|suspended|deactivated|locked|frozen"
    r"|dormant|not active|discontinued|blocked)",
    r"(?:disabled|inactive|suspended|deactivated|locked|dormant) (?:e-?mail )?(?:account"
    r"|mail ?box|user|recipient|address)",
    r"disableduser",
    r"overquota",
    r"inactive(?:user)?\b.{0,20}mail",
    r"not (?:been )?(?:used|accessed|logged in)\b.{0,40}(?:days|months|long)",
    r"speicherplatz",
    r"postfach ist voll",
    r"bo[iî]te .{0,10}pleine",
    r"cuota excedida",
    r"casella piena",
    r"почтовый ящик переполнен",
)

NO_SUCH_DOMAIN = _any_of(
    r"(?:host|domain)(?: name)?\b.{0,60}(?:not (?:be )?found|unknown|not exist|n[o']t exist"
    r"|lookup did not resolve)",
    r"(?:unknown|invalid|no such|bad|nonexistent) (?:host|domain)",
    r"\bnxdomain\b",
    r"no (?:mx|mail exchanger)",
    r"null ?mx",
    r"does not accept (?:any )?mail(?! from)",
    r"takes no mail",
    r"all relevant mx records point to non-existent hosts",
    r"unrouteable (?:mail )?domain",
    r"domain (?:has )?expired",
)

OF_CONTENT = _any_of(
    r"(?:message|mail|header|body|attachment|content|line)s?\b.{0,40}(?:(?<!queue )too (?:big|large|long)"
    r"|exceeds?\b.{0,30}(?:size|limit|maximum))",
    r"(?:size|length) (?:limit|exceed)",
    r"max(?:imum)? (?:message|mail|allowed) size",
    r"message size",
    r"line length",
    r"virus",
    r"malware",
    r"infected",
    r"forbidden (?:attachment|content|file)",
    r"attachment.{0,30}(?:not allowed|blocked|rejected)",
    r"(?:lone|bare|stray) (?:cr|lf|newline)",
    r"malformed",
    r"(?:bad|invalid|missing|illegal|duplicate) (?:header|message-id|from header|date header"
    r"|mime|syntax in header)",
    r"mime (?:error|structure)",
    r"rfc ?5?[28]22",
    r"not (?:rfc )?5322",
    r"not rfc[ -]compliant",
    r"8[- ]?bit (?:data|characters)",
    r"(?:link|url|domain)s? in (?:the |your )?(?:message|body|mail)",
    r"content (?:rejected|denied|not acceptable|blocked)",
)

GREYLISTED = _any_of(r"gr[ea]y ?list")

TEMPORARY = _any_of(
    GREYLISTED.pattern,
    r"try (?:it )?(?:again|later)",
    r"temporar(?:y|ily)",
    r"please retry",
    r"retry (?:later|time)",
    r"failing for a long time",
    r"queue too long",
    r"message expired",
    r"timed? ?out",
    r"delivery time expired",
    r"(?:too|very) busy",
    r"resources",
    r"system (?:load|problem)",
    r"not available (?:now|at)",
)


# Names tell nothing, whatever word they contain: the reader's address, and the server that refused, as
# Exim quotes it. A provider's desk for complaints does.
_ADDRESS = re.compile(r"(?<![\w.+=-])(?!(?:abuse|delist)@)[\w.+=-]{1,64}@[\w.-]{1,255}", re.IGNORECASE)
_SERVER = re.compile(r"\bhost [\w-]{1,63}\.[\w.-]{1,190} ?\[[\da-f.:]{1,45}\]", re.IGNORECASE)


def speaks_of_us(text: str) -> bool:
    """Whether the words are about the sender, whatever else they mention."""
    said = _SERVER.sub("host", _ADDRESS.sub("", text))
    return _BY_PROVIDER.search(said) is None and OF_US.search(said) is not None
