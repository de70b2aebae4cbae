"""Settings of the process."""

import os

import pytest
import torch

from copytask import Trainer, TrainingConfig

NAME = "CUBLAS_WORKSPACE_CONFIG"


@pytest.mark.parametrize(("given", "found"), [(None, ":4096:8"), (":16:8", ":16:8")])
def test_a_trainer_makes_cublas_repeatable_and_flushes_denormals(given, found, monkeypatch):
    monkeypatch.setenv(NAME, given or "")
    if given is None:
        monkeypatch.delenv(NAME)
    assert float(torch.tensor(1e-40) * 1.0) > 0
    Trainer(TrainingConfig(model="gru", T=2, hidden_size=2, precision="fp32", device="cpu"))
    assert os.environ[NAME] == found
    assert float(torch.tensor(1e-40) * 1.0) == 0
