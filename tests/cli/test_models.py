"""Looking into models, rewriting, timing and driving them by files; limits and interruption."""
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import numpy as np
import onnx
import pytest
from conftest import PROGRAM, run
from onnx import TensorProto, helper, numpy_helper


def save(path, nodes, inputs, outputs, opset=21, **more):
    graph = helper.make_graph(nodes, "g", inputs, outputs, **more)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10), path)
    return path


def vector(name, type=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, type, ["n"])


@pytest.fixture
def endless(tmp_path):
    """A Loop that no one ends."""
    i, c = helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    a, b = helper.make_tensor_value_info("a", TensorProto.FLOAT, ["n"]), helper.make_tensor_value_info("b", TensorProto.FLOAT, ["n"])
    c2 = helper.make_tensor_value_info("c2", TensorProto.BOOL, [])
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Sin", ["a"], ["b"])], "body", [i, c, a], [c2, b])
    nodes = [helper.make_node("Loop", ["", "yes", "x"], ["y"], body=body)]
    return save(tmp_path / "endless.onnx", nodes, [vector("x")], [vector("y")], initializer=[numpy_helper.from_array(np.array(True), "yes")])


def test_inspect(models):
    result = run("inspect", models / "table.onnx", "--why")
    assert result.code == 0
    for part in ("home.dest", "string [batch, 1]", "probabilities", "ai.onnx.ml TreeEnsemble", "onward.schema", "It runs here."):
        assert part in result.out
    facts = run("inspect", models / "table.onnx", "--json").json
    assert facts["inputs"][0] == {"name": "age", "type": "double [batch, 1]", "element": "double", "shape": ["batch", 1]}
    assert facts["nodes"] == len(onnx.load(models / "table.onnx").graph.node)
    assert "becomes" in run("inspect", models / "table.joblib").out


def heads(path, declared=None):
    """Attention's heads cut out of x float[batch, seq, 768] by its own shape, and all tokens twice. `declared`: the shape said of `heads`."""
    nodes = [helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Gather", ["shape", "zero"], ["rows"]), helper.make_node("Gather", ["shape", "one"], ["steps"]),
             helper.make_node("Concat", ["rows", "steps", "parts"], ["target"], axis=0), helper.make_node("Reshape", ["x", "target"], ["split"]),
             helper.make_node("Transpose", ["split"], ["heads"], perm=[0, 2, 1, 3]), helper.make_node("Mul", ["rows", "steps"], ["tokens"]),
             helper.make_node("Concat", ["tokens", "rest"], ["flat_shape"], axis=0), helper.make_node("Reshape", ["x", "flat_shape"], ["flat"]),
             helper.make_node("Concat", ["flat", "flat"], ["twice"], axis=0)]
    numbers = [numpy_helper.from_array(np.array(value), name) for name, value in [("zero", [0]), ("one", [1]), ("parts", [12, 64]), ("rest", [-1])]]
    outputs = [helper.make_tensor_value_info("heads", TensorProto.FLOAT, declared), helper.make_tensor_value_info("twice", TensorProto.FLOAT, None)]
    return save(path, nodes, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "seq", 768])], outputs, initializer=numbers)


def test_inspect_tells_the_shape_of_every_value(tmp_path):
    result = run("inspect", heads(tmp_path / "m.onnx"), "--nodes")
    lines = [line.split(maxsplit=2) for line in result.out.splitlines()]
    for row in (["Gather", "rows", "int64 [1]"], ["Reshape", "split", "float [batch, seq, 12, 64]"], ["Transpose", "heads", "float [batch, 12, seq, 64]"],
                ["Reshape", "flat", "float [batch*seq, 768]"], ["Concat", "twice", "float [2*batch*seq, 768]"]):
        assert row in lines
    answer = run("inspect", tmp_path / "m.onnx", "--json").json
    assert answer["outputs"][0]["shape"] == ["batch", 12, "seq", 64] and answer["contradictions"] == []
    assert answer["graph"][-1]["outputs"] == [{"name": "twice", "type": "float [2*batch*seq, 768]", "element": "float", "shape": ["2*batch*seq", 768]}]
    run("inspect", tmp_path / "m.onnx", "--html", tmp_path / "g.html")
    assert "heads: float [batch, 12, seq, 64]" in (tmp_path / "g.html").read_text()


