"""What every column of the written tables means: the one place that says it."""

from analysis.tables.confirmation import CONFIRMED
from analysis.tables.equal_cost import EQUAL_COST_COLUMNS
from analysis.tables.importance import IMPORTANCE_COLUMNS
from analysis.tables.pairs import PAIR_COLUMNS, SEED_MEAN_COLUMNS
from analysis.tables.tuning_curves import CURVE_COLUMNS, SAMPLE_COLUMNS
from studies import format as files

MEANINGS = {
    # which result
    "study": "name of the study directory",
    "label": "the model; with its study where several studies of a task share it",
    "task": "delay or sequence",
    "model": "lstm, gru, mlstm, mgru, or a user's own: file.py:factory or package.module:factory",
    "T": "length that the model was trained for, in steps",
    "state": "done, or why there is no result",
    "trial_id": "of the best trial; the rest of the row is about it",
    # hyperparameters
    "learning_rate": "at its start",
    "hidden_size": "units",
    "curriculum_length": "optimizer steps",
    "seed": "of weights and training data",
    # scores
    "parameters": "trained parameters of the model",
    "accuracy": "share of payload symbols recalled, on test payloads, which chose nothing",
    "accuracy_low": "lower end of its 95 % interval over payloads (Wilson, effective sample size)",
    "accuracy_high": "upper end",
    "exact_match": "share of whole test payloads recalled",
    "exact_match_low": "lower end of its exact 95 % interval (Clopper-Pearson)",
    "exact_match_high": "upper end",
    "recalled_bits": "bits of one payload that the model recalls",
    "validation_accuracy": "at T, of the best evaluation",
    "ladder_accuracy": "of the same evaluation: mean over the lengths 1, 4, 16, ..., T",
    "tokens_to_solve": "tokens until validation accuracy is >= 0.99 twice in a row; empty: never",
    "seconds_to_solve": "s, the same",
    "tokens": "batch x length of all its training steps",
    "seconds": "s of its training, evaluations included",
    # fresh seeds
    "seeds": "trainings of this configuration with fresh seeds",
    "seeds_solved": "how many of them solved T",
    "solved_low": "lower end of the 95 % interval of the share that does (Clopper-Pearson)",
    "solved_high": "upper end",
    "mean_accuracy": "mean test accuracy over the seeds",
    "mean_accuracy_low": "lower end of its 95 % interval over seeds (Student)",
    "mean_accuracy_high": "upper end",
    # counts and files
    "trials": "trials of the search at this T",
    **{f"trials_{status}": f"those that are {status}" for status in files.STATUSES},
    "checkpoint": "of the best trial, relative to path",
    "path": "of the study directory",
    # pairs
    "basis": "payloads: two trained networks; seeds: two configurations over fresh seeds",
    "better": "label with the higher (mean) accuracy",
    "worse": "the other label",
    "difference": "of their (mean) test accuracies",
    "difference_low": "lower end of its 95 % interval (payloads: Newcombe; seeds: Welch)",
    "difference_high": "upper end",
    "superiority": "probability that a seed of the better one beats one of the other; 0.5: equal",
    "p_value": "of no difference (payloads: score test; seeds: permutation test)",
    "p_holm": "the same, corrected (Holm) for all pairs of this task, T and basis",
    "better_seeds": "fresh seeds of the better one",
    "worse_seeds": "fresh seeds of the other",
    "better_tokens": "tokens of the better one's training (basis payloads)",
    "worse_tokens": "tokens of the other's",
    # over all T
    "lengths": "number of T that they are of",
    "iqm": "interquartile mean of the test accuracies over all T and seeds",
    "iqm_low": "lower end of its 95 % stratified bootstrap interval",
    "iqm_high": "upper end",
    # equal cost
    "search_tokens": "tokens of all trials at this T, final training and seeds included",
    "search_seconds": "s, the same; trials run beside each other, so the wall time is less",
    "equal_tokens": "tokens of the shortest best trial of any label at this task and T",
    "accuracy_at_equal_tokens": "validation accuracy of the best trial within so many tokens",
    "equal_seconds": "s of the shortest best trial of any label at this task and T",
    "accuracy_at_equal_seconds": "validation accuracy of the best trial within that time",
    "equal_parameters": "the least of the labels' largest numbers of parameters",
    "accuracy_at_equal_parameters": "validation accuracy of the best trial of no more parameters",
    # tuning curves
    "band": "whether the curve has a band",
    "remark": "why there is no curve or no band, or how to read it",
    "n": "random trials",
    "best": "expected best validation accuracy of so many",
    "best_low": "lower end of its 95 % band, for all n at once",
    "best_high": "upper end",
    # importance
    "hyperparameter": "one that was searched",
    "importance": "for being in the best quarter of trials at one's T (PED-ANOVA)",
    "noise": "largest importance if accuracies are dealt to trials at random",
    # generalization
    "test_T": "length of the test, in steps, without further training",
    "payloads": "number of test payloads",
}
"""Column -> meaning. A column of another name in comparison.csv is a searched hyperparameter."""

