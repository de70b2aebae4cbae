"""What ``--list`` and ``--show`` print."""

from collections.abc import Sequence

from rich.console import Console

from search.console.compare_two import show_two
from search.console.list_studies import print_list
from search.console.show_study import show_study
from search.errors import UserError
from search.study.overview import look, study_named
from studies.paths import StudyPath


def look_back(storage: StudyPath, names: Sequence[str] | None) -> int:
    """Print all studies of the storage, one of these names, or two of them beside each other.

    Raises:
        UserError: there is no such study, or it cannot be read.
    """
    # Names of a user's cells may look like markup.
    console = Console(markup=False, emoji=False, highlight=False)
    if not names:
        print_list(storage, console)
        return 0
    studies = [look(study_named(storage, name)) for name in names]
    match studies:
        case [study]:
            show_study(study, console)
        case [before, after]:
            show_two(before, after, console)
        case _:
            raise UserError(f"--show takes one name, or two to compare, but got {len(names)}")
    return 0
