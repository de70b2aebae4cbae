"""Where the studies of the lab's clusters are: a folder that all hosts have, or S3."""

import subprocess
from pathlib import Path

from lab import LAPTOP, ROOT, Lab
from searches import wait_for

S3_PORT = 5000

S3_ENVIRONMENT = {
    "AWS_ENDPOINT_URL": f"http://{LAPTOP}:{S3_PORT}",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""What laptop and hosts have been told of their object store."""

COPY = """
import sys, fsspec
store, (study, folder) = fsspec.filesystem("s3"), sys.argv[1:]
for name in store.find(study):
    try:
        store.get(name, folder + "/" + name.partition(study)[2])
    except FileNotFoundError:
        pass  # a checkpoint that had its day
"""

MAKE_BUCKET = "import fsspec; fsspec.filesystem('s3').mkdir('studies')"


class Folder:
    """A folder at the same path on all hosts."""

    def __init__(self, lab: Lab):
        self.address = f"{lab.shared}/runs"

    def fetch(self, study: str, target: Path) -> Path:
        return Path(self.address) / study


class ObjectStore:
    """moto's S3, on the laptop's address; a context manager."""

    address = "s3://studies/runs"

    def __init__(self, lab: Lab):
        self._lab = lab

    def __enter__(self) -> "ObjectStore":
        command = self._lab.laptop("moto_server", "-H", LAPTOP, "-p", S3_PORT)
        with (self._lab.folder / "moto.log").open("w") as log:
            self._server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        wait_for(self._answers)
        return self

    def _answers(self) -> bool:
        assert self._server.poll() is None
        command = self._lab.laptop("python", "-c", MAKE_BUCKET)
        return subprocess.run(command, capture_output=True).returncode == 0

    def __exit__(self, *exception: object) -> None:
        self._server.kill()
        self._server.wait()

    def fetch(self, study: str, target: Path) -> Path:
        """A copy of the study as it is now."""
        copy = target / study
        self._lab.on_laptop("python", "-c", COPY, f"{self.address[5:]}/{study}/", copy)
        return copy
