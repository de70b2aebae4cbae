"""One trial of Syne Tune's LocalBackend, which passes hyperparameters on the command line."""

import argparse
from pathlib import Path

from syne_tune import Reporter

from benchmarks.baselines.spaces import values_of
from copytask import DivergedError, Trainer
from search.config.study_config import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--study_file", type=Path)
    parser.add_argument("--T", type=int)
    parser.add_argument("--metric")
    parser.add_argument("--seed", type=int)
    args, rest = parser.parse_known_args()
    study = StudyConfig.model_validate_json(args.study_file.read_text())
    searched = values_of(study, rest)
    report = Reporter()
    try:
        for metrics in Trainer(study.training_config(args.T, searched, args.seed)):
            report(
                iteration=metrics.iteration,
                value=getattr(metrics, args.metric),
                tokens=metrics.tokens,
                solved=int(metrics.tokens_to_solve is not None),
            )
    except DivergedError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
