import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.precision import geometric_mean, read_rows, summary

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "benchmarks" / "precision.csv"


def test_ratios_the_other_way_round_give_the_other_way_round():
    ratios = [0.2, 0.9, 1.0, 3.0]
    mean, low, high = geometric_mean(ratios)
    inverse = geometric_mean([1 / ratio for ratio in ratios])
    assert inverse == pytest.approx((1 / mean, 1 / high, 1 / low))
    assert geometric_mean([1.1, 1.1]) == pytest.approx((1.1, 1.1, 1.1))


def test_the_interval_holds_the_true_ratio_about_95_times_in_100():
    draw = random.Random(0)
    held = 0
    for _ in range(2000):
        _, low, high = geometric_mean([1.5 * draw.lognormvariate(0, 0.8) for _ in range(6)])
        held += low <= 1.5 <= high
    assert 0.93 < held / 2000 < 0.97


def test_the_documentation_quotes_what_the_benchmark_prints():
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.precision", "--show", RECORDED],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == summary(read_rows(RECORDED)) + "\n"
    *table, tokens, seconds = result.stdout.splitlines()
    text = " ".join((ROOT / "docs" / "training.md").read_text().split())
    assert len(table) == 9
    for line in (tokens, seconds):
        quantity, _, figures = line.partition(", bf16 / fp32: geometric mean ")
        ratio, _, rest = figures.partition(" (95 % interval ")
        low, high = rest.partition(")")[0].split(" to ")
        assert f"{ratio} times the {quantity} (95 % interval {low} to {high})" in text
    for line in table[1:]:
        assert " ".join(line.split()) in text
