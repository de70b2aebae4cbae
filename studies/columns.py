"""The columns of the tables in a study directory: names, units, types and meanings.

``search`` writes the tables by the names here, ``analysis`` checks them by the types, and
docs/files.md is what ``python -m studies.columns`` prints.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from studies import format as files
from studies.markdown import markdown_table

TEXT = "text"
WHOLE = "whole number"
REAL = "number"


@dataclass(frozen=True)
class Column:
    """A column of a table that is written to a file.

    Attributes:
        unit: of its numbers; empty if they have none.
        type: ``TEXT``, ``WHOLE`` or ``REAL``.
    """

    name: str
    unit: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A CSV file.

    Attributes:
        file: its name.
        rows: says what one row is.
    """

    file: str
    rows: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The header of the file."""
        return tuple(column.name for column in self.columns)

    def markdown(self) -> str:
        """The table and its columns as a section of a Markdown page."""
        lines = [(of.name, of.type, of.unit, of.meaning) for of in self.columns]
        table = markdown_table(("column", "type", "unit", "meaning"), lines)
        return f"## {self.file}\n\n{self.rows}\n\n{table}"


def text(name: str, meaning: str) -> Column:
    """A column of words."""
    return Column(name, "", TEXT, meaning)


def whole(name: str, unit: str, meaning: str) -> Column:
    """A column of numbers without a fraction."""
    return Column(name, unit, WHOLE, meaning)


def real(name: str, unit: str, meaning: str) -> Column:
    """A column of any numbers."""
    return Column(name, unit, REAL, meaning)


def explained(column: Column, meaning: str) -> Column:
    """The same column with the meaning that it has in another table."""
    return replace(column, meaning=meaning)


MODEL = text("model", "a name in `copytask.MODELS`, or a cell of your own")
TASK = text("task", "a name in `copytask.TASKS`, or a task of your own")
T = whole("T", "steps", "length that the model is trained for")
TRIAL_ID = text("trial_id", "name of the trial, unique in its study")
STATUS = text(
    "status",
    f"how the trial ended: {', '.join(f'`{name}`' for name in files.STATUSES)}; while it runs, "
    f"`{files.INTERRUPTED}`",
)
LEARNING_RATE = real("learning_rate", "", "learning rate at the start of the training")
HIDDEN_SIZE = whole("hidden_size", "units", "units of a cell, or width of a stack of blocks")
CURRICULUM_LENGTH = whole(
    "curriculum_length", "optimizer steps", "steps until the longest training length is T"
)
SEED = whole("seed", "", "seed of the weights and of the training data")
PARAMETERS = whole("parameters", "", "trained parameters of the model")
STATE_FLOATS = whole(
    "state_floats", "", "numbers that the model carries from one step to the next, at T"
)
TOKENS = whole("tokens", "tokens", "batch size x input length, summed over all training steps")
SECONDS = real("seconds", "s", "wall time of the training, evaluations included")
VALIDATION_ACCURACY = real(
    "validation_accuracy", "share", "payload symbols recalled at T, at the best evaluation"
)
LADDER_ACCURACY = real(
    "ladder_accuracy", "share",
    "mean accuracy over the lengths 1, 4, 16, ..., T at the same evaluation",
)  # fmt: skip
TOKENS_TO_SOLVE = whole(
    "tokens_to_solve",
    "tokens",
    "tokens at the first of the two evaluations that solve T; empty if T is not solved",
)
SECONDS_TO_SOLVE = real("seconds_to_solve", "s", "seconds at the same evaluation")
ACCURACY = real("accuracy", "share", "payload symbols recalled at T on test payloads")
ACCURACY_LOW = real("accuracy_low", "share", "lower end of the 95 % interval over test payloads")
ACCURACY_HIGH = real("accuracy_high", "share", "upper end of the same interval")
EXACT_MATCH = real("exact_match", "share", "whole test payloads recalled without a mistake")
RECALLED_BITS = real("recalled_bits", "bits", "bits of one test payload that the model recalls")
ERROR = text("error", "why a failed trial failed")

TRIALS = Table(
    files.TRIALS_FILE,
    "One row a trial, in the order in which they started. Further searched hyperparameters follow "
    "as columns of their own.",
    (
        MODEL, TASK, T, TRIAL_ID, STATUS, LEARNING_RATE, HIDDEN_SIZE, CURRICULUM_LENGTH, SEED,
        PARAMETERS, STATE_FLOATS, TOKENS, SECONDS, VALIDATION_ACCURACY, LADDER_ACCURACY,
        TOKENS_TO_SOLVE, SECONDS_TO_SOLVE, ERROR,
        text("stage", f"what the trial is for: {', '.join(f'`{name}`' for name in files.STAGES)}"),
        text("host", "host that trained it last"),
        real("gpus", "GPUs", "share of a GPU that it held there; 0 if it trained on a CPU"),
        whole(
            "rank", "",
            "place among the trials of the search at this T, by `search.rank_by`: by tokens to "
            "solve, then by validation accuracy; empty if it has none",
        ),
    ),
)  # fmt: skip

PROGRESS = Table(
    files.PROGRESS_FILE,
    "One row an evaluation of a trial.",
    (
        MODEL, TASK, T, TRIAL_ID,
        whole("iteration", "", "iterations so far"),
        whole("step", "optimizer steps", "training steps so far"),
        explained(TOKENS, "tokens trained so far"),
        explained(SECONDS, "wall time of the training so far"),
        explained(LEARNING_RATE, "learning rate at the end of the iteration"),
        whole("max_length", "steps", "longest training length that the curriculum allows"),
        real("training_loss", "nats per symbol", "mean loss of the iteration"),
        explained(VALIDATION_ACCURACY, "payload symbols recalled at T on validation payloads"),
        explained(LADDER_ACCURACY, "mean accuracy over the lengths 1, 4, 16, ..., T"),
        explained(EXACT_MATCH, "whole validation payloads recalled without a mistake"),
        real("validation_loss", "nats per symbol", "loss at T on validation payloads"),
        explained(RECALLED_BITS, "bits of one validation payload that the model recalls"),
    ),
)  # fmt: skip

BEST = Table(
    files.BEST_FILE,
    "One row a T: the final training if it solved T, otherwise the trial of the search that won "
    "the race, or without one the first by `rank`. Further searched hyperparameters follow.",
    (
        *TRIALS.columns,
        ACCURACY, ACCURACY_LOW, ACCURACY_HIGH, EXACT_MATCH, RECALLED_BITS,
        whole(
            "race_seeds", "",
            "fresh seeds with which the configuration was trained in the race at this T; empty "
            "without a race. The row is then of the candidate with the best record",
        ),
        whole("race_solved", "", "how many of them solved T"),
        whole("trials", "", "trials of the search started at this T"),
        text("checkpoint", "weights of the trial, relative to the study directory"),
    ),
)  # fmt: skip

CONFIRM = Table(
    files.CONFIRM_FILE,
    "One row a (T, seed) with which the best configuration was trained again, tested or failed. "
    "Further searched hyperparameters follow.",
    (
        MODEL, TASK, T,
        explained(SEED, "fresh seed: no trial of the search has it"),
        TRIAL_ID,
        text("confirms", "trial_id of the winner that this training repeats"),
        explained(STATUS, f"{STATUS.meaning}; a failed seed has not solved T"),
        LEARNING_RATE, HIDDEN_SIZE, CURRICULUM_LENGTH, PARAMETERS, TOKENS, SECONDS,
        VALIDATION_ACCURACY, TOKENS_TO_SOLVE, SECONDS_TO_SOLVE,
        explained(
            ACCURACY,
            "payload symbols recalled at T on test payloads of this seed alone; empty if it failed "
            "before an evaluation",
        ),
        ACCURACY_LOW, ACCURACY_HIGH, EXACT_MATCH, RECALLED_BITS, ERROR,
    ),
)  # fmt: skip

REACH = Table(
    files.REACH_FILE,
    "One row a T: those of the configuration, and those that `--reach` has added beyond them. T is "
    "solved if `solved` is at least 1.",
    (
        MODEL, TASK, T,
        whole("solved", "", "trials that have solved T, a final training included"),
        whole("trials", "", "trials of the search started at T"),
        explained(TOKENS, "tokens of all these trials"),
        explained(SECONDS, "wall time of the search at T"),
        explained(TOKENS_TO_SOLVE, "fewest tokens in which one of them has solved T"),
        explained(SECONDS_TO_SOLVE, "seconds of the same training"),
        text("best_trial", "trial_id of the best trial at T; empty if none was evaluated"),
        explained(RECALLED_BITS, "bits of one payload that the best trial recalls: a test payload, "
                  "or before its test a validation payload"),
        PARAMETERS, STATE_FLOATS,
        text("limit", "key of the section `search` that ended the search at T; `reach`: trials "
             "failed before they were evaluated; `next_T`: the user did; empty if it is not over"),
        explained(ERROR, "why the last failed trial failed, if all failed"),
    ),
)  # fmt: skip

GENERALIZATION = Table(
    files.GENERALIZATION_FILE,
    "One row a (T, test_T); `python -m search.generalize` writes it.",
    (
        MODEL, TASK, T,
        explained(TRIAL_ID, "best trial at T when it was tested"),
        whole("test_T", "steps", "length of the test, without further training"),
        explained(ACCURACY, "payload symbols recalled at test_T"),
        ACCURACY_LOW, ACCURACY_HIGH, EXACT_MATCH, RECALLED_BITS,
        whole("payloads", "", "number of test payloads"),
        explained(
            SEED, "seed of the test payloads: equal task, test_T and seed give equal payloads"
        ),
    ),
)  # fmt: skip

TABLES = (TRIALS, PROGRESS, BEST, CONFIRM, REACH, GENERALIZATION)

SHORT_FORMS = {"learning_rate": "lr", "hidden_size": "h", "curriculum_length": "curr."}
"""Hyperparameters in narrow tables and lines; docs/glossary.md explains them."""


def markdown_page(title: str, tables: Iterable[Table]) -> str:
    """A Markdown page that explains the columns of tables."""
    head = f"# {title}\n\nAn empty cell means that there is no such value.\n"
    return "\n".join([head, *(table.markdown() for table in tables)])


if __name__ == "__main__":
    print(markdown_page("Tables of a study", TABLES), end="")
