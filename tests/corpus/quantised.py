#!/usr/bin/env python3
"""Writes models as onnxruntime's tools quantise, convert to float16 and optimise them. Usage: quantised.py FOLDER TORCH_FOLDER [--only TEXT]

The float models are those of torch_legacy.py: a convolutional network, an encoder, a decoder, a recurrent one and two gated ones.
"""
import argparse
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

import case
from exporting import refused

MODELS = ["resnet_block", "mobilenet_depthwise", "unet_resize", "unet_transposed", "densenet", "vgg_flatten", "squeeze_excite", "convnext_block", "vision_transformer", "autoencoder_1d",
          "encoder_masked", "bert_like", "decoder_kv_cache", "llama_block", "multihead_cross", "lstm_both", "gru", "text_cnn", "act_gelu", "layer_norm_weight", "matmul_broadcast"]
OPSETS = (13, 17, 19)  # of the float model


class Recorded(CalibrationDataReader):
    """The model's own inputs, three times at other scales."""

    def __init__(self, inputs):
        scaled = lambda x, s: (x * np.asarray(s, x.dtype)) if x.dtype.kind == "f" else x
        self.rows = iter([{n: scaled(x, s) for n, x in inputs.items()} for s in (1, 0.5, 1.25)])

    def get_next(self):
        return next(self.rows, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(4)
    for name in (f"{m}-{o}" for m in MODELS for o in OPSETS):
        source = options.source / name
        if not case.made(options.source, name):
            continue
        inputs = inputs_of(source)
        for kind, (convert, about) in kinds().items():
            model, _, opset = name.rpartition("-")
            new = f"{model}_{kind}-{opset}"
            if options.only not in new or case.made(options.folder, new):
                continue
            try:
                written(options.folder, new, source, inputs, convert, about)
            except Exception as e:
                refused(new, e)


def written(folder, name, source, inputs, convert, about):
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch) / "before.onnx", Path(scratch) / "after.onnx"
        try:
            quant_pre_process(source / "model.onnx", before, skip_symbolic_shape=True)
        except Exception:
            before = source / "model.onnx"
        convert(before, after, inputs)
        model = onnx.load(after)
    refuse_broken(model)
    wanted = {v.name: v.type.tensor_type.elem_type for v in model.graph.input}
    fed = {n: x.astype(np.float16) if wanted[n] == onnx.TensorProto.FLOAT16 else x for n, x in inputs.items()}
    case.write(folder, name, model, fed, exporter=f"onnxruntime tools {onnxruntime.__version__}", **about)


def refuse_broken(model):
    """The tools also write what no engine can answer: attributes that the new opset dropped, scales calibrated on a mask of -inf."""
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception as e:
        if "INVALID_GRAPH" in str(e) or "Unrecognized attribute" in str(e):
            raise ValueError(f"the tool wrote an invalid model: {e}") from e
    for weight in model.graph.initializer:
        if weight.name.endswith("_scale") and not np.isfinite(numpy_helper.to_array(weight).astype(np.float64)).all():
            raise ValueError(f"the tool calibrated an infinite scale: {weight.name}")


def inputs_of(folder):
    model = onnx.load(folder / "model.onnx")
    weights = {w.name for w in model.graph.initializer}
    names = [v.name for v in model.graph.input if v.name not in weights]
    return {n: numpy_helper.to_array(onnx.load_tensor(folder / f"input_{k}.pb")) for k, n in enumerate(names)}


def kinds():
    """name → (convert(before, after, inputs), what the comparison allows). Codes may be apart where another order of sums meets a rounding boundary."""
    codes = {"codes_apart": 1, "rtol": 0.02, "atol": 0.02}
    static = lambda form, activations, weights, **more: lambda before, after, inputs: quantize_static(
        before, after, Recorded(inputs), quant_format=form, activation_type=activations, weight_type=weights, **more)
    return {
        "qdq_u8s8": (static(QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8), codes),
        "qdq_s8s8_channel": (static(QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, per_channel=True), codes),
        "qdq_u16": (static(QuantFormat.QDQ, QuantType.QUInt16, QuantType.QInt8, extra_options={"UseQDQContribOps": True}), codes),
        "qdq_int4": (static(QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt4, op_types_to_quantize=["MatMul", "Gemm"], extra_options={"UseQDQContribOps": True}), codes),
        "qdq_symmetric_entropy": (static(QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, calibrate_method=CalibrationMethod.Entropy,
                                         extra_options={"ActivationSymmetric": True, "WeightSymmetric": True}), codes),
        "qoperator_u8s8": (static(QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8), codes),
        "qoperator_u8u8_channel": (static(QuantFormat.QOperator, QuantType.QUInt8, QuantType.QUInt8, per_channel=True), codes),
        "dynamic_u8": (lambda before, after, inputs: quantize_dynamic(before, after, weight_type=QuantType.QUInt8), codes),
        "dynamic_s8_channel": (lambda before, after, inputs: quantize_dynamic(before, after, weight_type=QuantType.QInt8, per_channel=True), codes),
        "nbits_4": (nbits(4, 16, False), {}), "nbits_4_asymmetric": (nbits(4, 32, False, False), {}), "nbits_4_qdq": (nbits(4, 16, True), {}), "nbits_8": (nbits(8, 16, False), {}),
        "float16": (half(False), {"rtol": 1e-2, "atol": 1e-2}), "float16_kept_io": (half(True), {"rtol": 1e-2, "atol": 1e-2}),
        "optimised_extended": (optimised(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED), {}),
        "optimised_bert": (transformer("bert"), {}), "optimised_gpt2": (transformer("gpt2"), {}),
    }


def nbits(bits, block, qdq, symmetric=True):
    def convert(before, after, inputs):
        from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

        config = DefaultWeightOnlyQuantConfig(block_size=block, is_symmetric=symmetric, bits=bits, quant_format=QuantFormat.QDQ if qdq else QuantFormat.QOperator)
        tool = MatMulNBitsQuantizer(onnx.load(before), algo_config=config)
        tool.process()
        tool.model.save_model_to_file(str(after))
        if not any(n.op_type in ("MatMulNBits", "DequantizeLinear") for n in onnx.load(after).graph.node):
            raise ValueError("nothing to quantise")
    return convert


def half(keep):
    def convert(before, after, inputs):
        from onnxruntime.transformers.float16 import convert_float_to_float16

        onnx.save(convert_float_to_float16(onnx.load(before), keep_io_types=keep), after)
    return convert


def optimised(level):
    def convert(before, after, inputs):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.optimized_model_filepath = level, str(after)
        onnxruntime.InferenceSession(str(before), options, providers=["CPUExecutionProvider"])
    return convert


def transformer(kind):
    def convert(before, after, inputs):
        from onnxruntime.transformers.optimizer import optimize_model

        model = optimize_model(str(before), kind, num_heads=2, hidden_size=8, opt_level=0)
        if not any(n.domain == "com.microsoft" for n in model.model.graph.node):
            raise ValueError("nothing was fused")
        model.save_model_to_file(str(after))
    return convert


if __name__ == "__main__":
    main()
