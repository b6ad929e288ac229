"""Whether a refusal finds fault with the sender: with our address, domain, host or IP address. Pure.

The words for that fault are those for a reader's mailbox ("does not exist", "unknown", "quota
exceeded"); what tells them apart is the subject of the sentence.
"""

import re

from secondpost.bounce.wording import OTHER, OURS, any_of

FAULT_CHARACTERS_MAX = 48  # from the sender to the word for its fault

_IP = r"(?<![\d.])\[?\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\]?(?![\d.]\d)"
_OUR = re.escape(OURS)
_NOUN = (
    r"(?:e-?mail|address|account|domain|host|host ?name|user|mail ?box|mail|server|name|system|ip|mta|client"
    r"|header|verif\w{1,7})"
)
_SENDER = (
    r"(?:(?<!to )\bsender['’]?s?\b"
    r"|\b(?:mail|header|envelope)[ -]from\b"
    r"|\bfrom(?=[ :-]{1,2}(?:address|domain|header|field)\b)"
    r"|\breturn[ -]path\b"
    r"|\breturn(?= address\b)"
    r"|\breply-to\b"
    r"|\bmessage-id\b"
    r"|\bmailfrom\b"
    r"|\boriginator\b"
    r"|\bauthor(?= (?:address|domain)\b)"
    r"|\b(?:sending|connecting|relay)(?= (?:domain|host|server|ip|address|system|client|mta)\b)"
    r"|\b(?:helo|ehlo)\b"
    r"|\bclient(?= (?:host|ip|address|name))"
    r"|\byour(?: (?:own|mail|e-?mail|smtp|sending|source|from))?(?= (?:domain|host|server|ip\b|helo\b|ehlo\b"
    r"|(?:e-?mail )?address\b(?! (?:book|list))))"
    r"|\babsender\w{0,12}"
    r"|\bexp[ée]diteur\b"
    r"|\bmittente\b"
    r"|\bremitente\b"
    r"|\bnadawc\w{1,3}"
    r"|\bотправител\w{1,3})"
)
_SUBJECT = any_of(
    rf"{_SENDER}(?:[ -]{_NOUN}\b){{0,4}}",
    rf"(?<!from ){_OUR}(?:[ .:]{{1,4}}{_NOUN}\b){{0,3}}",
    rf"{_IP}(?=:? (?:is|was|has|does)\b|: (?:host|domain)\b)",
)
_FAULT = any_of(
    r"(?:do|does)(?: not|n['’]?t)(?: \w{1,10})? (?:exist|resolve|match|have)",
    r"\b(?:not|cannot|can['’]?t|couldn['’]?t|isn['’]?t|never)(?: be| an?| currently| been| yet){0,2}"
    r" (?:known|found|valid|exist\w{0,3}|resolv\w{1,3}|recogni[sz]ed|verified|accepted|allowed|permitted"
    r"|welcome|trusted|local)",
    r"\b(?:unknown|invalid|forged|nonexistent|non-existent|unroute?able|undeliverable|unverified|untrusted)\b",
    r"\b(?:no|null|without) ?(?:valid )?(?:mx|a|aaaa|dns|ptr|spf)\b",
    r"\bno such\b",
    r"\b(?:must|should) (?:be|exist|have|resolve)\b",
    r"\b(?:disabled|suspended|deactivated|inactive|locked|banned|blocked|denied|rejected|refused)\b",
    r"\bquota\b|\bfull\b",
    r"\bunbekannt|\bung(?:ü|ue)ltig|\bgesperrt|existier(?:t|en) nicht"
    r"|\bnicht (?:erlaubt|zugelassen|gefunden)",
    r"\binconnue?\b|\binvalide\b|n['’]existe pas|\brefus|\bbloqu|\binterdit|non autoris",
    r"\bsconosciut|\binesistent|non valid|\bdesconocid|\binexistente|no existe",
    r"\bnieznan|nie istnieje|\bнеизвест|не найден|не существует",
)
# There the sentence ends, or turns to a recipient or to what another server said.
_TURN = any_of(
    r"[.;!?](?:\s|$)",
    r"\b(?:(?:unknown|invalid|bad|no such) )?(?:recipients?|rcpt)\b",
    r"\b(?:users?|mail ?box(?:es)?|accounts?|address(?:es|ees?)?|person|customer|alias)\b",
    r"\b(?:empf(?:ä|ae)nger|destinata\w{1,5}|postfach|adresse|utente|usuario)\b",
    r"\b(?:to|for|said|says|respon\w{1,5}|repl(?:y|ied))\b",
    r"\b[45]\d\d\b",
    re.escape(OTHER),
)
# Our address was checked; the words for the result are any server's.
_VERIFIED = any_of(
    r"\((?:helo|ehlo|sender|mail from|envelope[ -]from)\)",
    r"\bsender(?: address)? (?:verif\w{1,7}|call-?(?:out|back))",
    r"\b(?:verif\w{1,7}|call-?(?:out|back)) (?:of|for) (?:the )?sender",
)
_FAULT_FIRST = any_of(
    r"\b(?:invalid|unknown|bad|forged|no such|nonexistent|unresolvable|unverified)"
    rf"(?: (?!recipient|user|mail ?box)\w{{1,12}})?(?: (?:of|in|for))?(?: the)? (?:{_SENDER}|{_IP})",
    rf"\b(?:mx|dns|ptr|a records?)(?: records?)?(?: found)? (?:for|of) (?:the )?(?:{_SENDER}|{_IP})",
    r"(?:cannot|can['’]?t|could not|couldn['’]?t|unable to|failed to) (?:verify|resolve|find|validate)"
    rf" (?:the )?{_SENDER}",
    rf"\b(?:unknown|invalid|no such|not found|not exist|unroute?able)(?: {_NOUN})?[: ]{{1,3}}{_OUR}",
    r"\blow(?: \w{1,12})? trust\b|\blow sender\b",
)


def is_sender_at_fault(said: str) -> bool:
    """Whether the sender is at fault by the words of a line, in the form of `wording.without_names`."""
    if _VERIFIED.search(said) is not None or _FAULT_FIRST.search(said) is not None:
        return True
    return any(_FAULT.search(_rest_of_clause(said, found.end())) for found in _SUBJECT.finditer(said))


def _rest_of_clause(said: str, begin: int) -> str:
    return _TURN.split(said[begin : begin + FAULT_CHARACTERS_MAX], maxsplit=1)[0]
