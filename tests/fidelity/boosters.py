"""Writes docs/coverage/boosted-trees.md: models of the boosting libraries, fitted here, converted from their own files and from pickles, and
compared with the library on rows they were not fitted on; beside onnxmltools and ONNX Runtime in the same run.

usage: boosters.py ONWARD [--library NAME] [--filter TEXT] [--json FILE]     in an environment with the libraries, onnxmltools and onnxruntime
       boosters.py --write FILE...                                           the document, from such files

Each option set is fitted on several kinds of table: clean, ratings in steps of 0.1, prices of two decimals, missing values, and the same as
a DataFrame. Ours is asked with float64 and float32 inputs, onnxmltools' model with the float32 that it takes. Prints one line per case.
"""
import argparse, collections, json, os, pickle, subprocess, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
from pathlib import Path
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import compare, tables

TARGET = Path(__file__).resolve().parents[2] / "docs" / "coverage" / "boosted-trees.md"
KINDS = ("clean", "ratings", "prices", "missing")


class Fitted:
    """What every library's model is made to say. `files`: suffix -> function that writes to a path."""
    def __init__(self, model, files, answers, peer=None): self.model, self.files, self.answers, self.peer = model, files, answers, peer


# ---- XGBoost

def xgboost_cases():
    import xgboost as xgb
    small = {"n_estimators": 20, "max_depth": 4, "n_jobs": 1}
    binary, three = (lambda s: (s > np.median(s)).astype(int)), lambda s: np.digitize(s, np.quantile(s, [.3, .7]))
    positive = lambda s: np.exp(np.clip(s, -3, 3) / 2)

    def answers(m):
        def of(Q):
            out = {"scores": m.predict(Q, output_margin=True)}
            if hasattr(m, "predict_proba"): out.update(label=m.predict(Q), probabilities=m.predict_proba(Q))
            else: out["variable"] = m.predict(Q)
            if m.booster != "gblinear": out["leaf"] = m.apply(Q).reshape(len(Q), -1).astype(int)
            return out
        return of

    def peer(m):
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType
        return convert_xgboost(m, initial_types=[("X", FloatTensorType([None, m.n_features_in_]))], target_opset=15)

    def case(cls, target, fit=None, **options):
        def make(X, score):
            m = cls(**{**small, **options})
            m.fit(X, target(score), **(fit(X, score) if fit else {}))
            files = {".json": m.save_model, ".ubj": m.save_model, ".pkl": None}
            if "missing" in options: files = {".pkl": None}     # the library's own files do not keep it
            return Fitted(m, files, answers(m), peer)
        return make

    C, R = xgb.XGBClassifier, xgb.XGBRegressor
    same = lambda s: s
    yield "binary:logistic", case(C, binary)
    yield "multi:softprob", case(C, three)
    yield "multi:softmax", case(C, three, objective="multi:softmax")
    yield "binary:hinge", case(C, binary, objective="binary:hinge")
    yield "several labels", case(C, lambda s: np.stack([binary(s), s > 1], 1).astype(int))
    for objective in ("squarederror", "absoluteerror", "pseudohubererror", "logistic", "squaredlogerror", "gamma", "tweedie"):
        target = (lambda s: (np.tanh(s) + 1) / 2) if objective == "logistic" else positive if objective in ("gamma", "tweedie", "squaredlogerror") else same
        yield "reg:" + objective, case(R, target, objective="reg:" + objective)
    yield "count:poisson", case(R, lambda s: np.floor(positive(s)), objective="count:poisson")
    yield "survival:cox", case(R, positive, objective="survival:cox")
    yield "survival:aft", aft_case(xgb)
    yield "reg:quantileerror, 3 quantiles", case(R, same, objective="reg:quantileerror", quantile_alpha=np.array([.1, .5, .9]))
    yield "base_score", case(R, same, base_score=2.5)
    yield "rank:ndcg", case(xgb.XGBRanker, three, fit=lambda X, s: {"group": [len(X)]}, objective="rank:ndcg")
    yield "dart", case(C, three, booster="dart", rate_drop=.3)
    yield "gblinear", case(R, same, booster="gblinear", max_depth=None)
    yield "2 outputs, a tree each", case(R, lambda s: np.stack([s, -2 * s], 1))
    yield "2 outputs, vector leaves", case(R, lambda s: np.stack([s, -2 * s], 1), multi_strategy="multi_output_tree", tree_method="hist")
    yield "num_parallel_tree=3, 3 classes", case(C, three, num_parallel_tree=3, subsample=.7)
    yield "XGBRFClassifier, 3 classes", case(xgb.XGBRFClassifier, three)
    yield "XGBRFRegressor", case(xgb.XGBRFRegressor, same)
    yield "lossguide", case(C, binary, grow_policy="lossguide", max_leaves=20, max_depth=0)
    yield "early stopping", case(C, binary, fit=lambda X, s: {"eval_set": [(X, np.random.default_rng(0).integers(0, 2, len(X)))], "verbose": False},
                                 early_stopping_rounds=2, n_estimators=100)
    yield "missing=0", case(R, same, missing=0)
    yield "categories", categorical(case(R, same, enable_categorical=True, max_cat_to_onehot=1, feature_types=["q", "q", "c", "c", "q"]))


