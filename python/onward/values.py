"""OrtValue and IOBinding, with onnxruntime's names. Everything is on the CPU."""
import ctypes

from onward import _core
from onward.errors import suggestion, usage

_ELEMENTS = {1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool", 10: "float16", 11: "double",
             12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2",
             20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2"}
_NUMBERS = {name: number for number, name in _ELEMENTS.items()}
_NUMPY = {"float32": 1, "float64": 11}                                       # whose names are not the standard's


def element_number(element_type):
    """From a numpy type, an ONNX number or a name."""
    if isinstance(element_type, int) and element_type in _ELEMENTS:
        return element_type
    name = element_type if isinstance(element_type, str) else None
    if name is None:
        import numpy

        name = numpy.dtype(element_type).name
    number = _NUMPY.get(name) or _NUMBERS.get(name)
    if not number:
        raise usage(f"there is no element type '{name}'{suggestion(name, [*_NUMPY, *_NUMBERS])}")
    return number


def _check_device(device_type, what):
    name = device_type() if callable(device_type) else str(device_type)
    if name.lower() != "cpu":
        raise usage(f"{what}: only the device 'cpu' is offered, given '{device_type}'")


class OrtDevice:
    def __init__(self, name="cpu", index=0):
        self._name, self._index = name, index

    @staticmethod
    def make(ort_device_name, device_id, vendor_id=-1):
        _check_device(ort_device_name, "OrtDevice.make")
        return OrtDevice("cpu", device_id)

    def device_type(self):
        return self._name

    def device_id(self):
        return self._index


class OrtValue:
    """A tensor, sequence or map that stays in the engine's form between runs. A numeric array is read in place: it must not change
    while a run uses it."""

    def __init__(self, value):
        self._value = value

    @staticmethod
    def ortvalue_from_numpy(numpy_obj, device_type="cpu", device_id=0):
        _check_device(device_type, "ortvalue_from_numpy")
        return OrtValue(_core.value_of(numpy_obj))

    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data, onnx_element_type):
        value = _core.value_of(data)
        if value.element_type != onnx_element_type:
            raise usage(f"the array holds {_ELEMENTS.get(value.element_type)}, not {_ELEMENTS.get(onnx_element_type, onnx_element_type)}", "view it as the type of ml_dtypes")
        return OrtValue(value)

    @staticmethod
    def ortvalue_from_shape_and_type(shape, element_type, device_type="cpu", device_id=0):
        _check_device(device_type, "ortvalue_from_shape_and_type")
        return OrtValue(_core.empty_value(list(shape), element_number(element_type)))

    def numpy(self):
        return _core.Value.to_python(self._value)

    def shape(self):
        return self._value.shape

    def data_type(self):
        name = _ELEMENTS.get(self._value.element_type, "")
        return {1: f"tensor({name})", 2: f"seq(tensor({name}))" if name else "seq(map)", 3: "map"}.get(self._value.kind, "")

    def element_type(self):
        return self._value.element_type

    def device_name(self):
        return "cpu"

    def data_ptr(self):
        return self._value.data_ptr

    def has_value(self):
        return self._value.kind != 0

    def is_tensor(self):
        return self._value.kind == 1

    def is_tensor_sequence(self):
        return self._value.kind == 2

    def is_sparse_tensor(self):
        return False

    def tensor_size_in_bytes(self):
        return self._value.bytes

    def update_inplace(self, np_arr):
        new = _core.value_of(np_arr)
        if (new.element_type, new.shape) != (self._value.element_type, self._value.shape) or not self._value.data_ptr:
            raise usage(f"update_inplace: the array must be of the same type and shape {self._value.shape}, given {new.shape}")
        ctypes.memmove(self._value.data_ptr, new.data_ptr, new.bytes)

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)


class IOBinding:
    """Names of inputs and outputs with the values that stand for them, for sessions that run again and again."""

    def __init__(self, session):
        self._session, self._inputs, self._outputs, self._results = session, {}, {}, []
        self._input_names = {port[0]: port[1] for port in session.ports(True)}
        self._output_names = {port[0]: port[1] for port in session.ports(False)}

    def _known(self, name, names, kind):
        if name not in names:
            raise usage(f"the model has no {kind} '{name}'{suggestion(name, names)}")

    def bind_cpu_input(self, name, arr_on_cpu):
        self._known(name, self._input_names, "input")
        self._inputs[name] = _core.value_of(arr_on_cpu, self._input_names[name])

    def bind_ortvalue_input(self, name, ortvalue):
        self._known(name, self._input_names, "input")
        self._inputs[name] = ortvalue._value

    def bind_input(self, name, device_type, device_id, element_type, shape, buffer_ptr):
        self._known(name, self._input_names, "input")
        _check_device(device_type, "bind_input")
        self._inputs[name] = _core.value_of(_array_at(buffer_ptr, element_type, shape))

    def bind_output(self, name, device_type="cpu", device_id=0, element_type=None, shape=None, buffer_ptr=None):
        self._known(name, self._output_names, "output")
        _check_device(device_type, "bind_output")
        self._outputs[name] = None if buffer_ptr is None else _core.value_of(_array_at(buffer_ptr, element_type, shape))

    def bind_ortvalue_output(self, name, ortvalue):
        self._known(name, self._output_names, "output")
        self._outputs[name] = ortvalue._value

    def _run(self, run_options):
        names = list(self._outputs)
        if not names:
            raise usage("no output is bound", "bind_output(name)")
        results = self._session.run_values(names, self._inputs, run_options)
        for k, (name, target) in enumerate(self._outputs.items()):
            if target is None:
                continue
            if (target.element_type, target.shape) != (results[k].element_type, results[k].shape):
                raise usage(f"output '{name}' is {_ELEMENTS.get(results[k].element_type)} {results[k].shape}, bound to {_ELEMENTS.get(target.element_type)} {target.shape}")
            ctypes.memmove(target.data_ptr, results[k].data_ptr, results[k].bytes)
            results[k] = target
        self._results = [OrtValue(value) for value in results]

    def get_outputs(self):
        return self._results

    def get_outputs_as_ortvaluevector(self):
        return self._results

    def copy_outputs_to_cpu(self):
        return [value.numpy() for value in self._results]

    def clear_binding_inputs(self):
        self._inputs.clear()

    def clear_binding_outputs(self):
        self._outputs.clear()
        self._results = []

    def synchronize_inputs(self):
        """Inputs are there when they are bound."""

    def synchronize_outputs(self):
        """Outputs are there when the run ends."""


def _array_at(address, element_type, shape):
    import numpy

    dtype = numpy.dtype(element_type)
    size = int(numpy.prod(shape, dtype=numpy.int64)) * dtype.itemsize
    return numpy.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape) if size else numpy.empty(shape, dtype)
