import pytest

from search.run import main

DETACHED = """
from torch import nn

class Detached(nn.GRU):
    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return outputs.detach(), state
"""

CHOOSY = """
from torch import nn

class Choosy(nn.GRU):
    def __init__(self, input_size, hidden_size, mode: str = "fast"):
        super().__init__(input_size, hidden_size)
        self.mode = mode

    def forward(self, input, state=None):
        if self.mode == "slow":
            raise RuntimeError("too slow")
        return super().forward(input, state)
"""


def dry_run(tmp_path, *arguments: str) -> int:
    return main(["--dry-run", "--storage", str(tmp_path / "runs"), *arguments])


@pytest.mark.parametrize(
    ("model", "setting", "told"),
    [
        (
            "torch.nn:GRU", "space.forget_bias={low: 0, high: 2}",
            "error: --set space.forget_bias: unknown hyperparameter 'forget_bias'; choose from ",
        ),
        (
            "torch.nn:GRU", "training.initialization=published",
            "error: training.initialization has no effect: the model 'torch.nn:GRU' does not take "
            "initialization\n",
        ),
        (
            "gru", "space.initialization={choices: [published, near_plain]}",
            "error: --set space.initialization: unknown hyperparameter 'initialization'; choose ",
        ),
        (
            "transformer", "architecture.layer=2",
            "error: --set architecture.layer: unknown hyperparameter 'layer'; did you mean "
            "'layers'?\n",
        ),
        (
            "transformer", "architecture.clock=sundial",
            "error: --set architecture.clock: clock must be one of reset, absolute, none, but got "
            "'sundial'\n",
        ),
        (
            "lstm", "architecture.gates=refind",
            "error: --set architecture.gates: gates must be one of plain, refined, coupled, but "
            "got 'refind'\n",
        ),
        (
            "mgru", "space.forget_bias={choices: [1, chrno]}",
            "error: --set space.forget_bias: forget_bias must be a number, chrono or uniform, but "
            "got 'chrno'\n",
        ),
        (
            "mgru", "architecture.input_gate=true",
            "error: --set architecture.input_gate: unknown hyperparameter 'input_gate'; did you "
            "mean 'input_gated'?\n",
        ),
    ],
)  # fmt: skip
def test_what_the_model_does_not_take_is_not_searched(model, setting, told, tmp_path, capsys):
    assert dry_run(tmp_path, "--model", model, "--set", setting) == 2
    err = capsys.readouterr().err
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.parametrize("config", ["default", "seed-protocol"])
@pytest.mark.parametrize("model", ["gru", "torch.nn:GRU"])
def test_a_fixed_value_in_a_file_serves_the_models_that_take_it(model, config, tmp_path):
    assert dry_run(tmp_path, "--model", model, "--config", f"configs/{config}.yaml") == 0


def test_what_the_model_takes_is_searched(tmp_path):
    for model in ("gru", "mgru"):
        setting = "space.forget_bias={low: 0, high: 2}"
        assert dry_run(tmp_path, "--model", model, "--set", setting) == 0


def test_a_cell_that_cannot_learn_is_refused_when_a_study_starts(tmp_path, capsys):
    (tmp_path / "cells.py").write_text(DETACHED)
    assert dry_run(tmp_path, "--model", f"{tmp_path}/cells.py:Detached") == 2
    told = capsys.readouterr().err
    assert f"the cell '{tmp_path}/cells.py:Detached' returns outputs without a gradient" in told
    assert told.count("\n") == 1


def test_a_model_that_keeps_all_positions_is_refused_where_they_do_not_fit(
    tmp_path, capsys, monkeypatch
):
    asked = ["--model", "transformer", "--task", "sequence", "--T", "10000"]
    assert dry_run(tmp_path, *asked) == 0  # half a gigabyte
    capsys.readouterr()
    monkeypatch.setattr("search.execute.preflight.memory_bytes", lambda: 200_000_000)
    assert dry_run(tmp_path, *asked) == 2
    assert capsys.readouterr().err == (
        "error: T = 10000: the model 'transformer' does not stream: it keeps all 20,011 positions "
        "of a sequence, at least 0.3 GB for a batch of 16, but this machine has 0.2 GB; lower T or "
        "training.batch_size\n"
    )
    assert (
        dry_run(tmp_path, "--model", "linear_attention", "--task", "sequence", "--T", "10000") == 0
    )


def test_the_memory_is_counted_with_what_the_space_has(tmp_path):
    asked = ["--model", "transformer", "--set", "architecture.clock=none"]
    assert dry_run(tmp_path, *asked, "--set", "space.addressing={choices: [content]}") == 0


LEAST_KEPT = 18_368
"""Floats that a transformer with 4 frequencies keeps of a sequence of `delay` at T = 1000."""


