"""A search with Syne Tune as its documentation writes one: LocalBackend, Tuner, a scheduler.

    COPYTASK_RACE_RESULTS=results python -m benchmarks.baselines.syne_tune_asha --model mgru

Syne Tune starts a process for each trial. Searches until it is interrupted.
"""

import contextlib
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.baselines.command import make_parser, parse_arguments
from benchmarks.baselines.results import FILE, note
from benchmarks.baselines.spaces import syne_tune_space

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
    paths = (str(ROOT), os.environ.get("PYTHONPATH", ""))  # for the processes of the trials
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.environ[FILE] = str(Path(os.environ[FILE]).absolute())
    os.chdir(folder.name)  # where Syne Tune leaves a file
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend import LocalBackend
    from syne_tune.optimizer import baselines
    from syne_tune.tuner_callback import TunerCallback

    class Notes(TunerCallback):
        """Notes each result."""

        def on_trial_result(
            self, trial: Any, status: str, result: dict[str, Any], decision: str
        ) -> None:
            note(trial.trial_id, int(result["tokens"]), bool(result["solved"]))

    logging.getLogger().setLevel(logging.ERROR)
    study_file = Path(folder.name) / "study.json"
    study_file.write_text(args.study.model_dump_json())
    constants = {
        "study_file": str(study_file), "T": args.T, "metric": args.metric, "seed": args.seed
    }  # fmt: skip
    search = args.study.search
    tuner = Tuner(
        trial_backend=LocalBackend(str(Path(__file__).with_name("syne_tune_trial.py"))),
        scheduler=getattr(baselines, args.scheduler)(
            {**syne_tune_space(args.study), **constants},
            metric="value",
            do_minimize=False,
            time_attr="iteration",
            max_t=args.study.max_iterations(args.T),
            grace_period=search.grace_iterations,
            reduction_factor=search.reduction_factor,
            points_to_evaluate=args.initial,
            random_seed=args.seed,
        ),
        stop_criterion=StoppingCriterion(max_num_trials_started=10**6),
        n_workers=args.workers,
        sleep_time=SLEEP,
        max_failures=10**6,  # trials may diverge
        callbacks=[Notes()],
        save_tuner=False,
    )
    with contextlib.redirect_stdout(sys.stderr):
        tuner.run()
    folder.cleanup()


if __name__ == "__main__":
    main()
