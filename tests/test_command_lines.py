"""The commands used wrongly, asked for their version, and completed by a shell."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from searches import ROOT

from analysis import compare
from copytask import MODELS
from search import run

OLD = ROOT / "tests" / "old_studies"

Command = Callable[[list[str]], int]

SEARCH = [
    (["mgru"], "unrecognized arguments: mgru"),
    (["--modle", "mgru"], "unrecognized arguments: --modle"),
    ([], "which model? Give --model: "),
    (["--model"], "argument --model: expected at least one argument"),
    (["--model", "mgu"], "--model: unknown model 'mgu'; did you mean 'mgru'?"),
    (["--model", "no_such_package:cell"], "--model: "),
    (["--model", "gru", "mgu"], "mgu: --model: unknown model 'mgu'; did you mean 'mgru'?"),
    (["--model", "gru", "lstm", "--trials", "0"], "gru: --trials: "),
    (["--model", "gru", "lstm", "--name", "a/b"], "gru: --name a/b-gru-delay: must be the name"),
    (["--model", "gru", "lstm", "--set", "mgru.T=3"], "mgru is not a model of this command"),
    (["--model", "gru", "lstm", "--set", "gru.search.trails=3"], "did you mean 'trials'?"),
    (["--model", "gru", "lstm", "--replay", "runs/a", "b"], "give one --model"),
    (["--model", "json:dumps"], "--model: the cell 'json:dumps' failed as factory("),
    (["--model", "gru", "--task", "dealy"], "--task: "),
    (["--model", "gru", "--T"], "--T: needs at least one length"),
    (["--model", "gru", "--T", "0"], "--T: needs at least one length, each >= 1"),
    (["--model", "gru", "--T", "many"], "argument --T: invalid int value: 'many'"),
    (["--model", "gru", "--config", "no.yaml"], "cannot read no.yaml: No such file"),
    (["--model", "gru", "--config", "."], "cannot read .: Is a directory"),
    (["--model", "gru", "--config", "list.yaml"], "list.yaml: expected a mapping of keys"),
    (["--model", "gru", "--config", "bad.yaml"], "bad.yaml, line 1, column "),
    (["--model", "gru", "--config", "empty.yaml"], "empty.yaml: expected a mapping of keys"),
    (["--model", "gru", "--config", "image.yaml"], "image.yaml: not valid YAML"),
    (["--model", "gru", "--retry-failed"], "--retry-failed has no effect without --resume"),
    (["--model", "gru", "--json"], "--json has no effect without --list or --show"),
    (["--yes"], "--yes has no effect without --delete"),
    (["--list", "--trials", "5"], "--trials has no effect with --list, which takes only --storage"),
    (["--show", "gru-sequence", "--resume"], "--resume has no effect with --show"),
    (["--list", "--show", "gru-sequence"], "--show has no effect with --list"),
    (["--delete", "gru-sequence", "--json"], "--json has no effect with --delete"),
    (["--delete", "gru-sequence"], "--delete gru-sequence: nobody can be asked here; add --yes"),
    (["--delete", "no", "--yes"], "unknown study 'no'"),
    (["--delete", "../runs", "--yes"], "unknown study '../runs'"),
    (["--replay", "runs/a", "b", "--quiet"], "--quiet has no effect with --replay"),
    (["--model", "gru", "--budget-tokens", "0"], "--budget-tokens: "),
    (["--model", "gru", "--name", "a" * 300], "File name too long; choose another --name"),
    (["--show", "a" * 300], "cannot be read: File name too long"),
    (["--model", "gru", "--budget-tokens", "2.5"], "--budget-tokens: '2.5' is not a whole number"),
    (["--model", "gru", "--set", "trials"], "--set trials: expected key.path=value"),
    (["--model", "gru", "--set", "search.trails=3"], "did you mean 'trials'?"),
    (["--model", "gru", "--set", "search=3"], "--set search: "),
    (["--model", "gru", "--set", "search.trials=[3"], "--set search.trials=[3: the value"),
    (["--model", "gru", "--set", "space.hidden_size=big"], "--set space.hidden_size: "),
    (["--model", "gru", "--set", "training.clip=1"], "did you mean 'clip_norm'?"),
    (["--model", "gru", "--set", "space.seed={low: 3, high: 1}"], "--set space.seed: "),
    (["--model", "gru", "--trials", "0"], "--trials: "),
    (["--model", "gru", "--trials", "3.5"], "argument --trials: invalid int value: '3.5'"),
    (["--model", "gru", "--budget-minutes", "-1"], "--budget-minutes: "),
    (["--model", "gru", "--budget-minutes", "nan"], "--budget-minutes: "),
    (["--model", "gru", "--confirm-seeds", "-1"], "--confirm-seeds: "),
    (["--model", "gru", "--seed", "-1"], "--seed: "),
    (["--model", "gru", "--sampler", "sobol"], "--sampler: "),
    (["--model", "gru", "--scheduler", "median"], "--scheduler: "),
    (["--model", "gru", "--name", "a/b"], "--name a/b: must be the name of one folder"),
    (["--model", "gru", "--name", ""], "--name : must be the name of one folder"),
    (["--model", "gru", "--storage", "bad.yaml"], "--storage bad.yaml: "),
    (["--model", "gru", "--storage", "ftpx://x/y"], "--storage ftpx://x/y: "),
    (["--model", "gru", "--resume"], "no study to resume at runs/gru-delay"),
    (["--name", "no", "--resume"], "no study to resume at runs/no"),
    (["--model", "gru", "--name", "gru-sequence"], "exists: continue it with --resume"),
    (["--name", "gru-sequence", "--resume", "--model", "lstm"], "was started with another model"),
    (["--name", "gru-sequence", "--resume"], "it can be compared but not resumed"),
    (["--model", "gru", "--cpus-per-trial", "0"], "--cpus-per-trial: "),
    (["--model", "gru", "--cpus-per-trial", "5000"], "--cpus-per-trial 5000: this machine has "),
    (["--model", "gru", "--gpus-per-trial", "64"], "--gpus-per-trial 64: this machine has "),
    (["--model", "gru", "--max-concurrent", "0"], "--max-concurrent: "),
    (["--model", "gru", "--mixed"], "mixed needs gpus_per_trial > 0"),
    (["--model", "gru", "--autoscale"], "autoscale needs max_concurrent"),
    (["--model", "gru", "--address", "127.0.0.1:1"], "no Ray cluster answers there: "),
    (["--replay", "runs/no", "T1-0000"], "--replay runs/no: "),
    (["--replay", "runs/gru-sequence", "T9"], "no such trial; it has T1-0000"),
    (["--replay", "gru-sequence", "T9"], "no such trial; it has T1-0000"),
    (["--replay", "gru-sequnce", "T9"], "unknown study 'gru-sequnce'; did you mean"),
    (["--replay", "runs/gru-sequence"], "argument --replay: expected 2 arguments"),
    (["--list", "--storage", "no"], "--storage no: no such folder; make one by"),
    (["--model", "gru", "--set", "architecture=5", "--set", "training.batch_size=8"],
     "architecture: "),
    (["--model", "gru", "--set", "search.warm_from=2024-13-01"], "not valid YAML: month must be"),
    (["--list", "--storage", "bad.yaml"], "--storage bad.yaml: not a folder"),
    (["--list", "--storage", "runs/gru-sequence"], "this is a study; name the folder in which"),
    (["--show", "a", "--storage", "empty"], "--model mgru --storage empty"),
    (["--model", "gru", "--logger", "nope"], "wandb. Your own is named path/file.py:Class or"),
    (["--model", "gru", "--reach", "1999"], "search.reach: at least 2000 is needed, twice the"),
    (["--show"], "argument --show: expected at least one argument"),
    (["--show", "gru-sequnce"], "unknown study 'gru-sequnce'; did you mean 'gru-sequence'?"),
    (["--show", "gru-sequence", "x"], "unknown study 'x'"),
    (["--show", "runs/gru-sequence"], "unknown study 'runs/gru-sequence'"),
    (["--show", "broken"], "runs/broken/study.yaml: expected a mapping of keys"),
    (["--trails", "3"], "unrecognized arguments: --trails 3; did you mean --trials?"),
    (["--print-completion", "cmd"], "argument --print-completion: invalid choice: 'cmd'"),
]  # fmt: skip

COMPARE = [
    (["no"], "no does not exist; name a folder of studies"),
    (["bad.yaml"], "bad.yaml is not a folder"),
    (["empty"], "no study in empty"),
    (["runs", "--output", "bad.yaml"], "--output bad.yaml: is, or is below, a file"),
    (["runs", "--output"], "argument --output: expected one argument"),
    (["--live", "--output", "bad.yaml/x"], "--output bad.yaml/x: is, or is below, a file"),
    (["--live", "--port", "70000"], "--port 70000: "),
    (["--port", "7000"], "--port has no effect without --live"),
    (["--live", "--port", "http"], "argument --port: invalid int value: 'http'"),
    (["--all"], "unrecognized arguments: --all"),
]  # fmt: skip

WRONG = [(run.main, *case) for case in SEARCH] + [(compare.main, *case) for case in COMPARE]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the commands are given: a study, and files that are none."""
    folder = tmp_path_factory.mktemp("wrong")
    shutil.copytree(OLD, folder / "runs")
    (folder / "runs" / "broken").mkdir()
    (folder / "runs" / "broken" / "study.yaml").touch()
    (folder / "empty").mkdir()
    (folder / "list.yaml").write_text("[1, 2]")
    (folder / "bad.yaml").write_text("a: [")
    (folder / "empty.yaml").touch()
    (folder / "image.yaml").write_bytes(b"\x89PNG\r\n")
    return folder