@pytest.mark.parametrize("frequencies", ["4", "{low: 4, high: 8}", "{choices: [16, 4]}"])
def test_the_memory_that_is_counted_is_the_least(frequencies, tmp_path, monkeypatch):
    asked = ["--model", "transformer", "--set", f"space.frequencies={frequencies}"]
    sizes = ["--set", "space.hidden_size=8", "--set", "training.batch_size=1", "--T", "1000"]
    need = 2 * 4 * LEAST_KEPT
    for memory, code in ((need, 0), (need - 1, 2)):
        monkeypatch.setattr("search.execute.preflight.memory_bytes", lambda memory=memory: memory)
        assert dry_run(tmp_path, *asked, *sizes) == code


def test_a_cell_that_fails_with_a_value_of_the_space_is_one_line(tmp_path, capsys):
    (tmp_path / "cells.py").write_text(CHOOSY)
    model = f"{tmp_path}/cells.py:Choosy"
    setting = "space.mode={choices: [fast, slow]}"
    assert dry_run(tmp_path, "--model", model, "--set", setting) == 2
    told = capsys.readouterr().err
    assert told == f"error: the model {model!r} fails with mode=slow: RuntimeError: too slow\n"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("space.stop_when_solved={low: 0, high: 1}", "space.stop_when_solved: "),
        ("space.batch_size={low: 16, high: 64, type: float}", "space.batch_size: "),
    ],
)
def test_a_value_with_which_no_training_can_be_is_refused_before_the_search(
    tmp_path, capsys, setting, told
):
    assert dry_run(tmp_path, "--model", "gru", "--set", setting) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {told}")
    assert err.count("\n") == 1


def test_a_length_that_a_task_cannot_have_is_refused(tmp_path, capsys):
    assert dry_run(tmp_path, "--model", "gru", "--task", "recall", "--T", "16", "2000") == 2
    told = "error: T: the task recall has 1000 keys, so T <= 1000, but got T=2000\n"
    assert capsys.readouterr().err == told


def test_a_task_that_cannot_draw_is_told_in_one_line(tmp_path, capsys):
    file = tmp_path / "tasks.py"
    file.write_text(
        "from copytask.tasks.delay import Delay\n"
        "class Broken(Delay):\n"
        "    def draw(self, generator, batch_size, T):\n"
        "        if T > 4:\n"
        "            raise RuntimeError('no data file')\n"
        "        return super().draw(generator, batch_size, T)\n"
    )
    assert dry_run(tmp_path, "--model", "gru", "--task", f"{file}:Broken", "--T", "4", "8") == 2
    err = capsys.readouterr().err
    assert "cannot draw a sequence of T=8: RuntimeError: no data file" in err
    assert err.count("\n") == 1


OWN_DRAW = """
import torch
from copytask import Batch, Task

class Own(Task):
    symbols, outputs = 5, 4

    def length(self, T):
        return T + 1

    def recalled(self, T):
        return T

    def draw(self, generator, batch_size, T):
        tokens = torch.randint(5, (T + 1, batch_size), generator=generator)
        targets = torch.randint(4, (T, batch_size), generator=generator)
        return {returned}
"""


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("Batch(tokens, targets)", ""),
        (
            "Batch(tokens.T, targets.T)",
            "draw must return tokens of shape (9, 7), (length, batch), but at T=8 returned (7, 9)",
        ),
        (
            "Batch(tokens, targets[1:])",
            "draw must return targets of shape (8, 7), (recalled, batch), but at T=8 returned "
            "(7, 7)",
        ),
        ("Batch(tokens + 1, targets)", "draw must return tokens from 0 to 4, but returned 5 at"),
        ("Batch(tokens, targets - 1)", "draw must return targets from 0 to 3, but returned -1 at"),
        ("Batch(tokens.float(), targets)", "draw must return tokens of torch.int64, not torch.flo"),
        (
            "Batch(torch.randint(5, tokens.shape), targets)",
            "draw returns other tokens when it is called again with the same generator",
        ),
    ],
)
def test_a_task_that_draws_something_else_than_it_says_is_refused(returned, told, tmp_path, capsys):
    file = tmp_path / "tasks.py"
    file.write_text(OWN_DRAW.format(returned=returned))
    asked = ["--model", "gru", "--task", f"{file}:Own", "--T", "8"]
    assert dry_run(tmp_path, *asked) == (2 if told else 0)
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == (1 if told else 0)


OWN_CODE = """
from copytask.tasks.delay import Delay
from torch import nn

class Cell(nn.GRU):
    def __init__(self, input_size, hidden_size):
        {making}
        super().__init__(input_size, hidden_size)

    def forward(self, input, state=None):
        {running}
        return super().forward(input, state)

class Task(Delay):
    def __init__(self):
        {beginning}
        super().__init__()

    def draw(self, generator, batch_size, T):
        {drawing}
        return super().draw(generator, batch_size, T)

{importing}
"""


