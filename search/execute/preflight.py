"""What a new study must hold before anything is searched; one that is resumed has begun already."""

from collections.abc import Sequence

from copytask import MODELS, check_cell
from copytask.training.checkpoint import EARLIER_ARCHITECTURE
from search.config.study_config import CHECKED_HIDDEN_SIZE, StudyConfig
from search.errors import UserError


def check_can_learn(config: StudyConfig, overrides: Sequence[str]) -> None:
    """Whether the model can learn, and what the user has set has an effect on it.

    Args:
        overrides: those of the user. A value in a file may serve several models.

    Raises:
        UserError: a user's own cell is broken, or the model lacks what is set.
    """
    if config.model not in MODELS:
        try:
            check_cell(config.model, CHECKED_HIDDEN_SIZE)
        except ValueError as error:
            raise UserError(str(error)) from None
    set_by_user = {text.partition("=")[0].strip() for text in overrides}
    for name in EARLIER_ARCHITECTURE:
        if f"training.{name}" in set_by_user and name not in config.types:
            raise UserError(
                f"training.{name} has no effect: the model {config.model!r} does not take {name}"
            )
