"""A case with float numbers again with 16-bit ones, where the operator's signature allows them: same answers, within their precision."""
import dataclasses

import ml_dtypes
import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as state

SCHEMAS = {(s.domain, s.name): s for s in state.get_all_operator_schema()}


def variants(case):
    schema = SCHEMAS[(case.domain, case.op)]
    types = {c.type_param_str: set(c.allowed_type_strs) for c in schema.type_constraints}
    for dtype in (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)):
        if "decoder" in case.attributes or f"tensor({dtype.name})" not in types.get(schema.inputs[0].typeStr, ()) or case.inputs[0] is None or case.inputs[0].dtype != np.float32:
            continue
        becomes = lambda port: f"tensor({dtype.name})" in types.get(port.typeStr, ())
        inputs = [x.astype(dtype) if x is not None and x.dtype == np.float32 and becomes(schema.inputs[i]) else x for i, x in enumerate(case.inputs)]
        if any(x is not None and x.dtype == dtype and not np.array_equal(x.astype(np.float32), case.inputs[i]) for i, x in enumerate(inputs)):
            continue  # a number that the type does not hold: the answer would be another
        outputs = [None if e is None else dtype if t == np.float32 and becomes(schema.outputs[k]) else t for k, (e, t) in enumerate(zip(case.expected, case.output_types()))]
        yield dataclasses.replace(case, inputs=inputs, types=outputs, engine=False, standard="", tolerance=0, shares={})
