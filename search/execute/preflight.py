"""What a new study must hold before anything is searched; one that is resumed has begun already."""

from collections.abc import Sequence

from copytask import MODELS, check_cell
from copytask.models import CELL_OPTIONS, cell_options, find_factory
from search.config.study_config import CHECKED_HIDDEN_SIZE, StudyConfig
from search.errors import UserError


def check_can_learn(config: StudyConfig, overrides: Sequence[str]) -> None:
    """Whether the model can learn, and all that is searched has an effect on it.

    Args:
        overrides: those of the user. A fixed value of a file may be one that serves every model,
            like a forget bias, and matters to those that have it.

    Raises:
        UserError: a user's own cell is broken, or the model lacks what is to be searched or set.
    """
    if config.model not in MODELS:
        try:
            check_cell(config.model, CHECKED_HIDDEN_SIZE)
        except ValueError as error:
            raise UserError(str(error)) from None
    set_by_user = {text.partition("=")[0].strip() for text in overrides}
    lacking = set(CELL_OPTIONS) - cell_options(find_factory(config.model))
    for name in sorted(lacking):
        fixed = f"training.{name}"
        if name in config.dimensions() or {fixed, f"space.{name}"} & set_by_user:
            key = f"space.{name}" if name in config.space else fixed
            advice = "remove it"
            if config.model not in MODELS:
                advice += f", or add an argument {name} to the cell's factory"
            raise UserError(
                f"{key} has no effect: the model {config.model!r} does not take {name}; {advice}"
            )
