"""Which walls this machine's kernel lets the roles raise around themselves."""

from secondpost.mail.walls import StandingWalls, WallGap
from secondpost.setup.diagnosis import Check, Diagnosis, Grade

# What a role that was taken over could do.
_MEANS = {
    WallGap.FILES: "read and write what its user may, and connect anywhere by a caller's connection",
    WallGap.TRUNCATE: "empty files of its user",
    WallGap.TCP: "connect by a caller's connection (receive and web)",
    WallGap.ABSTRACT_SOCKETS: "talk to programs that listen on abstract Unix sockets",
    WallGap.SYSTEM_CALLS: "make any system call, signal other processes and open sockets",
}
_WANTED = {
    WallGap.FILES: "Linux 5.13 with Landlock among its security modules (lsm=… at boot), 6.12 for all of it",
    WallGap.TRUNCATE: "Linux 6.12",
    WallGap.TCP: "Linux 6.12",
    WallGap.ABSTRACT_SOCKETS: "Linux 6.12",
    WallGap.SYSTEM_CALLS: "seccomp in the kernel, on x86-64 or ARM64",
}
_GRAVE = frozenset({WallGap.FILES, WallGap.SYSTEM_CALLS})


def examine_walls(walls: StandingWalls) -> Diagnosis:
    """`walls`: that could be raised where this is asked."""
    gaps = walls.gaps
    if len(gaps) == 0:
        return Diagnosis(Check.WALLS, "", Grade.WELL, "This kernel lets every role raise all its walls.")
    # Without any wall around files, the gaps of an old Landlock are no news.
    named = [gap for gap in gaps if gap is WallGap.SYSTEM_CALLS or WallGap.FILES not in gaps]
    named = [WallGap.FILES, *named] if WallGap.FILES in gaps else named
    could = "; ".join(_MEANS[gap] for gap in named)
    landlock = "without Landlock" if walls.landlock == 0 else f"with Landlock {walls.landlock}"
    text = f"On this kernel, {landlock}, a role that was taken over could: {could}."
    remedy = " and ".join(dict.fromkeys(_WANTED[gap] for gap in named))
    grade = Grade.NOTE if _GRAVE.isdisjoint(gaps) else Grade.WARNING
    return Diagnosis(Check.WALLS, "", grade, text, f"{remedy}; secondpost systemd has walls beside these")