def test_inspect_names_contradictions(tmp_path):
    words = "node 'heads' (Transpose): output 'heads' is declared as float [batch, seq, 12, 65], inferred as float [batch, 12, seq, 64]"
    result = run("inspect", heads(tmp_path / "m.onnx", ["batch", "seq", 12, 65]))
    assert result.code == 0 and words in result.out
    result = run("inspect", tmp_path / "m.onnx", "--check")
    assert result.code == 3 and words in result.err
    assert run("inspect", heads(tmp_path / "n.onnx"), "--check").code == 0


def test_optimize_writes_types(tmp_path):
    assert run("optimize", heads(tmp_path / "m.onnx"), "-o", tmp_path / "o.onnx", "--types").code == 0
    made = onnx.load(tmp_path / "o.onnx")
    onnx.checker.check_model(made, full_check=True)
    assert [d.dim_param or d.dim_value for d in made.graph.output[1].type.tensor_type.shape.dim] == ["2*batch*seq", 768]
    assert {v.name for v in made.graph.value_info} >= {"flat", "split"}


def test_converted_models_declare_their_shapes(models):
    for name in "table", "matrix":
        assert run("inspect", models / f"{name}.onnx", "--check").code == 0
        for output in run("inspect", models / f"{name}.onnx", "--json").json["outputs"]:
            assert output["shape"][0] == "batch" and all(isinstance(d, int) for d in output["shape"][1:])


def test_inspect_draws_the_graph(models, tmp_path):
    assert run("inspect", models / "table.onnx", "--html", tmp_path / "g.html").code == 0
    page = (tmp_path / "g.html").read_text()
    svg = xml.etree.ElementTree.fromstring(page[page.index("<svg"):page.index("</svg>") + 6])
    nodes = [g for g in svg.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "node"]
    assert len(nodes) == len(onnx.load(models / "table.onnx").graph.node) and "<script" not in page


