"""Reads what is known of a search from the events of its study."""

from copytask.error_lines import error_line
from search.config.study_config import StudyConfig
from search.study.event_log import read_events
from search.study.history import History
from studies import format as files
from studies.event_files import NAMES
from studies.paths import StudyPath


def read_history(
    study: StudyPath, config: StudyConfig, chance_accuracy: float = files.CHANCE_ACCURACY
) -> History:
    """What is known of the search of the study at this path.

    Raises:
        OSError: its events cannot be read.
        UnknownEventError: a newer version wrote one of them; the message says which.
        ValueError: they are damaged; the message says where.
    """
    history = History(config, chance_accuracy)
    for event in read_events(study):
        try:
            history.apply(event)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{study / files.EVENTS_FILE}: {NAMES[type(event)]} at {event.elapsed} s does not "
                f"fit the events before it ({error_line(error)})"
            ) from None
    return history
