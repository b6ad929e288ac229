"""Which of several images in one place is the picture: a page may hold it as a blank or a small copy, for a
script that loads it, and in noscript for readers without scripts.
"""

from collections.abc import Mapping
from enum import Enum, auto

from secondpost.compose.picture import address_of, is_file_of_a_picture, is_stand_in, lazy_address


class PicturePlace(Enum):
    OWN = auto()  # a picture of its own
    OF_THE_LAST = auto()  # it takes the place of the image before
    NONE = auto()  # it is shown already, or is no picture


class _Last(Enum):
    """What the image before was, with nothing but tags since."""

    STAND_IN = auto()  # the one that follows takes its place
    LAZY = auto()  # its own address was found: one for readers without scripts is the same
    FOR_NO_SCRIPT = auto()  # a lazy one that follows is the same


class PicturePlaces:
    """Told of the images of an article in their order, and of what stands between them."""

    def __init__(self) -> None:
        self._last: _Last | None = None

    def apart(self) -> None:
        """Words stand here: the next image has nothing to do with the last one."""
        self._last = None

    def place(self, values: Mapping[str, str], has_source: bool, is_for_no_script: bool) -> PicturePlace:
        """`has_source`: it stands in a picture element that names one."""
        last, lazy = self._last, len(lazy_address(values)) > 0
        if is_for_no_script:
            return self._for_no_script(last, address_of(values))
        if last is _Last.FOR_NO_SCRIPT and is_stand_in(values):
            self._last = None
            return PicturePlace.NONE
        if lazy:
            self._last = _Last.LAZY
        else:
            self._last = _Last.STAND_IN if is_stand_in(values) and not has_source else None
        return PicturePlace.OF_THE_LAST if last is _Last.STAND_IN and lazy else PicturePlace.OWN

    def _for_no_script(self, last: _Last | None, address: str) -> PicturePlace:
        """Counters of readers stand in noscript too, and are named as no picture is."""
        self._last = None
        if last is _Last.LAZY or (last is None and not is_file_of_a_picture(address)):
            return PicturePlace.NONE
        self._last = _Last.FOR_NO_SCRIPT
        return PicturePlace.OF_THE_LAST if last is _Last.STAND_IN else PicturePlace.OWN
