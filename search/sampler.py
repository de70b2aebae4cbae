"""Optuna as the search algorithm of Ray Tune.

Ray's own OptunaSearch tells Optuna that a trial which ASHA stopped is COMPLETE, with its last
value; TPE takes that for the trial's final quality. Here such a trial is PRUNED, with all its
intermediate values, and the study is kept on disk, where optuna and optuna-dashboard can open
it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from ray.tune.search import Searcher

from search.config import SearchConfig, StudyConfig
from search.scheduler import METRICS
from search.space import Scalar
from search.trainable import STATUS
from study_format import COMPLETED, FAILED

TRIAL_ID = "trial_id"
RAY_TRIAL_ID = "ray_trial_id"

STARTED = [state for state in TrialState if state is not TrialState.WAITING]


class OptunaSearcher(Searcher):
    """Asks and tells one Optuna study, the one of one T.

    Args:
        config: the configuration of the study.
        T: the length searched.
        journal: Optuna's journal file; made if it does not exist.
        initial: configurations to be tried first, verbatim, if the Optuna study is new.
        max_concurrent: trials that may be live at a time.
    """

    def __init__(
        self,
        config: StudyConfig,
        T: int,
        journal: Path,
        initial: Sequence[dict[str, Scalar]],
        max_concurrent: int,
    ):
        super().__init__(metric=METRICS[config.search.metric], mode="max")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._config = config
        self._T = T
        self._max_concurrent = max_concurrent
        self._distributions = {
            name: dimension.distribution() for name, dimension in config.dimensions().items()
        }
        backend = JournalFileBackend(str(journal))
        self._study = optuna.create_study(
            storage=JournalStorage(backend),
            study_name=f"T={T}",
            direction="maximize",
            load_if_exists=True,
        )
        if not self._study.trials:
            for point in initial:
                self._study.enqueue_trial(point)
        self._live: dict[str, optuna.Trial] = {}  # Ray's trial id -> Optuna's trial

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """The config of Tune's next trial, or None while as many as may be are live."""
        if len(self._live) >= self._max_concurrent:
            return None
        # A sampler that is seeded for each trial suggests the same after a restart of the
        # driver as without one, and does not repeat itself.
        started = self._study.get_trials(deepcopy=False, states=STARTED)
        seed = trial_seed(self._config.search.seed, self._T, len(started))
        self._study.sampler = make_sampler(self._config.search, seed)
        trial = self._study.ask(self._distributions)
        name = f"T{self._T}-{trial.number:04d}"
        trial.set_user_attr(TRIAL_ID, name)
        trial.set_user_attr(RAY_TRIAL_ID, trial_id)
        self._live[trial_id] = trial
        training = self._config.training_config(self._T, trial.params, seed)
        return {TRIAL_ID: name, "training": training.to_dict()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        if trial_id in self._live:
            self._live[trial_id].report(result[self.metric], result["training_iteration"])

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        trial = self._live.pop(trial_id, None)
        if trial is None:
            return
        result = result or {}
        status = result.get(STATUS)
        state, value = TrialState.FAIL, None
        if not error and status != FAILED and result.get("done"):
            # Tune skips on_trial_result for a trial's last result.
            trial.report(result[self.metric], result["training_iteration"])
            if status == COMPLETED:
                state, value = TrialState.COMPLETE, result[self.metric]
            else:
                state = TrialState.PRUNED
        # Otherwise it failed, or was cut off with the search, which says nothing about it.
        self._study.tell(trial, value, state, skip_if_finished=True)

    def abandon_live_trials(self) -> None:
        """Tell Optuna of the trials that were cut off when the search at this T ended."""
        for trial_id in list(self._live):
            self.on_trial_complete(trial_id)

    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).write_text(json.dumps({"live": list(self._live)}))

    def restore(self, checkpoint_path: str) -> None:
        """Take up the live trials again. Optuna's journal holds everything else."""
        live = json.loads(Path(checkpoint_path).read_text())["live"]
        for frozen in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            ray_trial_id = str(frozen.user_attrs.get(RAY_TRIAL_ID))
            if ray_trial_id in live:
                self._live[ray_trial_id] = optuna.Trial(self._study, frozen._trial_id)
            else:  # started after Tune's last snapshot, which does not know it
                self._study.tell(frozen.number, state=TrialState.FAIL)


def make_sampler(config: SearchConfig, seed: int) -> optuna.samplers.BaseSampler:
    """The sampler that the config asks for."""
    if config.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=config.startup_trials, multivariate=True
    )


def trial_seed(study_seed: int, T: int, number: int) -> int:
    """A seed below 2**29 that depends on study, T and trial (a Weyl-like integer mix)."""
    return (study_seed * 1_000_003 + T * 8_191 + number * 131_071) % 2**29
