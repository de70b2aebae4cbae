"""How many results per second can the driver of a search record?

    python -m benchmarks.driver_rate
    python -m benchmarks.driver_rate --storage /mnt/shared s3://bucket/prefix

In each storage, 64 trials of 20 iterations report to a study as fast as the
driver takes their results, and the CSV files are rewritten as in a search. The
driver writes the start and the end of a trial before they take effect; on an
object store, other results may wait. Without --storage it measures a temporary
folder, and an S3-compatible server (moto) on this machine that answers at once
or after 10, 30 and 100 ms. Prints results per second, their ratio to the first
storage, and the mean and longest time for a result in ms. Writes
driver_rate.csv.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.options import add_output
from benchmarks.replay.sides import change
from copytask import Trainer, TrainingConfig
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from search.errors import UserError
from search.storage.store import parse_storage, remove_tree
from search.study.listener import Progress
from search.study.result_files import ResultFiles
from search.study.study import Study
from studies import format as files
from studies.events import Point

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from stores import BUCKET, object_store

TRIALS = 64
ITERATIONS = 20


def measure(storage: str) -> list[float]:
    """Seconds of each result, the share of rewriting the CSV files included."""
    config = change(load_config(DEFAULT_CONFIG, [], {"model": "gru"}), T=[1000])
    path = parse_storage(storage) / "driver-rate"
    remove_tree(path)
    study = Study.create(path, config)
    names = [f"T1000-{number:04d}" for number in range(TRIALS)]
    for name in names:
        training = config.training_config(1000, {"learning_rate": 1e-3, "hidden_size": 128}, 0)
        study.start_trial(name, training.to_dict())
    point = example_point()
    tables, taken = ResultFiles(study), []
    for number in range(TRIALS * ITERATIONS):
        began = time.perf_counter()
        iteration = number // TRIALS + 1
        last = files.COMPLETED if iteration == ITERATIONS else ""
        study.add_result(names[number % TRIALS], replace(point, iteration=iteration), 10**5, last)
        tables.progressed(Progress(0.0, 0.0, 0.0))
        taken.append(time.perf_counter() - began)
    study.close()
    remove_tree(path)
    return taken


def example_point() -> Point:
    """What a training iteration reports."""
    training = TrainingConfig(model="gru", T=2, hidden_size=8, tokens_per_iteration=100)
    return Point(**vars(Trainer(training).run_iteration()))


@contextmanager
def default_storages() -> Iterator[Iterator[tuple[str, str]]]:
    """Name and address of a folder and of a store with several latencies."""
    with tempfile.TemporaryDirectory() as folder, object_store() as door:

        def each() -> Iterator[tuple[str, str]]:
            yield "folder", folder
            for delay in (0.0, 0.01, 0.03, 0.1):
                door.delay = delay
                yield f"s3, {1000 * delay:.0f} ms", f"s3://{BUCKET}/rate"

        yield each()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.driver_rate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--storage",
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders or s3:// addresses to measure",
    )
    add_output(parser, Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    rows = []
    with default_storages() as standard:
        for name, storage in ((s, s) for s in args.storage) if args.storage else standard:
            try:
                taken = pd.Series(measure(storage))
            except UserError as error:
                sys.exit(f"error: {error}")
            rows.append(
                {
                    "storage": name,
                    "results_per_second": len(taken) / taken.sum(),
                    "mean_ms": 1e3 * taken.mean(),
                    "longest_ms": 1e3 * taken.max(),
                }
            )
    table = pd.DataFrame(rows)
    rate = table["results_per_second"]
    table.insert(2, "ratio", rate / rate.iloc[0])
    table = table.round(3)
    print(table.to_string(index=False))
    table.to_csv(args.output, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
