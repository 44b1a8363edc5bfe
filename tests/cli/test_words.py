"""Commands, options, help, completion and error codes: what holds for every command."""
import json
import subprocess

import pytest
from conftest import PROGRAM, run

COMMANDS = [c["name"] for c in json.loads(run("--json").out)["commands"]]


def test_version():
    assert run("--version").out.startswith("onward ")
    assert run("--version", "--json").json["version"]


def test_the_promised_commands_are_there():
    assert {"schema", "convert", "validate", "predict", "inspect", "optimize", "bench", "profile", "run-case", "run-cases", "doctor", "explain", "completion"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    result = run(command, "--help")
    assert result.code == 0 and result.err == ""
    assert f"Usage: onward {command}" in result.out and "--json" in result.out
    assert run("help", command).out == result.out
    described = run(command, "--help", "--json").json
    assert described["name"] == command and "--json" in [o["name"] for o in described["options"]]
    assert run("help", command, "--json").json == described


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_named_with_the_nearest(command):
    result = run(command, "--jsn")
    assert result.code == 2 and result.out == ""
    assert result.err == "error[E0201]: unknown option '--jsn'\nhelp: did you mean '--json'?\n"


@pytest.mark.parametrize("word, meant", [("conver", "convert"), ("predcit", "predict"), ("INSPECT", "inspect")])
def test_an_unknown_command_is_named_with_the_nearest(word, meant):
    result = run(word)
    assert result.code == 2
    assert result.err == f"error[E0201]: unknown command '{word}'\nhelp: did you mean '{meant}'?\n"


def test_no_command_shows_help_and_is_a_usage_error():
    result = run()
    assert result.code == 2 and "Commands:" in result.err and result.out == ""


@pytest.mark.parametrize("words, said", [
    (["predict", "m.onnx", "d.csv"], "the option --output OUT is missing"),
    (["predict", "m.onnx"], "the argument DATA is missing"),
    (["inspect", "a", "b"], "unexpected argument 'b'"),
    (["predict", "m.onnx", "d.csv", "-o"], "--output needs a value: OUT"),
    (["inspect", "--why=1", "m"], "--why takes no value"),
    (["convert", "m", "--inputs", "matrx"], "--inputs: expected one of matrix, columns, found 'matrx'"),
    (["inspect", "m", "--memory-limit", "2X"], "--memory-limit: expected a size such as 512M or 2G, found '2X'"),
    (["inspect", "m", "--time-limit", "soon"], "--time-limit: expected a time such as 30s, 500ms or 2m, found 'soon'"),
    (["predict", "m", "d", "-o", "x.csv", "--batch", "0"], "--batch: expected a whole number of at least 1, found '0'"),
    (["predict", "m", "d", "-o", "x.csv", "-o", "y.csv"], "--output is given twice"),
])
def test_usage_errors(words, said):
    result = run(*words)
    assert result.code == 2 and said in result.err and result.out == ""


def test_errors_as_json():
    result = run("inspect", "no/such/file.onnx", "--json")
    error = result.json["error"]
    assert result.code == 3 and result.err == ""
    assert error["code"] == "E0301" and error["name"] == "io" and error["exit_code"] == 3 and "no/such/file.onnx" in error["message"]


def test_no_escape_codes_without_a_terminal():
    for words in (["nonsense"], ["doctor"], ["--help"]):
        result = run(*words)
        assert "\x1b" not in result.out + result.err


@pytest.mark.parametrize("word", ["E0302", "302", "0302", "bad-file", "e0302"])
def test_explain(word):
    result = run("explain", word)
    assert result.code == 0 and result.out.startswith("E0302 bad-file (exit code 3)")


def test_explain_lists_all_and_suggests():
    assert {"E0101", "E0201", "E0701", "E0801"} <= {c["code"] for c in run("explain", "--json").json["codes"]}
    assert "did you mean 'bad-model'?" in run("explain", "bad-modle").err


def test_bash_completion(tmp_path):
    script = run("completion", "bash").out
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def completed(*words):
        line = f"source /dev/stdin; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _onward; echo \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", line], input=script, text=True, capture_output=True, check=True, cwd=tmp_path).stdout.split()

    assert completed("onward", "con") == ["convert"]
    assert "--dry-run" in completed("onward", "convert", "--d")
    assert completed("onward", "convert", "--inputs", "m") == ["matrix"]


def test_other_shells():
    assert "#compdef onward" in run("completion", "zsh").out
    assert "complete -c onward" in run("completion", "fish").out
    result = run("completion", "tcsh")
    assert result.code == 2 and "bash, zsh and fish" in result.err


def test_doctor():
    facts = run("doctor", "--json").json
    assert facts["threads"] >= 1 and facts["operators"] > 50 and facts["estimators"] > 50
    assert any(l.startswith("scikit-learn ") for l in facts["libraries"])


def test_the_program_starts_fast():
    import time
    start = time.perf_counter()
    subprocess.run([PROGRAM, "--version"], stdout=subprocess.DEVNULL, check=True)
    assert time.perf_counter() - start < 1
