"""Reads the register copy as it comes, file by file, in the fetch role."""

from secondpost.config.records import Config
from secondpost.mail.reach import ReachSource
from secondpost.mail.register import RegisterAsked, RegisterResult, RegisterUnread
from secondpost.watch.reach.register import RegisterForm, RegisterSearch
from secondpost.world.ports import FetchError, Streamer

FILES_MAX = 40  # there are 20
FILE_OCTETS_MAX = 60_000_000


class RegisterReading:
    """`url`: the folder of its files dump-00.csv, dump-01.csv …, without a slash at its end."""

    def __init__(self, url: str, streamer: Streamer) -> None:
        self._url = url
        self._streamer = streamer

    async def search(self, asked: RegisterAsked) -> RegisterResult:
        search = RegisterSearch(asked)
        try:
            for number in range(FILES_MAX):
                url = f"{self._url}/dump-{number:02}.csv"
                status = await self._streamer.stream(url, {}, FILE_OCTETS_MAX, search.feed)
                if status == 404 and number > 0:  # the file before was the last
                    break
                if status != 200:
                    return RegisterUnread(f"answered with HTTP {status} for {url}")
                search.end_file()
        except FetchError as error:
            return RegisterUnread(f"was not read: {error}")
        except RegisterForm as error:
            return RegisterUnread(f"has a form that this version does not know: {error}")
        return search.read()


def register_reading(config: Config, streamer: Streamer) -> RegisterReading | None:
    """None if the configuration does not want the register read."""
    url = config.reach.url(ReachSource.REGISTER)
    return None if url is None else RegisterReading(url, streamer)
