import pytest

from copytask.error_lines import error_line, message_line, reason_line


@pytest.mark.parametrize(
    ("error", "line", "message"),
    [
        (ValueError("too late"), "ValueError: too late", "too late"),
        (RuntimeError("one\ntwo"), "RuntimeError: one", "one"),
        (RuntimeError("\n  one\r\ntwo"), "RuntimeError: one", "one"),
        (RuntimeError("one\rtwo"), "RuntimeError: one", "one"),
        (KeyError("x"), "KeyError: 'x'", "'x'"),
        (FileNotFoundError(2, "no such"), "FileNotFoundError: [Errno 2] no such",
         "[Errno 2] no such"),
        (AssertionError(), "AssertionError", "AssertionError"),
        (AssertionError(" \n"), "AssertionError", "AssertionError"),
        (SystemExit(), "SystemExit", "SystemExit"),
    ],
)  # fmt: skip
def test_an_exception_is_one_line_also_without_a_message(error, line, message):
    assert error_line(error) == line
    assert message_line(error) == message


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file", "x.yaml"), "No such file"),
        (PermissionError("Forbidden"), "Forbidden"),
        (OSError(5, "read failed\nat 10.0.0.1"), "read failed"),
        (OSError(5, ""), "[Errno 5]"),
        (UnicodeError("label empty or too long"), "label empty or too long"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_a_reason_names_neither_number_nor_file(error, reason):
    assert reason_line(error) == reason
