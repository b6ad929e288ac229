"""What a unit forbids and bounds, as tables of directives; docs/systemd.md says why for each.

Exposure is what `systemd-analyze security` makes of a unit: 0 has nothing to lose, 10 everything.
"""

from collections.abc import Mapping
from types import MappingProxyType

Directive = tuple[str, str]  # a name, and one value of it

# The highest exposure that a role's unit may have, under systemd 252.
EXPOSURE_MAX: Mapping[str, float] = MappingProxyType(
    {"receive": 0.3, "web": 0.3, "publish": 0.3, "deliver": 1.1, "fetch": 1.1}
)

WALLS: tuple[Directive, ...] = (
    ("MountAPIVFS", "yes"),
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("UMask", "0077"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("DevicePolicy", "closed"),
    ("PrivateUsers", "yes"),
    ("PrivateIPC", "yes"),
    ("PrivateMounts", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("RemoveIPC", "yes"),
    ("KeyringMode", "private"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    # With these the role raises walls of its own; systemd 252 has them in no group of ordinary calls.
    ("SystemCallFilter", "landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("SystemCallErrorNumber", "EPERM"),
)

NO_NETWORK: tuple[Directive, ...] = (
    ("PrivateNetwork", "yes"),
    ("IPAddressDeny", "any"),
    ("RestrictAddressFamilies", "AF_UNIX"),
)
NETWORK: tuple[Directive, ...] = (("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),)
# For the role that follows addresses which strangers wrote: this machine, its network, other people's.
PRIVATE_NETWORKS: tuple[str, ...] = (
    *("localhost", "link-local", "multicast"),
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
)

LIMITS: tuple[Directive, ...] = (
    ("LimitNOFILE", "16384"),
    ("LimitCORE", "0"),
    ("MemoryMax", "1G"),
    ("TasksMax", "256"),
    ("OOMPolicy", "stop"),
)

# Starting, stopping, and what a failure leads to.
KEEPING: tuple[Directive, ...] = (
    ("Type", "notify"),
    ("NotifyAccess", "main"),
    ("KillMode", "mixed"),
    ("TimeoutStartSec", "150"),
    ("TimeoutStopSec", "60"),
    ("WatchdogSec", "30"),
    ("Restart", "on-failure"),
    ("RestartSec", "5"),
    ("RestartPreventExitStatus", "5"),
)
# Restarts alone never reach it, so that a unit comes back when its fault is mended.
START_LIMIT: tuple[Directive, ...] = (("StartLimitIntervalSec", "60"), ("StartLimitBurst", "20"))

# The unit that prepares the store is root's, and has no network.
PREPARING_WALLS: tuple[Directive, ...] = (
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_SETGID CAP_SETUID"),
    ("ProtectSystem", "full"),
    ("ProtectHome", "read-only"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    *NO_NETWORK,
    ("ProtectClock", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("SystemCallArchitectures", "native"),
)
