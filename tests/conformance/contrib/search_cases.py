"""GreedySearch and BeamSearch over a small decoder that remembers what it saw, as GPT-2 exports call theirs."""
import numpy as np
from case import Case, draw, f64, softmax
from onnx import TensorProto, helper, numpy_helper

WORDS, HEADS, WIDTH = 11, 2, 4
HIDDEN = HEADS * WIDTH
TABLE, PLACES, KEYS, OUT = draw(1, WORDS, HIDDEN), draw(2, 32, HIDDEN, scale=0.5), draw(3, HIDDEN, 2 * HIDDEN), draw(4, HIDDEN, WORDS, scale=1.5)


def cases():
    prompts = np.array([[4, 2, 7], [10, 3, 5]], np.int32)
    padded = np.array([[0, 0, 7], [10, 3, 5]], np.int32)
    for ids in (prompts, padded, prompts[:1]):
        for attributes, rest in variants(len(ids)):
            for longest in (4, 9):
                y, filled = greedy(ids, longest, attributes, *rest)
                # ONNX Runtime leaves what is behind the last step as it found the memory.
                where = lambda output, x, filled=filled: np.broadcast_to(np.arange(x.shape[1]) < filled, x.shape)
                yield Case("GreedySearch", [ids, np.array([longest], np.int32), *rest], [y], {**attributes, "decoder": decoder(), "model_type": 0}, types=[np.int32], where=where)
    for ids in (prompts, padded):
        for attributes, rest in variants(len(ids)):
            for beams, returned, power, early in ((3, 2, 1.0, 0), (4, 4, 0.5, 1), (2, 1, 2.0, 0)):
                shortest, penalty, words, first_words, mask = rest
                shortest = np.array([0], np.int32) if shortest is None else shortest  # ONNX Runtime wants it given
                sequences, scores, filled = beam(ids, 8, attributes, beams, returned, power, early, *rest)
                inputs = [ids, *(np.array([v], np.int32) for v in (8,)), shortest, np.array([beams], np.int32), np.array([returned], np.int32), np.array([power], np.float32), penalty, words, first_words, mask]
                where = lambda output, x, filled=filled: x < 1 if output else np.arange(x.shape[2]) < filled[:, :, None]
                yield Case("BeamSearch", inputs, [sequences, scores], {**attributes, "early_stopping": early, "decoder": decoder(), "model_type": 0}, types=[np.int32, np.float32], where=where, tolerance=1e-4)


def variants(batch):
    """(attributes, [min_length, repetition_penalty, vocab_mask, prefix_vocab_mask, attention_mask])"""
    plain = {"eos_token_id": 1, "pad_token_id": 0}
    number = lambda v: np.array([v], np.int32)
    yield plain, [None] * 5
    yield {**plain, "eos_token_id": 8}, [None] * 5
    yield {**plain, "eos_token_id": 8}, [number(6)] + [None] * 4
    yield plain, [None, np.array([2.5], np.float32)] + [None] * 3
    yield {**plain, "no_repeat_ngram_size": 2}, [None] * 5
    allowed = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0], np.int32)
    yield plain, [None, None, allowed, None, None]
    yield plain, [None, None, None, np.stack([1 - allowed] * batch), None]


def decoder():
    """input_ids, position_ids, attention_mask, past_0 -> logits, present_0"""
    tensor = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
    inputs = [tensor(n, TensorProto.INT32, ["batch", s]) for n, s in (("input_ids", "steps"), ("position_ids", "steps"), ("attention_mask", "total"))]
    cache = lambda name, length: tensor(name, TensorProto.FLOAT, [2, "batch", HEADS, length, WIDTH])
    inputs.append(cache("past_0", "past"))
    outputs = [tensor("logits", TensorProto.FLOAT, ["batch", "steps", WORDS]), cache("present_0", "total")]
    constant = lambda name, value: numpy_helper.from_array(np.asarray(value), name)
    initializers = [constant("table", TABLE), constant("places", PLACES), constant("keys", KEYS), constant("out", OUT), constant("heads", np.array([0, 0, 2, HEADS, WIDTH])),
                    constant("flat", np.array([0, 0, HIDDEN])), constant("last", np.array([2])), constant("middle", np.array([1, 2])), constant("first", np.array([0])), constant("one", np.array([1]))]
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "input_ids"], ["words"]), node("Gather", ["places", "position_ids"], ["at"]), node("Add", ["words", "at"], ["x"]),
        node("MatMul", ["x", "keys"], ["projected"]), node("Reshape", ["projected", "heads"], ["split"]), node("Transpose", ["split"], ["now"], perm=[2, 0, 3, 1, 4]),
        node("Concat", ["past_0", "now"], ["present_0"], axis=3),
        node("Cast", ["attention_mask"], ["seen"], to=TensorProto.FLOAT), node("Unsqueeze", ["seen", "middle_and_last"], ["weights"]), node("Mul", ["present_0", "weights"], ["kept"]),
        node("ReduceMean", ["kept", "third"], ["mean"], keepdims=0), node("Split", ["mean"], ["k", "v"], axis=0, num_outputs=2), node("Mul", ["k", "v"], ["kv"]), node("Squeeze", ["kv", "first"], ["context"]),
        node("Reshape", ["context", "to_steps"], ["as_step"]), node("Add", ["x", "as_step"], ["hidden"]), node("Tanh", ["hidden"], ["bounded"]), node("MatMul", ["bounded", "out"], ["logits"])]
    initializers += [constant("middle_and_last", np.array([1, 3])), constant("third", np.array([3])), constant("to_steps", np.array([-1, 1, HIDDEN]))]
    return helper.make_graph(nodes, "decoder", inputs, outputs, initializers)


