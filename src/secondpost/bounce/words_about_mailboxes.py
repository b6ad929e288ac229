"""The words in which mail servers refuse a mailbox, by what they say of it. Pure.

Cases for every pattern are in tests/bounce/replies.
"""

from secondpost.bounce.wording import any_of

NO_SUCH_MAILBOX = any_of(
    r"(?:user|mail ?box|recipient|address(?:ee)?|account|destinat\w+)\b.{0,60}?(?:unknown|not "
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
    r"validrcptto",
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
    r"(?:compte|destinataire|utilisateur|adresse)\b.{0,40}(?:inexistant|n['’]existe pas)",
    r"usuario desconocido",
    r"inconnu\b",
    r"пользователь не найден",
    r"адресат не существует",
    r"(?:left|no longer works (?:at|for)) (?:the|this) (?:company|organi[sz]ation)",
)

FULL = any_of(
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
    r"space (?:is )?not enough",
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

NO_SUCH_DOMAIN = any_of(
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

# Yandex says it with the status of a policy, which proves little in other words.
NO_SUCH_MAILBOX_BY_POLICY = any_of(r"^no such user!")
DISABLED_BY_POLICY = any_of(
    r"\b(?:user|recipient)['’]?s? mail ?box (?:is|has been|was) (?:currently )?(?:disabled|inactive|suspended"
    r"|full)",
)
