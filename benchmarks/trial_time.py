"""Where does the time of a trial go that is not spent in the forward and backward passes?

    python benchmarks/trial_time.py        (two minutes)

1. Start: fresh Python processes that train one step, and short trials under Ray
   Tune, one at a time, with and without reused worker processes.
2. Shares: in a trial of the default search, the time for evaluation, data and
   optimizer.
"""

import argparse
import itertools
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

FIRST_STEP = """
import time
start = time.perf_counter()
from copytask import Trainer, TrainingConfig
imported = time.perf_counter()
trainer = Trainer(
    TrainingConfig(model="mgru", T=1000, curriculum_length=0, batch_size=64, device="cpu")
)
made = time.perf_counter()
trainer._train_step()
print(imported - start, made - imported, time.perf_counter() - made)
"""


def first_step(repeats: int) -> None:
    parts, walls = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-c", FIRST_STEP], stdout=subprocess.PIPE, text=True, check=True
        )
        walls.append(time.perf_counter() - start)
        parts.append([float(value) for value in result.stdout.split()])
    imports, construction, step = (statistics.median(column) for column in zip(*parts, strict=True))
    print(
        f"fresh process to the end of its first step (mgru, batch 64, hidden 128, T = 1000): "
        f"{statistics.median(walls):.2f} s\n"
        f"    import {imports:.2f} s, trainer {construction:.3f} s, first step {step:.3f} s"
    )


def seconds_a_trial(reuse: bool, trials: int) -> float:
    """Wall time of a trial that trains next to nothing, one at a time, in steady state."""
    from ray import tune

    from search.execute.trainable import CopyTrainable

    training = {
        "model": "gru", "T": 2, "hidden_size": 8, "batch_size": 2, "tokens_per_iteration": 50,
        "max_tokens": 50, "precision": "fp32", "device": "cpu",
    }  # fmt: skip
    ends: list[float] = []

    class Clock(tune.Callback):
        def on_trial_complete(self, *args: object, **info: object) -> None:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        tune.run(
            CopyTrainable,
            config={
                "training": {**training, "seed": tune.randint(0, 1000)},
                "checkpoints": tune.sample_from(lambda: tempfile.mkdtemp(dir=folder)),
                "reported": 0,
                "metrics": [],
                "threads": 1,
                "gpus": 0,
            },
            num_samples=trials,
            max_concurrent_trials=1,
            reuse_actors=reuse,
            callbacks=[Clock()],
            storage_path=folder,
            verbose=0,
        )
    return statistics.median(b - a for a, b in itertools.pairwise(ends[1:]))


def shares(T: int, iterations: int) -> None:
    """Print which share of a trial's time its parts take."""
    import torch

    from copytask import Trainer, TrainingConfig, evaluate_ladder
    from copytask.training import trainer

    torch.set_num_threads(1)
    config = TrainingConfig(
        model="mgru", T=T, batch_size=32, learning_rate=1e-3, curriculum_length=1000,
        validation_payloads=64, device="cpu",
    )  # fmt: skip
    run = Trainer(config)
    run.run_iteration()
    seconds = dict.fromkeys(("evaluation", "data", "optimizer"), 0.0)

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[part] += time.perf_counter() - start

        return call

    task, optimizer = run._task, run._optimizer
    run._task = SimpleNamespace(sample_batch=timed("data", task.sample_batch))  # type: ignore
    optimizer.step = timed("optimizer", optimizer.step)  # type: ignore[method-assign]
    start = time.perf_counter()
    with patch.object(trainer, "evaluate_ladder", timed("evaluation", evaluate_ladder)):
        for _ in range(iterations):
            run.run_iteration()
    total = time.perf_counter() - start
    parts = ", ".join(f"{part} {100 * value / total:.1f} %" for part, value in seconds.items())
    print(
        f"mgru, batch 32, hidden 128, T = {T}: {parts} of {total / iterations:.2f} s an iteration"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="fresh processes to time (default: %(default)s)"
    )
    parser.add_argument(
        "--trials",
        type=int,
        default=12,
        help="trials with and without reuse (default: %(default)s)",
    )
    args = parser.parse_args()
    for T in (100, 1000):
        shares(T, iterations=8)
    first_step(args.repeats)
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray

    ray.init(num_cpus=1, log_to_driver=False, include_dashboard=False, logging_level="error")
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    again, fresh = seconds_a_trial(True, args.trials), seconds_a_trial(False, args.trials)
    print(
        f"a trial that trains next to nothing, under Ray Tune: {fresh:.2f} s in a new worker, "
        f"{again:.3f} s in one that is used again: {fresh / again:.0f} times less"
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