def logits(ids, positions, mask):
    """Of the last token, of everything at once."""
    x = f64(TABLE)[ids] + f64(PLACES)[positions]
    kv = (x @ f64(KEYS)).reshape(*ids.shape, 2, HEADS, WIDTH).transpose(2, 0, 3, 1, 4)
    mean = (kv * f64(mask)[None, :, None, :, None]).mean(3)
    return np.tanh(x[:, -1] + (mean[0] * mean[1]).reshape(len(ids), HIDDEN)) @ f64(OUT)


def allowed_scores(scores, ids, attributes, shortest, penalty, words, first_words, is_first):
    scores = scores.copy()
    for b in range(len(ids)):
        if penalty is not None:
            for w in set(ids[b]):
                scores[b, w] *= penalty[0] if scores[b, w] < 0 else 1 / penalty[0]
        n = attributes.get("no_repeat_ngram_size", 0)
        for i in range(ids.shape[1] - n + 1 if n else 0):
            if n and list(ids[b, i:i + n - 1]) == list(ids[b, ids.shape[1] - n + 1:]):
                scores[b, ids[b, i + n - 1]] = -1e30
    if words is not None:
        scores[:, words == 0] = -1e30
    if first_words is not None and is_first:
        scores[first_words == 0] = -1e30
    if shortest is not None and ids.shape[1] < shortest[0]:
        scores[:, attributes["eos_token_id"]] = -1e30
    return scores


def greedy(ids, longest, attributes, shortest, penalty, words, first_words, mask):
    pad, eos = attributes["pad_token_id"], attributes["eos_token_id"]
    batch, start = ids.shape
    mask = (ids != pad).astype(np.int32) if mask is None else mask
    positions = np.maximum(mask.cumsum(1) - 1, 0)
    done = np.zeros(batch, bool)
    while ids.shape[1] < longest and not done.all():
        scores = allowed_scores(logits(ids, positions, mask), ids, attributes, shortest, penalty, words, first_words, ids.shape[1] == start)
        chosen = np.where(done, pad, scores.argmax(1)).astype(np.int32)
        done |= chosen == eos
        chosen[done] = pad  # the end itself is not kept
        ids = np.concatenate([ids, chosen[:, None]], 1)
        positions = np.concatenate([positions, positions[:, -1:] + 1], 1)
        mask = np.concatenate([mask, np.ones((batch, 1), np.int32)], 1)
    return np.pad(ids, ((0, 0), (0, longest - ids.shape[1])), constant_values=pad), ids.shape[1]


def beam(ids, longest, attributes, beams, returned, power, early, shortest, penalty, words, first_words, mask):
    """Sequences and scores as the beam search of Hugging Face's library finds them."""
    pad, eos = attributes["pad_token_id"], attributes["eos_token_id"]
    batch, start = ids.shape
    mask = (ids != pad).astype(np.int32) if mask is None else mask
    ids, mask = np.repeat(ids, beams, 0), np.repeat(mask, beams, 0)
    positions = np.maximum(mask.cumsum(1) - 1, 0)
    first_words = None if first_words is None else np.repeat(first_words, beams, 0)
    totals = np.where(np.arange(batch * beams) % beams == 0, 0.0, -1e9)
    finished, done = [[] for _ in range(batch)], np.zeros(batch, bool)

    def add(b, tokens, total):
        finished[b].append((total / len(tokens) ** power, tokens))
        finished[b].sort(key=lambda f: -f[0])
        del finished[b][beams:]

    while ids.shape[1] < longest and not done.all():
        scores = np.log(softmax(logits(ids, positions, mask)))
        scores = allowed_scores(scores, ids, attributes, shortest, penalty, words, first_words, ids.shape[1] == start) + totals[:, None]
        chosen, source, next_totals = [], [], []
        for b in range(batch):
            if done[b]:
                chosen += [pad] * beams; source += [b * beams] * beams; next_totals += [0.0] * beams
                continue
            flat = scores[b * beams:(b + 1) * beams].ravel()
            best, kept = np.argsort(-flat, kind="stable")[:2 * beams], 0
            for rank, at in enumerate(best):
                row, word = b * beams + at // WORDS, at % WORDS
                if word == eos:
                    if rank < beams:
                        add(b, ids[row], flat[at])
                    continue
                chosen.append(word); source.append(row); next_totals.append(flat[at])
                kept += 1
                if kept == beams:
                    break
            length = ids.shape[1]
            if len(finished[b]) == beams and (early or finished[b][-1][0] >= flat[best[0]] / length ** power):
                done[b] = True
        ids = np.concatenate([ids[source], np.array(chosen, np.int32)[:, None]], 1)
        positions = np.concatenate([positions[source], positions[source, -1:] + 1], 1)
        mask = np.concatenate([mask[source], np.ones((batch * beams, 1), np.int32)], 1)
        totals = np.array(next_totals)
    sequences, scores, filled = np.full((batch, returned, longest), pad, np.int32), np.zeros((batch, returned)), np.zeros((batch, returned), int)
    for b in range(batch):
        for row in range(b * beams, (b + 1) * beams) if not done[b] else ():
            add(b, ids[row], totals[row])
        for k, (score, tokens) in enumerate(finished[b][:returned]):
            sequences[b, k, :len(tokens)], scores[b, k], filled[b, k] = tokens, score, len(tokens)
    return sequences, scores, filled
