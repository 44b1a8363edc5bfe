"""ai.onnx.ml: linear models and support vector machines."""
import itertools
from statistics import NormalDist

import numpy as np
from case_of import NUMBERS, Case, plain

ML = {"domain": "ai.onnx.ml"}
TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
ONE_TYPE = {"reference": "computes in the input's type, the standard answers in float"}


def cases():
    for dtype in NUMBERS:
        yield from regressors(dtype)
        yield from classifiers(dtype)
        yield from svm_regressors(dtype)
        yield from svm_classifiers(dtype)
    yield from svm_probabilities()


def transformed(scores, kind):
    scores = np.asarray(scores, np.float64)
    with np.errstate(all="ignore"):
        if kind == "LOGISTIC":
            return 1 / (1 + np.exp(-scores))
        if kind.startswith("SOFTMAX"):
            e = np.exp(scores - scores.max(1, keepdims=True)) if scores.size else scores
            if kind == "SOFTMAX_ZERO":
                e = np.where(np.abs(scores) > 1e-7, e, 0)
            total = e.sum(1, keepdims=True)
            return e / np.where(total == 0, 1, total)
        if kind == "PROBIT":
            return np.vectorize(lambda v: NormalDist().inv_cdf(v) if 0 < v < 1 else np.nan, otypes=[float])(scores)
    return scores


def regressors(dtype):
    for (rows, width), targets, kind, intercepts in itertools.product(((5, 4), (1, 4), (0, 4), (65, 1)), (1, 3), TRANSFORMS, (True, False)):
        if kind == "PROBIT" or (kind != "NONE" and targets == 1):
            continue
        x, c, b = plain(dtype, rows, width), plain(np.float32, targets, width, seed=1), plain(np.float32, targets, seed=2)
        scores = x.astype(np.float64) @ c.T + (b if intercepts else 0)
        yield Case("LinearRegressor", [x], [transformed(scores, kind).astype(np.float32)],
                   {"coefficients": c.ravel().tolist(), "targets": targets, "post_transform": kind, **({"intercepts": b.tolist()} if intercepts else {})}, **ML,
                   disputes=reference_disputes(dtype, kind, rows, intercepts), tolerance=1e-4)


def reference_disputes(dtype, kind, rows, intercepts):
    if dtype is not np.float32:
        return ONE_TYPE
    if kind != "NONE":
        return {"reference": "has no post_transform here"}
    return {"reference": "answers NaN without intercepts"} if rows and not intercepts else {}


def classifiers(dtype):
    for (rows, width), classes, kind, texts in itertools.product(((5, 4), (1, 4), (0, 4), (65, 2)), (3, 2), TRANSFORMS, (True, False)):
        if kind == "PROBIT":
            continue
        x, c, b = plain(dtype, rows, width), plain(np.float32, classes, width, seed=1), plain(np.float32, classes, seed=2)
        scores = x.astype(np.float64) @ c.T + b
        labels = [f"c{k}" for k in range(classes)] if texts else [10 * k - 5 for k in range(classes)]
        names = {"classlabels_strings": labels} if texts else {"classlabels_ints": labels}
        chosen = np.array([labels[k] for k in scores.argmax(1)], object if texts else np.int64)
        yield Case("LinearClassifier", [x], [chosen, transformed(scores, kind).astype(np.float32)],
                   {"coefficients": c.ravel().tolist(), "intercepts": b.tolist(), "post_transform": kind, "multi_class": 1, **names}, **ML, tolerance=1e-4,
                   disputes=ONE_TYPE if dtype is np.float64 else {"reference": "answers numbers where there are no rows"} if texts and not rows else {})


def kernel(name, x, y, gamma, coef0, degree):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if name == "RBF":
        return np.exp(-gamma * ((x[:, None] - y[None]) ** 2).sum(-1))
    dot = x @ y.T
    return {"LINEAR": lambda: dot, "POLY": lambda: (gamma * dot + coef0) ** degree, "SIGMOID": lambda: np.tanh(gamma * dot + coef0)}[name]()


