"""Why each check matters, by its word: a sentence for someone who runs a mail server."""

REASONS = {
    "setting": "The service starts only with a file that it understands, and does what stands there.",
    "newsletter-name": (
        "A newsletter that the file no longer names is not sent, and its readers cannot leave."
    ),
    "dns-answers": "While DNS does not answer, senders find neither this server nor its proofs.",
    "host-address": "Senders connect to the addresses of the hostname: a wrong one leads to another machine.",
    "reverse-name": "Large providers refuse mail from an address whose name does not lead back to it.",
    "web-address": "Readers confirm and leave on these pages.",
    "ipv6": "Some networks reach the rest of the internet over IPv6 alone.",
    "caa": "CAA records decide which authorities may issue a certificate for this server.",
    "mx-place": "Senders find this server only if it is among the domain's MX records.",
    "mx-preference": (
        "A backup comes after every other host, or mail comes here although the primary is well."
    ),
    "mx-primary": "A backup hands mail to a better host: without one the mail waits until it is too old.",
    "mx-loop": "If the primary's name leads to this server, mail would go round in a circle.",
    "mx-target": "An MX record names a host with addresses; senders skip or refuse anything else.",
    "mx-null": "A null MX says that the domain takes no mail at all: senders give up at once.",
    "wildcard": "A wildcard record answers for names that do not exist, also for those of mail policies.",
    "bounces-mx": "Reports about mail to readers, and mail by which readers leave, come to this domain.",
    "spf-record": "Without exactly one SPF record, receivers cannot tell this server from a forger.",
    "spf-syntax": "A record with a mistake counts as a permanent error, and mail as unproved.",
    "spf-lookups": "Receivers give up after ten look-ups (RFC 7208), and mail counts as unproved.",
    "spf-strictness": "The end of the record says what becomes of mail from all other addresses.",
    "spf-sender": "The record must allow the addresses from which the mail really comes.",
    "dkim-record": "Signatures can be checked only with the public key in DNS, in one record per selector.",
    "dkim-syntax": "A key record with a mistake is no key: every signature fails.",
    "dkim-key": "If DNS has another key than this server signs with, every signature fails.",
    "dkim-revoked": "An empty key says that every signature made with it is void.",
    "dkim-testing": "In test mode receivers treat signed mail as if it were unsigned.",
    "dmarc-record": "Large providers require exactly one DMARC record from everyone who sends to many.",
    "dmarc-syntax": "A record with a mistake counts as none.",
    "dmarc-policy": "Only quarantine or reject keeps others from writing mail in the domain's name.",
    "dmarc-alignment": "DMARC counts a signature or SPF only if its domain belongs to the one in From.",
    "tlsa-record": "With a TLSA record in a signed zone, senders cannot be led to a forged server (DANE).",
    "tlsa-signed": "Senders ignore TLSA records in a zone that is not signed.",
    "tlsa-match": "Senders that use DANE deliver only to a server whose key the TLSA records name.",
    "tlsa-rollover": "A second record for the next key lets the certificate change without refused mail.",
    "mta-sts-id": (
        "Senders fetch the policy only if there is one record with an id, and again when it changes."
    ),
    "mta-sts-policy": "Senders obey the policy only if it is served as RFC 8461 says.",
    "mta-sts-hosts": "Senders that obey the policy deliver only to the hosts that it names.",
    "mta-sts-mode": "Only the mode enforce protects mail; testing and none change nothing for senders.",
    "tls-reports": "Large providers report once a day whether their mail came encrypted (TLS-RPT).",
    "dnssec": "Answers of a signed zone cannot be forged, and DANE needs one.",
    "name-servers": "A zone is found over IPv6 if at least two of its name servers have an IPv6 address.",
    "rpki": "Signed routes keep another network from taking over the addresses of mail hosts.",
    "clock": "Signatures, certificates and the days that mail is kept all depend on the right time.",
    "disk-space": "Below the reserve every sender is asked to come again later, and no new mail is held.",
    "quotas": "If the quotas together are larger than the disk, one domain can take the room of another.",
    "store-files": "Mail and keys in the store are readable by every user that may read its files.",
    "secret-files": "With a private key or a password another user of this machine can pose as this server.",
    "config-file": "A user that can write the configuration decides where all mail goes.",
    "service-user": "A service that stays root gives the whole machine to an intruder.",
    "known-bugs": "The libraries below this server decide whether mail stays intact and connections private.",
    "advisories": "A hole that is known is tried on every server, and often within a day.",
    "open-files": "Every connection takes an open file: at the limit new senders are turned away.",
    "walls": "A role that a stranger took over reaches only what its walls leave it; the kernel has them.",
    "units": "A unit that an older version or configuration wrote has other walls, ports or secrets.",
    "certificate": "Without a certificate and its key, mail crosses the internet in the clear.",
    "certificate-names": (
        "Senders that follow MTA-STS hand over no mail to a host whose name the certificate lacks."
    ),
    "certificate-days": (
        "Senders that check certificates refuse an expired one, and the mail waits with them."
    ),
    "certificate-chain": "Senders that follow MTA-STS trust a certificate only through its whole chain.",
    "certificate-strength": "A weak key or signature can be forged, and some senders refuse it.",
    "own-starttls": (
        "What senders see at port 25 decides whether their mail is encrypted, not what the files hold."
    ),
    "resolver": "Without an answer from DNS no mail finds its way.",
    "resolver-truth": "A resolver that invents addresses leads mail for mistyped domains to strangers.",
    "resolver-place": (
        "Block lists answer no resolver that many share, and its answers can be changed on their way."
    ),
    "resolver-dnssec": "Without validation a forged answer leads mail to another server; DANE needs it too.",
    "ports": "If another program has a port, the service does not start.",
    "port-25-out": "Mail servers take mail on port 25 only, and many hosting companies close it.",
    "port-25-in": (
        "If senders cannot reach port 25, they cannot hand over the mail that the primary cannot take."
    ),
    "block-list": "Many servers refuse mail from addresses on these lists.",
    "primary-reachable": "Held mail ends at the primary: it waits here for as long as no host of it answers.",
    "primary-tls": (
        "On the way to the primary mail can be read, or taken by another server, unless TLS protects it."
    ),
    "primary-trust": (
        "A primary that judges this server like a stranger refuses other people's mail that passes it."
    ),
    "primary-catch-all": (
        "If the primary takes every address, it cannot tell which exist, and spam for all of them is held."
    ),
    "primary-offers": "What the primary does not take is refused here at once, before it waits for nothing.",
    "recipients-known": "While the primary is away only known recipients are certain to exist.",
    "held-mail": "Mail is held for as long as `keep` says, and then kept for the owner to decide.",
    "owner-route": "Alarms must reach the owner while other roads are blocked.",
    "smart-host": "Mail that a route sends to a smart host waits until that host takes it.",
    "sign-up-page": "Readers sign up, confirm and leave on these pages, by links that are in every mail.",
    "leave-link": (
        "Large providers want a link that unsubscribes in one step, and punish senders without one."
    ),
    "feed": "An issue is made of the articles in the feed: without it there is none.",
    "postal-address": "Some countries want a postal address in every newsletter (in the USA: CAN-SPAM).",
    "signing-keys": (
        "Mail to readers is signed with these keys (DKIM), and most providers refuse it unsigned."
    ),
    "self-test-received": (
        "While the primary is away senders come here, and this server must take their mail."
    ),
    "self-test-route": "Held mail can be handed over only if it is clear where the primary is.",
    "self-test-connection": "Held mail leaves as soon as a host of the primary lets this server in.",
    "self-test-tls": "Without TLS the mail that is handed over can be read on its way.",
    "self-test-taken": "A primary that refuses this server refuses the mail of an outage, all of it at once.",
    "header-way": (
        "A header says something of the primary's trust only if the message came through this server."
    ),
    "header-spf": (
        "SPF compares the sender's domain with an address; behind a relay that is not the sender's."
    ),
    "header-dkim": "A signature that survives proves the sender, whichever way a message came.",
    "header-dmarc": "Mail that fails DMARC is refused or filed as spam if its sender's domain asks for it.",
    "header-arc": "ARC hands on what earlier servers found out; the primary decides whose word it takes.",
    "header-compauth": "Microsoft 365 decides by its own combined result whether a sender counts as forged.",
    "header-spam": "Mail that arrives in the spam folder is hardly better than mail that does not arrive.",
    "header-trust": (
        "A primary that takes its backup for the sender rejects good mail and learns to distrust the backup."
    ),
    "header-others": "The sender of a message can write results of checks into it: they prove nothing.",
}
