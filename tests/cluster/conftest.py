import pytest
from lab import Lab, missing
from launcher import Launcher


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Laptop, head and worker; the hosts are off."""
    if reason := missing():
        pytest.skip(reason)
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def cluster(lab) -> Launcher:
    """The shipped cluster file, brought up while only the head is on."""
    launcher = Launcher(lab)
    launcher.make_token()
    lab.head.boot()
    launcher.up()
    return launcher
