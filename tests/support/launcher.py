"""What a user types on the laptop, on the hosts of the lab."""

import re
import subprocess
from pathlib import Path

import ray
from lab import HEAD, ROOT, WORKER, Lab

SHIPPED = ROOT / "configs" / "cluster" / "on-premise.yaml"

LAUNCHER_LINE = re.compile(
    r"\d{4}-\d\d-\d\d .*|(Shared connection|Warning: Permanently) .*"
    r"|Connection to \S+ closed\.|ControlSocket .* already exists, disabling multiplexing"
)
"""What `ray exec` prints beside the command's own output. Of two that connect at once, one has a
connection of its own, and says so."""


MAKE_TOKEN = "(umask 077; ray get-auth-token --generate > /dev/null)"


class Launcher:
    """`ray up`, `ray exec` and the others on the shipped file.

    Attributes:
        file: a copy of it in which only lines marked CHANGE are others.
        token: that of the cluster.
        up_output: what `ray up` printed.
    """

    def __init__(self, lab: Lab):
        self._lab = lab
        self.file = lab.folder / SHIPPED.name
        self.file.write_text(adapt(SHIPPED.read_text(), lab))
        self.token = self.up_output = ""

    def make_token(self) -> None:
        """The documented command."""
        printed = self._lab.on_laptop("bash", "-c", MAKE_TOKEN)
        self.token = (self._lab.home / ".ray" / "auth_token").read_text()
        assert self.token not in printed

    def up(self) -> None:
        self.up_output = self._lab.on_laptop("ray", "up", "-y", self.file)

    def down(self) -> None:
        self._lab.on_laptop("ray", "down", "-y", self.file)

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command on the head; it ends with this process's connection."""
        return subprocess.Popen(
            self._lab.laptop("ray", "exec", self.file, command), cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code of a command on the head, and what it printed."""
        output, _ = process.communicate()
        lines = [line for line in output.splitlines() if not LAUNCHER_LINE.fullmatch(line)]
        text = "\n".join(lines).partition("Error: Command failed:")[0]
        return process.returncode, text.strip()

    def exec(self, command: str) -> tuple[int, str]:
        """Run a command on the head: exit code and output."""
        return self.finish(self.start(command))

    def rsync_down(self, source: Path, target: Path) -> None:
        self._lab.on_laptop("ray", "rsync-down", self.file, f"{source}/", f"{target}/")


def adapt(text: str, lab: Lab) -> str:
    """The cluster file for the lab's hosts: only lines marked CHANGE are others."""
    mine = {
        "cluster_name: ": lab.name,
        "head_ip: ": HEAD,
        "worker_ips: ": f"[{WORKER}]",
        "ssh_user: ": "root",
        "ssh_private_key: ": lab.key,
        "tune]==": f'{ray.__version__}"',
    }
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "# CHANGE" in line:
            (key,) = (key for key in mine if key in line)
            lines[number] = line.partition(key)[0] + key + str(mine.pop(key))
    assert not mine
    return "\n".join(lines) + "\n"
