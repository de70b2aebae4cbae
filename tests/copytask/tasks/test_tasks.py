import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask import TASKS, Batch
from copytask.tasks import CopyTask, Task, find_task
from copytask.tasks.copying import BLANK, DELIMITER
from copytask.tasks.recall import KEYS
from copytask.training.seeds import MAX_SEED, Purpose, make_generator, stream_seed

lengths = st.integers(1, 300)
task_names = st.sampled_from(sorted(TASKS))


class Tiny(CopyTask):
    """The drawing in Task's docstring: three symbols, a gap of two."""

    def recalled(self, T: int) -> int:
        return 3

    def gap(self, T: int) -> int:
        return 2


def test_layout_is_the_one_drawn_in_the_docstring():
    batch = Tiny().encode(torch.tensor([[3], [1], [4]]), T=1)
    drawn = {"_": BLANK, ">": DELIMITER}
    expected = [drawn.get(c) if c in drawn else int(c) for c in "314__>___"]
    assert batch.tokens[:, 0].tolist() == expected
    assert batch.targets[:, 0].tolist() == [3, 1, 4]


@given(T=lengths)
def test_sizes_are_those_of_the_protocols(T):
    assert TASKS["delay"].length(T) == T + 2 * 10
    assert TASKS["sequence"].length(T) == 2 * T + 11


@given(name=task_names, T=lengths, seed=st.integers(0, MAX_SEED))
def test_batches_have_the_sizes_that_the_task_says(name, T, seed):
    task = TASKS[name]
    tokens, targets = task.sample_batch(make_generator(seed, Purpose.TRAINING), 2, T)
    assert tokens.shape == (task.length(T), 2)
    assert targets.shape == (task.recalled(T), 2)
    assert tokens.dtype == targets.dtype == torch.int64
    assert 0 <= int(tokens.min()) <= int(tokens.max()) < task.symbols
    assert 0 <= int(targets.min()) <= int(targets.max()) < task.outputs


@given(name=st.sampled_from(["delay", "sequence"]), T=lengths, seed=st.integers(0, MAX_SEED))
def test_a_sequence_is_payload_gap_delimiter_blanks(name, T, seed):
    task = TASKS[name]
    tokens, targets = task.sample_batch(make_generator(seed, Purpose.TRAINING), 2, T)
    S = task.recalled(T)
    assert tokens[:S].equal(targets)
    assert tokens[S : S + task.gap(T)].eq(BLANK).all()
    assert tokens[-S - 1].eq(DELIMITER).all()
    assert tokens[-S:].eq(BLANK).all()


def one_sequence(name: str, T: int) -> tuple[list[int], list[int]]:
    tokens, targets = TASKS[name].sample_batch(make_generator(0, Purpose.TEST), 1, T)
    return tokens[:, 0].tolist(), targets[:, 0].tolist()


@pytest.mark.parametrize("T", [1, 2, 7])
def test_reverse_asks_for_the_payload_from_its_end(T):
    tokens, targets = one_sequence("reverse", T)
    assert targets == tokens[:T][::-1]


@pytest.mark.parametrize("T", [1, 2, 7])
def test_recite_feeds_the_symbol_before_back(T):
    tokens, targets = one_sequence("recite", T)
    assert targets == tokens[:T]
    assert tokens[-T:] == [BLANK, *targets[:-1]]


@pytest.mark.parametrize("T", [1, 2, 50])
def test_selective_scatters_the_payload_among_the_blanks(T):
    tokens, targets = one_sequence("selective", T)
    first, rest = tokens[: T + 10], tokens[T + 10 :]
    assert [token for token in first if token != BLANK] == targets
    assert rest == [DELIMITER, *[BLANK] * 10]


