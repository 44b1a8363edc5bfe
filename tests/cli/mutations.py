"""Changes to model files, as damage and malice make them: of bytes, of a pickle's opcodes, of JSON, of a zip archive's members.

Every mutation takes a random.Random and bytes and gives bytes; the same seed gives the same file. No file is run or loaded here.
"""
import bz2
import gzip
import io
import json
import lzma
import pickletools
import struct
import zipfile
import zlib

EXTREMES = [0, 1, -1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, -(2**31), 2**31, 2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, -(2**63), 10**30, -(10**30)]
REALS = [float("nan"), float("inf"), float("-inf"), -0.0, 0.5, -1.0, 1e300, -1e300, 5e-324, 2.0**31, 2.0**63]
HUNDRED_MEGABYTES = 100 * 2**20


# Bytes of any kind.
def span(random, data, most=400):
    at = random.randrange(len(data) + 1)
    return at, min(len(data), at + random.randint(1, most))


def flip_bits(random, data):
    out = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 8, 64])):
        if out:
            out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def set_byte(random, data):
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.choice([0, 1, 127, 128, 255, random.randrange(256)])]) + data[at + 1:]


def cut_off(random, data):
    return data[:random.randrange(len(data) + 1)]


def take_out(random, data):
    a, b = span(random, data)
    return data[:a] + data[b:]


def repeat(random, data):
    a, b = span(random, data)
    return data[:b] + data[a:b] * random.choice([1, 1, 2, 50]) + data[b:]


def move(random, data):
    a, b = span(random, data)
    rest = data[:a] + data[b:]
    to = random.randrange(len(rest) + 1)
    return rest[:to] + data[a:b] + rest[to:]


def fill(random, data):
    a, b = span(random, data, 64)
    return data[:a] + random.choice([b"\0", b"\xff", b"\x7f"]) * (b - a) + data[b:]


def put(data, at, new):
    return data[:at] + new + data[at + len(new):]


def lying_number(random, data):
    """A size, count, offset or weight, wherever it is, becomes an extreme."""
    form = random.choice(["<b", "<h", ">h", "<i", ">i", "<q", ">q", "<f", "<d", ">d"])
    if form[1] in "fd":
        new = struct.pack(form, random.choice([x for x in REALS if form[1] == "d" or not 1e38 < abs(x) < 1e301]))
    else:
        size = struct.calcsize(form)
        value = random.choice([*EXTREMES, HUNDRED_MEGABYTES]) & (1 << 8 * size) - 1
        new = value.to_bytes(size, "little" if form[0] == "<" else "big")
    at = random.randrange(len(data) + 1)
    return put(data, at - at % random.choice([1, 4, 8]), new)


SAME_SIZE = [flip_bits, set_byte, fill, lying_number, lying_number]
BYTES = [flip_bits, flip_bits, set_byte, cut_off, take_out, repeat, move, fill, lying_number, lying_number]


def change_bytes(random, data):
    return random.choice(BYTES)(random, data)


# A pickle: its opcodes stay opcodes, what they say changes.
def opcodes(data):
    """(name, argument, its bytes) of each opcode of a plain pickle."""
    found = [(op.name, argument, at) for op, argument, at in pickletools.genops(data)]
    ends = [at for *_, at in found[1:]] + [len(data)]
    return [(name, argument, data[at:end]) for (name, argument, at), end in zip(found, ends)]


def as_integer(n):
    size = n.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + n.to_bytes(size, "little", signed=True)


def as_text(s):
    return b"X" + struct.pack("<I", len(s)) + s


def as_bytes(b):
    return b"B" + struct.pack("<I", len(b)) + b


