#!/usr/bin/env python3
"""Writes Keras models and TensorFlow functions as tf2onnx does. Usage: tensorflow_models.py FOLDER [--only TEXT]"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["CUDA_VISIBLE_DEVICES"] = "3", "-1"
import logging

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from tensorflow import keras
from tensorflow.keras import layers as L

import case
from exporting import arguments, refused

OPSETS = (7, 9, 11, 13, 15, 18)
BROKEN = {"pad_symmetric-7": "mode 'symmetric', which no opset has"}  # and the checker does not tell
BATCH = 3


def main():
    options = arguments(__doc__)
    logging.disable(logging.WARNING)
    tf.get_logger().setLevel("ERROR")
    for name, build in {**keras_models(), **functions()}.items():
        for opset in OPSETS:
            if options.only not in name or case.made(options.folder, f"{name}-{opset}"):
                continue
            try:
                if f"{name}-{opset}" in BROKEN:
                    raise ValueError(BROKEN[f"{name}-{opset}"])
                write(options.folder, name, build, opset)
            except Exception as e:
                refused(f"{name}-{opset}", e)


def write(folder, name, build, opset):
    keras.utils.set_random_seed(case.seed_of(name))
    function, signature, values = build()
    concrete = tf.function(function, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(concrete, input_signature=signature, opset=opset)
    onnx.checker.check_model(model, full_check=True)  # what it cannot convert it leaves as TensorFlow's operators, in a model that is none
    answers = tf.nest.flatten(concrete(*values))
    inputs = {s.name: np.asarray(v) for s, v in zip(signature, values)}
    kept = {v.name.split(":")[0]: v.name for v in model.graph.input}
    case.write(folder, f"{name}-{opset}", model, {kept[n]: v for n, v in inputs.items() if n in kept}, [np.asarray(a) for a in answers],
               exporter=f"tf2onnx {tf2onnx.__version__}, TensorFlow {tf.__version__}")


def keras_models():
    """name → () → (function, signature, values)."""
    def model(inputs, outputs, draw=lambda shape: np.random.default_rng(1).normal(size=shape).astype(np.float32)):
        inputs = inputs if isinstance(inputs, list) else [inputs]
        network = keras.Model(inputs, outputs)
        signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype, name=f"x{k}") for k, x in enumerate(inputs)]
        values = [tf.constant(draw((BATCH, *[5 if d is None else d for d in x.shape[1:]]))) for x in inputs]
        return (lambda *x: network(list(x) if len(x) > 1 else x[0], training=False)), signature, values

    def dense():
        x = L.Input((6,))
        return model(x, L.Dense(3, "softmax")(L.Dropout(0.5)(L.Dense(8, "relu")(x))))

    def residual():
        x = L.Input((12, 12, 3))
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same")(x)))
        y = L.Add()([L.Conv2D(8, 3, padding="same")(y), L.Conv2D(8, 1)(x)])
        return model(x, L.Dense(4)(L.GlobalAveragePooling2D()(L.MaxPool2D(2)(y))))

    def mobilenet():
        x = L.Input((12, 12, 3))
        y = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, strides=2, padding="same")(L.Conv2D(6, 1)(x))))
        return model(x, L.SeparableConv2D(5, 3, activation="swish")(L.ZeroPadding2D(1)(y)))

    def unet():
        x = L.Input((8, 8, 2))
        down = L.Conv2D(6, 3, strides=2, padding="same", activation="elu")(x)
        up = L.Concatenate()([L.Conv2DTranspose(4, 3, strides=2, padding="same")(down), L.UpSampling2D(2)(down), L.UpSampling2D(2, interpolation="bilinear")(down), x])
        return model(x, L.Conv2D(1, 1, activation="sigmoid")(up))

    def one_dimension():
        x = L.Input((16, 3))
        return model(x, L.GlobalMaxPooling1D()(L.Conv1D(5, 3, padding="causal", dilation_rate=2)(L.AveragePooling1D(2)(x))))

    def three_dimensions():
        x = L.Input((6, 6, 6, 2))
        return model(x, L.AveragePooling3D(2)(L.Conv3D(3, 3, padding="same")(x)))

    def recurrent(layer):
        def build():
            x = L.Input((None, 4))
            return model(x, layer(x))
        return build

    def embedded():
        x = L.Input((None,), dtype="int32")
        y = L.GlobalAveragePooling1D()(L.Embedding(20, 6)(x))
        return model(x, L.Dense(2)(y), lambda shape: np.random.default_rng(1).integers(0, 20, shape).astype(np.int32))

    def attention():
        x = L.Input((5, 8))
        y = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
        return model(x, L.Add()([y, L.Dense(8)(L.Dense(16, "gelu")(y))]))

    def several_inputs():
        a, b = L.Input((4,)), L.Input((4,))
        return model([a, b], [L.Multiply()([a, b]), L.Dot(1)([a, b]), L.Subtract()([L.Maximum()([a, b]), L.Average()([a, b])])])

    def activations():
        x = L.Input((7,))
        return model(x, [L.LeakyReLU()(x), L.PReLU()(x), L.ELU()(x), *(L.Activation(a)(x) for a in ("selu", "softplus", "softsign", "hard_sigmoid", "tanh", "exponential", "gelu"))])

    def shapes():
        x = L.Input((4, 6))
        return model(x, [L.Reshape((2, -1))(L.Permute((2, 1))(x)), L.Cropping1D(1)(x), L.RepeatVector(2)(L.Flatten()(x))])

    return {"dense": dense, "residual": residual, "mobilenet": mobilenet, "unet": unet, "conv_1d": one_dimension, "conv_3d": three_dimensions, "embedding": embedded, "attention": attention,
            "several_inputs": several_inputs, "activations": activations, "shapes": shapes, "lstm": recurrent_of(recurrent, "LSTM"), "gru": recurrent_of(recurrent, "GRU"),
            "rnn": recurrent_of(recurrent, "SimpleRNN"), "bidirectional_lstm": recurrent_of(recurrent, "LSTM", True), "bidirectional_gru": recurrent_of(recurrent, "GRU", True)}


def functions():
    f = lambda *shape: np.random.default_rng(2).normal(size=shape).astype(np.float32)
    i = lambda *values: np.array(values)
    formulas = {
        "strided_slices": (lambda x: x[1:, ::2, -1, tf.newaxis], f(3, 4, 5)), "gather_nd": (lambda x: tf.gather_nd(x, [[0, 1], [2, 0]]), f(3, 4)), "gather_batch": (lambda x: tf.gather(x, [[1, 0], [2, 2], [0, 3]], batch_dims=1), f(3, 4)),
        "scatter_nd": (lambda x: tf.scatter_nd([[0], [3]], x, [5, 2]), f(2, 2)), "tensor_scatter": (lambda x: tf.tensor_scatter_nd_update(x, [[1], [0]], [[9.0, 9.0], [8.0, 8.0]]), f(3, 2)),
        "one_hot": (lambda x: tf.one_hot(x, 5), i(0, 3, 4)), "top_k": (lambda x: tf.math.top_k(x, 2), f(3, 5)), "argmax": (lambda x: (tf.argmax(x, 1), tf.argmin(x, 0)), f(3, 5)),
        "where": (lambda x: tf.where(x > 0, x, x * 2), f(3, 5)), "nonzero": (lambda x: tf.where(x > 0), f(3, 5)), "cumsum": (lambda x: tf.cumsum(x, 1, exclusive=True), f(3, 5)),
        "einsum": (lambda x, y: tf.einsum("bij,bjk->bik", x, y), f(2, 3, 4), f(2, 4, 5)), "matmul_transposed": (lambda x, y: tf.matmul(x, y, transpose_b=True), f(2, 3, 4), f(2, 5, 4)),
        "reductions": (lambda x: (tf.reduce_sum(x, 1), tf.reduce_mean(x, [0, 2], keepdims=True), tf.reduce_max(x), tf.reduce_logsumexp(x, -1), tf.reduce_prod(x, 1)), f(2, 3, 4)),
        "resize_bilinear": (lambda x: tf.image.resize(x, (7, 5)), f(1, 4, 4, 2)), "resize_nearest": (lambda x: tf.image.resize(x, (7, 8), "nearest"), f(1, 4, 4, 2)),
        "resize_cubic": (lambda x: tf.compat.v1.image.resize_bicubic(x, (7, 8), half_pixel_centers=True), f(1, 4, 4, 2)), "crop_and_resize": (lambda x: tf.image.crop_and_resize(x, [[0.1, 0.2, 0.8, 0.9]], [0], (3, 3)), f(1, 6, 6, 2)),
        "space_to_depth": (lambda x: tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2), f(1, 4, 4, 2)), "space_to_batch": (lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), f(1, 4, 4, 2)),
        "dilated": (lambda x, w: tf.nn.conv2d(x, w, 1, "SAME", dilations=2), f(1, 8, 8, 2), f(3, 3, 2, 4)), "pad_reflect": (lambda x: tf.pad(x, [[1, 1], [2, 0]], "REFLECT"), f(3, 4)),
        "pad_symmetric": (lambda x: tf.pad(x, [[1, 1], [2, 0]], "SYMMETRIC"), f(3, 4)), "non_max_suppression": (lambda b, s: tf.image.non_max_suppression(b, s, 3, 0.5, 0.1), np.sort(np.random.default_rng(3).random((6, 2, 2)), 1).reshape(6, 4).astype(np.float32), np.random.default_rng(4).random(6).astype(np.float32)),
        "while_loop": (lambda x: tf.while_loop(lambda k, y: k < 4, lambda k, y: (k + 1, y * 1.5 + 1), (0, x))[1], f(2, 3)), "cond": (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: x - 1), f(2, 3)),
        "casts": (lambda x: (tf.cast(x, tf.int32), tf.cast(x, tf.float64), tf.cast(x, tf.bool)), f(3, 4)), "integers": (lambda x: (x // 3, x % 3, -x, tf.abs(x)), i(-7, -1, 0, 5, 8).astype(np.int32)),
        "float_mod": (lambda x, y: (tf.math.floormod(x, y), tf.math.floordiv(x, y)), f(3, 4), f(3, 4)), "unique": (lambda x: tf.unique(x), i(3, 1, 3, 2)), "reverse": (lambda x: (tf.reverse(x, [1]), tf.reverse_sequence(x, [2, 3, 1], 1, 0)), f(3, 4)),
        "segments": (lambda x: tf.math.segment_sum(x, [0, 0, 1, 2]), f(4, 3)), "normalise": (lambda x: (tf.nn.l2_normalize(x, 1), tf.nn.log_softmax(x), tf.nn.softplus(x)), f(3, 4)), "local_response": (lambda x: tf.nn.local_response_normalization(x, 2), f(1, 3, 3, 6)),
        "trigonometry": (lambda x: (tf.sin(x), tf.atan(x), tf.sinh(x), tf.math.erf(x), tf.math.rsqrt(tf.abs(x)), tf.sign(x), tf.round(x)), f(3, 4)), "fft": (lambda x: tf.abs(tf.signal.rfft(x)), f(2, 8)),
        "tile_stack": (lambda x: tf.stack(tf.unstack(tf.tile(x, [1, 2]), axis=1)[:3]), f(2, 3)), "split": (lambda x: tf.concat(tf.split(x, [1, 3], 1)[::-1], 1), f(2, 4)), "range_shape": (lambda x: tf.range(tf.shape(x)[1]) * 2, f(2, 4)),
        "max_pool_index": (lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")[0], f(1, 5, 5, 2)), "fake_quantised": (lambda x: tf.quantization.fake_quant_with_min_max_args(x, -3, 3), f(3, 4)), "matrix_band": (lambda x: tf.linalg.band_part(x, 1, 0), f(4, 4))}

    def ready(function, *values):
        values = [tf.constant(v) for v in values]
        return lambda: (function, [tf.TensorSpec([None, *v.shape[1:]] if v.shape.rank > 1 else v.shape, v.dtype, name=f"x{k}") for k, v in enumerate(values)], values)
    return {name: ready(*all_of) for name, all_of in formulas.items()}


def recurrent_of(recurrent, kind, both=False):
    def build():
        layer = getattr(L, kind)(5, return_sequences=both)
        return recurrent(L.Bidirectional(layer) if both else layer)()
    return build


if __name__ == "__main__":
    main()
