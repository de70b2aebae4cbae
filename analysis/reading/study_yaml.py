"""study.yaml: the configuration of a study, and where and with what it was made."""

from typing import Any, NamedTuple

import yaml

from analysis.reading.problems import ProblemError, one_line
from studies import format as files
from studies.paths import StudyPath, read_bytes
from studies.wording import counted


def read_config(path: StudyPath) -> tuple[dict[str, Any], float]:
    """Read the section ``config`` of a study.yaml, and the accuracy of guessing in its task.

    Raises:
        ProblemError: it cannot be read, or is none.
    """
    try:
        document = yaml.safe_load(read_bytes(path).decode())
    except FileNotFoundError:
        raise ProblemError(f"{path.name} is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(f"{path.name} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        # The message has many lines: keep what is wrong, and where.
        problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: {problem}" if mark else one_line(error)
        raise ProblemError(f"{path.name} is not YAML: {where}") from None
    if not isinstance(document, dict):
        raise ProblemError(f"{path.name} has no keys")
    version = _key(path, document, "schema_version")
    if version != files.SCHEMA_VERSION:
        raise ProblemError(
            f"{path.name} has schema version {version}; this program reads {files.SCHEMA_VERSION}"
        )
    config = _key(path, document, "config")
    if not isinstance(config, dict):
        raise ProblemError(f"{path.name}: config has no keys")
    config = files.recorded_values(config)
    _, _, lengths = (_key(path, config, name) for name in ("model", "task", "T"))
    for section in ("search", "space"):
        if not isinstance(config.setdefault(section, {}), dict):
            raise ProblemError(f"{path.name}: {section} has no keys")
    valid = isinstance(lengths, list) and all(isinstance(T, int) and T >= 1 for T in lengths)
    if not valid or not lengths:
        raise ProblemError(f"{path.name}: T must be a list of lengths >= 1, but is {lengths!r}")
    try:
        return config, files.recorded_chance(document, path.name)
    except ValueError as error:
        raise ProblemError(str(error)) from None


def _key(path: StudyPath, mapping: dict[str, Any], name: str) -> Any:
    if name not in mapping:
        raise ProblemError(f"{path.name} lacks the key {name}")
    return mapping[name]


class Provenance(NamedTuple):
    """The section ``provenance`` of study.yaml: versions, machine, seed and time.

    In an old study it is empty, or lacks keys.
    """

    made: dict[str, Any]

    @property
    def machine(self) -> str:
        """Host, processors and kernels in words; "an unknown machine" if nothing is known."""
        host, cpus, kernels = (self.made.get(key) for key in ("host", "cpus", "kernels"))
        details = []
        if cpus:
            details.append(counted(cpus, "CPU"))
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
    """Read the provenance of a study; it is empty if it cannot be read."""
    try:
        document = yaml.safe_load(read_bytes(study / files.STUDY_FILE).decode())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        document = None
    return Provenance(files.recorded_provenance(document) if isinstance(document, dict) else {})
