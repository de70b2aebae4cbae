"""All figures, in the order of the report. Each has a module with the lower-case name of its file.

To add a figure, write such a module and add it here.
"""

from analysis.figures import (
    accuracy_vs_t,
    best_so_far_vs_tokens,
    generalization,
    importance,
    learning_curves,
    reach,
    seeds_vs_t,
    slots,
    solve_rate_pairs,
    solve_rate_vs_t,
    stops,
    time_to_solve_vs_t,
    tuning_curves,
)

FIGURES = (
    reach.FIGURE,
    solve_rate_vs_t.FIGURE,
    seeds_vs_t.FIGURE,
    solve_rate_pairs.FIGURE,
    best_so_far_vs_tokens.FIGURE,
    accuracy_vs_t.FIGURE,
    time_to_solve_vs_t.FIGURE,
    learning_curves.FIGURE,
    generalization.FIGURE,
    tuning_curves.FIGURE,
    importance.FIGURE,
    stops.FIGURE,
    slots.FIGURE,
)
