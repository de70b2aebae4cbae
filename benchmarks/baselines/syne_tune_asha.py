"""A search with Syne Tune as its documentation writes one: LocalBackend, Tuner, a scheduler.

    python -m benchmarks.baselines.syne_tune_asha --model mgru [--scheduler ASHACQR]

Syne Tune starts a process for each trial. Ends with the first trial that solves
T, or at the time limit. Prints one line of JSON.
"""

import time

START = time.perf_counter()

import contextlib
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.baselines.command import make_parser, parse_arguments, print_result
from benchmarks.baselines.spaces import GRACE, max_iterations, syne_tune_space

ROOT = Path(__file__).parents[2]
SLEEP = 0.5
"""Seconds between two looks at the results; Syne Tune's default of 5 would be a handicap."""


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        "--scheduler",
        default="ASHA",
        choices=("ASHA", "ASHACQR", "BOHB"),
        help="method (default: %(default)s)",
    )
    args = parse_arguments(parser)
    folder = tempfile.TemporaryDirectory()
    os.environ["SYNETUNE_FOLDER"] = folder.name
    os.environ["PYTHONPATH"] = str(ROOT)  # for the processes of the trials
    os.chdir(folder.name)  # where Syne Tune leaves a file
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend import LocalBackend
    from syne_tune.optimizer import baselines
    from syne_tune.tuner_callback import TunerCallback

    class Tokens(TunerCallback):
        """Notes the tokens of each trial, and whether one has solved T."""

        def __init__(self) -> None:
            self.of_trial: dict[int, int] = {}
            self.solved = False

        def on_trial_result(
            self, trial: Any, status: str, result: dict[str, Any], decision: str
        ) -> None:
            self.of_trial[trial.trial_id] = result["tokens"]
            self.solved = self.solved or bool(result["solved"])

    logging.getLogger().setLevel(logging.ERROR)
    study_file = Path(folder.name) / "study.json"
    study_file.write_text(args.study.model_dump_json())
    space = syne_tune_space(args.study)
    tokens = Tokens()
    search = args.study.search
    tuner = Tuner(
        trial_backend=LocalBackend(str(Path(__file__).with_name("syne_tune_trial.py"))),
        scheduler=getattr(baselines, args.scheduler)(
            {**space, "study_file": str(study_file), "T": args.T, "seed": args.seed},
            metric="accuracy",
            do_minimize=False,
            time_attr="iteration",
            max_t=max_iterations(args.study),
            grace_period=GRACE,
            reduction_factor=search.reduction_factor,
            random_seed=args.seed,
        ),
        stop_criterion=StoppingCriterion(
            max_wallclock_time=60 * args.minutes - (time.perf_counter() - START),
            max_metric_value={"solved": 0.5},
        ),
        n_workers=args.workers,
        sleep_time=SLEEP,
        max_failures=10**6,  # trials may diverge
        callbacks=[tokens],
        save_tuner=False,
    )
    with contextlib.redirect_stdout(sys.stderr):
        tuner.run()
    print_result(
        f"Syne Tune: {args.scheduler}",
        START,
        sum(tokens.of_trial.values()),
        len(tokens.of_trial),
        tokens.solved,
    )
    folder.cleanup()


if __name__ == "__main__":
    main()
