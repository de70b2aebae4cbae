"""How much does linear attention recall with a state of a given size?

    python -m benchmarks.state_size

Trains on `sequence` at T = 200 with keys of several sizes, two seeds each, for 1.2 million tokens,
and tests each model on 100 payloads. Writes state_size.csv; ``python -m benchmarks.published``
prints the table.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.markdown import table
from copytask import Trainer, TrainingConfig, configure_process, evaluate, find_task

TABLE = Path(__file__).with_suffix(".csv")
T = 200
KEY_SIZES = (32, 64, 128, 192, 256, 512)
SEEDS = (0, 1)


def train(key_size: int, seed: int) -> dict[str, float]:
    """Train one model; return its row."""
    trainer = Trainer(
        TrainingConfig(
            model="linear_attention", task="sequence", T=T, hidden_size=64, learning_rate=1e-2,
            curriculum_length=1200, batch_size=16, max_tokens=1_200_000,
            tokens_per_iteration=400_000, validation_payloads=20, stop_when_solved=False, seed=seed,
            architecture={"key_size": key_size, "value_size": 16},
        )
    )  # fmt: skip
    for _ in trainer:
        pass
    scores = evaluate(trainer.model, "sequence", T, payloads=100)
    return {
        "key_size": key_size, "seed": seed,
        "state_floats": trainer.model.core.state_floats(find_task("sequence").length(T)),
        "accuracy": scores.accuracy, "recalled_bits": scores.recalled_bits,
    }  # fmt: skip


def state_table(rows: pd.DataFrame) -> str:
    """Accuracy and recalled bits of each seed at each size."""
    lines = []
    for size, of in rows.groupby("key_size"):
        floats = of["state_floats"].iloc[0]
        lines.append(
            [
                f"{size}", f"{floats}", ", ".join(f"{x:.3f}" for x in of["accuracy"]),
                ", ".join(f"{x:.0f}" for x in of["recalled_bits"]),
                ", ".join(f"{x:.2f}" for x in of["recalled_bits"] / floats),
            ]
        )  # fmt: skip
    header = ["key_size", "numbers of state", "accuracy", "recalled bits", "bits a number"]
    return table(header, lines)


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m benchmarks.state_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    configure_process()
    rows = []
    for key_size in KEY_SIZES:
        for seed in SEEDS:
            rows.append(train(key_size, seed))
            print(rows[-1], flush=True)
            pd.DataFrame(rows).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
