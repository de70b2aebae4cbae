"""docs/glossary.md against the names that the console and the report use."""

from pathlib import Path

from analysis.report import console
from search.console import formats as wording

GLOSSARY = (Path(__file__).parent.parent / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_search_and_comparison_have_the_same_short_forms_and_the_glossary_explains_them() -> None:
    of_analysis = {name: column.header for name, column in console.SHORT_FORMS.items()}
    assert of_analysis == wording.SHORT_FORMS
    for name, short in wording.SHORT_FORMS.items():
        assert f"| {name.replace('_', ' ')} (`{short}`) |" in GLOSSARY


def test_each_term_is_defined_once() -> None:
    terms = [
        term.split(" (`")[0]
        for line in GLOSSARY.splitlines()
        if line.startswith("| ")
        for term in line.split("|")[1].strip().split(", ")
    ]
    terms = [term for term in terms if term != "term"]
    assert len(terms) > 20
    assert len(terms) == len(set(terms))
