"""What to look at when nothing was learnt."""

from search.study.history import History

HARDLY_ABOVE_CHANCE = 0.05
"""Ladder accuracies that come less than this share of the way from chance to 1 are guesses too: the
best of many that were measured on few payloads."""


def advice_at_chance(history: History) -> list[str]:
    """A line for each way in which every trial at some T stayed at chance.

    The test of the best trial decides, since its payloads chose nothing.
    """
    chance = history.chance_accuracy
    at_chance = [T for T, best in history.best.items() if best.accuracy_low <= chance]
    ladders = {
        T: max(value for trial in history.lengths[T].trials
               for value in trial.curve.column("ladder_accuracy"))
        for T in at_chance
    }  # fmt: skip
    learned = chance + HARDLY_ABOVE_CHANCE * (1 - chance)
    nowhere = sorted(T for T in at_chance if ladders[T] < learned)
    shorter = sorted(set(at_chance) - set(nowhere))
    lines = []
    if nowhere:
        lines.append(
            f"T={', '.join(map(str, nowhere))}: every trial stayed at chance, at shorter lengths "
            "too. Try lower and higher learning rates (space.learning_rate) and more tokens per "
            "trial (training.max_tokens), and check that the model keeps its state: the gate for "
            "that should start open"
        )
    if shorter:
        best = max(ladders[T] for T in shorter)
        lines.append(
            f"T={', '.join(map(str, shorter))}: every trial stayed at chance, but learned shorter "
            f"lengths (ladder accuracy {best:.2f}). Allow more tokens (training.max_tokens), a "
            "longer curriculum (space.curriculum_length) or more time (--budget-minutes)"
        )
    return lines