def aft_case(xgb):
    def make(X, score):
        d = xgb.DMatrix(X)
        low = np.exp(np.clip(score, -2, 2))
        d.set_float_info("label_lower_bound", low), d.set_float_info("label_upper_bound", np.where(score > 1, np.inf, low))
        b = xgb.train({"objective": "survival:aft", "max_depth": 4, "nthread": 1}, d, 20)

        def answers(Q):
            q = xgb.DMatrix(Q)
            return {"scores": b.predict(q, output_margin=True), "variable": b.predict(q), "leaf": b.predict(q, pred_leaf=True).astype(int)}

        def peer(m):
            from onnxmltools import convert_xgboost
            from onnxmltools.convert.common.data_types import FloatTensorType
            return convert_xgboost(m, initial_types=[("X", FloatTensorType([None, X.shape[1]]))], target_opset=15)
        return Fitted(b, {".json": b.save_model, ".ubj": b.save_model, ".pkl": None}, answers, peer)
    return make


def categorical(make):
    """Two columns hold codes of categories. Of what is asked, some are unseen, missing, negative and fractional."""
    def of(X, score): return make(X, score)
    of.categorical = True
    return of


# ---- LightGBM

def lightgbm_cases():
    import lightgbm as lgb
    small = {"n_estimators": 20, "num_leaves": 15, "n_jobs": 1, "verbose": -1}
    words = lambda s: np.array(["no", "yes"])[(s > np.median(s)).astype(int)]
    three = lambda s: np.array(["a", "b", "c"])[np.digitize(s, np.quantile(s, [.3, .7]))]
    positive = lambda s: np.exp(np.clip(s, -3, 3) / 2)

    def answers(m):
        def of(Q):
            out = {"scores": m.predict(Q, raw_score=True), "leaf": m.predict(Q, pred_leaf=True).reshape(len(Q), -1)}
            if hasattr(m, "predict_proba"): out.update(label=m.predict(Q), probabilities=m.predict_proba(Q))
            else: out["variable"] = m.predict(Q)
            return out
        return of

    def peer(m):
        from onnxmltools import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType
        return convert_lightgbm(m, initial_types=[("X", FloatTensorType([None, m.n_features_in_]))], target_opset=15, zipmap=False)

    def case(cls, target, fit=None, **options):
        def make(X, score):
            m = cls(**{**small, **options})
            m.fit(X, target(score), **(fit(X, score) if fit else {}))
            return Fitted(m, {".txt": m.booster_.save_model, ".pkl": None}, answers(m), peer)
        return make

    C, R = lgb.LGBMClassifier, lgb.LGBMRegressor
    same = lambda s: s
    yield "binary", case(C, words)
    yield "binary, sigmoid=2", case(C, words, sigmoid=2.)
    yield "multiclass", case(C, three)
    yield "multiclassova", case(C, three, objective="multiclassova")
    for objective in ("regression", "regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie"):
        yield objective, case(R, same if objective in ("regression", "huber", "regression_l1", "fair", "quantile") else positive, objective=objective)
    yield "regression, reg_sqrt", case(R, same, reg_sqrt=True)
    yield "cross_entropy", case(R, lambda s: (np.tanh(s) + 1) / 2, objective="cross_entropy")
    yield "cross_entropy_lambda", case(R, lambda s: (np.tanh(s) + 1) / 2, objective="cross_entropy_lambda")
    yield "lambdarank", case(lgb.LGBMRanker, lambda s: np.digitize(s, [0, 1]), fit=lambda X, s: {"group": [len(X)]})
    yield "dart", case(C, three, boosting_type="dart")
    forest = {"boosting_type": "rf", "subsample": .6, "subsample_freq": 1}
    yield "rf, 2 classes", case(C, words, **forest)
    yield "rf, 3 classes", case(C, three, **forest)
    yield "rf, regression", case(R, same, **forest)
    yield "goss", case(R, same, data_sample_strategy="goss")
    yield "linear_tree", case(R, same, linear_tree=True)
    yield "linear_tree, 3 classes", case(C, three, linear_tree=True)
    yield "zero_as_missing", case(R, same, zero_as_missing=True)
    yield "use_missing=False", case(R, same, use_missing=False)
    yield "early stopping", case(R, same, fit=lambda X, s: {"eval_set": [(X, np.random.default_rng(0).normal(size=len(X)))], "callbacks": [lgb.early_stopping(2, verbose=False)]},
                                 n_estimators=100)
    yield "categories", categorical(case(R, same, fit=lambda X, s: {"categorical_feature": [2, 3]}, cat_smooth=1., min_data_per_group=5))


