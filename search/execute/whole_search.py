"""Does what a command line asks for: searches its studies, and compares several of them."""

import argparse
import sys
from collections.abc import Sequence

from search.console.commands import resume_all_command, resume_command
from search.console.comparison import compare
from search.execute.launch import launch
from search.execute.requested_study import RequestedStudy


def search(
    studies: Sequence[RequestedStudy], args: argparse.Namespace, arguments: Sequence[str]
) -> int:
    """Search; return the exit code.

    Args:
        args: the command line.
        arguments: the same as words; several studies are resumed by them.

    Raises:
        UserError, SearchFailedError, KeyboardInterrupt: see :func:`launch`.
    """
    several = len(studies) > 1
    outcome = launch(
        studies,
        args.address,
        resume_all_command(arguments) if several
        else resume_command(studies[0].path, studies[0].config, args.address),
        retry_failed=args.retry_failed,
        quiet=args.quiet,
    )  # fmt: skip
    faults = [f"failed: {failure}" for failure in outcome.failures]
    if several and not outcome.interrupted and len(faults) < len(studies):
        faults.append(compare([study.path for study in studies]))
    for fault in filter(None, faults):
        print(fault, file=sys.stderr)
    return 130 if outcome.interrupted else int(bool(outcome.failures))