def test_inspect_says_why_not(tmp_path):
    node = helper.make_node("FooBar", ["x"], ["y"], domain="com.example")
    graph = helper.make_graph([node], "g", [vector("x")], [vector("y")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.example", 1)], ir_version=10), tmp_path / "m.onnx")
    result = run("inspect", tmp_path / "m.onnx", "--why", "--json")
    assert result.code == 4 and not result.json["runs"] and "FooBar" in result.json["why_not"][0]
    assert run("predict", tmp_path / "m.onnx", "-", "-o", "-", input="x\n1\n").code == 4


def test_optimize(models, tmp_path):
    result = run("optimize", models / "matrix.onnx", "-o", tmp_path / "o.onnx", "--json")
    assert result.code == 0 and result.json["nodes"] <= result.json["nodes_before"]
    onnx.checker.check_model(onnx.load(tmp_path / "o.onnx"))
    words = ["--expected", models / "matrix_answers.npz", "--data", models / "matrix.csv"]
    assert run("validate", tmp_path / "o.onnx", *words).code == 0
    result = run("optimize", models / "matrix.onnx", "-o", tmp_path / "p.onnx", "--disable", "fold-constant")
    assert (result.code == 2) == (not (tmp_path / "p.onnx").exists())


def test_profile_is_a_chrome_trace(models, tmp_path):
    result = run("profile", models / "table.onnx", models / "table.csv", "-o", tmp_path / "t.json", "--json")
    assert result.code == 0 and {o["operator"] for o in result.json["operators"]} >= {"TreeEnsemble"}
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert all(e["ph"] == "X" and e["dur"] >= 0 for e in events)


def test_bench(models):
    batches = run("bench", models / "table.onnx", "--batch", "1,50", "--seconds", "100ms", "--data", models / "table.csv", "--json").json["batches"]
    assert [b["rows"] for b in batches] == [1, 50] and all(b["onward"]["rows_per_second"] > 0 for b in batches)


def test_bench_beside_onnxruntime(models):
    pytest.importorskip("onnxruntime")
    answer = run("bench", models / "matrix.onnx", "--batch", "1", "--seconds", "100ms", "--vs", "onnxruntime", "--json").json
    assert answer["onnxruntime"][0].isdigit() and answer["threads"] == 1
    batch = answer["batches"][0]
    assert batch["ratio"] == pytest.approx(batch["onnxruntime"]["p50_ms"] / batch["onward"]["p50_ms"]) and batch["different_inputs"] > 1000
    assert all(batch[e]["p25_ms"] <= batch[e]["p50_ms"] <= batch[e]["p75_ms"] for e in ("onward", "onnxruntime"))


@pytest.mark.parametrize("rows", [("--data", "table.csv"), ()], ids=["data", "made up"])
def test_bench_compares_the_answers(models, rows):
    """With texts among the inputs, which ONNX Runtime is given as copies."""
    pytest.importorskip("onnxruntime")
    rows = [models / r if r.endswith(".csv") else r for r in rows]
    answer = run("bench", models / "table.onnx", "--batch", "1,256", "--seconds", "50ms", "--vs", "onnxruntime", "--json", *rows).json
    assert answer["agreement"]["values"] == (1 + 256) * 3 and answer["agreement"]["labels_differing"] == 0 and answer["agreement"]["largest_difference"] < 1e-12


def test_bench_says_why_onnxruntime_does_not_run(models, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    answer = run("bench", models / "matrix.onnx", "--batch", "5", "--seconds", "50ms", "--vs", "onnxruntime", "--python", python, "--json").json
    assert "has no onnxruntime" in answer["onnxruntime"]["refusal"] and "ratio" not in answer["batches"][0]


# --- run-case and run-cases

@pytest.fixture
def case(tmp_path):
    model = save(tmp_path / "add.onnx", [helper.make_node("Add", ["x", "y"], ["z"])], [vector("x"), vector("y")], [vector("z")])
    (tmp_path / "in").mkdir(), (tmp_path / "out").mkdir()
    for k, values in enumerate(([1, 2], [10, 20])):
        (tmp_path / f"in/input_{k}.pb").write_bytes(numpy_helper.from_array(np.array(values, np.float32)).SerializeToString())
    return model, tmp_path / "in", tmp_path / "out"


def test_run_case(case):
    result = run("run-case", *case)
    assert (result.code, result.out) == (0, "ok\n")
    answer = TensorProto()
    answer.ParseFromString((case[2] / "output_0.pb").read_bytes())
    assert numpy_helper.to_array(answer).tolist() == [11, 22]


def test_run_cases_answers_line_by_line(case, tmp_path):
    other = save(tmp_path / "other.onnx", [helper.make_node("NoSuchOperator", ["x"], ["z"])], [vector("x")], [vector("z")])
    process = subprocess.Popen([PROGRAM, "run-cases"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = []
    for words in (case, (other, *case[1:]), ("no/such/model", *case[1:]), ("too", "few"), case):
        process.stdin.write("\t".join(map(str, words)) + "\n")
        process.stdin.flush()
        lines.append(process.stdout.readline().rstrip("\n"))               # each is answered before the next is asked
    process.stdin.close()
    assert process.wait() == 1
    assert [l.split(" ")[0] for l in lines] == ["ok", "unsupported", "error", "error", "ok"]
    assert "NoSuchOperator" in lines[1] and "no/such/model" in lines[2]


def test_run_case_of_an_unknown_operator_exits_with_4(case, tmp_path):
    other = save(tmp_path / "other.onnx", [helper.make_node("NoSuchOperator", ["x"], ["z"])], [vector("x")], [vector("z")])
    result = run("run-case", other, *case[1:])
    assert result.code == 4 and result.out.startswith("unsupported ") and result.out.count("\n") == 1


# --- limits and interruption

def test_time_limit(endless):
    start = time.monotonic()
    result = run("profile", endless, "-o", "/dev/null", "--time-limit", "300ms")
    assert result.code == 5 and "error[E0502]: " in result.err and "time limit" in result.err
    assert time.monotonic() - start < 10
    assert run("profile", endless, "-o", "/dev/null", "--time-limit", "300ms", "--json").json["error"]["code"] == "E0502"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(endless, tmp_path, number):
    process = subprocess.Popen([PROGRAM, "profile", str(endless), "-o", str(tmp_path / "t.json")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "E0801" in err and sorted(os.listdir(tmp_path)) == ["endless.onnx"]


def test_memory_limit(tmp_path):
    shape = numpy_helper.from_array(np.array([1 << 14, 1 << 14], np.int64), "shape")
    nodes = [helper.make_node("Expand", ["x", "shape"], ["e"]), helper.make_node("ReduceSum", ["e"], ["y"], keepdims=0)]
    save(tmp_path / "m.onnx", nodes, [vector("x")], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])], initializer=[shape])
    result = run("profile", tmp_path / "m.onnx", "-o", "/dev/null", "--memory-limit", "100M", "--batch", "1")
    assert result.code == 5 and "error[E0501]: " in result.err


@pytest.mark.parametrize("content", [b"\x08\x0a\x3a\xff\xff\x01\x00", b"\x80\x04\x95\x00", b"\x1f\x8b\x08\x00", b"PK\x03\x04"])
def test_files_that_are_no_models(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    for command in (["inspect"], ["schema"], ["convert", "-o", tmp_path / "x"]):
        result = run(*command, tmp_path / "f")
        assert result.code in (3, 4) and result.err.startswith("error[E0") and str(tmp_path / "f") in result.err
    assert not (tmp_path / "x").exists()


def test_optimize_for_another_opset(models, tmp_path):
    result = run("optimize", models / "table.onnx", "--opset", 15, "--ml-opset", 3, "-o", tmp_path / "old.onnx", "--json")
    assert result.code == 0 and result.json["opsets"] == {"": 15, "ai.onnx.ml": 3} and result.json["ir_version"] == 8 and result.json["compared"] > 0
    onnx.checker.check_model(str(tmp_path / "old.onnx"), full_check=True)
    before, after = (run("predict", path, models / "table.csv", "-o", "-").out for path in (models / "table.onnx", tmp_path / "old.onnx"))
    assert before == after
    assert {p.key for p in onnx.load(tmp_path / "old.onnx").metadata_props} == {p.key for p in onnx.load(models / "table.onnx").metadata_props}


def test_optimize_names_the_node_without_an_older_form(tmp_path):
    path = save(tmp_path / "m.onnx", [helper.make_node("Erf", ["x"], ["y"], name="the/erf")], [vector("x")], [vector("y")])
    result = run("optimize", path, "--opset", 8, "-o", tmp_path / "old.onnx")
    assert result.code == 4 and "node 'the/erf' (Erf): there is no form in opset 8 of ai.onnx" in result.err and not (tmp_path / "old.onnx").exists()


def test_optimize_for_the_oldest_trees(models, tmp_path):
    result = run("optimize", models / "table.onnx", "--ml-opset", 1, "-o", tmp_path / "old.onnx")
    assert result.code == 0 and "warning" not in result.err
    before, after = (run("predict", path, models / "table.csv", "-o", "-").out for path in (models / "table.onnx", tmp_path / "old.onnx"))
    assert before == after
    assert run("optimize", models / "table.onnx", "--ml-opset", 1, "--level", "all", "-o", tmp_path / "old.onnx").code == 2
