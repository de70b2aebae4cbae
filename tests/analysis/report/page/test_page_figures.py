from pathlib import Path

import html5lib
from study_files import trial, write_study

from analysis.compare import main
from analysis.figures import accuracy_vs_t
from analysis.figures.registry import FIGURES
from analysis.report.page import render
from studies import format as files

NAME = "<script>cells</script>:rnn"


def test_every_figure_is_there_with_its_words_or_why_it_is_not(runs: Path) -> None:
    for model in ("gru", NAME):
        trials = [trial(T, k) for T in (100, 200) for k in range(3)]
        trials.append(trial(200, 9, files.STOPPED_EARLY))
        write_study(runs, model[:4], model, trials=trials)
    reports = runs.parent / "reports"
    assert main([str(runs), "--output", str(reports)]) == 0
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse((reports / "index.html").read_text())
    shown = {figure.get("data-name"): figure for figure in document.iter("figure")}
    assert set(shown) == {path.stem for path in reports.glob("*.svg")}
    assert len(shown) > 4
    text = " ".join("".join(document.itertext()).split())
    for spec in FIGURES:
        name = spec.name
        if name not in shown:
            assert f"{spec.title} (delay task):" in text.split("Not drawn:")[1]
            continue
        [svg] = [element for element in shown[name].iter() if "plot" in element.get("class", "")]
        assert svg.get("role") == "img"
        assert spec.title in str(svg.get("aria-label"))
        caption = " ".join("".join(next(shown[name].iter("figcaption")).itertext()).split())
        assert len(caption) > 60
        assert spec.title not in caption  # which the drawing has
    references = {
        value[1:]
        for element in document.iter()
        for name, value in element.attrib.items()
        if name.endswith("href") and value.startswith("#") and len(value) > 1
    }
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert references <= set(ids)
    assert len(ids) == len(set(ids))


def test_figures_that_are_too_large_are_left_out(runs: Path, one_figure, monkeypatch) -> None:
    write_study(runs, "gru", T=[100])
    first = accuracy_vs_t.FIGURE.name
    reports = runs.parent / "reports"
    for limit, expected in (
        ("SVG_AT_MOST", '<img class="plot"'),
        ("FIGURES_IN_ALL", f"Too large for this page: see {first}.png beside it."),
    ):
        monkeypatch.setattr(render, limit, 1000)
        assert main([str(runs), "--output", str(reports)]) == 0
        assert expected in (reports / "index.html").read_text()
