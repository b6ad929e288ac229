"""Debian's Postfix with the configuration of an example, moved to a folder of its own."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.postfix import Postfix

# What only a private copy needs: its own folders, and no interface that this machine does not have.
PRIVATE = {
    "inet_interfaces": "all",
    "inet_protocols": "ipv4",
    "maillog_file_prefixes": "/",
    "smtp_tls_security_level": "may",  # the primaries of the test have no certificate
    "alias_database": "",
}


@dataclass(slots=True)
class OldPostfix(Postfix):
    """`example`: its folder with main.cf, master.cf and tables; without a master.cf it has Debian's."""

    example: Path = Path()

    def write(self) -> None:
        """Write Postfix's own files first, and then the example's over them."""
        Postfix.write(self)
        private = self._private()
        for path in self.example.iterdir():
            shutil.copy(path, self.etc / path.name)
        for path in self.etc.iterdir():
            if path.is_file() and path.name not in ("postfix-files", "dynamicmaps.cf"):
                path.write_text(path.read_text().replace("/etc/postfix/", f"{self.etc}/"))
        main = re.sub(r"(?m)^(?:queue_directory|command_directory|mail_owner) .*\n", "", self._main())
        main = re.sub(r"(?m)^alias_maps .*$", "alias_maps =", main)
        (self.etc / "main.cf").write_text(
            main + "".join(f"{name} = {value}\n" for name, value in private.items())
        )
        (self.etc / "master.cf").write_text(self._master())
        self._make_tables(main)

    def _main(self) -> str:
        path = self.etc / "main.cf"
        other = self.etc / "postconf-n"
        return (other if other.exists() else path).read_text()

    def _private(self) -> dict[str, str]:
        written = re.findall(r"(?m)^(\w+) = (.*)$", (self.etc / "main.cf").read_text())
        names = re.compile(r"\w+_directory|maillog_file|import_environment")
        return {**{name: value for name, value in written if names.fullmatch(name)}, **PRIVATE}

    def _master(self) -> str:
        """The example's services; the door is opened at our address and port, other doors are not."""
        if not (self.example / "master.cf").exists():
            return (self.etc / "master.cf").read_text()
        text = (self.etc / "master.cf").read_text()
        lines, is_kept = list[str](), True
        for line in text.splitlines():
            if re.match(r"[#\s]|$", line) is None:
                name, kind = line.split()[:2]
                is_door = kind == "inet" and name.rpartition(":")[2] == "smtp"
                is_kept = kind != "inet" or is_door
                line = line.replace(name, f"{self.address}:{self.port}", 1) if is_door else line
            if is_kept:
                lines.append(line)
        return "\n".join(lines) + "\n"

    def _make_tables(self, main: str) -> None:
        text = main + (self.etc / "master.cf").read_text()
        for name in sorted(set(re.findall(rf"hash:({re.escape(str(self.etc))}/[\w-]+)", text))):
            self.run("postmap", f"hash:{name}")

    @staticmethod
    def of(example: Path, folder: Path, port: int) -> "OldPostfix":
        folder.mkdir()
        os.chmod(folder, 0o755)
        return OldPostfix(folder, port, {}, example=example, peer=peers.find("postfix"))
