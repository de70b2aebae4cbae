import io

import pytest

from search.storage import whole_lines


@pytest.mark.parametrize("content", [b"", b"half", b"a\n", b"a\nb\n", b"a\nhalf a line", b"\n"])
@pytest.mark.parametrize("block", [1, 3, 100])
def test_whole_lines_end_at_the_last_newline(monkeypatch, content, block):
    monkeypatch.setattr(whole_lines, "BLOCK", block)
    end = whole_lines.end_of_whole_lines(io.BytesIO(content))
    assert end == content.rfind(b"\n") + 1
