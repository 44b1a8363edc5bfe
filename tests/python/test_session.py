"""InferenceSession as onnxruntime's users know it."""
import json
import os
import pickle
import threading
import time

import numpy as np
import onnxruntime
import pytest
from graphs import endless, identity, model_of, tensor

import onward
import onward as ort

DTYPES = {"FLOAT": np.float32, "DOUBLE": np.float64, "FLOAT16": np.float16, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
          "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "BOOL": np.bool_, "COMPLEX64": np.complex64, "COMPLEX128": np.complex128}


def user_code(ort, path):
    """What a service that was written for onnxruntime does."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    ort.set_default_logger_severity(3)
    session = ort.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    inputs = [(i.name, i.type, i.shape) for i in session.get_inputs()]
    outputs = [(o.name, o.type, o.shape) for o in session.get_outputs()]
    rows = np.random.default_rng(3).normal(size=(7, 4))
    answers = session.run([o[0] for o in outputs], {inputs[0][0]: rows})
    binding = session.io_binding()
    binding.bind_cpu_input(inputs[0][0], rows)
    binding.bind_output(outputs[1][0])
    session.run_with_iobinding(binding)
    bound = binding.copy_outputs_to_cpu()
    value = ort.OrtValue.ortvalue_from_numpy(rows)
    through_values = [v.numpy() for v in session.run_with_ort_values([outputs[1][0]], {inputs[0][0]: value})]
    meta = session.get_modelmeta()
    facts = (meta.producer_name, meta.graph_name, meta.domain, meta.description, dict(meta.custom_metadata_map))
    return inputs, outputs, answers, bound, through_values, facts, session.get_providers(), ort.get_available_providers()[-1:], value.shape(), value.data_type()


def test_user_code_runs_unchanged(model, tmp_path):
    model.save(tmp_path / "m.onnx")
    ours, theirs = user_code(ort, tmp_path / "m.onnx"), user_code(onnxruntime, tmp_path / "m.onnx")
    for k in (0, 1, 5, 6, 7, 8, 9):
        assert ours[k] == theirs[k]
    for k in (2, 3, 4):
        for a, b in zip(ours[k], theirs[k]):
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", DTYPES)
def test_every_numpy_type_comes_back(name):
    array = np.array([0, 1, 1, 0], DTYPES[name])
    (out,) = onward.InferenceSession(identity(name)).run(None, {"x": array})
    assert out.dtype == array.dtype and (out == array).all() and not np.shares_memory(out, array)
    out[0] = 1                                           # the caller's own


def test_large_outputs_are_the_callers_own():
    session = onward.InferenceSession(identity("DOUBLE", ("n", "m")))
    array = np.arange(200_000.0).reshape(200, 1000)
    (out,) = session.run(None, {"x": array})
    del session
    assert out.flags.writeable and not np.shares_memory(out, array) and (out == array).all()
    out[:] = 0
    assert array[1, 1] == 1001


@pytest.mark.parametrize("array", [np.arange(12.0).reshape(3, 4).T, np.arange(12.0)[::-2], np.arange(6, dtype=">f8"), np.broadcast_to(1.5, (2, 3)), np.zeros((0, 3)), np.float64(3)])
def test_layouts(array):
    array = np.asarray(array)
    (out,) = onward.InferenceSession(identity("DOUBLE", [None] * array.ndim)).run(None, {"x": array})
    assert out.shape == array.shape and (out == array).all()


def test_lists_and_scalars():
    floats, ints = onward.InferenceSession(identity("FLOAT")), onward.InferenceSession(identity("INT64"))
    assert floats.run(None, {"x": [1, 2.5]})[0].tolist() == [1, 2.5]
    assert ints.run(None, {"x": [1, 2]})[0].dtype == np.int64
    assert onward.InferenceSession(identity("INT32")).run(None, {"x": [7]})[0].tolist() == [7]
    assert onward.InferenceSession(identity("FLOAT", ())).run(None, {"x": 2})[0] == 2
    assert floats.run(None, {"x": []})[0].shape == (0,)
    with pytest.raises(ValueError, match="expected int64"):
        ints.run(None, {"x": [1.5]})
    with pytest.raises(ValueError, match="does not fit"):
        onward.InferenceSession(identity("INT8")).run(None, {"x": [300]})


def test_texts():
    session = onward.InferenceSession(identity("STRING"))
    for given in (np.array(["é", "", "long " * 20]), np.array(["é", "", "x"], object), ["é", "", "x"], np.array([b"a", b"b"])):
        (out,) = session.run(None, {"x": given})
        assert out.dtype == object and out.tolist() == [t.decode() if isinstance(t, bytes) else str(t) for t in given]
    with pytest.raises(ValueError, match="expected text, found nan at element 1"):
        session.run(None, {"x": np.array(["a", np.nan], object)})
    with pytest.raises(ValueError, match="expected string"):
        session.run(None, {"x": np.array([1.0])})


def test_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for element, dtype in {"BFLOAT16": "bfloat16", "FLOAT8E4M3FN": "float8_e4m3fn", "FLOAT8E5M2": "float8_e5m2", "INT4": "int4", "UINT4": "uint4"}.items():
        array = np.array([0, 1, 2, 3], getattr(ml_dtypes, dtype))
        (out,) = onward.InferenceSession(identity(element)).run(None, {"x": array})
        assert out.dtype == array.dtype and out.astype(float).tolist() == [0, 1, 2, 3]
    array = np.array([-8, -1, 7], ml_dtypes.int4)
    model = model_of([("Cast", ["x"], ["y"], {"to": 7})], [tensor("x", "INT4", ["n"])], [tensor("y", "INT64", ["n"])])
    assert onward.InferenceSession(model).run(None, {"x": array})[0].tolist() == [-8, -1, 7]


def test_what_does_not_fit_is_refused_by_name(session, iris):
    rows = iris[0][:2]
    with pytest.raises(onward.InvalidArgument, match=r"input 'X': expected double \[batch, 4\], given float"):
        session.run(None, {"X": rows.astype(np.float32)})
    with pytest.raises(ValueError, match="axis 1 has 3 elements, expected 4"):
        session.run(None, {"X": rows[:, :3]})
    with pytest.raises(RuntimeError, match="rank"):
        session.run(None, {"X": rows[0]})
    with pytest.raises(onward.Error, match="no input 'x'") as e:
        session.run(None, {"x": rows})
    assert (e.value.code, e.value.name, e.value.hint) == (304, "bad-input", "did you mean 'X'?")
    with pytest.raises(ValueError, match="no input 'more'"):
        session.run(None, {"X": rows, "more": rows})
    with pytest.raises(ValueError, match="missing"):
        session.run(None, {})
    with pytest.raises(ValueError, match="no output 'lable'"):
        session.run(["lable"], {"X": rows})
    with pytest.raises(ValueError, match="complex|object|datetime"):
        session.run(None, {"X": np.array([["2020-01-01"] * 4], "datetime64[D]")})
    assert pickle.loads(pickle.dumps(e.value)).code == 304


def test_outputs_by_name_in_any_order(session, iris):
    label, probabilities = session.run(None, {"X": iris[0]})
    again = session.run(["probabilities", "label", "probabilities"], {"X": iris[0]})
    assert (again[0] == probabilities).all() and (again[1] == label).all() and (again[2] == probabilities).all()
    assert len(session.run([], {"X": iris[0]})) == 2


def test_files_and_bytes_that_are_no_models(tmp_path):
    with pytest.raises(FileNotFoundError):
        onward.InferenceSession(tmp_path / "none.onnx")
    for content in (b"", b"not a model"):
        with pytest.raises(onward.Error):
            onward.InferenceSession(content)
    with pytest.raises(onward.NotImplemented, match="NoSuchOp"):
        onward.InferenceSession(model_of([("NoSuchOp", ["x"], ["y"])], [tensor("x", "FLOAT", ["n"])], [tensor("y", "FLOAT", ["n"])]))


def test_options_that_do_not_exist(model):
    options = ort.SessionOptions()
    with pytest.raises(AttributeError, match="did you mean 'intra_op_num_threads'"):
        options.intra_op_threads = 2
    with pytest.raises(onward.Error, match="did you mean 'session.intra_op.allow_spinning'"):
        options.add_session_config_entry("session.intra_op.allow_spining", "0")
    with pytest.raises(onward.Error, match="only '0' is offered"):
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    with pytest.raises(onward.Error, match="add_provider is not offered"):
        options.add_provider("CUDAExecutionProvider")
    with pytest.raises(AttributeError, match="did you mean 'terminate'"):
        ort.RunOptions().terminated = True
    with pytest.raises(onward.Error, match="did you mean 'CPUExecutionProvider'"):
        ort.InferenceSession(model, providers=["CpuExecutionProvider"])
    with pytest.warns(UserWarning, match="CUDAExecutionProvider is not offered"):
        ort.InferenceSession(model, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(TypeError, match="sess_option"):
        ort.InferenceSession(model, sess_option=options)
    with pytest.raises(AttributeError, match="does not offer onnxruntime's LoraAdapter"):
        ort.LoraAdapter
    options.add_session_config_entry("optimization.disable_specified_optimizers", "no_such_rule")
    with pytest.raises(onward.Error, match="no_such_rule"):
        ort.InferenceSession(model, options)


def test_exceptions_are_where_users_look_for_them(session):
    from onward.capi.onnxruntime_pybind11_state import Fail, InvalidArgument

    with pytest.raises(InvalidArgument):
        session.run(None, {})
    assert issubclass(onward.Cancelled, Fail) and ort.capi.onnxruntime_pybind11_state.Fail is Fail


def test_arguments_of_another_kind(session, iris):
    with pytest.raises(TypeError, match="path_or_bytes"):
        ort.InferenceSession(5)
    with pytest.raises(TypeError, match="run_options"):
        session.run(None, {"X": iris[0]}, ort.SessionOptions())
    with pytest.raises(TypeError, match="sess_options"):
        ort.InferenceSession(b"", ort.RunOptions())
    with pytest.raises(ValueError, match="must be a dict"):
        session.run(None, [iris[0]])


def test_levels_agree(model, iris):
    answers = []
    for level in (0, 1, 2, 99):
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel(level)
        answers.append(ort.InferenceSession(model, options).run(["probabilities"], {"X": iris[0]})[0])
    for a in answers[1:]:
        np.testing.assert_allclose(a, answers[0], rtol=1e-12)


def test_profiling(model, iris, tmp_path):
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "trace")
    session = ort.InferenceSession(model, options)
    session.run(None, {"X": iris[0]})
    path = session.end_profiling()
    assert json.load(open(path))["traceEvents"]
    with pytest.raises(onward.Error, match="does not profile"):
        ort.InferenceSession(model).end_profiling()


def test_terminate_from_another_thread():
    session, options = onward.InferenceSession(endless()), ort.RunOptions()
    threading.Timer(0.2, lambda: setattr(options, "terminate", True)).start()
    with pytest.raises(onward.Cancelled):
        session.run(None, {"x": np.float32(0)}, options)
    options.terminate = False
    options.time_limit = 0.1
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        session.run(None, {"x": np.float32(0)}, options)
    assert time.monotonic() - started < 5


def test_memory_limit():
    options = ort.SessionOptions()
    options.add_session_config_entry("onward.memory_limit", str(1 << 20))
    session = ort.InferenceSession(model_of([("Add", ["x", "x"], ["y"])], [tensor("x", "FLOAT", ["n"])], [tensor("y", "FLOAT", ["n"])]), options)
    session.run(None, {"x": np.zeros(1000, np.float32)})
    with pytest.raises(MemoryError):
        session.run(None, {"x": np.zeros(1 << 20, np.float32)})


def test_pickles(model, iris, tmp_path):
    model.save(tmp_path / "m.onnx")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for session in (ort.InferenceSession(model, options), ort.InferenceSession(tmp_path / "m.onnx")):
        again = pickle.loads(pickle.dumps(session))
        assert (again.run(None, {"X": iris[0]})[1] == session.run(None, {"X": iris[0]})[1]).all()
    assert pickle.loads(pickle.dumps(ort.InferenceSession(model, options))).get_session_options().intra_op_num_threads == 1
    session = ort.InferenceSession(tmp_path / "m.onnx")
    (tmp_path / "m.onnx").write_bytes(b"other")
    with pytest.raises(onward.Error, match="changed"):
        pickle.dumps(session)


def test_threads_share_a_session(session, iris):
    expected = session.run(["probabilities"], {"X": iris[0]})[0]
    wrong = []

    def work(k):
        for _ in range(200):
            if not (session.run(["probabilities"], {"X": iris[0][k:k + 9]})[0] == expected[k:k + 9]).all():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_run_releases_the_interpreter():
    session, options, ticks = onward.InferenceSession(endless()), ort.RunOptions(), []
    options.time_limit = 0.5
    thread = threading.Thread(target=lambda: pytest.raises(TimeoutError, session.run, None, {"x": np.float32(0)}, options))
    thread.start()
    while thread.is_alive():
        ticks.append(1)
        time.sleep(0.01)
    assert len(ticks) > 5


def test_after_fork():
    wide = model_of([("MatMul", ["x", "x"], ["y"])], [tensor("x", "FLOAT", [300, 300])], [tensor("y", "FLOAT", [300, 300])])
    session, x = onward.InferenceSession(wide), np.eye(300, dtype=np.float32)
    session.run(None, {"x": x})                          # its threads exist
    child = os.fork()
    if child == 0:
        ok = bool((session.run(None, {"x": x})[0] == x).all() and (onward.InferenceSession(wide).run(None, {"x": x})[0] == x).all())
        os._exit(0 if ok else 1)
    for _ in range(600):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        pytest.fail("the child hangs")
    assert (session.run(None, {"x": x})[0] == x).all()


def test_memory_stays_the_same(session, iris):
    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def rounds(count):
        for k in range(count):
            session.run(None, {"X": iris[0][: 1 + k % 150]})
            session.predict(iris[0][:2]) if k % 100 == 0 else None
            try:
                session.run(None, {"x": iris[0]})
            except ValueError:
                pass

    rounds(2000)
    before = resident()
    rounds(10_000)
    assert resident() - before < 2 << 20


def test_maps_and_sequences(model, iris, fitted):
    from onnx import helper

    import onnx

    proto = onnx.load_from_string(bytes(model))
    proto.graph.node.append(helper.make_node("Cast", ["probabilities"], ["p32"], to=1))
    proto.graph.node.append(helper.make_node("ZipMap", ["p32"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]))
    del proto.graph.output[:]
    proto.graph.output.append(onnx.ValueInfoProto(name="maps", type=onnx.TypeProto(sequence_type=onnx.TypeProto.Sequence(elem_type=onnx.TypeProto(
        map_type=onnx.TypeProto.Map(key_type=7, value_type=helper.make_tensor_type_proto(1, [])))))))
    content = proto.SerializeToString()
    session, theirs = onward.InferenceSession(content), onnxruntime.InferenceSession(content)
    assert session.get_outputs()[0].type == theirs.get_outputs()[0].type
    ours, expected = session.run(None, {"X": iris[0][:3]})[0], theirs.run(None, {"X": iris[0][:3]})[0]
    assert isinstance(ours, list) and [list(d) for d in ours] == [list(d) for d in expected] and type(ours[0][0]) is float
    np.testing.assert_allclose([list(d.values()) for d in ours], [list(d.values()) for d in expected], rtol=1e-6)


def test_sequences_in_and_out():
    from onnx import helper

    sequence = helper.make_value_info("s", helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [None])))
    out = helper.make_value_info("t", helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [None])))
    content = model_of([("Identity", ["s"], ["t"])], [sequence], [out])
    given = [np.arange(3, dtype=np.float32), np.zeros(1, np.float32)]
    answer = onward.InferenceSession(content).run(None, {"s": given})[0]
    assert [a.tolist() for a in answer] == [[0, 1, 2], [0]]


def test_io_binding_into_the_callers_memory(session, iris):
    out, rows = np.zeros((150, 3)), np.ascontiguousarray(iris[0])
    binding = session.io_binding()
    binding.bind_input("X", "cpu", 0, np.float64, rows.shape, rows.ctypes.data)
    binding.bind_output("probabilities", "cpu", 0, np.float64, out.shape, out.ctypes.data)
    session.run_with_iobinding(binding)
    assert (out == session.run(["probabilities"], {"X": rows})[0]).all()
    binding.bind_output("probabilities", "cpu", 0, np.float64, (3, 3), out.ctypes.data)
    with pytest.raises(onward.Error, match="bound to double"):
        session.run_with_iobinding(binding)
    with pytest.raises(onward.Error, match="only the device 'cpu'"):
        binding.bind_output("label", "cuda")
    value = ort.OrtValue.ortvalue_from_shape_and_type([2], np.float32)
    value.update_inplace(np.array([3, 4], np.float32))
    assert value.numpy().tolist() == [3, 4]


def test_without_numpy_the_package_imports():
    import subprocess
    import sys

    code = "import sys; sys.modules['numpy'] = None; import onward; print(onward.__version__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == onward.__version__


def test_fixed_sizes_shared_weights_and_the_optimised_file(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])
    content = model_of([("Mul", ["x", "w"], ["y"])], [tensor("x", "FLOAT", ["batch", 2])], [tensor("y", "FLOAT", ["batch", 2])], [weights])
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_name("batch", 3)
    options.add_initializer("w", ort.OrtValue.ortvalue_from_numpy(np.array([10, 20], np.float32)))
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    session = ort.InferenceSession(content, options)
    assert session.get_inputs()[0].shape == [3, 2]
    rows = np.ones((3, 2), np.float32)
    for s in (session, pickle.loads(pickle.dumps(session)), ort.InferenceSession(tmp_path / "optimised.onnx")):
        assert s.run(None, {"x": rows})[0].tolist() == [[10, 20]] * 3
    onnx.checker.check_model(onnx.load(tmp_path / "optimised.onnx"))
    with pytest.raises(ValueError, match="axis 0"):
        session.run(None, {"x": rows[:2]})
    for name, array in (("v", np.zeros(2, np.float32)), ("w", np.zeros(3, np.float32)), ("w", np.zeros(2))):
        options = ort.SessionOptions()
        options.add_initializer(name, ort.OrtValue.ortvalue_from_numpy(array))
        with pytest.raises(ValueError, match="initializer"):
            ort.InferenceSession(content, options)


def test_the_remainder_of_floats_is_that_of_fmod_to_the_bit():
    random = np.random.default_rng(0)
    bits = random.integers(0, 1 << 32, 60000, dtype=np.uint64).astype(np.uint32)
    a, b = bits.view(np.float32).reshape(2, -1)
    with np.errstate(all="ignore"):
        near = b * random.integers(0, 1 << 20, b.size).astype(np.float32)     # whole multiples and their neighbours
        a = np.concatenate([a, near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf)), a])
        b = np.concatenate([b, b, b, b, np.float32([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 1])[np.arange(b.size) % 7]])
        expected = np.fmod(a, b)
    model = model_of([("Mod", ["a", "b"], ["y"], {"fmod": 1})], [tensor("a", "FLOAT", ["n"]), tensor("b", "FLOAT", ["n"])], [tensor("y", "FLOAT", ["n"])])
    y, = ort.InferenceSession(model).run(None, {"a": a, "b": b})
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(y.view(np.uint32)[numbers], expected.view(np.uint32)[numbers])
