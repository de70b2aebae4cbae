"""What the packages must agree on although they do not import one another."""

import subprocess
import sys

import analysis.figures
import copytask
import study_format as files
from copytask.tasks import CHANCE_ACCURACY


def test_figures_draw_the_chance_and_solve_lines_of_the_task():
    assert analysis.figures.CHANCE == CHANCE_ACCURACY
    assert analysis.figures.SOLVED == copytask.SOLVED_ACCURACY


def test_progress_columns_are_what_a_training_iteration_reports():
    reported = {"model", "task", "T", "trial_id", *copytask.Metrics.__dataclass_fields__}
    assert set(files.PROGRESS_COLUMNS) <= reported


def test_copytask_needs_neither_ray_nor_optuna_nor_pandas():
    script = (
        "import sys, copytask;"
        "print([m for m in ('ray', 'optuna', 'pandas', 'pydantic', 'search') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
