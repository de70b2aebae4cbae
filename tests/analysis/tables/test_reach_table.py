from pathlib import Path

from study_files import reach, reached, write_study

from analysis import compare_studies, load_studies, make_tables
from analysis.tables.reach import frontiers


def test_each_T_has_what_its_search_took_and_bits_for_each_float_of_state(runs: Path) -> None:
    folder = write_study(runs, "mgru-delay")
    reach(folder, reached(100), reached(200, 0, state_floats=0), reached(400, 0, best_trial=""))
    write_study(runs, "gru-delay", model="gru")  # was searched without --reach
    studies = load_studies([runs])
    table = make_tables(studies, compare_studies(studies))["reach"]
    assert table[["study", "label", "T", "solved"]].values.tolist() == [
        ["mgru-delay", "mgru", 100, 2],
        ["mgru-delay", "mgru", 200, 0],
        ["mgru-delay", "mgru", 400, 0],
    ]
    assert table["bits_per_float"].tolist()[0] == 0.5
    assert table["bits_per_float"].isna().tolist() == [False, True, False]


def test_each_label_has_the_frontier_of_its_rows(runs: Path) -> None:
    reach(write_study(runs, "mgru-delay"), reached(100), reached(200, 0))
    reach(write_study(runs, "gru-delay", model="gru"), reached(100, 0, model="gru"))
    studies = load_studies([runs])
    found = frontiers(make_tables(studies, compare_studies(studies))["reach"])
    assert list(found) == ["gru", "mgru"]
    assert (found["mgru"].solved["T"], found["mgru"].failed["T"]) == (100, 200)
    assert (found["gru"].solved, found["gru"].failed["T"]) == (None, 100)