@pytest.mark.parametrize("kind", ["RuntimeError", "ValueError"])
@pytest.mark.parametrize("place", ["making", "running", "beginning", "drawing", "importing"])
def test_what_own_code_raises_is_told_in_one_line(place, kind, tmp_path, capsys):
    places = dict.fromkeys(("making", "running", "beginning", "drawing", "importing"), "pass")
    file = tmp_path / "own.py"
    file.write_text(OWN_CODE.format(**places | {place: f"raise {kind}('no data\\nas it seems')"}))
    asked = ["--model", f"{file}:Cell", "--task", f"{file}:Task"]
    assert dry_run(tmp_path, *asked) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.endswith("no data\n")


OWN_SIZES = """
import torch
from copytask import SequenceModel
from copytask.tasks.delay import Delay
from torch import nn

class Model(SequenceModel):
    def __init__(self, symbols, *, hidden_size=8):
        super().__init__()
        self.width = hidden_size
        self.embedding = nn.Embedding(symbols, hidden_size)
        self.cell = nn.GRU(hidden_size, hidden_size)

    def forward(self, tokens, state=None, recalled=None):
        outputs, state = self.cell(self.embedding(tokens), state)
        return outputs[len(outputs) - (len(outputs) if recalled is None else recalled):], state

    def state_floats(self, steps):
        return self.width

class WithoutSteps(Model):
    def state_floats(self):
        return self.width

class Nothing(Model):
    def state_floats(self, steps):
        pass

class LongDelay(Delay):
    def draw(self, generator, batch_size, T):
        return Delay().draw(generator, batch_size, T)

    def length(self, T):
        if T > 4:
            raise RuntimeError("no data\\nas it seems")
        return super().length(T)

class NeverScored(LongDelay):
    def length(self, T):
        return T + 20

    def recalled(self, T):
        raise ValueError("no data\\nas it seems")

class NothingAtFirst(LongDelay):
    def length(self, T):
        return T + 20

    def recalled(self, T):
        return T // 2
"""


@pytest.mark.parametrize("address", [[], ["--address", "auto"]])
@pytest.mark.parametrize(
    ("model", "task", "told"),
    [
        (
            "WithoutSteps", "LongDelay",
            "T: the task '{file}:LongDelay' fails in length(T=8): RuntimeError: no data\n",
        ),
        (
            "Model", "NeverScored",
            "T: the task '{file}:NeverScored' fails in recalled(T=4): ValueError: no data\n",
        ),
        (
            "Model", "NothingAtFirst",
            "T: the task '{file}:NothingAtFirst' fails in recalled(T=1): it must be at least 1; "
            "curricula begin at T=1\n",
        ),
        (
            "WithoutSteps", None,
            "the model '{file}:WithoutSteps' fails in state_floats(steps=24): TypeError: ",
        ),
        (
            "Nothing", None,
            "the model '{file}:Nothing' fails in state_floats(steps=24): TypeError: ",
        ),
        ("Model", None, ""),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be_told_are_refused_before_the_search(
    model, task, told, address, tmp_path, capsys
):
    file = tmp_path / "own.py"
    file.write_text(OWN_SIZES)
    asked = ["--model", f"{file}:{model}", "--T", "4", "8", *address]
    asked += ["--task", f"{file}:{task}"] if task else []
    assert dry_run(tmp_path, *asked) == (2 if told else 0)
    err = capsys.readouterr().err
    assert err.startswith(f"error: {told.format(file=file)}" if told else "")
    assert err.count("\n") == bool(told)


NAMED = """
from torch import nn

class Named(nn.GRU):
    def __init__(self, inputs: int, hidden_size: int, {name}: int = 1):
        super().__init__(inputs, hidden_size)
"""


@pytest.mark.parametrize("name", ["rank", "confirms", "accuracy", "state", "label", "path"])
def test_a_searched_keyword_with_the_name_of_a_column_is_refused(name, tmp_path, capsys):
    file = tmp_path / "cells.py"
    file.write_text(NAMED.format(name=name))
    asked = ["--model", f"{file}:Named", "--T", "5", "--set"]
    assert dry_run(tmp_path, *asked, f"space.{name}={{low: 1, high: 8}}") == 2
    assert capsys.readouterr().err == (
        f"error: space.{name}: the tables have another column {name!r}; to search this "
        f"hyperparameter, rename the keyword of '{file}:Named'\n"
    )
    assert dry_run(tmp_path, *asked, f"architecture.{name}=2") == 0  # fixed, so in no table


def test_the_seed_has_a_column_and_can_be_searched(tmp_path):
    assert dry_run(tmp_path, "--model", "gru", "--set", "space.seed={low: 0, high: 8}") == 0
