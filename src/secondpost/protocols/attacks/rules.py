"""The rules by which attacks on mail servers are recognised: one table, patterns over octets.

Every pattern takes time linear in its input: repetitions are bounded, or what follows them cannot
match inside them. Letters match in both cases. The tests hold each against attacks as they were seen
and against ordinary mail.
"""

from secondpost.protocols.attacks.rule import AttackGrade, AttackPlace, AttackRule, behaviour, rule_of

ADDRESS, LINE, HEADER, HELLO = AttackPlace.ADDRESS, AttackPlace.LINE, AttackPlace.HEADER, AttackPlace.HELLO
FIRST, BODY, REPLY = AttackPlace.FIRST, AttackPlace.BODY, AttackPlace.REPLY
SERVER_NAME = AttackPlace.SERVER_NAME
NOISE, PROBE, EXPLOIT = AttackGrade.NOISE, AttackGrade.PROBE, AttackGrade.EXPLOIT


_PROGRAM = (
    rb"(?:sh|bash|dash|zsh|ksh|sleep|wget|curl|fetch|nc|ncat|id|cat|chmod|echo|printf|python\d?|perl|php|ruby"
    rb"|for|while|read|exec|eval|ping|nslookup|dig|touch|base64|uname|whoami|sudo|rm|cp|mv|exit)"
)
_BEGIN = rb'^[<"\s]{0,256}'  # an address, with its bracket and quote, padded
SCANNER_NAMES = (
    rb"^(?:masscan|zmap|nmap|openvas|nessus|qualys|zgrab|shodan|censys|nuclei|checktls|netsystemsresearch)\b"
)
_COMMAND = rb"(?:(?:MAIL|RCPT)\s{1,8}(?:FROM|TO)\s{0,8}:|(?:EHLO|HELO)\s{1,8}[\w\[])"