# Callables that would do harm if one were ever called; the marker's name is put in where they name a file.
CALLS = [b"cos\nsystem\n", b"cposix\nsystem\n", b"csubprocess\ncheck_output\n", b"cbuiltins\neval\n", b"cbuiltins\nopen\n", b"cshutil\nrmtree\n", b"cnumpy\nload\n",
         b"cjoblib\nload\n", b"cpickle\nloads\n", b"cbuiltins\ngetattr\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy._core.multiarray\nscalar\n", b"cnumpy\ndtype\n",
         b"ccopyreg\n_reconstructor\n", b"ccopyreg\n__newobj__\n", b"cnumpy.core.numeric\n_frombuffer\n", b"c_codecs\nencode\n", b"csklearn.tree._tree\nTree\n"]
MARKER = b"/tmp/onward_hostile_marker"
TEXTS = [b"", b"nan", b"rbf", b"estimators_", b"tree_", b"steps", b"classes_", b"n_features_in_", b"sklearn.svm._classes", b"SVC", b"sklearn.pipeline", b"Pipeline",
         b"sklearn.ensemble._forest", b"RandomForestClassifier", b"StandardScaler", b"sklearn.preprocessing._data", b"OneHotEncoder", b"<f8", b"f4", b"O8", b"V8", b"U900000", b"i1", b"M8"]


def hostile_call(random):
    return random.choice(CALLS) + b"(" + as_text(b"touch " + MARKER) + as_integer(random.choice(EXTREMES)) + random.choice([b"tR", b"t\x81", b"tR}b", b"t}\x92"])


