"""How long does a comparison of many large studies take, and how large is its page?

    python -m benchmarks.analysis_speed
    python -m benchmarks.analysis_speed --studies 4 --trials 100

Writes synthetic studies into a temporary folder and compares them. They have
the size and shape of real ones: the default search space, four T, and trials
that end at ASHA's rungs of 4 and 12 iterations or with their budget of 30, so
about nine evaluations for each trial. Accuracies are drawn at random; nothing is
trained. Half of the studies use the random sampler. Prints the times and sizes.
The default sizes are also written to analysis_speed.csv: ``seconds`` is the wall
time of ``python -m analysis.compare``, ``busy_seconds`` its processor time, which
other programs on the machine do not lengthen.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from studies import events
from studies import format as files
from studies.columns import BEST, PROGRESS, TRIALS
from studies.command_line import at_least_one
from studies.event_files import encode, make_record

ROOT = Path(__file__).parents[1]
MODELS = ("lstm", "gru", "mlstm", "mgru")
LENGTHS = (100, 200, 500, 1000)
SIZES = (64, 96, 128)
ITERATION_TOKENS = 400_000
STUDIES, TRIALS_EACH = 50, 1000
"""By default: studies, and trials of each."""


def write_study(folder: Path, model: str, sampler: str, trials: int, seed: int) -> int:
    """Write one study; returns the number of its evaluations."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    config = yaml.safe_load((ROOT / "configs/default.yaml").read_text())
    config |= {"model": model, "T": list(LENGTHS)}
    config["search"] |= {"trials": trials // len(LENGTHS), "sampler": sampler}
    document = {"schema_version": files.SCHEMA_VERSION, "config": config, "provenance": {}}
    (folder / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    rows, curves, best = [], [], []
    happened: list[events.Event] = []
    elapsed = 0.0
    for T in LENGTHS:
        happened.append(events.LengthBegan(elapsed=elapsed, T=T, initial=[]))
        for number in range(trials // len(LENGTHS)):
            row, curve = make_trial(rng, model, T, number)
            name = row["trial_id"]
            happened.append(events.TrialStarted(elapsed=elapsed, trial_id=name, training=row))
            for point in curve:
                elapsed += 1.25  # two slots, 2.5 s an iteration
                status = row["status"] if point is curve[-1] else ""
                metrics = make_record(events.Point, point)
                happened.append(
                    events.Result(
                        elapsed=elapsed, trial_id=name, metrics=metrics,
                        parameters=row["parameters"], status=status,
                    )
                )  # fmt: skip
            rows.append(row)
            curves += curve
        value = trials // len(LENGTHS)
        happened.append(events.LengthEnded(elapsed=elapsed, T=T, limit="trials", value=value))
        winner = max(rows[-trials // len(LENGTHS) :], key=lambda row: row["validation_accuracy"])
        accuracy = winner["validation_accuracy"]
        scores = {"accuracy": accuracy, "accuracy_low": accuracy - 0.002}
        scores |= {"accuracy_high": min(1.0, accuracy + 0.002), "exact_match": accuracy**10}
        scores |= {"recalled_bits": 33 * accuracy, "trials": trials // len(LENGTHS)}
        best.append(winner | scores | {"checkpoint": f"checkpoints/T={T}"})
    tables = (
        (files.TRIALS_FILE, TRIALS.names, rows),
        (files.PROGRESS_FILE, PROGRESS.names, curves),
        (files.BEST_FILE, BEST.names, best),
    )
    for name, columns, table in tables:
        pd.DataFrame(table, columns=list(columns)).to_csv(folder / name, index=False)
    (folder / files.EVENTS_FILE).write_bytes(b"".join(map(encode, happened)))
    return len(curves)


def make_trial(
    rng: np.random.Generator, model: str, T: int, number: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A row of trials.csv and its curve: two in three end at each rung."""
    iterations = int(rng.choice([4, 12, 30], p=[2 / 3, 2 / 9, 1 / 9]))
    size = int(rng.choice(SIZES))
    identity = {"model": model, "task": "delay", "T": T, "trial_id": f"T{T}-{number:04d}"}
    learning_rate = float(np.exp(rng.uniform(np.log(1e-3), np.log(1e-2))))
    top = rng.beta(8, 1) if iterations == 30 else rng.uniform(0.1, 0.6)
    values = 0.1 + (top - 0.1) * np.linspace(0, 1, iterations) ** 0.5 if top > 0.1 else [0.1] * 30
    curve = [
        identity
        | {
            "iteration": k + 1,
            "step": 560 * (k + 1),
            "tokens": ITERATION_TOKENS * (k + 1),
            "seconds": 2.5 * (k + 1) + 0.1234567891234,
            "learning_rate": learning_rate,
            "max_length": min(T, 4 * 2**k),
            "training_loss": 2.3 * (1 - float(value)),
            "validation_accuracy": float(value),
            "ladder_accuracy": float(value) ** 0.5,
            "exact_match": float(value) ** 10,
            "validation_loss": 2.3 * (1 - float(value)) + 0.01,
            "recalled_bits": 33.2 * float(value),
        }
        for k, value in enumerate(values[:iterations])
    ]
    solved = curve[-1]["validation_accuracy"] >= 0.99
    row = identity | {
        "status": files.COMPLETED if iterations == 30 else files.STOPPED_EARLY,
        "learning_rate": learning_rate,
        "hidden_size": size,
        "curriculum_length": int(np.exp(rng.uniform(np.log(1000), np.log(6000)))),
        "seed": number,
        "parameters": 4 * size * size,
        "tokens": curve[-1]["tokens"],
        "seconds": curve[-1]["seconds"],
        "validation_accuracy": curve[-1]["validation_accuracy"],
        "ladder_accuracy": curve[-1]["ladder_accuracy"],
        "tokens_to_solve": curve[-1]["tokens"] if solved else None,
        "seconds_to_solve": curve[-1]["seconds"] if solved else None,
        "error": None,
        "stage": files.SEARCH,
    }
    return row, curve


def main() -> None:
    """Make the studies, compare them, print and write what that took."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.analysis_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--studies",
        type=at_least_one,
        default=STUDIES,
        help="number of studies (default: %(default)s)",
    )
    parser.add_argument(
        "--trials",
        type=at_least_one,
        default=TRIALS_EACH,
        help="trials of each study, over four T (default: %(default)s)",
    )
    parser.add_argument("--profile", action="store_true", help="print a profile of the comparison")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        evaluations = 0
        for number in range(args.studies):
            model = MODELS[number % len(MODELS)]
            sampler = "random" if number % 8 < 4 else "tpe"
            name = f"{model}-{number:02d}"
            evaluations += write_study(runs / name, model, sampler, args.trials, number)
        size = sum(path.stat().st_size for path in runs.rglob("*")) / 1e6
        command = [sys.executable, *(["-m", "cProfile", "-s", "cumtime"] if args.profile else [])]
        command += ["-m", "analysis.compare", str(runs), "--output", str(Path(folder) / "reports")]
        began = time.perf_counter()
        output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        page = (Path(folder) / "reports" / "index.html").stat().st_size / 1e6
        if args.profile:
            start = output.stdout.find("function calls")
            print("\n".join(output.stdout[start:].splitlines()[:90]))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        row = {
            "studies": args.studies, "trials": args.studies * args.trials,
            "evaluations": evaluations, "study_megabytes": round(size, 1),
            "seconds": round(seconds, 1), "busy_seconds": round(used.ru_utime + used.ru_stime, 1),
            "page_megabytes": round(page, 2),
        }  # fmt: skip
        print(row)
        if not args.profile and args.studies == STUDIES and args.trials == TRIALS_EACH:
            pd.DataFrame([row]).to_csv(Path(__file__).with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
