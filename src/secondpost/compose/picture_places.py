"""Which of several images in one place is the picture.

A page may contain it as a placeholder or small copy for a script to replace, and again in noscript.
"""

from collections.abc import Mapping
from enum import Enum, auto

from secondpost.compose.picture import address_of, is_file_of_a_picture, is_stand_in, lazy_address


class PicturePlace(Enum):
    OWN = auto()  # a separate picture
    OF_THE_LAST = auto()  # replaces the image before it
    NONE = auto()  # already shown, or not a picture


class _Last(Enum):
    """What the preceding image was, if only tags came since."""

    STAND_IN = auto()  # the next image replaces it
    LAZY = auto()  # its real URL was found; one in noscript is the same picture
    FOR_NO_SCRIPT = auto()  # from noscript; a lazy one that follows is the same picture


class PicturePlaces:
    """Decides about the images of one article, given in their order."""

    def __init__(self) -> None:
        self._last: _Last | None = None

    def apart(self) -> None:
        """Text comes here: the next image is unrelated to the last."""
        self._last = None

    def place(self, values: Mapping[str, str], has_source: bool, is_for_no_script: bool) -> PicturePlace:
        """The place of the next image. `has_source`: a picture element around it names a source."""
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
        """The place of an image in noscript, which may also be a tracking pixel without a picture's
        file name.
        """
        self._last = None
        if last is _Last.LAZY or (last is None and not is_file_of_a_picture(address)):
            return PicturePlace.NONE
        self._last = _Last.FOR_NO_SCRIPT
        return PicturePlace.OF_THE_LAST if last is _Last.STAND_IN else PicturePlace.OWN
