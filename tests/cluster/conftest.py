from collections.abc import Iterator

import pytest
from lab import Lab, missing
from launcher import Launcher
from shared_storage import S3_ENVIRONMENT, Folder, ObjectStore


@pytest.fixture(scope="package")
def lab(tmp_path_factory) -> Iterator[Lab]:
    """Laptop, head and worker; the hosts are off."""
    if reason := missing():
        pytest.skip(reason)
    with Lab(tmp_path_factory.mktemp("lab"), S3_ENVIRONMENT) as lab:
        yield lab


@pytest.fixture(scope="package")
def s3(lab) -> Iterator[ObjectStore]:
    with ObjectStore(lab) as store:
        yield store


@pytest.fixture(scope="package")
def folder(lab) -> Folder:
    return Folder(lab)


@pytest.fixture(scope="package")
def cluster(lab) -> Launcher:
    """The shipped cluster file, brought up while only the head is on."""
    launcher = Launcher(lab)
    launcher.make_token()
    lab.head.boot()
    launcher.up()
    return launcher
