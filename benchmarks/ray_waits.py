"""How long does Ray Tune's controller look for the next result, with so many trials running?

    python -m benchmarks.ray_waits      (a minute)

The controller shuffles the futures of all running trials and waits for one of
them, for every event: the start of a trial in a worker, and each result. This
does the same with that many pending futures, of which one is done, and takes
the processor time of the thread. Writes ray_waits.csv.
"""

import argparse
import asyncio
import random
import time
from pathlib import Path

import numpy as np
import pandas as pd
import ray

from benchmarks import markdown

TRIALS = (2, 16, 64, 256, 1024)
REPEATS = 100


class Trials:
    """Has many tasks at a time that do not end, and one that does."""

    async def train(self) -> None:
        """Never end."""
        await asyncio.sleep(3600)

    async def report(self) -> None:
        """End at once."""


def wait_once(trials: ray.actor.ActorHandle, pending: list[ray.ObjectRef]) -> float:
    """Seconds to find the one future that is done."""
    done = trials.report.remote()
    ray.wait([done])
    start = time.thread_time()
    futures = [*pending, done]
    random.shuffle(futures)
    ready, _ = ray.wait(futures, num_returns=1, timeout=0.1)
    took = time.thread_time() - start
    assert ready == [done]
    return took


def seconds_of(rows: pd.DataFrame, trials: float) -> float:
    """Seconds for an event with so many trials running: a straight line through the measured."""
    slope, begin = np.polyfit(rows["trials"], rows["ms"] / 1e3, 1)
    return float(begin + slope * trials)


def wait_table(rows: pd.DataFrame) -> str:
    """The measured times, as a Markdown table."""
    lines = [[str(row.trials), f"{row.ms:.2f}"] for row in rows.itertuples()]
    return markdown.table(["trials that run", "ms to find the next event"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ray_waits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    ray.init(
        "local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    rows = []
    for number in TRIALS:
        trials = ray.remote(Trials).options(max_concurrency=2 * max(TRIALS)).remote()
        pending = [trials.train.remote() for _ in range(number - 1)]
        times = sorted(wait_once(trials, pending) for _ in range(REPEATS))
        rows.append({"trials": number, "ms": round(1e3 * times[REPEATS // 2], 4)})
        print(f"{number:5} trials: {rows[-1]['ms']:.3f} ms", flush=True)
        ray.kill(trials)
    output = Path(__file__).with_suffix(".csv")
    pd.DataFrame(rows).to_csv(output, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
