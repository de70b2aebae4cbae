"""Where and with what a study was made, as study.yaml has it."""

from typing import Any, NamedTuple

import yaml

from studies import format as files
from studies.paths import StudyPath, read_bytes


class Provenance(NamedTuple):
    """The section ``provenance`` of study.yaml: versions, machine, seed and time.

    It is empty, or lacks some keys, in an old study.
    """

    made: dict[str, Any]

    @property
    def machine(self) -> str:
        """Host, processors and kernels in words; "an unknown machine" if nothing is known."""
        host, cpus, kernels = (self.made.get(key) for key in ("host", "cpus", "kernels"))
        details = []
        if cpus:
            details.append(f"{cpus} CPU{'s' * (cpus != 1)}")
        if kernels == "none":
            details.append("no compiled kernels")
        elif kernels:
            details.append(f"{kernels} kernels")
        name = f"host {host}" if host else "an unknown machine"
        return f"{name} ({', '.join(details)})" if details else name

    @property
    def versions(self) -> list[tuple[str, str]]:
        """(name, version) of python, the packages and the revision of this program."""
        packages = self.made.get("packages")
        found = {"python": self.made.get("python")}
        found |= packages if isinstance(packages, dict) else {}
        found |= {"git revision": self.made.get("git_revision")}
        return [(str(name), str(value)) for name, value in found.items() if value]


def read_provenance(study: StudyPath) -> Provenance:
    """Read the provenance of a study directory; one that cannot be read is empty."""
    try:
        document = yaml.safe_load(read_bytes(study / files.STUDY_FILE).decode())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        document = None
    made = document.get("provenance") if isinstance(document, dict) else None
    return Provenance(made if isinstance(made, dict) else {})
