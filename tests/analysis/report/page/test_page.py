import base64
import gzip
import json
import re
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pandas as pd
import pytest
import yaml
from study_files import NOT_SOLVED, trial, write_study

from analysis import load_studies
from analysis.compare import main
from analysis.reading.study_yaml import read_provenance
from analysis.report.page import downloads as page_downloads
from analysis.report.page import studies as page_studies
from analysis.report.page.colors import contrast
from analysis.tables.comparison import compare_studies
from analysis.tables.records import records
from studies import format as files

pytestmark = pytest.mark.usefixtures("one_figure")  # all of them: test_page_figures.py
HOSTILE = '<script>alert("x")</script>'
MADE = {
    "created": "2026-11-25T13:50:28+00:00",
    "seed": 7,
    "python": "3.11.7",
    "packages": {"torch": "2.13.0"},
    "git_revision": "abc1234",
    "host": "somewhere",
    "cpus": 2,
    "kernels": "avx2",
}


def compare(runs: Path) -> str:
    assert main([str(runs), "--output", str(runs.parent / "reports")]) == 0
    return (runs.parent / "reports" / "index.html").read_text()


def parse(page: str) -> Element:
    """The document; an error if it is not well-formed HTML."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document: Element = parser.parse(page)
    return document


def said(element: Element) -> str:
    """The text as a person reads it."""
    return " ".join("".join(element.itertext()).split())


def find(document: Element, tag: str, **attributes: str) -> list[Element]:
    return [
        element
        for element in document.iter(tag)
        if all(element.get(name) == value for name, value in attributes.items())
    ]


def downloads(document: Element) -> dict[str, bytes]:
    """Name -> content of every file that the page holds."""
    links = [link for link in document.iter("a") if link.get("download")]
    return {
        str(link.get("download")): base64.b64decode(link.get("href", "").split(";base64,")[1])
        for link in links
    }


def two_studies(runs: Path) -> None:
    made = [trial(100), trial(100, 1, files.STOPPED_EARLY), trial(200, 2, **NOT_SOLVED)]
    write_study(runs, "gru-delay", model="gru", trials=made, provenance=MADE)
    write_study(runs, "mgru-delay", trials=[trial(100), trial(200, 1, files.FAILED)], best=[100])


def broken(runs: Path) -> None:
    (write_study(runs, "gru") / "trials.csv").unlink()
    (write_study(runs, "mgru") / "study.yaml").write_text("- 1")


def running(runs: Path) -> None:
    write_study(runs, "gru", trials=[trial(100, 0, files.INTERRUPTED)], best=[])


def empty(runs: Path) -> None:
    write_study(runs, "gru", trials=[])


def two_tasks(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100])
    write_study(runs, "gru-sequence", model="gru", task="sequence", T=[10])


def hostile(runs: Path) -> None:
    values = {"optimizer": HOSTILE, "error": HOSTILE}
    trials = [trial(100, trial_id=f'"{HOSTILE}', **values), trial(100, 1, files.FAILED, **values)]
    name = "<b onclick='x'>&amp;"
    made = dict.fromkeys(MADE, HOSTILE) | {"packages": {HOSTILE: [HOSTILE]}}
    write_study(
        runs, name, HOSTILE, HOSTILE, [100], trials, extra=["optimizer"], provenance=made
    )  # fmt: skip
    write_study(runs, f"{name}-2", HOSTILE, "../../x", [100])
    (write_study(runs, "<img src=x>") / "best.csv").write_text(f"{HOSTILE}\n")


MAKERS = [two_studies, broken, running, empty, two_tasks, hostile]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_page_is_well_formed_and_loads_nothing(runs: Path, make) -> None:
    make(runs)
    page = compare(runs)
    document = parse(page)
    ids = Counter(element.get("id") for element in document.iter() if element.get("id"))
    assert {name for name, count in ids.items() if count > 1} == set()
    for element in document.iter():
        for name in ("src", "href", "{http://www.w3.org/1999/xlink}href", "action", "data"):
            value = element.get(name, "#")
            assert value.startswith(("data:", "#")), (element.tag, name, value)
            assert value in ("#", "data:,") or len(value) > 1
            if value.startswith("#") and value != "#":
                assert value[1:] in ids
    assert set(re.findall(r"https?://[^\s\"']+", page)) <= {
        "http://www.w3.org/2000/svg"  # the name of a namespace, in the script
    }
    assert "@import" not in page
    policy = find(document, "meta", **{"http-equiv": "Content-Security-Policy"})
    assert "default-src 'none'" in policy[0].get("content", "")


def test_each_task_has_its_own_chance(runs: Path) -> None:
    write_study(runs, "gru", T=[100], chance=0.5)
    write_study(runs, "old", task="sequence", T=[10])
    page = compare(runs)
    assert re.findall(r"Guessing has an accuracy of ([\d.]+)\.", said(parse(page))) == [
        "0.5",
        "0.1",
    ]
    assert [task["chance"] for task in explorer(parse(page))] == [0.5, 0.1]


def test_the_verdict_comes_first_and_the_numbers_are_those_of_the_table(runs: Path) -> None:
    two_studies(runs)
    document = parse(compare(runs))
    headings = [said(element) for element in document.iter("h2")]
    assert headings[0] == (
        "gru and mgru both copy over 100 steps (not confirmed), but not at T = 200."
    )
    assert headings[1:] == [
        "All numbers", "Figures", "Every trial", "Studies",
        "How to reproduce each number", "Downloads",
    ]  # fmt: skip
    [overview] = find(document, "table", **{"class": "overview"})
    best = "solved once best trial 0.9910 0.9890 to 0.9930 in 6 s, 0.6 M tokens not confirmed"
    assert best in said_apart(overview)
    assert "all trials failed" in said(overview)
    table = find(document, "table", **{"class": "data"})[0]
    rows = [[said(cell) for cell in row] for row in table.iter("tr")]
    header = rows[0]
    assert [header[k] for k in range(4)] == ["model", "T", "state", "accuracy"]
    assert [row[:4] for row in rows[1:]] == [
        ["gru", "100", "done", "0.9910"],
        ["mgru", "100", "done", "0.9910"],
        ["gru", "200", "done", "0.9910"],
        ["mgru", "200", "all trials failed", "-"],
    ]
    assert rows[1][header.index("learning rate")] == "0.00123"
    assert rows[1][header.index("M tokens")] == "0.60"


@pytest.mark.parametrize("race_seeds", [3, ""])
def test_the_note_says_what_seeds_of_the_race_are_where_a_cell_has_them(
    runs: Path, race_seeds: int | str
) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    raced = {"race_seeds": race_seeds, "race_solved": race_seeds}
    pd.read_csv(folder / files.BEST_FILE).assign(**raced).to_csv(
        folder / files.BEST_FILE, index=False
    )
    [note] = find(parse(compare(runs)), "p", **{"class": "note overview-note"})
    assert ("exact 95 % interval of their share. The race chose" in said(note)) == bool(race_seeds)


def said_apart(element: Element) -> str:
    return " ".join(text.strip() for text in element.itertext() if text.strip())


def test_a_study_tells_how_to_make_it_again(runs: Path) -> None:
    two_studies(runs)
    document = parse(compare(runs))
    text = said(document)
    assert "host somewhere (2 CPUs, avx2 kernels)" in text
    assert "Precision of products bf16" in said_apart(document)
    assert "python 3.11.7, torch 2.13.0, git revision abc1234" in text
    commands = [said(code) for code in document.iter("code")]
    assert f"python -m search.run --replay {runs}/gru-delay T=100-00" in commands
    assert "python -m search.run --config gru-delay.yaml --name gru-delay-again" in commands
    assert f"python -m analysis.compare {runs}" in commands
    config = yaml.safe_load(downloads(document)["gru-delay.yaml"])
    document = yaml.safe_load((runs / "gru-delay" / files.STUDY_FILE).read_text())
    assert config == files.recorded_values(document["config"])


def test_downloads_are_the_files(runs: Path) -> None:
    two_studies(runs)
    held = downloads(parse(compare(runs)))
    reports = runs.parent / "reports"
    for name in ("comparison.csv", "comparison.json", "comparison.md"):
        assert held[name] == (reports / name).read_bytes()
    for name in (files.BEST_FILE, files.TRIALS_FILE, files.PROGRESS_FILE):
        assert held[f"gru-delay-{name}"] == (runs / "gru-delay" / name).read_bytes()


def test_files_without_rows_are_not_offered(runs: Path) -> None:
    write_study(runs, "gru-delay", model="gru", trials=[])
    held = downloads(parse(compare(runs)))
    assert "comparison.csv" in held
    assert not {"pairs.csv", "reach.csv", "gru-delay-best.csv", "gru-delay-trials.csv"} & set(held)


def test_a_large_file_is_held_compressed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_studies(runs)
    monkeypatch.setattr(page_downloads, "PLAIN_AT_MOST", 500)
    compressed = downloads(parse(compare(runs)))["gru-delay-progress.csv.gz"]
    assert gzip.decompress(compressed) == (runs / "gru-delay" / "progress.csv").read_bytes()


def explorer(document: Element) -> list[dict]:
    """What the explorer draws from."""
    [element] = find(document, "script", id="explorer-data")
    return json.loads(gzip.decompress(base64.b64decode(element.text or "")))


def test_every_trial_is_in_a_table_and_in_the_explorer(runs: Path) -> None:
    two_studies(runs)
    document = parse(compare(runs))
    tables = find(document, "table", **{"aria-label": "Trials of gru"})
    assert [said(row[0]) for row in tables[0].iter("tr")][1:] == [
        "T=100-00",
        "T=100-01",
        "T=200-02",
    ]
    [task] = explorer(document)
    columns = {column["key"]: column for column in task["columns"]}
    assert columns["trial"]["values"][:3] == ["T=100-00", "T=100-01", "T=200-02"]
    assert [model["label"] for model in task["models"]] == ["gru", "mgru"]
    assert task["counts"] == [4] * 5


def test_trials_stand_in_the_order_in_which_their_study_ranked_them(runs: Path) -> None:
    made = [
        trial(100, 0, rank=3), trial(100, 1, rank=2, validation_accuracy=0.991),
        trial(100, 2, files.FAILED), trial(100, 3, rank=1),
    ]  # fmt: skip
    write_study(runs, "mgru", T=[100], trials=made)
    document = parse(compare(runs))
    (table,) = find(document, "table", **{"aria-label": "Trials of mgru"})
    order = [said(row[0])[-1] for row in table.iter("tr")][1:]
    assert order == ["0", "3", "1", "2"]  # best.csv has the first


def test_what_is_left_out_is_said(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(runs, "gru", T=[100], trials=[trial(100, k) for k in range(8)])
    monkeypatch.setattr(page_studies, "TRIALS_IN_ALL", 5)
    monkeypatch.setattr(page_studies, "FILES_IN_ALL", 1000)
    document = parse(compare(runs))
    text = said(document)
    assert "5 trials, the best at each T; 3 more are in" in text
    assert f"Too large for this page: trials.csv, progress.csv; see {runs}/gru." in text
    assert "gru-trials.csv" not in downloads(document)
    assert "gru-best.csv" in downloads(document)


def test_broken_studies_are_named_before_anything_else(runs: Path) -> None:
    broken(runs)
    text = said(parse(compare(runs)).find("body"))
    assert "2 studies cannot be read, and are not counted" in text
    assert f"{runs}/gru: trials.csv is missing" in text
    assert text.index("cannot be read") < text.index("No study of this task can be read.")


def test_an_unfinished_search_and_an_empty_one_say_so(runs: Path) -> None:
    running(runs)
    assert "Nothing has been tested yet. " in (text := said(parse(compare(runs))))
    assert "gru at T = 100 is searching, or interrupted: 1 trial so far" in text.replace(
        "mgru", "gru"
    )
    assert "No T has a result yet, so there are no figures." in text


def test_names_and_errors_of_a_study_are_text(runs: Path) -> None:
    hostile(runs)
    document = parse(compare(runs))
    assert [script.get("type") for script in document.iter("script")] == [None, "text/plain"]
    assert all(not name.startswith("on") for e in document.iter() for name in e.attrib)
    assert said(document).count(HOSTILE) > 5
    commands = [said(code) for code in document.iter("code")]
    assert any(f"""'"{HOSTILE}'""" in command for command in commands)  # quoted for a shell
    assert {path.parent for path in runs.parent.rglob("*.png")} == {runs.parent / "reports"}


def test_equal_studies_make_equal_pages(runs: Path) -> None:
    two_studies(runs)
    assert compare(runs) == compare(runs)


def test_provenance_that_is_odd_is_unknown(runs: Path) -> None:
    folder = write_study(runs, "gru")
    for content in ("", "- 1", "provenance: 3\nconfig: x", "a: [", "!!python/object:os.system x"):
        (folder / files.STUDY_FILE).write_text(content)
        provenance = read_provenance(folder)
        assert provenance.made == {}
        assert provenance.machine == "an unknown machine"
        assert provenance.versions == []


def test_contrast_of_black_and_white() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)


def test_one_study_is_enough_for_the_library(runs: Path) -> None:
    write_study(runs, "gru", T=[100])
    assert page_studies.efforts(load_studies([runs]), {"gru": read_provenance(runs / "gru")}) == {
        "gru": page_studies.Effort(["an unknown machine"], 10.0, 1_000_000, 1)
    }


@pytest.mark.parametrize(
    ("hosts", "machines"),
    [
        (["", ""], ["host somewhere (2 CPUs, avx2 kernels)"]),
        (["somewhere", "somewhere"], ["host somewhere (2 CPUs, avx2 kernels)"]),
        (["node2", "node1"], ["host node1", "host node2"]),
        (["somewhere", "node1"], ["host node1", "host somewhere (2 CPUs, avx2 kernels)"]),
    ],
)
def test_the_machines_of_a_study_are_those_that_trained(
    runs: Path, hosts: list[str], machines: list[str]
) -> None:
    trials = [trial(100, k, host=host) for k, host in enumerate(hosts)]
    folder = write_study(runs, "gru", T=[100], trials=trials, provenance=MADE)
    studies, provenances = load_studies([runs]), {"gru": read_provenance(folder)}
    assert page_studies.efforts(studies, provenances)["gru"].machines == machines
    [part] = page_studies.study_parts(studies, records(compare_studies(studies)), provenances)
    assert dict(part.facts)["Machine"] == " and ".join(machines)
