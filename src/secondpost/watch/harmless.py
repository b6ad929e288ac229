"""Why what attackers try does nothing to this server, for each rule of protocols/attacks."""

from collections.abc import Mapping
from types import MappingProxyType

NO_PROGRAM = "No program is ever started with mail data, so there is no shell to reach."
NO_EXPANSION = "Addresses and headers are text and are never expanded: there is no such language here."
BOUND = "Every value reaches the database as a parameter, never as part of a query."
BOUNDED = "Lines have a bound, and Python checks every index."
NO_LOGIN = "No login is offered on this port, so there is no password to guess here."
NOT_OFFERED = "The command does not exist here."
NO_SECRETS = "It learns nothing: the answer is the same for every address."
REFUSED = "It is refused like every violation of SMTP, and the connection ends after some of them."

HARMLESS: Mapping[str, str] = MappingProxyType(
    {
        "exim-2019-10149": NO_EXPANSION,
        "exim-2019-15846": "The name is read as it is, with no escapes in it, and every client is shown "
        "the same certificate.",
        "exim-hex-escapes": NO_EXPANSION,
        "milter-2010-1132": NO_PROGRAM,
        "zimbra-2024-45519": NO_PROGRAM,
        "opensmtpd-2020-7247": f"{NO_PROGRAM} The one parser of addresses refuses this.",
        "sendmail-arguments": f"{NO_PROGRAM} Addresses never become options.",
        "shell-in-address": NO_PROGRAM,
        "pipe-address": f"{NO_PROGRAM} Mail is handed on by SMTP alone.",
        "shellshock": f"{NO_PROGRAM} No mail data becomes an environment variable.",
        "log4shell": "The log takes text as text, and is not written by Java. Look after Java programs "
        "that read this mail.",
        "etrn-injection": f"ETRN is not offered. {BOUND}",
        "bdat-size": "BDAT is not offered.",
        "long-hello": BOUNDED,
        "long-login": f"{BOUNDED} {NO_LOGIN}",
        "smuggling": "Only CRLF.CRLF ends a message here, and on the way out every line end is a CRLF, so "
        "that no server behind this one is misled.",
        "tls-injection": "What comes behind STARTTLS in the clear is thrown away, and the connection ends.",
        "hostile-reply": "Replies are stored as values of bounded length, never as lines of a file.",
        "debug-command": NOT_OFFERED,
        "header-injection": "Headers of relayed mail are never decoded and written anew; ours are checked "
        "after decoding.",
        "address-of-two": "There is one strict parser of addresses, and it refuses this.",
        "sql-probe": BOUND,
        "path-traversal": "No address is ever part of a path: files are named by their queue id.",
        "template-probe": "Templates are our own; what strangers write is only filled in, and escaped.",
        "script-probe": "Pages show text from outside escaped, and allow no script but their own.",
        "line-end-in-command": "A command with a control character is refused as a whole.",
        "proxy-header": "The PROXY protocol is not spoken here, so a client cannot pass for another.",
        "claimed-client": NOT_OFFERED,
        "ntlm-probe": NO_LOGIN,
        "external-login": NO_LOGIN,
        "login-storm": NO_LOGIN,
        "guessed-recipients": "Wrong recipients end the session, and their number is limited.",
        "relay-probe": "Mail is taken only for your domains: this is no open relay.",
        "many-received": "Nothing is bounced to a sender; a message with 100 Received fields is refused.",
        "login": NO_LOGIN,
        "address-search": NO_SECRETS,
        "http": "The connection ends at the first word of another protocol.",
        "tls-at-once": "The connection ends at the first octet.",
        "other-protocol": "The connection ends at the first word of another protocol.",
        "scanner": "It sees what every client sees.",
        "octets-in-command": REFUSED,
        "talks-ahead": "Commands are obeyed one after the other, whenever they come.",
        "bare-line-ends": "They are made CRLF, or the message is refused (`receive.bare_newlines`).",
    }
)
