"""The limits of a client's session with us."""

from msgspec import Struct


class Limits(Struct, frozen=True, gc=False):
    """What one client may send."""

    size_max: int  # octets of a message; offered as SIZE
    recipients_max: int = 1000  # of one message; RFC 5321 §4.5.3.1.8 requires at least 100
    command_octets_max: int = 2048  # RFC 5321 §4.5.3.1.4 says 512; SIZE and BODY add 43, clients more
    faults_max: int = 20  # malformed commands in a session; one more closes it
    idle_commands_max: int = 100  # commands between two messages that bring no mail forward
    refusals_max: int = 20  # 5xx replies since the last accepted message; ends the session
    refusals_beside_max: int = 100  # the same beside accepted recipients; more RCPTs get 452
    discard_octets_max: int = 1_000_000_000  # of a refused body, read to its end in order to reply
