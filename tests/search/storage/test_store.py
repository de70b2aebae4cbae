import errno
import os

import pytest
from made_studies import make_config
from stores import BUCKET, object_store
from upath import UPath

from copytask import Trainer
from search.errors import ReadError, StorageError
from search.storage import store as storage
from search.storage.store import children, read_bytes, with_retries, write_bytes
from search.study.checkpoints import checkpoint_path, load_latest


@pytest.fixture(scope="module")
def door():
    with object_store() as door:
        yield door


@pytest.fixture
def store(door, tmp_path) -> UPath:
    return UPath(f"s3://{BUCKET}/{tmp_path.name}")


@pytest.fixture
def impatient(monkeypatch):
    """Still patient enough for a second try, however long the first one takes."""
    monkeypatch.setattr(storage, "RETRY_SECONDS", 1.0)


@pytest.fixture
def shut(door, store, impatient):
    """A store with one file, and then away."""
    write_bytes(store / "file", b"content")
    door.shut()
    yield
    door.open()


@pytest.mark.parametrize(
    "error",
    [
        TypeError("t"), AttributeError("a"), KeyError("k"), RuntimeError("r"), ValueError("v"),
        NotImplementedError("n"), AssertionError("a"), ImportError("i"), EOFError("e"),
        FileNotFoundError("f"), PermissionError("p"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
@pytest.mark.parametrize("where", ["folder", "store"])
def test_what_is_no_fault_of_the_store_is_raised_at_once_and_as_it_is(
    store, tmp_path, where, error
):
    tries = []

    def fail() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)) as raised:
        with_retries(fail, store if where == "store" else tmp_path)
    assert raised.value is error
    assert len(tries) == 1


def test_a_checkpoint_in_a_store_that_is_damaged_gives_way_to_the_one_before(store):
    config = make_config().training_config(5, {"learning_rate": 1e-3, "hidden_size": 8}, seed=7)
    for iteration in (1, 2):
        Trainer(config).save(checkpoint_path(store, iteration))
    path = checkpoint_path(store, 2) / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-100])
    assert load_latest(store).config == config


@pytest.mark.usefixtures("shut")
@pytest.mark.parametrize("look", [lambda path: read_bytes(path / "file"), children])
def test_a_store_that_cannot_be_read_is_not_called_one_that_cannot_be_written(store, look, caplog):
    with pytest.raises(ReadError) as raised:
        look(store)
    assert "does not answer" in caplog.text  # it was tried again
    assert str(StorageError("runs/s", raised.value)).startswith("cannot read runs/s: Could not")


@pytest.mark.usefixtures("shut")
def test_a_store_that_cannot_be_written_is_called_so(store):
    with pytest.raises(OSError, match="Could not connect") as raised:
        write_bytes(store / "file", b"")
    assert str(StorageError("runs/s", raised.value)).startswith("cannot write to runs/s: Could")


def test_a_folder_that_cannot_be_read_is_called_so(tmp_path, monkeypatch, impatient):
    def fail() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(tmp_path))

    for reading, kind in [(True, ReadError), (False, OSError)]:
        with pytest.raises(OSError, match="Input/output error") as raised:
            with_retries(fail, tmp_path, reading=reading)
        assert type(raised.value) is kind