@pytest.mark.parametrize("T", [1, 2, 1000])
def test_recall_asks_for_every_key_once(T):
    tokens, targets = one_sequence("recall", T)
    values = dict(zip(tokens[0 : 2 * T : 2], tokens[1 : 2 * T : 2], strict=True))
    assert len(values) == T
    asked = tokens[2 * T + 1 :]
    assert sorted(asked) == sorted(values)
    assert [values[key] - KEYS for key in asked] == targets


def test_recall_says_how_many_keys_there_are():
    with pytest.raises(ValueError, match="T <= 1000, but got T=1001"):
        one_sequence("recall", KEYS + 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("delays", "unknown task 'delays'; did you mean 'delay'"),
        ("torch.nn:GRU", "is no subclass of copytask.Task"),
        ("torch:no_such", "cannot be imported"),
        (f"{__name__}:Unfinished", "lacks the methods draw, recalled"),
        (f"{__name__}:NoSizes", "lacks the number of its symbols"),
        (f"{__name__}:NoData", "cannot be made: RuntimeError: no data$"),
        (f"{__name__}:NoOutputs", "must have outputs >= 1, but has 0$"),
        (f"{__name__}:NoChance", "chance_accuracy above 0 and at most 1, but has 0$"),
        (f"{__name__}:MoreThanSure", "chance_accuracy above 0 and at most 1, but has 1.5$"),
        (f"{__name__}:UnknownChance", "fails in chance_accuracy: RuntimeError: no data$"),
    ],
)
def test_what_is_no_task_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        find_task(name)


class Unfinished(Task):
    def length(self, T: int) -> int:
        return T


class NoSizes(Unfinished):
    def recalled(self, T: int) -> int:
        return T

    def draw(self, generator, batch_size, T):
        raise NotImplementedError


class NoData(NoSizes):
    def __init__(self):
        raise RuntimeError("no data\nas it seems")


class NoOutputs(NoSizes):
    symbols, outputs = 2, 0


class NoChance(NoSizes):
    symbols = outputs = 2
    chance_accuracy = 0


class MoreThanSure(NoChance):
    chance_accuracy = 1.5


class UnknownChance(NoChance):
    @property
    def chance_accuracy(self) -> float:
        raise RuntimeError("no data\nas it seems")


@pytest.mark.parametrize("arguments", [{"batch_size": 0, "T": 5}, {"batch_size": 1, "T": 0}])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match="must hold"):
        TASKS["delay"].sample_batch(make_generator(0, Purpose.TEST), **arguments)


class Short(Tiny):
    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        tokens, targets = super().draw(generator, batch_size, T)
        return Batch(tokens[1:], targets)


def test_a_task_that_draws_other_shapes_than_it_says_is_refused():
    with pytest.raises(ValueError, match=r"draw must return tokens of shape \(\d+, 2\)"):
        Short().sample_batch(make_generator(0, Purpose.TEST), 2, 5)


@given(
    st.tuples(st.integers(0, MAX_SEED), st.sampled_from(Purpose)),
    st.tuples(st.integers(0, MAX_SEED), st.sampled_from(Purpose)),
)
def test_streams_coincide_only_for_the_same_seed_and_purpose(one, other):
    seeds = stream_seed(*one), stream_seed(*other)
    assert (seeds[0] == seeds[1]) == (one == other)
    assert all(0 <= seed < 2**32 for seed in seeds)  # torch's CPU generator uses 32 bits


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ValueError, match="must hold"):
        stream_seed(seed, Purpose.TEST)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_payloads_are_drawn_on_the_cpu_for_every_device(task):
    one, other = (make_generator(5, Purpose.TEST) for _ in range(2))
    assert one.device == torch.device("cpu")
    batch = TASKS[task].sample_batch(one, 3, 4)
    elsewhere = TASKS[task].sample_batch(other, 3, 4, "meta")
    assert {tensor.device.type for tensor in elsewhere} == {"meta"}
    assert [tensor.shape for tensor in elsewhere] == [tensor.shape for tensor in batch]
    assert one.get_state().equal(other.get_state())