def svm_regressors(dtype):
    for name, rows, one_class in itertools.product(("LINEAR", "POLY", "RBF", "SIGMOID"), (6, 1, 0), (0, 1)):
        x, vectors, weights, rho = plain(dtype, rows, 3), plain(np.float32, 5, 3, seed=3, scale=1), plain(np.float32, 5, seed=4), np.float32(0.25)
        params = [np.float32(0.3), np.float32(0.5), np.float32(3)]
        values = (kernel(name, x, vectors, *params) @ weights + rho).reshape(-1, 1)
        yield Case("SVMRegressor", [x], [(np.where(values > 0, 1, -1) if one_class else values).astype(np.float32)],
                   {"kernel_type": name, "kernel_params": [float(p) for p in params], "support_vectors": vectors.ravel().tolist(), "coefficients": weights.tolist(), "n_supports": 5,
                    "rho": [float(rho)], "one_class": one_class}, **ML, tolerance=1e-4, disputes=ONE_TYPE if dtype is not np.float32 else {})
    x, weights = plain(dtype, 4, 3), plain(np.float32, 3, seed=4)
    yield Case("SVMRegressor", [x], [(x.astype(np.float64) @ weights + 0.5).reshape(-1, 1).astype(np.float32)],
               {"kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 3.0], "coefficients": weights.tolist(), "rho": [0.5], "n_supports": 0}, **ML, tolerance=1e-4,
               disputes=ONE_TYPE if dtype is not np.float32 else {})


def svm_classifiers(dtype):
    """Fitted by scikit-learn, which predicts the labels; decisions by the formula."""
    from sklearn.svm import SVC

    for name, classes, texts in itertools.product(("LINEAR", "POLY", "RBF", "SIGMOID"), (2, 3, 4), (False, True)):
        draw = np.random.default_rng(classes)
        data, target = draw.standard_normal((60, 3)), draw.integers(0, classes, 60)
        data[:, 0] += target
        fitted = SVC(kernel=name.lower(), gamma=0.25, coef0=0.5, degree=3).fit(data.astype(np.float32), target)
        x = (data[:20] if np.dtype(dtype).kind == "f" else np.rint(data[:20] * 2)).astype(dtype)
        vectors, weights, rho = (v.astype(np.float32) for v in (fitted.support_vectors_, fitted._dual_coef_, fitted._intercept_))
        decisions = pair_decisions(kernel(name, x, vectors, 0.25, 0.5, 3), weights, rho, fitted.n_support_)
        votes = np.zeros((len(x), classes))
        for p, (i, j) in enumerate(itertools.combinations(range(classes), 2)):
            votes[:, i] += decisions[:, p] > 0
            votes[:, j] += decisions[:, p] <= 0
        chosen = votes.argmax(1)
        agreeing = (chosen == fitted.predict(x.astype(np.float64))).mean()
        assert agreeing == 1, (name, classes, agreeing)
        labels = [f"c{k}" for k in range(classes)] if texts else [3 * k for k in range(classes)]
        scores = np.concatenate([-decisions, decisions], 1) if classes == 2 else decisions
        yield Case("SVMClassifier", [x], [np.array([labels[k] for k in chosen], object if texts else np.int64), scores.astype(np.float32)],
                   {"kernel_type": name, "kernel_params": [0.25, 0.5, 3.0], "support_vectors": vectors.ravel().tolist(), "coefficients": weights.ravel().tolist(), "rho": rho.tolist(),
                    "vectors_per_class": fitted.n_support_.tolist(), ("classlabels_strings" if texts else "classlabels_ints"): labels}, **ML, tolerance=2e-4,
                   disputes=ONE_TYPE if dtype is not np.float32 else {"reference": "fails on two classes named by text"} if classes == 2 and texts else {})


def svm_probabilities():
    """Fitted by scikit-learn with probabilities, which predicts from the votes all the same: labels and the likeliest class differ in some rows."""
    from sklearn.svm import SVC

    for classes in (2, 3, 4):
        draw = np.random.default_rng(classes)
        data, target = draw.standard_normal((90, 3)), draw.integers(0, classes, 90)
        data[:, 0] += target / 2
        x = data.astype(np.float32)
        fitted = SVC(gamma=0.25, probability=True, random_state=0).fit(x, target)
        scores, chosen = fitted.predict_proba(x), fitted.predict(x)
        assert (scores.argmax(1) != chosen).any(), classes
        yield Case("SVMClassifier", [x], [chosen.astype(np.int64), scores.astype(np.float32)],
                   {"kernel_type": "RBF", "kernel_params": [0.25, 0.0, 3.0], "support_vectors": fitted.support_vectors_.astype(np.float32).ravel().tolist(),
                    "coefficients": fitted._dual_coef_.astype(np.float32).ravel().tolist(), "rho": fitted._intercept_.astype(np.float32).tolist(),
                    "prob_a": fitted._probA.astype(np.float32).tolist(), "prob_b": fitted._probB.astype(np.float32).tolist(),
                    "vectors_per_class": fitted.n_support_.tolist(), "classlabels_ints": list(range(classes))}, **ML, tolerance=2e-4,
                   disputes={} if classes == 2 else {"reference": "couples the pairs otherwise than libsvm, whose probabilities scikit-learn and ONNX Runtime give"})


def pair_decisions(values, weights, rho, counts):
    starts, out = np.concatenate([[0], np.cumsum(counts)]), []
    for p, (i, j) in enumerate(itertools.combinations(range(len(counts)), 2)):
        of_i, of_j = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        out.append(values[:, of_i] @ weights[j - 1, of_i] + values[:, of_j] @ weights[i, of_j] + rho[p])
    return np.stack(out, 1)
