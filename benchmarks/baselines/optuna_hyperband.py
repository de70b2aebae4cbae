"""A search with Optuna as its documentation writes one: TPESampler and HyperbandPruner.

    python -m benchmarks.baselines.optuna_hyperband --model mgru

Starts one process for each worker; they share a journal file. Ends with the
first trial that solves T, or at the time limit. Prints one line of JSON.
"""

import time

START = time.perf_counter()

import argparse
import tempfile
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from benchmarks.baselines.command import make_parser, parse_arguments, print_result
from benchmarks.baselines.spaces import GRACE, max_iterations, optuna_space
from copytask import DivergedError, Trainer

NAME = "copytask"


def open_study(journal: Path, args: argparse.Namespace, seed: int) -> optuna.Study:
    """The study, which all workers share."""
    return optuna.create_study(
        study_name=NAME,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.HyperbandPruner(
            min_resource=GRACE,
            max_resource=max_iterations(args.study),
            reduction_factor=round(args.study.search.reduction_factor),
        ),
    )


def work(journal: Path, args: argparse.Namespace, number: int, solved: Event) -> None:
    """A worker: one trial after the other."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(journal, args, args.seed * args.workers + number)
    while True:
        trial = study.ask(optuna_space(args.study))
        try:
            value = train(trial, args, solved)
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except DivergedError:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, value)


def train(trial: optuna.Trial, args: argparse.Namespace, solved: Event) -> float:
    """One trial."""
    for metrics in Trainer(args.study.training_config(args.T, trial.params, args.seed)):
        trial.set_user_attr("tokens", metrics.tokens)
        if metrics.tokens_to_solve is not None:
            solved.set()
        trial.report(metrics.validation_accuracy, metrics.iteration)
        if trial.should_prune():
            raise optuna.TrialPruned
    return metrics.validation_accuracy


def main() -> None:
    args = parse_arguments(make_parser(__doc__))
    context = get_context("spawn")
    solved = context.Event()
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.log"
        workers = [
            context.Process(target=work, args=(journal, args, number, solved), daemon=True)
            for number in range(args.workers)
        ]
        for worker in workers:
            worker.start()
        solved.wait(60 * args.minutes - (time.perf_counter() - START))
        trials = open_study(journal, args, args.seed).trials
        print_result(
            "Optuna: TPE, Hyperband",
            START,
            sum(trial.user_attrs.get("tokens", 0) for trial in trials),
            len(trials),
            solved.is_set(),
        )
        for worker in workers:
            worker.terminate()
            worker.join()


if __name__ == "__main__":
    main()
