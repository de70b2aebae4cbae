"""A hook of mkdocs: the site has the folders of the repository, so links work in both places.

Pages of docs/ stay in docs/. The README is the front page. Whatever file a page links to (another
page, a configuration, a table, a picture) becomes part of the site; source files are plain text.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

LINK = re.compile(r"\]\(([^)#\s:]+)")
AS_THEY_ARE = {".md", ".png", ".css", ".csv"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by those that can be reached from the README and docs/."""
    root, docs = Path(config.config_file_path).parent, Path(config.docs_dir)
    found = [root / "README.md"]
    for file in [file for file in files if file.src_dir == str(docs)]:
        files.remove(file)
        found += [Path(file.abs_src_path)] * file.inclusion.is_included()
    for path in found:  # grows on the way
        found += [target for target in linked_files(path) if target not in found]
    for path in found:
        file = File.generated(config, path.relative_to(root).as_posix(), abs_src_path=str(path))
        if path.suffix not in AS_THEY_ARE:
            file.dest_uri += ".txt"  # a browser shows it
        files.append(file)
    return files


def linked_files(page: Path) -> Iterator[Path]:
    """The files of the repository that a page links to."""
    if page.suffix == ".md":
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            if (target := (page.parent / link).resolve()).is_file():
                yield target