OTHERWISE = {
    ("seed_means", "seeds"): "trainings with fresh seeds, of all T",
    ("tuning_samples", "trials"): "those sampled at random that have ended; 0: no curve",
    ("importance", "trials"): "that were counted, of all T",
    ("generalization", "seed"): "of the test payloads; equal seeds at equal T are equal payloads",
    ("generalization", "accuracy"): "share of payload symbols recalled at test_T",
}
"""(Table, column) -> meaning, where it is not the usual one."""

COMPARISON_COLUMNS = (
    "study", "label", "task", "model", "T", "state", "trial_id", "learning_rate", "hidden_size",
    "curriculum_length", "seed", "parameters", "accuracy", "accuracy_low", "accuracy_high",
    "exact_match", "exact_match_low", "exact_match_high", "recalled_bits", "validation_accuracy",
    "ladder_accuracy", "tokens_to_solve", "seconds_to_solve", "tokens", "seconds", *CONFIRMED,
    "trials", *(f"trials_{status}" for status in files.STATUSES), "checkpoint", "path",
)  # fmt: skip

TABLE_COLUMNS: dict[str, tuple[str, ...]] = {
    "comparison": COMPARISON_COLUMNS,
    "pairs": PAIR_COLUMNS,
    "seed_means": SEED_MEAN_COLUMNS,
    "equal_cost": EQUAL_COST_COLUMNS,
    "tuning_samples": SAMPLE_COLUMNS,
    "tuning_curves": CURVE_COLUMNS,
    "importance": IMPORTANCE_COLUMNS,
    "generalization": ("study", "label", *files.GENERALIZATION_COLUMNS),
}
"""File name without .csv -> its columns."""

ROWS = {
    "comparison": "One row a (study, T): the best trial.",
    "pairs": "One row for every two labels with a result at a T.",
    "seed_means": "One row a label with at least 5 fresh seeds at each T.",
    "equal_cost": "One row a (label, T) with a result: its cost, and accuracies at equal cost.",
    "tuning_samples": "One row a (study, T): whether its trials tell what more trials bring.",
    "tuning_curves": "One row a number of random trials.",
    "importance": "One row a (study, hyperparameter) of studies with at least 20 ended trials.",
    "generalization": "One row a (study, T, test_T); from python -m search.generalize.",
}


def meaning(table: str, column: str) -> str:
    """What a column of a table means.

    Raises:
        KeyError: it is none of the documented ones.
    """
    return OTHERWISE.get((table, column)) or MEANINGS[column]


def columns_markdown() -> str:
    """All tables and their columns, as a Markdown page."""
    parts = ["# Columns of the tables\n\nAn empty cell means that there is no such value.\n"]
    for table, columns in TABLE_COLUMNS.items():
        lines = "".join(f"| {column} | {meaning(table, column)} |\n" for column in columns)
        parts.append(f"## {table}.csv\n\n{ROWS[table]}\n\n| column | meaning |\n|---|---|\n{lines}")
    return "\n".join(parts)