def changed_array(random, items):
    """Mostly as many bytes as before, which is what lets them pass."""
    real, integer = struct.pack("<d", random.choice(REALS)), struct.pack("<q", random.choice([n for n in EXTREMES if -(2**63) <= n < 2**63]))
    what = random.randrange(10)
    if what < 6:
        return random.choice(SAME_SIZE)(random, items)[:len(items)]
    return [real * (len(items) // 8), integer * (len(items) // 8), items[len(items) // 2:] + items[:len(items) // 2], change_bytes(random, items)][what - 6]


CLASSES = [tuple(line.rsplit(".", 1)) for line in """
sklearn.preprocessing._data.StandardScaler sklearn.preprocessing._data.QuantileTransformer sklearn.preprocessing._polynomial.PolynomialFeatures
sklearn.preprocessing._polynomial.SplineTransformer sklearn.preprocessing._encoders.OneHotEncoder sklearn.preprocessing._encoders.OrdinalEncoder
sklearn.preprocessing._discretization.KBinsDiscretizer sklearn.impute._base.SimpleImputer sklearn.impute._knn.KNNImputer sklearn.svm._classes.SVC sklearn.svm._classes.NuSVR
sklearn.svm._classes.LinearSVC sklearn.linear_model._logistic.LogisticRegression sklearn.linear_model._base.LinearRegression sklearn.tree._classes.DecisionTreeClassifier
sklearn.tree._classes.DecisionTreeRegressor sklearn.ensemble._forest.RandomForestClassifier sklearn.ensemble._forest.RandomForestRegressor sklearn.ensemble._iforest.IsolationForest
sklearn.ensemble._gb.GradientBoostingClassifier sklearn.ensemble._voting.VotingClassifier sklearn.ensemble._stacking.StackingClassifier sklearn.ensemble._bagging.BaggingClassifier
sklearn.ensemble._weight_boosting.AdaBoostClassifier sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier
sklearn.neighbors._classification.KNeighborsClassifier sklearn.neighbors._regression.RadiusNeighborsRegressor sklearn.neighbors._kde.KernelDensity sklearn.pipeline.Pipeline
sklearn.pipeline.FeatureUnion sklearn.compose._column_transformer.ColumnTransformer sklearn.compose._target.TransformedTargetRegressor sklearn.multiclass.OneVsRestClassifier
sklearn.multioutput.ClassifierChain sklearn.calibration.CalibratedClassifierCV sklearn.model_selection._search.GridSearchCV sklearn.naive_bayes.GaussianNB sklearn.naive_bayes.CategoricalNB
sklearn.mixture._gaussian_mixture.GaussianMixture sklearn.cluster._kmeans.KMeans sklearn.decomposition._pca.PCA sklearn.decomposition._nmf.NMF
sklearn.gaussian_process._gpr.GaussianProcessRegressor sklearn.neural_network._multilayer_perceptron.MLPClassifier sklearn.feature_extraction.text.TfidfVectorizer
sklearn.isotonic.IsotonicRegression sklearn.dummy.DummyClassifier sklearn.feature_selection._from_model.SelectFromModel numpy.ndarray builtins.dict builtins.object
xgboost.core.Booster xgboost.sklearn.XGBClassifier lightgbm.basic.Booster lightgbm.sklearn.LGBMClassifier catboost.core.CatBoostClassifier""".split()]


def is_class(ops, k):
    """Whether a class is named here, as protocol 4 does, by its module and its name."""
    return "UNICODE" in ops[k][0] and any(ops[j][0] == "STACK_GLOBAL" for j in range(k + 2, min(k + 5, len(ops)))) and ops[k][1].split(".")[0] in ("sklearn", "numpy", "xgboost", "lightgbm", "catboost")


def swap_class(random, ops, parts):
    """One class becomes another: its fields stay."""
    found = [k for k in range(len(ops) - 3) if is_class(ops, k)]
    if found:
        k, (module, name) = random.choice(found), random.choice(CLASSES)
        parts[k] = as_text(module.encode())
        parts[next(j for j in range(k + 1, len(ops)) if "UNICODE" in ops[j][0])] = as_text(name.encode())


def changed_value(random, name, argument, known):
    """What stands in for a value that an opcode pushes; None where it pushes none."""
    if name in ("BININT", "BININT1", "BININT2", "LONG1", "INT", "LONG"):
        return random.choice([as_integer(random.choice(EXTREMES)), as_integer(int(argument) + random.choice([-1, 1])), b"N", b"G" + struct.pack(">d", random.choice(REALS))])
    if name in ("BINFLOAT", "FLOAT"):
        return b"G" + struct.pack(">d", random.choice(REALS))
    if "UNICODE" in name or "STRING" in name:
        return as_text(random.choice(TEXTS + known))
    if "BYTES" in name:
        return as_bytes(changed_array(random, argument))
    if name in ("BINGET", "LONG_BINGET", "GET"):
        return b"j" + struct.pack("<I", max(0, random.choice([random.randint(0, argument), argument - 1, argument + 1, 2**31])))
    if name == "GLOBAL":
        return b"c" + b"\n".join(random.sample(TEXTS, 2)) + b"\n"
    if name in ("NONE", "NEWTRUE", "NEWFALSE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
        return random.choice([b"N", b"\x88", b"\x89", b"}", b"]", b")", as_integer(random.choice(EXTREMES))])
    return None


def change_pickle(random, data):
    """A few values, or a few opcodes, become others."""
    try:
        ops = opcodes(data)
    except Exception:                                     # joblib's, with arrays between the opcodes
        return change_bytes(random, data)
    known = [argument.encode() for name, argument, _ in ops if "UNICODE" in name]
    parts = [raw for *_, raw in ops]
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        k = random.randrange(len(ops))
        what = random.choice([*range(8, 12), *[7] * 2, *[6] * 2, *[0] * 10])
        if what == 6:
            swap_class(random, ops, parts)
        elif what < 8:
            while (new := changed_value(random, *ops[k][:2], known)) is None:
                k = random.randrange(len(ops))
            parts[k] = hostile_call(random) if what == 7 else new
        elif what == 8:
            parts[k] = b""
        elif what == 9:
            parts[k] *= 2
        elif what == 10:
            other = random.randrange(len(ops))
            parts[k], parts[other] = parts[other], parts[k]
        else:
            parts[k] += b"".join(parts[k:k + random.randint(1, 30)]) * random.choice([1, 1, 1000])
    return b"".join(parts)


# JSON.
def places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def other_json(random, value):
    if isinstance(value, str) and random.random() < 0.5:
        return random.choice(["", "NaN", "inf", "-1", "1e999", "99999999999999999999", value * 2, value[:-1], "[1,2", str(random.choice(EXTREMES))])
    if isinstance(value, list) and value and random.random() < 0.6:
        return random.choice([value[:-1], value * 2, value[::-1], [random.choice(value)] * len(value), [random.choice([*EXTREMES, *REALS])] * len(value)])
    return random.choice([None, True, "", [], {}, [[[]]], random.choice(EXTREMES), random.choice(REALS), "x" * 10**4])


def change_json(random, data):
    try:
        root = json.loads(data)
    except ValueError:
        return change_bytes(random, data)
    for _ in range(random.choice([1, 1, 2, 4])):
        path = random.choice(list(places(root)))
        if not path:
            continue
        holder = root
        for key in path[:-1]:
            holder = holder[key]
        if random.random() < 0.2 and isinstance(holder, dict):
            del holder[path[-1]]
        else:
            holder[path[-1]] = other_json(random, holder[path[-1]])
    return json.dumps(root).encode()


def ubjson(value):
    """Binary JSON as XGBoost writes it, but for its typed arrays."""
    if isinstance(value, dict):
        return b"{" + b"".join(ubjson(k)[1:] + ubjson(v) for k, v in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b"".join(map(ubjson, value)) + b"]"
    if isinstance(value, str):
        return b"SL" + struct.pack(">q", len(value.encode())) + value.encode()
    if value is None or isinstance(value, bool):
        return b"Z" if value is None else b"T" if value else b"F"
    return b"L" + struct.pack(">q", value) if isinstance(value, int) and abs(value) < 2**63 else b"D" + struct.pack(">d", value)


# LightGBM's text: the numbers of a line.
def change_lines(random, data):
    lines = data.split(b"\n")
    for _ in range(random.choice([1, 1, 2, 3])):
        k = random.randrange(len(lines))
        name, equals, values = lines[k].partition(b"=")
        what = random.randrange(6)
        if what == 0:
            del lines[k]
        elif what == 1:
            lines.insert(random.randrange(len(lines)), lines[k])
        elif equals:
            words = values.split(b" ")
            other = random.choice([b"nan", b"inf", b"-1", b"1e999", b"", b"x", b"0", *(str(n).encode() for n in EXTREMES)])
            words = [other] * len(words) if what == 2 else words[:-1] if what == 3 else words * 2 if what == 4 else [*words[1:], other]
            lines[k] = name + equals + b" ".join(words)
        if not lines:
            break
    return b"\n".join(lines)


# A zip archive with right checksums, so that what is inside is reached.
def change_skops(random, data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(["schema.json", *members])
    members[name] = (change_json if name.endswith(".json") and random.random() < 0.8 else change_bytes)(random, members[name])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return out.getvalue()


# Compressions, each with the checksums that it has.
def lz4_frame(data):
    """Blocks that are stored as they are."""
    blocks = [data[k:k + 65536] for k in range(0, len(data), 65536)]
    return b"\x04\x22\x4d\x18\x60\x40\x82" + b"".join(struct.pack("<I", len(b) | 1 << 31) + b for b in blocks) + bytes(4)


def unpacked(data):
    """(what a file of one of joblib's compressions holds, how it was compressed)."""
    for name, start, read in (("zlib", b"\x78", zlib.decompress), ("gzip", b"\x1f\x8b", gzip.decompress), ("bz2", b"BZh", bz2.decompress),
                              ("xz", b"\xfd7zXZ", lzma.decompress), ("lzma", b"\x5d\0\0", lzma.decompress)):
        if data.startswith(start):
            return read(data), CODECS[name]
    return data, lambda inner: inner


def change_joblib(random, data):
    """What is inside of it changes; its checksum is right."""
    inner, pack = unpacked(data)
    return pack(change_pickle(random, inner))


CODECS = {"zlib": zlib.compress, "gzip": lambda data: gzip.compress(data, mtime=0), "bz2": bz2.compress, "xz": lzma.compress,
          "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE), "lz4": lz4_frame}