SHELL_IN_ADDRESS = rule_of(
    "shell-in-address",
    (ADDRESS, HELLO),
    _BEGIN
    + rb"[;|&`]|[;|`]\s{0,64}"
    + _PROGRAM
    + rb"\b|&\s{0,64}"
    + _PROGRAM
    + rb"(?=[\s$;|&`<>])|\|\s{0,64}/|`[^`]{1,256}`|\$\(|\$\{?IFS\b",
    EXPLOIT,
    "Has a shell command in an address, for a server that passes addresses to a shell.",
)
OPENSMTPD_2020_7247 = rule_of(
    "opensmtpd-2020-7247",
    (ADDRESS,),
    # No domain at all is what lets the hole skip its check of the local part.
    _BEGIN + rb";\s{0,64}\S|^[^@;|`]*[;|`][^@]*$|\bfor\s{1,8}\w{1,16}\s{1,8}in\b.{0,512}\bdo\s{1,8}read\b",
    EXPLOIT,
    "Runs a command as root through the sender's address, in OpenSMTPD before 6.6.2.",
    "CVE-2020-7247",
)
EXIM_2019_10149 = rule_of(
    "exim-2019-10149",
    (ADDRESS, HEADER, HELLO, LINE, SERVER_NAME),
    rb"\$\{\s{0,64}(?:run|readfile|readsocket|perl|dlfunc|lookup|expand|sg|if|map|env|extract)\s{0,64}[\s{]",
    EXPLOIT,
    "Has Exim expand ${run{...}} in an address, which runs a command as root, in Exim 4.87 to 4.91.",
    "CVE-2019-10149",
)
EXIM_2019_15846 = rule_of(
    "exim-2019-15846",
    (SERVER_NAME,),
    rb"\\\x00?\Z",
    EXPLOIT,
    "Ends the server name in TLS with a backslash, which runs code as root in Exim before 4.92.2.",
    "CVE-2019-15846",
)
EXIM_HEX_ESCAPES = rule_of(
    "exim-hex-escapes",
    (ADDRESS,),
    rb"x2f(?:bin|usr|etc|tmp|dev|var)|\\x[0-9a-f]{2}[^\\]{0,64}(?:\\x[0-9a-f]{2}|\\t)|\\t-c\b",
    EXPLOIT,
    "Spells a command with Exim's escapes, so that it gets through checks of the address.",
    "CVE-2019-10149",
)
SHELLSHOCK = rule_of(
    "shellshock",
    (ADDRESS, HEADER, HELLO, LINE, SERVER_NAME),
    # bash takes a value that begins with it for a function; the empty function is the attack's mark.
    rb"""^[\s"'<]{0,256}\(\s{0,64}\)\s{0,64}\{|\(\s{0,64}\)\s{0,64}\{[\s:_;]{0,64}\}\s{0,64};""",
    EXPLOIT,
    "Runs a command in an old bash (before September 2014) that gets the text as a variable.",
    "CVE-2014-6271",
)
LOG4SHELL = rule_of(
    "log4shell",
    (ADDRESS, HEADER, HELLO, LINE, SERVER_NAME),
    rb"\$\{\s{0,64}(?:jndi\b|\$\{|(?:lower|upper|env|sys|java|ctx|date|base64|main|k8s|docker):|::-)",
    EXPLOIT,
    "Makes a Java program that logs the text load code from elsewhere (Log4j before 2.17.1).",
    "CVE-2021-44228",
    "CVE-2021-45046",
)
PIPE_ADDRESS = rule_of(
    "pipe-address",
    (ADDRESS,),
    _BEGIN + rb"(?:\||(?:uu)?decode@)|\"\s{0,64}\||\|\s{0,64}(?:/|sh\b)",
    EXPLOIT,
    "Addresses a program instead of a mailbox, for servers that let a message name a pipe.",
    "CVE-1999-0096",
)
MILTER_2010_1132 = rule_of(
    "milter-2010-1132",
    (ADDRESS,),
    rb"\w\+:\s{0,64}[\"|]",
    EXPLOIT,
    'Runs a command through spamass-milter (root+:"|command").',
    "CVE-2010-1132",
)
ZIMBRA_2024_45519 = rule_of(
    "zimbra-2024-45519",
    (ADDRESS, HEADER),
    rb"\$\([^)]{0,256}\$\{IFS\}|\"[^\"]{0,128}\$\([^)]{1,256}\)[^\"]{0,128}\"\s{0,8}@",
    EXPLOIT,
    "Runs a command through an address in Zimbra's postjournal service.",
    "CVE-2024-45519",
)
SENDMAIL_ARGUMENTS = rule_of(
    "sendmail-arguments",
    (ADDRESS,),
    rb"""(?:\\["']|["']\s)\s{0,64}-(?:oQ|X|C|be|O)|\s-(?:oQ|X)\s{0,8}/""",
    EXPLOIT,
    "Slips options to the sendmail program through a quoted address (PHPMailer and others).",
    "CVE-2016-10033",
    "CVE-2016-10045",
)
ADDRESS_OF_TWO = rule_of(
    "address-of-two",
    (ADDRESS,),
    rb"[^@\s]@[\w.-]{1,255}[()][^@\s]{0,128}@",
    PROBE,
    "Is read as one address by some parsers and as another by others, to get past a check of the domain.",
    "CVE-2023-27043",
)
LINE_END_IN_COMMAND = rule_of(
    "line-end-in-command",
    (ADDRESS, LINE),
    rb"%0d%0a|%0[ad](?:rcpt|mail|data|bcc|cc|to|from|quit)\b|\\r\\n|\r",
    PROBE,
    "Hides a line end in a command, to slip in commands or header fields of its own.",
)
OCTETS_IN_COMMAND = rule_of(
    "octets-in-command",
    (LINE,),
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]",
    NOISE,
    "Has octets in a command that no command has: a fault, or a test of the parser.",
)
TEMPLATE_PROBE = rule_of(
    "template-probe",
    (ADDRESS, HEADER),
    rb"\{\{[^{}]{0,128}(?:\d\s{0,8}\*\s{0,8}['\"]?\d|__|\battr\s{0,8}\(|\benv\s{0,8}[\"'(]|\bconstructor\b"
    rb"|\bgetClass\b|\bpopen\b|\bsystem\b|\bexec\b|\bcycler\b|\blipsum\b)"
    rb"|\{\{\s{0,64}(?:config|self|request|settings|app)\s{0,64}\}\}"
    rb"|\{%\s{0,64}(?:import|include|extends|set|for|if|debug)\b|<%=|#\{[^#{}]{0,128}[*(`][^{}]{0,128}\}"
    rb"|\$\{\s{0,64}(?:\d{1,8}\s{0,8}\*\s{0,8}\d|T\()",
    PROBE,
    "Tries whether a template engine evaluates what a stranger wrote.",
)
SCRIPT_PROBE = rule_of(
    "script-probe",
    (ADDRESS, HEADER),
    rb"<script(?:[\s/]|>.)|javascript:\s{0,8}[\w.]{1,64}\(|<(?:svg|iframe|object|embed|math)[\s/]"
    rb"|<(?:img|body|input|video|audio|details|marquee|style)[\s/][^<>]{0,256}\bon[a-z]{3,16}\s{0,8}=",
    PROBE,
    "Tries whether a web page that shows the text runs a script in it.",
)
SQL_PROBE = rule_of(
    "sql-probe",
    (ADDRESS, LINE),
    rb"'[\s/*+]{0,64}(?:or|and)[\s/*+]{0,64}['\"(]\s{0,8}\w|'[\s/*+]{1,64}(?:or|and)[\s/*+]{1,64}\d"
    rb"|'(?:or|and)[\s/*+]{0,64}\d{1,8}\s{0,8}=|\bunion[\s/*+]{1,64}(?:all[\s/*+]{1,64})?select\b"
    rb"|;\s{0,64}(?:drop|insert|update|delete|alter|create|attach)[\s/*+]|\b(?:pg_)?sleep\s{0,8}\(\s{0,8}\d"
    rb"|\bwaitfor\s{1,8}delay\b|'\s{0,64}--|'\s{0,64}\|\|\s{0,64}'",
    PROBE,
    "Tries whether the text becomes part of a database query.",
)
PATH_TRAVERSAL = rule_of(
    "path-traversal",
    (ADDRESS,),
    rb"(?:\.\.|%2e%2e)(?:[/\\]|%2f)(?:\.\.|%2e%2e)(?:[/\\]|%2f)|/etc/(?:passwd|shadow)\b|/dev/tcp/",
    PROBE,
    "Tries whether an address becomes a path to a file.",
)
ETRN_INJECTION = rule_of(
    "etrn-injection",
    (LINE,),
    rb"^\s{0,64}ETRN\b.{0,2048}?['\";()]",
    EXPLOIT,
    "Puts SQL into Exim's hints database by ETRN, in Exim 4.98 with SQLite.",
    "CVE-2025-26794",
    "CVE-2025-67896",
)
BDAT_SIZE = rule_of(
    "bdat-size",
    (LINE,),
    rb"^\s{0,64}BDAT\s{1,64}(?:[-+]|0x|\d{10}|[^\s\d])",
    EXPLOIT,
    "Gives a chunk an impossible size, which overwrites memory in Exim 4.88 and 4.89.",
    "CVE-2017-16943",
    "CVE-2017-16944",
)
LONG_HELLO = rule_of(
    "long-hello",
    (LINE,),
    rb"^\s{0,64}(?:EHLO|HELO)\s.{513}",
    EXPLOIT,
    "Overflows a buffer with a very long EHLO, in Exim 4.92 to 4.92.2.",
    "CVE-2019-16928",
)
LONG_LOGIN = rule_of(
    "long-login",
    (LINE,),
    rb"^\s{0,64}AUTH\s{1,64}[\w-]{1,20}\s{1,64}\S{1025}",
    EXPLOIT,
    "Overflows a buffer with over-long base64 in AUTH, in Exim before 4.90.1.",
    "CVE-2018-6789",
)
NTLM_PROBE = rule_of(
    "ntlm-probe",
    (LINE,),
    rb"^\s{0,64}AUTH\s{1,64}(?:NTLM|SPA|GSS-SPNEGO)\b",
    PROBE,
    "Asks for an NTLM login, which makes Exchange name its machine and domain, and old Exim read astray.",
    "CVE-2023-42114",
    "CVE-2023-42116",
)
EXTERNAL_LOGIN = rule_of(
    "external-login",
    (LINE,),
    rb"^\s{0,64}AUTH\s{1,64}EXTERNAL\s{1,64}\S",
    PROBE,
    "Logs in by the EXTERNAL method, which writes out of bounds in Exim before 4.96.1.",
    "CVE-2023-42115",
)
LOGIN = rule_of(
    "login",
    (LINE,),
    rb"^\s{0,64}AUTH\b",
    NOISE,
    "Tries to log in on the port for incoming mail, where no login is offered.",
)
HTTP = rule_of(
    "http",
    (FIRST, LINE),
    rb"^(?:GET|POST|HEAD|PUT|CONNECT|OPTIONS|PROPFIND|DELETE|PATCH|TRACE)\s{1,64}\S",
    NOISE,
    "Speaks HTTP to the mail server: a scanner, or a browser made to send mail commands.",
)
TLS_AT_ONCE = rule_of(
    "tls-at-once",
    (FIRST,),
    rb"^(?:\x16(?:\x03|\Z)|\x80.\x01)",
    NOISE,
    "Begins with a TLS handshake where plain SMTP begins: a scanner.",
)
OTHER_PROTOCOL = rule_of(
    "other-protocol",
    (FIRST,),
    rb"^(?:[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]|SSH-|JRMI|\*\d{1,8}\r\n|stats\r\n)",
    NOISE,
    "Speaks SSH, RDP, SMB, SOCKS, RMI or the like: a scanner.",
)
PROXY_HEADER = rule_of(
    "proxy-header",
    (FIRST, LINE),
    rb"^(?:PROXY\s{1,8}(?:TCP[46]|UNKNOWN)\b|\r\n\r\n\x00)",
    PROBE,
    "Claims by the PROXY protocol to be another client; old Exim overwrites memory at this.",
    "CVE-2023-42117",
)
CLAIMED_CLIENT = rule_of(
    "claimed-client",
    (LINE,),
    rb"^\s{0,64}(?:XCLIENT|XFORWARD)\b",
    PROBE,
    "Claims by XCLIENT or XFORWARD to be another client, as only a trusted proxy may.",
)
DEBUG_COMMAND = rule_of(
    "debug-command",
    (LINE,),
    rb"^\s{0,64}(?:WIZ|DEBUG|KILL|XEXCH50|X-LINK2STATE|TURN)\b",
    EXPLOIT,
    "Uses a back door of old Sendmail or a hole of old Exchange.",
    "CVE-1999-0095",
    "CVE-1999-0145",
    "CVE-2003-0714",
    "CVE-2005-0560",
)
ADDRESS_SEARCH = rule_of(
    "address-search",
    (LINE,),
    rb"^\s{0,64}(?:VRFY|EXPN)\b",
    NOISE,
    "Asks by VRFY or EXPN which addresses exist.",
)
SCANNER = rule_of(
    "scanner",
    (HELLO,),
    SCANNER_NAMES,
    NOISE,
    "Calls itself by the name of a scanner.",
)
HEADER_INJECTION = rule_of(
    "header-injection",
    (HEADER,),
    rb"[\r\n][ \t]{0,16}(?:bcc|cc|to|from|subject|sender|reply-to|return-path|mime-version"
    rb"|content-[a-z-]{1,40}|list-[a-z-]{1,40}|x-[a-z-]{1,40})\s{0,8}:",
    PROBE,
    "Hides a line end and a header field in an encoded word, for programs that decode before they write.",
    "CVE-2024-6923",
)
SMUGGLING = rule_of(
    "smuggling",
    (BODY,),
    # Each end of data that some server misread, and behind it a command. CRLF.CRLF is none of them: in
    # a message without its dot-stuffing it is content, such as a quoted dialogue.
    rb"(?:(?:(?<!\r)\n|\r(?!\n)|\r\n(?=\x00|\.\x00))\x00?\.\x00?(?:\r{0,64}\n|\r)|\r\n\.(?:\r{2,64}\n|\n|\r(?!\n)))"
    rb"\s{0,8}" + _COMMAND,
    EXPLOIT,
    "Ends the message with a line end that only some servers accept, to smuggle in a second message.",
    "CVE-2023-51764",
    "CVE-2023-51765",
    "CVE-2023-51766",
    "CVE-2023-52354",
    "CVE-2024-27305",
)
HOSTILE_REPLY = rule_of(
    "hostile-reply",
    (REPLY,),
    rb"(?:^|\n)\s{0,8}(?:type|mda-exec|mda-user|mda-method|mda-subaddress|dispatcher|evpid|envelope-version|errorline"
    rb"|username|fd|sender|dest|rcpt)\s{0,8}:\s",
    EXPLOIT,
    "Is a reply that writes lines into the queue file of the sending OpenSMTPD before 6.6.4.",
    "CVE-2020-8794",
)

