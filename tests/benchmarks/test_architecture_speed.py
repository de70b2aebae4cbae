from benchmarks.architecture_speed import count_operations
from copytask import TrainingConfig, find_task


def test_a_cell_multiplies_its_recurrent_matrices_once_forward_and_twice_backward():
    training = TrainingConfig(model="gru", T=1000, hidden_size=8, batch_size=2)
    tokens = 2 * find_task("delay").length(1000)
    assert count_operations(training) == 3 * 2 * (3 * 8 * 8) * tokens
