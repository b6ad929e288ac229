"""A tar file that is read or written from its beginning to its end."""

import tarfile


class TarStream(tarfile.TarFile):
    members: list[tarfile.TarInfo]  # all that passed by, unless they are cleared away
