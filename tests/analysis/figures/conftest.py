from pathlib import Path

import numpy as np
import pytest
from study_files import (
    NOT_SOLVED,
    confirm,
    reach,
    reached,
    seed,
    trial,
    write_csv,
    write_study,
)

from studies import format as files
from studies.columns import GENERALIZATION


@pytest.fixture
def three(runs: Path) -> Path:
    """gru solves 100 and fails to solve 200; mgru solves 100 and has only failures at 200;
    lstm has not started."""
    write_study(runs, "gru-delay", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    failed = trial(200, 0, files.FAILED)
    write_study(runs, "mgru-delay", trials=[trial(100), failed], best=[100])
    write_study(runs, "lstm-delay", model="lstm", T=[100], trials=[])
    return runs


@pytest.fixture
def everything(runs: Path) -> Path:
    """gru and mlstm with all that a study may have: 12 random trials at each T, a third of them
    stopped early and a third failed, five fresh seeds, and tests at other lengths."""
    rng = np.random.default_rng(0)
    for model in ("gru", "mlstm"):
        trials = [
            trial(
                T,
                k,
                files.STATUSES[k % 3],
                validation_accuracy=float(rng.uniform(0.1, 1)),
                ladder_accuracy=float(rng.uniform(0.1, 1)),
                learning_rate=float(10 ** rng.uniform(-4, -2)),
                hidden_size=int(rng.choice([64, 128])),
                tokens_to_solve=600_000 if k % 2 else "",
            )
            for T in (100, 200)
            for k in range(12)
        ]
        search = {"sampler": "random", "scheduler": "asha"}
        folder = write_study(runs, model, model=model, trials=trials, search=search)
        confirm(
            folder,
            *(
                seed(k, T=T, accuracy=0.9 + k / 100, model=model)
                for T in (100, 200)
                for k in range(5)
            ),
        )
        tests = [
            {"model": model, "task": "delay", "T": T, "trial_id": f"T={T}-00", "test_T": test,
             "accuracy": 100 / test, "accuracy_low": 90 / test, "accuracy_high": 100 / test,
             "exact_match": 0, "recalled_bits": 3, "payloads": 200, "seed": 0}
            for T in (100, 200) for test in (100, 1000)
        ]  # fmt: skip
        write_csv(folder / files.GENERALIZATION_FILE, GENERALIZATION.names, tests)
        reach(folder, *(reached(T, T < 400, model=model) for T in (100, 200, 400)))
    return runs
