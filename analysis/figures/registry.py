"""All figures, in the order of the report. Each has a module with the lower-case name of its file.

To add a figure, write such a module and add it here.
"""

from analysis.figures import (
    accuracy_at_largest_t,
    accuracy_vs_t,
    equal_cost_vs_t,
    generalization,
    importance,
    learning_curves,
    pairs_at_largest_t,
    seeds_vs_t,
    slices,
    slots,
    stops,
    time_to_solve_vs_t,
    tuning_curves,
)

FIGURES = (
    accuracy_vs_t.FIGURE,
    time_to_solve_vs_t.FIGURE,
    learning_curves.FIGURE,
    accuracy_at_largest_t.FIGURE,
    pairs_at_largest_t.FIGURE,
    seeds_vs_t.FIGURE,
    equal_cost_vs_t.FIGURE,
    generalization.FIGURE,
    tuning_curves.FIGURE,
    importance.FIGURE,
    slices.FIGURE,
    stops.FIGURE,
    slots.FIGURE,
)
