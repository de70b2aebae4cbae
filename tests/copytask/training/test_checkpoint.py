"""Checkpoints: whatever is wrong with a file is told as a ValueError, and nothing in it runs."""

import dataclasses
import io
import os
import pickle
import re
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from copytask import Trainer, TrainingConfig, build_model, load_model
from copytask.training.checkpoint import (
    copy_checkpoint,
    damage_as_value_error,
    load_state,
    save_state,
)

CONFIG = TrainingConfig(
    model="gru", T=3, hidden_size=2, batch_size=2, tokens_per_iteration=100, max_tokens=200,
    validation_payloads=2, precision="fp32", device="cpu",
)  # fmt: skip


class Malicious:
    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> bytes:
    """The content of a whole checkpoint."""
    folder = tmp_path_factory.mktemp("whole")
    trainer = Trainer(CONFIG)
    trainer.run_iteration()
    trainer.save(folder)
    return (folder / "checkpoint.pt").read_bytes()


def equal(one, other) -> bool:
    """Whether two states hold the same values."""
    if torch.is_tensor(one):
        return torch.is_tensor(other) and one.equal(other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def read(content: bytes, folder: Path):
    (folder / "checkpoint.pt").write_bytes(content)
    return load_state(folder)


def assert_damage_is_told(content: bytes, whole: bytes, folder: Path) -> None:
    """It is as it was, since a byte means nothing where it was changed, or it is refused."""
    expected = read(whole, folder)
    try:
        found = read(content, folder)
    except ValueError as error:
        found, told = None, str(error)
    assert equal(found, expected) if found else re.fullmatch(".*checkpoint.pt is not a .*", told)


ANYWHERE = st.integers(0, 9999)  # of 10,000: hypothesis draws no floats where denormals are flushed


@given(place=ANYWHERE, bits=st.integers(1, 255))
def test_a_byte_that_was_flipped_is_told(checkpoint, tmp_path_factory, place, bits):
    content = bytearray(checkpoint)
    content[place * len(content) // 10_000] ^= bits
    assert_damage_is_told(bytes(content), checkpoint, tmp_path_factory.getbasetemp())


@given(place=ANYWHERE)
@example(place=0)
def test_a_file_that_was_cut_off_is_told(checkpoint, tmp_path_factory, place):
    content = checkpoint[: place * len(checkpoint) // 10_000]
    with pytest.raises(ValueError, match="checkpoint"):
        read(content, tmp_path_factory.getbasetemp())


@given(start=ANYWHERE, length=st.integers(1, 5000), filler=st.sampled_from([b"\0", b"\xff", b""]))
def test_a_hole_is_told(checkpoint, tmp_path_factory, start, length, filler):
    begin = start * len(checkpoint) // 10_000
    end = min(begin + length, len(checkpoint))
    content = checkpoint[:begin] + filler * (end - begin) + checkpoint[end:]
    assert_damage_is_told(content, checkpoint, tmp_path_factory.getbasetemp())


def test_every_byte_of_a_small_one_may_be_flipped(tmp_path):
    save_state({"weights": torch.arange(3.0), "step": 7}, tmp_path)
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 0xFF
        assert_damage_is_told(bytes(content), whole, tmp_path)


PLACES = [
    ("config",), ("config", "T"), ("config", "model"), ("progress",),
    ("history",), ("history", 0), ("model",), ("model", "readout.bias"), ("optimizer",),
    ("optimizer", "state"), ("optimizer", "param_groups"), ("data_generator",),
    ("length_generator",), ("global_rng",), ("global_rng", "cpu"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")  # torch, of [1, 2]
@pytest.mark.parametrize("value", [None, "text", -1, [1, 2], torch.zeros(3)], ids=str)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_value_of_the_wrong_type_is_told(checkpoint, place, value, tmp_path):
    state = read(checkpoint, tmp_path)
    *parents, last = place
    section = state
    for parent in parents:
        section = section[parent]
    section[last] = value
    save_state(state, tmp_path)
    with pytest.raises(ValueError, match="checkpoint"):
        Trainer.load(tmp_path)


@pytest.mark.parametrize("name", sorted({place[0] for place in PLACES} - {"history"}))
def test_a_part_that_is_missing_is_told(checkpoint, name, tmp_path):
    state = read(checkpoint, tmp_path)
    del state[name]
    save_state(state, tmp_path)
    with pytest.raises(ValueError, match="checkpoint"):
        Trainer.load(tmp_path)
    if name in ("config", "model"):
        with pytest.raises(ValueError, match="checkpoint"):
            load_model(tmp_path)


class Own(nn.RNN):
    """A user's cell."""


@pytest.fixture
def own_cell(tmp_path, monkeypatch) -> str:
    """The name of a cell, of which there is a checkpoint in tmp_path, and whose module is new."""
    (tmp_path / "own_cell.py").write_text(f"from {__name__} import Own as factory\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "own_cell:factory"
    Trainer(dataclasses.replace(CONFIG, model=name)).save(tmp_path)
    sys.modules.pop("own_cell")
    yield name
    sys.modules.pop("own_cell", None)


@pytest.mark.parametrize("load", [load_model, Trainer.load])
def test_a_checkpoint_alone_imports_nothing(own_cell, load, tmp_path):
    with pytest.raises(ValueError, match=r"pass cell='own_cell:factory'"):
        load(tmp_path)
    with pytest.raises(ValueError, match="holds the model 'own_cell:factory', not 'gru'"):
        load(tmp_path, cell="gru")
    assert "own_cell" not in sys.modules
    loaded = load(tmp_path, cell=own_cell)
    assert isinstance(getattr(loaded, "model", loaded).core.cell, Own)


def test_a_model_loads_with_the_factory_of_its_cell(own_cell, tmp_path):
    assert type(load_model(tmp_path, cell=Own).core.cell) is Own
    assert "own_cell" not in sys.modules


def test_an_earlier_checkpoint_with_a_factory_imports_nothing(own_cell, tmp_path):
    state = load_state(tmp_path)
    del state["config"]["architecture"], state["config"]["task"]
    state["config"]["forget_bias"] = 1.0
    save_state(state, tmp_path)
    assert type(load_model(tmp_path, cell=Own).core.cell) is Own
    assert "own_cell" not in sys.modules


class OwnAround(nn.Module):
    """A user's cell that has a part called cell."""

    def __init__(self, symbols: int, hidden_size: int):
        super().__init__()
        self.cell = nn.GRU(symbols, hidden_size)

    def forward(self, x):
        return self.cell(x)


def test_weights_of_an_earlier_checkpoint_are_found_by_their_names():
    model = build_model(OwnAround, 2)
    state = model.state_dict()
    earlier = {name.replace("core.cell.", "core."): value for name, value in state.items()}
    assert "core.cell.weight_ih_l0" in earlier
    model.load_state_dict(earlier)
    model.load_state_dict(state)


def test_a_cell_that_the_caller_names_but_that_is_gone_is_told(own_cell, tmp_path):
    (tmp_path / "own_cell.py").unlink()
    with pytest.raises(ValueError, match="the cell 'own_cell:factory' cannot be imported"):
        load_model(tmp_path, cell=own_cell)


def test_code_in_an_archive_does_not_run(tmp_path):
    torch.save({"format": 1, "model": Malicious(tmp_path / "ran")}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load_model(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no weights\nat all"), "no weights"),
        (RuntimeError("no weights\nat all"), "RuntimeError: no weights"),
        (AssertionError(), "AssertionError"),
        (ValueError(), "ValueError"),
    ],
)
def test_damage_is_told_in_one_line(error, told):
    expected = f"^there is not a readable checkpoint: {told}$"
    with pytest.raises(ValueError, match=expected), damage_as_value_error("there"):
        raise error


def test_what_only_ends_as_an_archive_does_not_reach_torch(tmp_path, monkeypatch):
    # A zip archive may have anything before it, which torch would take for an ancient format.
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "b")
    crafted = pickle.dumps(Malicious(tmp_path / "ran")) + archive.getvalue()
    reached = []
    monkeypatch.setattr(torch, "load", lambda *_, **__: reached.append(True))
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        read(crafted, tmp_path)
    assert not reached


def test_writers_in_processes_of_the_same_number_do_not_collide(tmp_path, monkeypatch):
    # Two containers on one file system: both are process 1 of the same host name.
    names = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (names.append(a), replace(a, b)))
    monkeypatch.setattr(os, "getpid", lambda: 1)
    for step in range(2):
        save_state({"step": step}, tmp_path)
    assert names[0] != names[1]
    assert load_state(tmp_path)["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_is_on_the_disk_before_it_counts(tmp_path, monkeypatch):
    order = []
    fsync, replace, mkdir = os.fsync, os.replace, Path.mkdir

    def record_fsync(descriptor):
        order.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def record_replace(source, target):
        order.append(("replace", str(source)))
        replace(source, target)

    def record_mkdir(path, *arguments, **options):
        mkdir(path, *arguments, **options)
        order.append(("mkdir", str(path)))

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    monkeypatch.setattr(Path, "mkdir", record_mkdir)
    folder = tmp_path / "trial" / "checkpoint_000001"
    for write in (lambda: save_state({}, folder), lambda: copy_checkpoint(folder, folder)):
        order.clear()
        existed = folder.exists()
        write()
        partial = next(path for what, path in order if what == "replace")
        made = [("mkdir", str(folder.parent)), ("sync", str(tmp_path)), ("mkdir", str(folder)),
                ("sync", str(folder.parent))]  # fmt: skip
        written = [("sync", partial), ("replace", partial), ("sync", str(folder))]
        assert order == ([] if existed else made) + written
