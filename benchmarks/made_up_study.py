"""The study of a search that never was, as long as one likes: what a killed search leaves."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from search.config.study_config import StudyConfig
from search.decide.samplers import STATES
from search.decide.suggester import trial_seed
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import events
from studies import format as files
from studies.event_files import encode

SLOTS = 16
MANY = 10**7

ITERATIONS = 6
SETTINGS = {
    "training.max_tokens": ITERATIONS * 1000,
    "training.tokens_per_iteration": 1000,
    "training.precision": "fp32",
    "search.trials": MANY,
    "search.solved_trials": MANY,
    "search.grace_iterations": 2,
    "search.reduction_factor": 2,
    "search.patience": "null",
    "search.budget_minutes": "null",
    "search.race_seeds": 0,
    "search.initial": "[]",
}  # ASHA has rungs at two and four iterations


def make_config(lengths: Sequence[int]) -> StudyConfig:
    """The configuration of the study; none of its limits ends the search at the last T."""
    overrides = [f"{key}={value}" for key, value in SETTINGS.items()]
    return load_config(DEFAULT_CONFIG, overrides, {"model": "gru", "T": list(lengths)})


def write_study(path: Path, trials: int, lengths: Sequence[int]) -> None:
    """Make the study; its last 16 trials run."""
    config = make_config(lengths)
    Study.create(path, config).close()
    copy = OptunaCopy(config, path / files.OPTUNA_FILE)
    with (path / files.EVENTS_FILE).open("wb") as file:
        for event in made_up(config, trials // len(lengths)):
            file.write(encode(event))
            copy.add(event)


class OptunaCopy:
    """Optuna's journal of the study, as a search writes it: a line for each step of a trial."""

    def __init__(self, config: StudyConfig, path: Path):
        self._journal = OptunaJournal(path)
        self._space = {name: of.distribution() for name, of in config.dimensions().items()}
        self._running: dict[str, FrozenTrial] = {}
        self._T = self._begun = 0

    def add(self, event: events.Event) -> None:
        """Write what an event changes."""
        match event:
            case events.LengthBegan(T=T):
                self._T, self._begun = T, 0
                self._journal.catch_up(T, [], self._space, lambda number: self._running[""])
            case events.TrialStarted(trial_id=name, training=training):
                trial = create_trial(
                    state=TrialState.RUNNING,
                    params={of: training[of] for of in self._space},
                    distributions=self._space,
                    user_attrs={"trial_id": name},
                )
                trial.number = self._begun
                self._begun += 1
                self._running[name] = trial
                self._journal.start(self._T, trial.number, trial)
            case events.Result(trial_id=name, metrics=point, status=status):
                values = self._running[name].intermediate_values
                values[point.iteration] = point.ladder_accuracy
                self._update(name, STATES[status] if status else TrialState.RUNNING)
            case events.TrialFailed(trial_id=name):
                self._update(name, TrialState.FAIL)

    def _update(self, name: str, state: TrialState) -> None:
        trial = self._running[name]
        trial.state = state
        if state.is_finished():
            del self._running[name]
        if state in (TrialState.COMPLETE, TrialState.PRUNED):
            trial.value = list(trial.intermediate_values.values())[-1]
        self._journal.update(self._T, trial.number, trial)


def made_up(config: StudyConfig, trials: int) -> Iterator[events.Event]:
    """The events of the search with so many trials at each T."""
    chance = random.Random(0)
    elapsed = 0.0
    for T in config.T:
        yield events.LengthBegan(elapsed=elapsed, T=T, initial=[])
        one = config.training_config(T, {"learning_rate": 0.003, "hidden_size": 64}, 0).to_dict()
        number, running = 0, list[Iterator[events.Event]]()
        is_last = config.T[-1] == T
        while number < trials or (running and not is_last):
            if number < trials and len(running) < SLOTS:
                training = one | {
                    "seed": trial_seed(0, T, number),
                    "learning_rate": 10 ** chance.uniform(-3, -2),
                    "hidden_size": chance.choice([64, 96, 128]),
                    "curriculum_length": chance.randint(1000, 6000),
                }
                running.append(reports(f"T{T}-{number:04d}", training, number, chance))
                number += 1
            place = chance.randrange(len(running))
            elapsed = round(elapsed + 0.125, 3)
            if event := next(running[place], None):
                yield replace(event, elapsed=elapsed)
            else:
                del running[place]
        if not is_last:
            yield events.LengthEnded(elapsed=elapsed, T=T, limit="solved_trials", value=MANY)
            best = events.BestTrial(
                trial_id=f"T{T}-0000", trials=trials, checkpoint=f"checkpoints/T={T}",
                accuracy=0.999, accuracy_low=0.998, accuracy_high=1.0, exact_match=0.99,
                recalled_bits=33.0,
            )  # fmt: skip
            yield events.Best(elapsed=elapsed, T=T, row=best)


def reports(
    name: str, training: Mapping[str, Any], number: int, chance: random.Random
) -> Iterator[events.Event]:
    """The events of a trial: half end at the first rung, half of the others at the second.

    One in a hundred fails, and one in twenty solves T, the first trial the soonest.
    """
    yield events.TrialStarted(elapsed=0.0, trial_id=name, training=training)
    quality = chance.random() if number else 1.0
    if chance.random() < 0.01 and number:
        yield events.TrialFailed(elapsed=0.0, trial_id=name, error="training diverged: loss nan")
        return
    for iteration in range(1, (2 if quality < 0.5 else 4 if quality < 0.75 else ITERATIONS) + 1):
        accuracy = quality * iteration / ITERATIONS
        solved = quality >= 0.95 and iteration == ITERATIONS
        point = events.Point(
            iteration=iteration, step=100 * iteration, tokens=1000 * iteration,
            seconds=1.7 * iteration + chance.random(),
            learning_rate=training["learning_rate"] * (1 - iteration / 20),
            max_length=40 * iteration, training_loss=2.3 * (1 - accuracy) + chance.random() / 100,
            validation_accuracy=accuracy, ladder_accuracy=accuracy**0.5, exact_match=accuracy**10,
            validation_loss=2.3 * (1 - accuracy), recalled_bits=33.2 * accuracy,
            tokens_to_solve=5000 + number // 1000 if solved else None,
            seconds_to_solve=9.1 if solved else None,
        )  # fmt: skip
        ending = files.COMPLETED if quality >= 0.75 else files.STOPPED_EARLY
        last = iteration == ITERATIONS or (iteration == 4 and quality < 0.75) or quality < 0.5
        yield events.Result(
            elapsed=0.0, trial_id=name, metrics=point, parameters=12_345, state_floats=64,
            host="host-1", gpus=0.0, status=ending if last and iteration > 1 else "",
        )  # fmt: skip
