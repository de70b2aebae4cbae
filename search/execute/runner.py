"""Searches a whole study."""

from copytask import configure_process
from search.cluster.ray_cluster import Cluster
from search.console.display import Display
from search.decide.agenda import Agenda
from search.errors import SearchFailedError, StorageError
from search.execute.interrupts import Interrupts
from search.execute.model_tests import BackgroundTester
from search.execute.tuning import tune_study
from search.study.optuna_journal import open_journal
from search.study.study import Study
from studies import format as files


def search_study(study: Study, cluster: Cluster, display: Display, interrupts: Interrupts) -> None:
    """Do what a study still has to do: searches, final trainings, confirmations, tests.

    Raises:
        SearchFailedError: something that the search stands on is gone.
        KeyboardInterrupt: the user ended the search; the study can be resumed.
    """
    configure_process()
    try:
        journal = open_journal(study.appended_file(files.OPTUNA_FILE))
        with BackgroundTester() as tester:
            agenda = Agenda(study, journal, tester, display)
            agenda.advance()
            if not agenda.over:
                tune_study(study, agenda, cluster, display, interrupts)
            agenda.finish()
    except OSError as error:
        raise StorageError(study.path, error) from None


def check_results(study: Study) -> None:
    """Whether a search that is over has what it was to find.

    Raises:
        SearchFailedError: there is no result at all, or every trial at a T failed.
    """
    if failed := [T for T in study.config.T if study.history.all_failed(T)]:
        last = study.history.lengths[failed[-1]].trials
        number = f"{len(last)} " if len(failed) == 1 else ""
        raise SearchFailedError(
            f"all {number}trials at T={', '.join(map(str, failed))} failed; the last: "
            f"{last[-1].row['error']}. --resume --retry-failed runs them again"
        )
    if not study.history.best:
        raise SearchFailedError(
            "no trial finished an iteration in the time given; raise --budget-minutes"
        )
