"""Cells of one's own, named by module or by file."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from copytask import Trainer, TrainingConfig, load_model
from copytask.models import find_factory
from copytask.user_code import absolute_name, is_same_code

SOURCE = """
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from beside import WIDTHS
from torch import nn

@dataclass
class Options:
    name: str = "leaky"

class LeakyRNN(nn.RNN):
    options = Options()

Path(__file__).with_name("ran").open("a").write("once ")
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Iterator[Path]:
    """A file called as an installed module, that needs a module in its folder."""
    path = tmp_path / "home" / "random.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    (path.parent / "beside.py").write_text("WIDTHS = (8,)\n")
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield path
    for name in [name for name in sys.modules if name.startswith(("cell_random_", "beside"))]:
        del sys.modules[name]


def test_a_file_is_found_from_every_folder_and_runs_once(file, tmp_path, monkeypatch):
    import random

    monkeypatch.chdir(file.parent)
    named = absolute_name("random.py:LeakyRNN")
    assert named == absolute_name("../home/random.py:LeakyRNN") == f"{file}:LeakyRNN"
    monkeypatch.chdir("/")
    factory = find_factory(named)
    assert find_factory(f"{file}:LeakyRNN") is factory
    assert factory.options.name == "leaky"
    assert factory(12, 8).hidden_size == 8
    assert (file.parent / "ran").read_text() == "once "
    assert sys.modules["random"] is random


def test_a_home_folder_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute_name("~/cells.py:Cell") == f"{tmp_path}/cells.py:Cell"


@pytest.mark.parametrize("name", ["gru", "package.cells:Cell", "torch.nn:GRU", "nothing"])
def test_other_names_stay_as_they_are(name):
    assert absolute_name(name) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{folder}/nowhere.py:Cell", "FileNotFoundError: there is no file {folder}/nowhere.py"),
        ("{file}:Leaky", "AttributeError: {file} has no 'Leaky'; did you mean 'LeakyRNN'[?]"),
        ("{file}", "which cell of that file[?] Name its class or function: {file}:NAME"),
        (
            "leaky:Cell",
            "in the folder that holds leaky.py, or name the file: path/to/leaky.py:Cell",
        ),
        ("my.leaky:Cell", "in the folder that holds my/leaky.py, or name the file: path/to/leaky"),
    ],
)
def test_what_cannot_be_found_is_told_with_what_to_do(file, name, told):
    places = {"file": file, "folder": file.parent}
    with pytest.raises(ValueError, match=told.format(**places)):
        find_factory(name.format(**places))


def test_a_file_that_fails_is_read_again(file):
    (file.parent / "beside.py").unlink()
    with pytest.raises(ValueError, match=r"ModuleNotFoundError: No module named 'beside'$"):
        find_factory(f"{file}:LeakyRNN")
    (file.parent / "beside.py").write_text("WIDTHS = (8,)\n")
    sys.path_importer_cache.clear()
    assert find_factory(f"{file}:LeakyRNN")(12, 8).hidden_size == 8


@pytest.mark.parametrize(
    ("given", "recorded", "same"),
    [
        ("gru", "gru", True),
        ("gru", "lstm", False),
        ("/here/leaky.py:Leaky", "/there/leaky.py:Leaky", True),
        ("leaky.py:Leaky", "/there/leaky.py:Leaky", True),
        ("/here/leaky.py:Leaky", "/there/leaky.py:Other", False),
        ("/here/other.py:Leaky", "/there/leaky.py:Leaky", False),
        ("leaky:Leaky", "/there/leaky.py:Leaky", False),
    ],
)
def test_a_file_may_have_moved(given, recorded, same):
    assert is_same_code(given, recorded) is same


def test_a_checkpoint_is_loaded_from_where_the_user_says_that_the_file_is(file, tmp_path):
    config = TrainingConfig(model=f"{file}:LeakyRNN", T=3, hidden_size=8)
    trainer, checkpoint = Trainer(config), tmp_path / "checkpoint"
    trainer.save(checkpoint)
    moved = tmp_path / "moved"
    file.parent.rename(moved)
    file.parent.mkdir()
    (file.parent / file.name).write_text("raise SystemExit('a checkpoint chose what runs')")
    for name in (trainer.model.core.__module__, "beside"):
        del sys.modules[name]
    cell = f"{moved / file.name}:LeakyRNN"
    with pytest.raises(ValueError, match="if you trust it, pass cell="):
        load_model(checkpoint)
    tokens = torch.zeros(4, 2, dtype=torch.int64)
    expected = trainer.model.eval()(tokens)
    assert load_model(checkpoint, cell=cell)(tokens).equal(expected)
    assert Trainer.load(checkpoint, cell=cell).config.model == cell
