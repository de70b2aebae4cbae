"""docs/glossary.md against the names that the console and the report use."""

from pathlib import Path

from studies.columns import SHORT_FORMS

GLOSSARY = (Path(__file__).parent.parent / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_the_glossary_explains_the_short_forms_of_console_and_report() -> None:
    for name, short in SHORT_FORMS.items():
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