TLS_INJECTION = behaviour(
    "tls-injection",
    EXPLOIT,
    "Sends commands behind STARTTLS in the clear, to have them obeyed inside the TLS session.",
    "CVE-2011-0411",
    "CVE-2024-34083",
)
TALKS_AHEAD = behaviour(
    "talks-ahead", NOISE, "Sends commands without waiting for the reply to EHLO, as spam programs do."
)
BARE_LINE_ENDS = behaviour(
    "bare-line-ends",
    NOISE,
    "Sends a message with line ends that SMTP forbids; also the first step of smuggling.",
)
GUESSED_RECIPIENTS = behaviour(
    "guessed-recipients",
    PROBE,
    "Names one recipient after the other that does not exist, to find those that do.",
)
LOGIN_STORM = behaviour("login-storm", PROBE, "Tries login after login, to guess a password.")
RELAY_PROBE = behaviour(
    "relay-probe", PROBE, "Tries whether mail for other people's domains is passed on (an open relay)."
)
MANY_RECEIVED = behaviour(
    "many-received",
    PROBE,
    "Has over 30 Received lines: a mail loop, or the way to make Exim bounce (with CVE-2019-10149).",
)

# The most telling first: of all that one text fits, the first is what it is called.
RULES: tuple[AttackRule, ...] = (
    EXIM_2019_10149,
    EXIM_2019_15846,
    EXIM_HEX_ESCAPES,
    MILTER_2010_1132,
    ZIMBRA_2024_45519,
    OPENSMTPD_2020_7247,
    SENDMAIL_ARGUMENTS,
    SHELL_IN_ADDRESS,
    PIPE_ADDRESS,
    SHELLSHOCK,
    LOG4SHELL,
    ETRN_INJECTION,
    BDAT_SIZE,
    LONG_HELLO,
    LONG_LOGIN,
    SMUGGLING,
    TLS_INJECTION,
    HOSTILE_REPLY,
    DEBUG_COMMAND,
    HEADER_INJECTION,
    ADDRESS_OF_TWO,
    SQL_PROBE,
    PATH_TRAVERSAL,
    TEMPLATE_PROBE,
    SCRIPT_PROBE,
    LINE_END_IN_COMMAND,
    PROXY_HEADER,
    CLAIMED_CLIENT,
    NTLM_PROBE,
    EXTERNAL_LOGIN,
    LOGIN_STORM,
    GUESSED_RECIPIENTS,
    RELAY_PROBE,
    MANY_RECEIVED,
    LOGIN,
    ADDRESS_SEARCH,
    HTTP,
    TLS_AT_ONCE,
    OTHER_PROTOCOL,
    SCANNER,
    OCTETS_IN_COMMAND,
    TALKS_AHEAD,
    BARE_LINE_ENDS,
)
