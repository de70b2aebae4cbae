"""How fast does an architecture train beside the same one of a package, on one core?

    pip install '.[benchmarks]'
    python -m benchmarks.package_speed

Takes the steps of ``architecture_speed.py``: a batch of `delay` at T = 1000 in float32, forward and
backward. Everything around a package's layer is ours: embedding, norms, MLPs, output and loss. Only
x-transformers brings whole blocks. The models could take so many symbols that ours cannot gain by
computing each symbol once. Steps of both sides take turns, after one that warms up. The
last column of the table is the median of the ratios of two steps, [lowest, highest]. Writes
package_speed.csv; ``python -m benchmarks.published`` prints the table.
"""

import argparse
import importlib.metadata
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.architecture_speed import T, make_step, many_symbols, take_turns
from benchmarks.markdown import table
from benchmarks.processes import be_like_a_worker
from copytask import CopyModel, SequenceModel, build_model, configure_process
from copytask.models.stack import Mixer, Stack, Steps
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")
WIDTH, BATCH = 64, 16
LAYERS, EXPANSION, MLP_RATIO, HEADS, UNITS = 2, 2.0, 2.0, 2, 256


class PackageMixer(Mixer):
    """A package's layer, which takes and returns the shape (B, L, D), in a block of ours."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`; it cannot continue a sequence."""
        y = self.layer(x.at_steps(x.rows).transpose(0, 1)).transpose(0, 1)
        return y[len(y) - last :], None

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`; it is not used."""
        return 0


class PackageBlocks(SequenceModel):
    """All blocks of a package, which take and return the shape (B, L, D), after our embedding."""

    def __init__(self, symbols: int, blocks: nn.Module):
        super().__init__()
        self.width = WIDTH
        self.embedding = nn.Embedding(symbols, WIDTH)
        self.blocks = blocks

    def forward(
        self, tokens: Tensor, state: Any = None, recalled: int | None = None
    ) -> tuple[Tensor, Any]:
        """See :class:`SequenceModel`; it cannot continue a sequence."""
        y = self.blocks(self.embedding(tokens.long()).transpose(0, 1)).transpose(0, 1)
        return y if recalled is None else y[len(y) - recalled :], None

    def state_floats(self, steps: int) -> int:
        """See :class:`SequenceModel`; it is not used."""
        return 0


class Pair(NamedTuple):
    """The same architecture twice.

    Attributes:
        model: ours, a key of ``copytask.MODELS``.
        keywords: of our architecture.
        package: what PyPI calls the other.
        make: makes the other, for a number of symbols.
    """

    model: str
    keywords: dict[str, Any]
    package: str
    make: Callable[[int], SequenceModel]


def in_our_blocks(make_layer: Callable[[], nn.Module], layers: int) -> Callable[[int], Stack]:
    """A package's layer in the blocks that ours has."""
    return lambda symbols: Stack(
        symbols, WIDTH, [PackageMixer(make_layer()) for _ in range(layers)], MLP_RATIO
    )


def pairs() -> list[Pair]:
    """What is compared."""
    from LRU_pytorch import LRU
    from minGRU_pytorch import minGRU
    from minGRU_pytorch.minLSTM import minLSTM
    from x_transformers import Decoder

    gated = {"layers": LAYERS, "expansion": EXPANSION, "mlp_ratio": MLP_RATIO}
    attention = {
        "layers": LAYERS, "heads": HEADS, "mlp_ratio": MLP_RATIO, "clock": "absolute",
        "addressing": "content", "spectrum": "geometric",
    }  # fmt: skip
    return [
        Pair(
            "mingru", gated, "minGRU-pytorch",
            in_our_blocks(lambda: minGRU(WIDTH, expansion_factor=EXPANSION), LAYERS),
        ),
        Pair(
            "minlstm", gated, "minGRU-pytorch",
            in_our_blocks(lambda: minLSTM(WIDTH, expansion_factor=EXPANSION), LAYERS),
        ),
        Pair(
            "lru", {"layers": 1, "units": UNITS, "mlp_ratio": MLP_RATIO}, "lru-pytorch",
            in_our_blocks(lambda: LRU(WIDTH, WIDTH, UNITS), 1),
        ),
        Pair(
            "transformer", attention, "x-transformers",
            lambda symbols: PackageBlocks(
                symbols,
                Decoder(
                    dim=WIDTH, depth=LAYERS, heads=HEADS, attn_dim_head=WIDTH // HEADS,
                    ff_mult=MLP_RATIO, rotary_pos_emb=True, attn_flash=True, use_rmsnorm=True,
                ),
            ),
        ),
    ]  # fmt: skip


def compare(pair: Pair, rounds: int) -> dict[str, Any]:
    """Steps of both in turns; a row of the table."""
    task = many_symbols("delay")
    torch.manual_seed(0)
    sides = {
        "ours": build_model(pair.model, WIDTH, task=task, **pair.keywords),
        "package": CopyModel(pair.make(task.symbols), task.outputs),
    }
    steps = {side: make_step(model, BATCH) for side, model in sides.items()}
    seconds = take_turns(steps, rounds)
    tokens = BATCH * task.length(T)
    ours, theirs = (statistics.median(taken) for taken in seconds.values())
    ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
    return {
        "model": pair.model, "package": pair.package,
        "version": importlib.metadata.version(pair.package),
        "width": WIDTH, "batch": BATCH, "tokens_per_second": round(tokens / ours),
        "package_tokens_per_second": round(tokens / theirs),
        "ratio": round(statistics.median(ratios), 2), "ratio_low": round(min(ratios), 2),
        "ratio_high": round(max(ratios), 2), "rounds": rounds,
    }  # fmt: skip


def package_table(rows: pd.DataFrame) -> str:
    """How many times as long a package takes as ours."""
    lines = [
        [
            f"`{row.model}`", f"{row.package} {row.version}", f"{row.tokens_per_second / 1e3:.1f}",
            f"{row.package_tokens_per_second / 1e3:.1f}",
            f"{row.ratio:.1f} [{row.ratio_low:.1f}, {row.ratio_high:.1f}]",
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    header = [
        "", "package", "thousand tokens a second", "of the package", "times as fast"
    ]  # fmt: skip
    return table(header, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.package_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=at_least_one, default=5, metavar="N")
    rounds = parser.parse_args().rounds
    be_like_a_worker()
    configure_process()
    torch.set_num_threads(1)
    rows = pd.DataFrame([compare(pair, rounds) for pair in pairs()])
    rows.to_csv(TABLE, index=False)
    print(package_table(rows))


if __name__ == "__main__":
    main()
