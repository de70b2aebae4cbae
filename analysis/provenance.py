"""Where, with what and from which configuration a study was made, as study.yaml has it."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

import study_format as files


class Provenance(NamedTuple):
    """The parts of study.yaml that tell how to make the study again.

    Attributes:
        config: the resolved configuration; empty if it cannot be read.
        made: versions, machine, seed and time; empty, or without some keys, in an old study.
    """

    config: dict[str, Any]
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


def read_provenance(study: Path) -> Provenance:
    """Read the study.yaml of a study directory; what cannot be read is empty."""
    try:
        document = yaml.safe_load((study / files.STUDY_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        document = None
    parts = document if isinstance(document, dict) else {}
    config, made = (parts.get(key) for key in ("config", "provenance"))
    return Provenance(
        config=config if isinstance(config, dict) else {},
        made=made if isinstance(made, dict) else {},
    )