# ---- CatBoost

def catboost_cases():
    import catboost as cb
    small = {"iterations": 20, "depth": 4, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    words = lambda s: np.array(["no", "yes"])[(s > np.median(s)).astype(int)]
    three = lambda s: np.array(["a", "b", "c"])[np.digitize(s, np.quantile(s, [.3, .7]))]
    positive = lambda s: np.exp(np.clip(s, -3, 3) / 2)
    fraction = lambda s: (np.tanh(s) + 1) / 2

    def answers(m, symmetric):
        def of(Q):
            out = {"scores": m.predict(Q, prediction_type="RawFormulaVal") if not isinstance(m, cb.CatBoostRanker) else m.predict(Q)}
            if hasattr(m, "predict_proba"): out.update(label=m.predict(Q), probabilities=m.predict_proba(Q))
            else: out["variable"] = m.predict(Q)
            if symmetric: out["leaf"] = m.calc_leaf_indexes(Q)
            return out
        return of

    def peer(m):
        with tempfile.NamedTemporaryFile(suffix=".onnx") as f:
            m.save_model(f.name, format="onnx")
            return onnx.load(f.name)

    def case(cls, target, fit=None, lost=False, **options):
        def make(X, score):
            m = cls(**{**small, **options})
            m.fit(X, target(score), **(fit(X, score) if fit else {}))
            pool = cb.Pool(X, cat_features=options["cat_features"]) if "cat_features" in options else None
            files = {".cbm": m.save_model, ".json": lambda path: m.save_model(path, format="json", pool=pool), ".pkl": None}
            if lost: del files[".json"]                         # of CTRs of several targets the export keeps one; refused
            return Fitted(m, files, answers(m, "grow_policy" not in options), peer)
        make.words = "cat_features" in options
        return make

    C, R = cb.CatBoostClassifier, cb.CatBoostRegressor
    same = lambda s: s
    yield "Logloss", case(C, words)
    yield "Focal", case(C, lambda s: (s > 0).astype(int), loss_function="Focal:focal_alpha=0.5;focal_gamma=2.0")
    yield "CrossEntropy", case(C, fraction, loss_function="CrossEntropy")
    yield "MultiClass", case(C, three)
    yield "MultiClassOneVsAll", case(C, three, loss_function="MultiClassOneVsAll")
    yield "MultiLogloss", case(C, lambda s: np.stack([s > 0, s > 1], 1).astype(int), loss_function="MultiLogloss")
    for loss in ("RMSE", "MAE", "Quantile:alpha=0.8", "Huber:delta=1", "LogCosh", "MAPE", "Poisson", "Tweedie:variance_power=1.5"):
        yield loss, case(R, positive if loss[:2] in ("Po", "Tw", "MA") else same, loss_function=loss)
    yield "RMSEWithUncertainty", case(R, same, loss_function="RMSEWithUncertainty")
    yield "MultiRMSE", case(R, lambda s: np.stack([s, -2 * s], 1), loss_function="MultiRMSE")
    yield "MultiQuantile", case(R, same, loss_function="MultiQuantile:alpha=0.1,0.5,0.9")
    yield "YetiRank", case(cb.CatBoostRanker, lambda s: np.digitize(s, [0, 1]), fit=lambda X, s: {"group_id": np.arange(len(X)) // 20})
    yield "Depthwise", case(C, three, grow_policy="Depthwise")
    yield "Lossguide", case(R, same, grow_policy="Lossguide", max_leaves=12)
    yield "nan_mode=Max", case(R, same, nan_mode="Max")
    yield "border_count=1000, depth 8", case(R, same, border_count=1000, depth=8)
    categories = {"cat_features": ["city", "size"]}
    yield "one-hot categories", case(C, words, one_hot_max_size=100, **categories)
    yield "CTRs", case(C, words, one_hot_max_size=2, max_ctr_complexity=3, **categories)
    yield "CTRs, 3 classes", case(C, three, one_hot_max_size=2, **categories)
    yield "CTRs, Lossguide", case(R, same, one_hot_max_size=2, grow_policy="Lossguide", **categories)
    yield "CTRs of every type", case(R, same, one_hot_max_size=2, **categories,
                                     simple_ctr=["Borders:TargetBorderCount=3", "Buckets:TargetBorderCount=2", "BinarizedTargetMeanValue", "Counter"])
    yield "CTRs, 2 targets", case(R, lambda s: np.stack([s, -2 * s], 1), lost=True, loss_function="MultiRMSE", one_hot_max_size=2, **categories)


def with_words(X):
    """Two columns more: words, with accents and long ones, and whole numbers. Some of what is asked is unseen."""
    r, n = np.random.default_rng(7), len(X)
    city = r.choice(["Oslo", "Köln", "", "日本", "a name of more than thirty-two bytes", "x" * 70], n).astype(object)
    if n != tables.FIT: city[:200] = "never seen"
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(city=city, size=r.integers(0, 9 if n == tables.FIT else 12, n))


LIBRARIES = {"xgboost": ("XGBoost", xgboost_cases, 1e-6), "lightgbm": ("LightGBM", lightgbm_cases, 1e-12), "catboost": ("CatBoost", catboost_cases, 1e-12)}
PEERS = {"catboost": "CatBoost's own exporter"}


# ---- comparing

def data_of(kind, make):
    X, score = tables.table("counts" if getattr(make, "categorical", False) and kind == "clean" else kind)
    X = X.astype(np.float32).astype(np.float64)
    if getattr(make, "categorical", False):
        r = np.random.default_rng(3)
        X[:, 2], X[:, 3] = r.integers(0, 12, len(X)), r.integers(0, 4, len(X))
        score = score + np.isin(X[:, 2], [1, 5, 6])
        X[-300:, 2] = r.choice([12, 99, -1, np.nan, 3.7, .5, -.5], 300)
    return X, score


def difference(ref, got):
    """largest difference (relative beyond 1), items that are not equal"""
    ref = np.asarray(ref)
    if got.size != ref.size: raise AssertionError(f"shape {got.shape} for {ref.shape}")
    got = np.asarray(got).reshape(ref.shape)
    if ref.dtype.kind in "OU": return 0., int((ref.astype(str) != got.astype(str)).sum())
    a, b = ref.astype(float), got.astype(float)
    with np.errstate(invalid="ignore"): d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b) / np.maximum(1, np.abs(a)))
    d = np.where(np.isnan(d), np.inf, d)
    return float(d.max(initial=0)), int((d > 0).sum())


def ours(onward, engine, fitted, suffix, Q, how, folder):
    source, path = f"{folder}/model{suffix}", f"{folder}/model.onnx"
    if suffix == ".pkl":
        with open(source, "wb") as f: pickle.dump(fitted.model, f)
    else: fitted.files[suffix](source)
    ref = fitted.answers(Q)
    options = ["--own-ops", "--outputs", ",".join(ref)] + (["--input-dtype", "float32"] if how == "float32" else [])
    done = subprocess.run([onward, "convert", source, "-o", path, *options], capture_output=True, text=True)
    if done.returncode: raise compare.Refused(done.stderr.strip()[:200])
    # An input of words takes whole numbers as tables give them; a tensor of strings takes their digits.
    asked = Q.assign(**{c: Q[c].astype(str) for c in Q if Q[c].dtype.kind == "i"}) if isinstance(Q, pd.DataFrame) else Q
    got, out = engine.run(path, asked), {}
    for name, values in ref.items():
        values = np.asarray(values)
        if name == "label" and suffix not in (".pkl", ".joblib", ".cbm") and not hasattr(fitted.model, "save_borders") and values.dtype.kind in "OU": values = np.unique(values, return_inverse=True)[1]   # files number the classes
        out[name] = difference(values, got[name])
    return out


def theirs(fitted, Q):
    """labels that differ, largest difference of probabilities or values"""
    model = fitted.peer(fitted.model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    got = session.run(None, {session.get_inputs()[0].name: np.asarray(Q).astype(np.float32)})
    ref = fitted.answers(Q)
    if "label" in ref and "probabilities" in ref and len(got) > 1:
        labels, p = np.asarray(got[0]), got[1]
        if isinstance(p, list): p = np.array([list(row.values()) for row in p])
        return difference(np.asarray(ref["label"]).astype(str), labels.astype(str))[1], difference(ref["probabilities"], np.asarray(p))[0]
    return None, difference(ref.get("variable", ref.get("label")), np.asarray(got[0]))[0]


def run(args, engine, library, report):
    title, cases, tolerance = LIBRARIES[library]
    for name, make in cases():
        if args.filter and args.filter not in name: continue
        for kind in KINDS:
            X, score = data_of(kind, make)
            for how in ("float64", "float32", "frame"):
                words = getattr(make, "words", False)
                if how == "frame" and kind != "missing" and not words or words and how != "frame": continue
                A, Q = X[:tables.FIT], X[tables.FIT:]
                if words: A, Q = with_words(A), with_words(Q)
                elif how == "frame": A, Q = (pd.DataFrame(t, columns=[f"col {i} (%)" if library == "xgboost" else f"col_{i}" for i in range(t.shape[1])]) for t in (A, Q))
                try: fitted = make(A, score[:tables.FIT])
                except Exception as e:
                    print(f"{title} {name} {kind} {how}: not fitted: {type(e).__name__} {str(e)[:100]}", flush=True)
                    continue
                row = {"library": library, "name": name, "kind": kind, "how": how, "files": 0, "labels": 0, "scores": 0, "answers": 0., "error": ""}
                with tempfile.TemporaryDirectory(prefix="boosters_") as folder:
                    try:
                        for suffix in fitted.files:
                            found = ours(args.onward, engine, fitted, suffix, Q, how, folder)
                            row["files"] += 1
                            row["labels"] += found.get("label", (0, 0))[1]
                            row["scores"] += found["scores"][1] + found.get("leaf", (0, 0))[1]
                            row["answers"] = max([row["answers"], *(found[k][0] for k in ("probabilities", "variable") if k in found)])
                    except Exception as e: row["error"] = f"{type(e).__name__} {e}"[:300]
                try: row["peer_labels"], row["peer"] = theirs(fitted, Q if words else np.asarray(Q)) if fitted.peer else (None, None)
                except Exception as e: row["peer_error"] = f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"[:80]
                good = not row["error"] and not row["labels"] and not row["scores"] and row["answers"] <= tolerance
                row["passed"] = good
                report.append(row)
                print(f"{title} {name:34s} {kind:8s} {how:8s} {'passed' if good else 'FAILED'} scores {row['scores']} labels {row['labels']} answers {row['answers']:.2g} {row['error']}"
                      f" | onnxmltools {row.get('peer_error') or (row.get('peer_labels'), row.get('peer'))}", flush=True)


def shown(x): return "equal" if x == 0 else f"{x:.1e}"


def document(report):
    import importlib.metadata as about
    versions = ", ".join(f"{n} {about.version(n)}" for n in ("xgboost", "lightgbm", "catboost", "onnxmltools", "onnxruntime")
                         if n in {r["library"] for r in report} | {"onnxmltools", "onnxruntime"})
    lines = ["# Boosted trees", "",
             f"Written by `tests/fidelity/boosters.py` ({versions}):",
             "each set of options is fitted by its library on tables of gaussian numbers, ratings in steps of 0.1, prices of two decimals and missing values, as float64 and float32 arrays and as a DataFrame, saved in each format that the library has and as a pickle of",
             "its scikit-learn class, converted, and asked for 1500 rows that it was not fitted on. Scores (margins, raw scores) and leaves are compared to the last bit; answers",
             "(probabilities, predictions) are functions of the scores, and their largest difference, relative beyond 1, is shown. On the right the same models by onnxmltools (CatBoost's by its own exporter)",
             "and ONNX Runtime: labels that differ (of all that were asked) or the largest difference; \"refused\" where it converts nothing.", ""]
    for library in dict.fromkeys(r["library"] for r in report):
        mine = [r for r in report if r["library"] == library]
        peer = PEERS.get(library, "onnxmltools")
        lines += [f"## {LIBRARIES[library][0]}", "", f"**{sum(r['passed'] for r in mine)} of {len(mine)} cases pass.**", "",
                  f"| model | cases | scores and leaves not equal | labels that differ | largest difference of answers | {peer}: labels that differ | largest difference |",
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
        for name in dict.fromkeys(r["name"] for r in mine):
            own = [r for r in mine if r["name"] == name]
            done = [r for r in own if "peer" in r and r["peer"] is not None]
            refused = "refused" if len(done) == 0 else f"refused {len(own) - len(done)} of {len(own)}; " if len(done) < len(own) else ""
            labels = [r["peer_labels"] for r in done if r["peer_labels"] is not None]
            peer = [f"{refused}{sum(labels)} of {1500 * len(labels)}" if labels else refused.rstrip("; "),
                    shown(max(r["peer"] for r in done)) if done else ""]
            errors = "; ".join(sorted({r["error"] for r in own if r["error"]}))
            lines.append(f"| {name} | {len(own)} | {errors or sum(r['scores'] for r in own)} | {sum(r['labels'] for r in own)} | {shown(max(r['answers'] for r in own))} | {peer[0]} | {peer[1]} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward", nargs="?"), parser.add_argument("--library", default="", choices=["", *LIBRARIES]), parser.add_argument("--filter", default="")
    parser.add_argument("--json"), parser.add_argument("--write", nargs="+")
    args = parser.parse_args()
    if args.write:
        TARGET.write_text(document([row for path in args.write for row in json.loads(Path(path).read_text())]))
        sys.exit()
    report, engine = [], compare.Onward(args.onward)
    for library in [args.library] if args.library else LIBRARIES: run(args, engine, library, report)
    if args.json: Path(args.json).write_text(json.dumps(report))
    passed = sum(r["passed"] for r in report)
    print(f"{passed} passed, {len(report) - passed} failed")
    sys.exit(passed != len(report))
