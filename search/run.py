"""Search hyperparameters of sequence models on tasks of memory.

    python -m search.run --model mgru
    python -m search.run --model lstm gru mlstm mgru
    python -m search.run --model gru --config quick.yaml
    python -m search.run --model cells.py:LeakyRNN --set space.hidden_size=64
    python -m search.run --list
    python -m search.run --show mgru-delay
    python -m search.run --delete mgru-delay

Results are written to runs/MODEL-TASK/. Ctrl-C stops a search; --resume
continues it. Several models are compared at the end, in reports/; compare
any studies with: python -m analysis.compare
"""

import os
import re
import sys
import warnings
from collections.abc import Sequence

import yaml

from copytask.engine import MISSING_KERNELS
from search.cluster.ray_compat import set_switches
from search.console.delete_study import ask_and_delete
from search.console.steer import asks, steer
from search.errors import SearchFailedError, UserError
from search.execute.requested_study import RequestedStudy, requested_studies
from search.options import parser
from search.storage.store import parse_storage
from search.study.overview import look, study_at, study_named
from studies.command_line import Parser
from studies.paths import StudyPath
from studies.patient_console import PatientConsole


def make_parser() -> Parser:
    """The command line of ``python -m search.run``."""
    return parser.make_parser(__doc__)


def print_studies(storage: StudyPath, names: Sequence[str] | None, as_json: bool = False) -> None:
    """Print all studies of the storage, the one of this name, or two of them side by side.

    Args:
        as_json: print JSON: a list of all studies, one study, or a list of two.

    Raises:
        UserError: there is no such study, it cannot be read, or there are more than two names.
    """
    # Only here: their intervals need scipy, which takes long to import.
    from search.console import as_json as json
    from search.console.compare_two import show_two
    from search.console.list_studies import found_in, print_list
    from search.console.show_study import show_study

    console = plain_console()
    if not names:
        found = found_in(storage)
        if as_json:
            console.out(json.text([json.listed(study) for study in found]), highlight=False)
        else:
            print_list(found, storage, console)
        return
    if len(names) > 2:
        raise UserError(f"--show takes one name, or two to compare, but got {len(names)}")
    studies = [look(study_named(storage, name)) for name in names]
    if as_json:
        shown = [json.shown(study) for study in studies]
        console.out(json.text(shown if len(shown) > 1 else shown[0]), highlight=False)
    elif len(studies) > 1:
        show_two(studies[0], studies[1], console)
    else:
        show_study(studies[0], console)


def plain_console() -> PatientConsole:
    """Prints text as it is: names of a user's cells may look like markup."""
    return PatientConsole(markup=False, emoji=False, highlight=False)


def print_configurations(studies: Sequence[RequestedStudy]) -> None:
    """Print directory and configuration of each study: a YAML document each."""
    for number, study in enumerate(studies):
        print("---\n" * (number > 0) + f"# study directory: {study.path}")
        print(yaml.safe_dump(study.config.model_dump(mode="json"), sort_keys=False), end="")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    args = make_parser().parse_args(arguments)
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())  # to import a user's cell; python -m does the same
    warnings.filterwarnings("ignore", re.escape(MISSING_KERNELS))  # the search says so itself
    try:
        if args.list or args.show:
            print_studies(parse_storage(args.storage), args.show, args.json)
            return 0
        if asks(args):
            steer(args, plain_console())
            return 0
        if args.delete:
            ask_and_delete(
                study_named(parse_storage(args.storage), args.delete), plain_console(), args.yes
            )
            return 0
        if args.replay:
            from search.execute.replay import replay

            if len(args.model or ()) > 1:
                raise UserError("--replay trains one trial: give one --model")
            model = args.model[0] if args.model else None
            study = study_at(args.replay[0], parse_storage(args.storage))
            return replay(study, args.replay[1], model, args.task)
        studies = requested_studies(args)
        if args.dry_run:
            print_configurations(studies)
            return 0
        set_switches(starts_cluster=args.address is None)
        if not args.quiet:
            print(f"joining Ray at {args.address}" if args.address else "starting Ray", flush=True)
        # Ray takes seconds to import: too long for --help or a mistyped key.
        from search.execute.whole_search import search

        arguments = sys.argv[1:] if arguments is None else arguments
        return search(studies, args, arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SearchFailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except SystemExit as error:  # else the process would end without a message
        print(f"failed: the model's code called sys.exit({error.code!r})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
