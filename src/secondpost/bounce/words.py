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
    r"spamhaus|spamcop|barracuda(?:central)?|sorbs|uceprotect|senderscore|proofpoint|cloudmark|abusix|invaluement",
    r"\b(?:block|black|deny|reject)[ -]?list(?:s|ed|ing)?\b|\b[dr]?bls?\b|\brbl\b|dnsbl|listed (?:at|by|in|on)\b",
    r"reputation|banned sending ip|\bs3(?:140|150|114)\b|\btss?0\d\b|\bcs01\b|\bhm0\d\b",
    r"(?:your|sending|sender'?s?|client|connecting|source)\b.{0,20}\bip\b.{0,60}"
    r"(?:block|refus|reject|denied|not allowed|temporarily deferred|banned|restrict)",
    r"\bip(?: address)?\b.{0,80}(?:is|has been|was|were)(?: temporarily)? "
    r"(?:blocked|banned|blacklisted|deferred|rate[ -]?limited|refused|restricted|listed)",
    r"blocked (?:using|by|for|due|because|from sending)|part of their network is on our",
    r"(?:host|server|network|client|sender|domain|message|mail|email|connection)s?(?: \S{1,60})?"
    r" (?:is|has been|was|were|are)(?: temporarily| currently)? (?:blocked|banned|blacklisted|refused by policy)",
    r"(?:sender|domain|envelope|from)(?: address)?(?: \S{1,60})? (?:is )?(?:rejected|denied|blocked|refused|banned)",
    r"of sender address|sender verify failed|sender (?:address )?rejected|invalid sender|bad sender|unknown sender",
    # spam
    r"\bspam\w*|unsolicited|junk ?mail|\bube\b|\buce\b|bulk ?mail(?:er|ing)?|complaints?\b|abus(?:e|ive)\b",
    r"looks? like (?:spam|phish)|phish|likely suspicious|suspicious(?:ly)?\b|poor(?:ly)? reput",
    # authentication
    r"\bdmarc\b|\bspf\b|\bdkim\b|\barc\b (?:seal|chain)|unauthenticated|authentication (?:required|failed|checks?)",
    r"not (?:pass )?authenticat|authentication[- ]?results|sender id\b|domainkeys",
    # names of ours
    r"\bptr\b|reverse[ -]?dns|\brdns\b|reverse (?:hostname|lookup|record|name)|fcrdns"
    r"|cannot find your (?:reverse )?hostname|client host(?:name)?\b.{0,40}(?:rejected|not found|blocked)",
    r"helo (?:command )?(?:rejected|name|refused)|ehlo.{0,30}(?:rejected|invalid)|\bhelo\b.{0,40}(?:invalid|forbidden)",
    # rate
    r"rate[ -]?limit|rate (?:exceed|is too)|too many (?:messages|mails|emails|connections|sessions|recipients|errors)"
    r"|(?:sending|mail|message|connection)s? (?:too fast|limit|rate|quota for your|frequency)|throttl"
    r"|slow down|too (?:fast|much mail)|exceed\w* .{0,40}(?:per (?:hour|minute|day|second)|connections?|rate)"
    r"|concurrent connections|unusual (?:rate|volume|amount)|excessive (?:volume|number|amount|rate)|traffic (?:limit|from)"
    r"|try(?:ing)? to send too|receiving mail at a rate|messages? per (?:hour|minute|day|connection)",
    # policy and TLS
    r"(?:access|relay(?:ing)?|permission|delivery|service|message|connection) (?:is )?denied|message refused"
    r"|not (?:currently )?(?:authori[sz]ed|permitted|allowed)|unable to relay|\bpolicy\b|policies|prohibited|administrative(?:ly)? (?:prohib|reject|block|den)"
    r"|local(?:ly)? (?:polic|reject)|content filter|mail ?box rule|rejected by (?:the )?(?:recipient|user|customer|antispam|filter)"
    r"|must (?:use|issue a) (?:tls|starttls)|starttls (?:is )?(?:required|first)|requires? (?:tls|encryption|starttls)"
    r"|transport layer security|without tls",
    r"postmaster\.(?:live|mail\.ru|yahooinc|google|gmx)|postmaster\.aol|senders\.yahooinc|support\.google\.com/mail/\?p="
    r"|go\.microsoft\.com|sendersupport|unblock(?:ing)?\b|de-?list|accept mails? from you",
)

# Words that the patterns above would take for us, though they are about the mailbox.
_BY_PROVIDER = _any_of(
    r"recipient address rejected: access denied",  # Microsoft: no such mailbox
    r"blocked .{0,20}inactiv",
    r"support\.google\.com/mail/\?p=(?:nosuchuser|disableduser|overquota\w*|inactive\w*|receivingrate)",
    r"go\.microsoft\.com/fwlink/\?LinkID=526653",
)

