"""A search with Optuna as its documentation writes one: TPESampler and HyperbandPruner.

    COPYTASK_RACE_RESULTS=results python -m benchmarks.baselines.optuna_hyperband --model mgru

Starts one process for each worker; they share a journal file. Searches until it is
interrupted.
"""

import argparse
import tempfile
from multiprocessing import get_context
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from benchmarks.baselines.command import make_parser, parse_arguments
from benchmarks.baselines.results import note
from benchmarks.baselines.spaces import optuna_space
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
            min_resource=args.study.search.grace_iterations,
            max_resource=args.study.max_iterations(args.T),
            reduction_factor=round(args.study.search.reduction_factor),
        ),
    )


def work(journal: Path, args: argparse.Namespace, number: int) -> None:
    """A worker: one trial after the other."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(journal, args, args.seed * args.workers + number)
    while True:
        trial = study.ask(optuna_space(args.study))
        try:
            value = train(trial, args)
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except DivergedError:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, value)


def train(trial: optuna.Trial, args: argparse.Namespace) -> float:
    """One trial."""
    value = 0.0
    for metrics in Trainer(args.study.training_config(args.T, trial.params, args.seed)):
        note(trial.number, metrics.tokens, metrics.tokens_to_solve is not None)
        value = getattr(metrics, args.metric)
        trial.report(value, metrics.iteration)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


def main() -> None:
    args = parse_arguments(make_parser(__doc__))
    context = get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.log"
        study = open_study(journal, args, args.seed)
        for point in args.initial:
            study.enqueue_trial(point)
        workers = [
            context.Process(target=work, args=(journal, args, number), daemon=True)
            for number in range(args.workers)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    main()
