"""Files to which lines are appended: of a process that is killed, half a line may be the last."""

from typing import IO

BLOCK = 1 << 16


def end_of_whole_lines(file: IO[bytes]) -> int:
    """Bytes up to the end of the last whole line of a file; reads no more than its end."""
    end = file.seek(0, 2)
    while end:
        begin = max(0, end - BLOCK)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