NO_SUCH_MAILBOX = _any_of(
    r"(?:user|mail ?box|recipient|address|account|destinat\w+)\b.{0,60}?"
    r"(?:unknown|not (?:be )?found|not (?:currently )?exist|n[o']t (?:seem to )?exist|invalid|not (?:a )?(?:valid|known|local)"
    r"|no longer (?:exists?|valid|here|available|on server|in use|employed)|has (?:been )?(?:moved|deleted|removed|closed)"
    r"|undeliverable|not our customer|not listed|isn'?t here|not recogni[sz]ed|doesn'?t have)",
    r"(?:unknown|invalid|no such|nonexistent|non-existent|unrouteable|unroutable|bad)"
    r" (?:or (?:invalid|unknown) )?(?:local |e-?mail |final |destination )?"
    r"(?:user|mail ?box|recipient|address|account|person|part|name here|local[- ]part)",
    r"(?:user|account|person|recipient|mail ?box|one)? ?(?:does|do)(?:n'?t| not) (?:exist|have an? \S{1,40} account)",
    r"no (?:mail ?box|account|user|one|person)\b.{0,30}\b(?:here|by that name|with that name|found|of that name|under)",
    r"(?:there is )?no one (?:here )?(?:by|with)|not (?:a )?(?:known|valid) (?:user|recipient|mail ?box|address)",
    r"recipientnotfound|recipnotfound|recipient not found|user_?unknown|unknown_?user|no_?such_?user|nosuchuser"
    r"|mailbox_?not_?found|user not known|is not known|adresse? d[eu]stinata\w+ inconnue|utente sconosciuto"
    r"|empf(?:ä|ae)nger unbekannt|unbekannt|destinataire inconnu|usuario desconocido|inconnu\b"
    r"|пользователь не найден|адресат не существует",
    r"(?:left|no longer works (?:at|for)) (?:the|this) (?:company|organi[sz]ation)",
)

FULL = _any_of(
    r"over ?quota|quota (?:is )?(?:exceed\w*|full|reached)|exceed\w* (?:\S{1,20} ){0,3}(?:storage|quota|mail ?box)",
    r"(?:mail ?box|inbox|storage|account|maildir|disk space)\b.{0,40}(?:is |are )?(?:full|exceeded|exhausted|out of storage)",
    r"full (?:mail ?box|inbox)|not enough (?:storage|disk) space|insufficient (?:disk|storage|system storage)|out of (?:storage|disk) space",
    r"too much mail data|size of (?:the )?mail ?box|out of storage space",
    r"(?:account|mail ?box|user|address|recipient)\b.{0,60}?\b(?:is |has been |was |are )?(?:currently |temporarily )?"
    r"(?:disabled|inactive|suspended|deactivated|locked|frozen|dormant|not active|discontinued|blocked)",
    r"(?:disabled|inactive|suspended|deactivated|locked|dormant) (?:e-?mail )?(?:account|mail ?box|user|recipient|address)",
    r"disableduser|overquota|inactive(?:user)?\b.{0,20}mail|not (?:been )?(?:used|accessed|logged in)\b.{0,40}(?:days|months|long)",
    r"speicherplatz|postfach ist voll|bo[iî]te .{0,10}pleine|cuota excedida|casella piena|почтовый ящик переполнен",
)

NO_SUCH_DOMAIN = _any_of(
    r"(?:host|domain)(?: name)?\b.{0,60}(?:not (?:be )?found|unknown|not exist|n[o']t exist|lookup did not resolve)",
    r"(?:unknown|invalid|no such|bad|nonexistent) (?:host|domain)|\bnxdomain\b|no (?:mx|mail exchanger)",
    r"null ?mx|does not accept (?:any )?mail(?! from)|takes no mail|all relevant mx records point to non-existent hosts"
    r"|unrouteable (?:mail )?domain|domain (?:has )?expired",
)

OF_CONTENT = _any_of(
    r"(?:message|mail|header|body|attachment|content|line)s?\b.{0,40}(?:too (?:big|large|long)|exceeds?\b.{0,30}(?:size|limit|maximum))",
    r"(?:size|length) (?:limit|exceed)|max(?:imum)? (?:message|mail|allowed) size|message size",
    r"virus|malware|infected|forbidden (?:attachment|content|file)|attachment.{0,30}(?:not allowed|blocked|rejected)",
    r"(?:lone|bare|stray) (?:cr|lf|newline)|malformed|(?:bad|invalid|missing|illegal|duplicate) "
    r"(?:header|message-id|from header|date header|mime|syntax in header)|mime (?:error|structure)|rfc ?5?[28]22|"
    r"not (?:rfc )?5322|8[- ]?bit (?:data|characters)",
    r"(?:link|url|domain)s? in (?:the |your )?(?:message|body|mail)|content (?:rejected|denied|not acceptable|blocked)",
)

TEMPORARY = _any_of(
    r"grey ?list|gray ?list|try (?:it )?(?:again|later)|temporar(?:y|ily)|please retry|retry (?:later|timeout)"
    r"|timed? ?out|delivery time expired|(?:too|very) busy|resources|system (?:load|problem)|not available (?:now|at)",
)


def speaks_of_us(text: str) -> bool:
    """Whether the words are about the sender, whatever else they mention."""
    return _BY_PROVIDER.search(text) is None and OF_US.search(text) is not None
