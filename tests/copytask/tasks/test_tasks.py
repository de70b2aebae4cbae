import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask import TASKS
from copytask.tasks import BLANK, DELIMITER, PAYLOAD_SYMBOLS, Task
from copytask.training.seeds import MAX_SEED, Purpose, make_generator, stream_seed

lengths = st.integers(1, 300)
task_names = st.sampled_from(sorted(TASKS))


class Tiny(Task):
    """The drawing in Task's docstring: three symbols, a gap of two."""

    def payload_length(self, T: int) -> int:
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


@given(task=task_names, T=lengths, seed=st.integers(0, MAX_SEED))
def test_a_sequence_is_payload_gap_delimiter_blanks(task, T, seed):
    task = TASKS[task]
    tokens, targets = task.sample_batch(make_generator(seed, Purpose.TRAINING), 2, T)
    S = task.payload_length(T)
    assert tokens.shape == (task.length(T), 2)
    assert tokens[:S].equal(targets)
    assert targets.min() >= 0
    assert targets.max() < PAYLOAD_SYMBOLS
    assert tokens[S : S + task.gap(T)].eq(BLANK).all()
    assert tokens[-S - 1].eq(DELIMITER).all()
    assert tokens[-S:].eq(BLANK).all()


@pytest.mark.parametrize("arguments", [{"batch_size": 0, "T": 5}, {"batch_size": 1, "T": 0}])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match="must hold"):
        TASKS["delay"].sample_batch(make_generator(0, Purpose.TEST), **arguments)


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