def files_below(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    WRONG,
    ids=[f"{main.__module__}: {' '.join(arguments)}" for main, arguments, _ in WRONG],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_changes_nothing(
    main: Command, arguments: list[str], message: str, folder: Path, monkeypatch, capfd
):
    monkeypatch.chdir(folder)
    before = files_below(folder)
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    out, err = capfd.readouterr()
    assert (code, err.count("\n")) == (2, 1), err
    assert out in ("", "starting Ray\n", "joining Ray at 127.0.0.1:1\n")
    assert err.startswith("error: ")
    assert message in err
    assert files_below(folder) == before


@pytest.mark.parametrize("main", [run.main, compare.main])
def test_the_version_is_that_of_package_and_checkout(main: Command, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    words = capsys.readouterr().out.split()
    assert words[:2] == ["copytask-search", "0.1.0"]
    if (ROOT / ".git").exists():
        assert words[2] == "(git"


def test_help_needs_neither_ray_nor_git():
    script = (
        "import sys, subprocess\n"
        "subprocess.run = None\n"
        "from search.run import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = [m for m in ('ray', 'tensorboardX', 'pandas') if m in sys.modules]\n"
        "print('loaded:', loaded)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "--print-completion" in result.stdout
    assert result.stdout.splitlines()[-1] == "loaded: []"


def completed(command: str, script: str, words: list[str], folder: Path) -> list[str]:
    """What bash offers for the last word."""
    call = "\n".join(
        [
            script,
            f"COMP_WORDS=({' '.join(map(repr, [command, *words]))})",
            f"COMP_CWORD={len(words)}",
            f'"$(complete -p {command} | grep -o "_shtab_[a-z_]*")"',
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ]
    )
    result = subprocess.run(["bash", "-c", call], capture_output=True, text=True, cwd=folder)
    assert result.stderr == ""
    return sorted(result.stdout.split())


@pytest.fixture(scope="module")
def script() -> str:
    result = subprocess.run(
        [sys.executable, "-m", "search.run", "--print-completion", "bash"],
        capture_output=True, text=True, cwd=ROOT, env=os.environ,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--model", ""], sorted([*MODELS, "all"])),
        (["--model", "gru", "l"], ["linear_attention", "lru", "lstm"]),
        (["--model", "m"], ["mgru", "mingru", "minlstm", "mlstm"]),
        (["--trials", "3", "--task", "s"], ["selective", "sequence"]),
        (["--show", "gru"], ["gru-sequence"]),
        (["--pri"], ["--print-completion"]),
    ],
)
def test_bash_completes_options_and_their_values(words, expected, script, folder):
    assert completed("copytask-search", script, words, folder) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish"])
def test_each_shell_gets_the_models(shell, capsys):
    with pytest.raises(SystemExit):
        run.main(["--print-completion", shell])
    out = capsys.readouterr().out
    assert all(model in out for model in MODELS)
    assert "copytask-search" in out


COMMAND = Path(sys.executable).with_name("copytask-search")


@pytest.mark.skipif(not COMMAND.exists(), reason="needs the installed commands")
def test_the_installed_command_finds_a_cell_in_the_current_folder(tmp_path):
    (tmp_path / "my_cells.py").write_text(
        "from torch import nn\nfactory = lambda i, h: nn.RNN(i, h)\n"
    )
    result = subprocess.run(
        [COMMAND, "--model", "my_cells:factory", "--dry-run"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert "model: my_cells:factory" in result.stdout
