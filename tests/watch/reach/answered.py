"""Reads the files of `answers`, and says what the adapters make of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from secondpost.mail.reach import ProbeLook, ReachFinding
from secondpost.mail.register import RegisterAsked, RegisterRead
from secondpost.protocols.service_questions import ServiceAnswer, ServiceResult, kept_headers
from secondpost.watch.reach import atlas, globalping, ooni
from secondpost.watch.reach.answers import SourceFailed
from secondpost.watch.reach.register import RegisterForm, RegisterSearch

ANSWERS = Path(__file__).parent / "answers"
REGISTER = ANSWERS / "register"
TRACED = atlas.AtlasTraces(
    {101: ReachFinding.PASSES, 102: ReachFinding.FAILS, 103: ReachFinding.FAILS, 105: ReachFinding.UNKNOWN}
)


def answer_in(path: Path) -> ServiceAnswer:
    head, _, body = path.read_bytes().partition(b"\n\n")
    status, *headers = head.decode().splitlines()
    named = dict(header.split(": ", 1) for header in headers)
    return ServiceAnswer(int(status), kept_headers(named), body)


def _created(result: ServiceResult) -> Iterator[str]:
    match globalping.read_created(result):
        case globalping.PingBegun(id):
            yield f"created {id}"
        case SourceFailed() as failed:
            yield _failed(failed)


def _measurement(result: ServiceResult) -> Iterator[str]:
    match globalping.read_measurement(result):
        case globalping.Looked(looks):
            yield f"{len(looks)} looks"
            yield from map(_look, looks)
        case globalping.StillRunning():
            yield "still running"
        case SourceFailed() as failed:
            yield _failed(failed)


def _atlas_created(result: ServiceResult) -> Iterator[str]:
    match atlas.read_atlas_created(result):
        case atlas.AtlasMeasurement(number):
            yield f"created {number}"
        case SourceFailed() as failed:
            yield _failed(failed)


def _traces(result: ServiceResult) -> Iterator[str]:
    match atlas.read_traces(result):
        case atlas.AtlasTraces(findings):
            yield f"{len(findings)} probes"
            yield from (f"{probe} {finding}" for probe, finding in findings.items())
        case SourceFailed() as failed:
            yield _failed(failed)


def _networks(result: ServiceResult) -> Iterator[str]:
    looks = atlas.read_networks(result, TRACED, "192.0.2.25")
    if isinstance(looks, SourceFailed):
        yield _failed(looks)
    else:
        yield from map(_look, looks)


def _counts(result: ServiceResult) -> Iterator[str]:
    said = ooni.read_counts(result)
    yield _failed(said) if isinstance(said, SourceFailed) else f'said "{said}"'


READERS: dict[str, Callable[[ServiceResult], Iterator[str]]] = {
    "globalping/created": _created,
    "globalping/measurement": _measurement,
    "atlas/created": _atlas_created,
    "atlas/traces": _traces,
    "atlas/networks": _networks,
    "ooni/counts": _counts,
}


def _look(look: ProbeLook) -> str:
    return f"{look.country} {look.network}: {look.finding}"


def _failed(failed: SourceFailed) -> str:
    return f"failed for {failed.rest_ms} ms: {failed.reason}"


def said_of(path: Path) -> list[str]:
    question = f"{path.parent.name}/{path.name.removesuffix('.answer').partition('-')[0]}"
    return list(READERS[question](answer_in(path)))


def asked_of_register() -> RegisterAsked:
    addresses, names = (
        tuple(line.split()[1:]) for line in (REGISTER / "asked").read_text(encoding="utf-8").splitlines()
    )
    return RegisterAsked(addresses, names)


def said_of_register(name: str, octets: int) -> list[str]:
    """What is found in the files of a case, fed in pieces of so many octets."""
    search = RegisterSearch(asked_of_register())
    try:
        for path in sorted(REGISTER.glob(f"{name}.*.csv")):
            whole = path.read_bytes()
            for start in range(0, len(whole), octets):
                search.feed(whole[start : start + octets])
            search.end_file()
    except RegisterForm as error:
        return [f"another form: {error}"]
    return list(_register_lines(search.read()))


def _register_lines(read: RegisterRead) -> Iterator[str]:
    yield f"of {read.updated}: {read.files} files, {read.lines} lines"
    for hit in read.hits:
        yield f"{hit.subject} as {hit.entry} by {hit.authority}, {hit.decision}, {hit.date}"
