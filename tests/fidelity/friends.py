"""Models of libraries that are made for scikit-learn, two releases each (tests/data/friends, made by tools/make_friend_fixtures.py),
converted, run, and compared with what their library answered; and those that cannot be converted, with the refusal.

usage: friends.py ONWARD [--engine onnxruntime|onward] [--filter TEXT] [--data FOLDER]
Prints what is not equal or not convertible; the last line counts.
"""
import argparse, collections, json, subprocess, sys, tarfile, tempfile
from pathlib import Path
import numpy as np
import onnx
import pandas as pd
import compare
from old_versions import METHODS, asked

DATA = Path(__file__).resolve().parents[1] / "data" / "friends"
TOLERANCE = 1e-12


def recorded(z, method):
    """{name or None: (values, gaps)}: of a matrix or vector under None, of a table by column"""
    if method in z: return {None: (z[method], z.get(method + ".missing"))}
    columns = sorted((k for k in z if k.startswith(method + ".column.") and not k.endswith(".missing")), key=lambda k: int(k.split(".")[2]))
    return {k.split(".", 3)[3]: (z[k], z.get(k + ".missing")) for k in columns}


def difference(answer, got):
    """-> worst difference of numbers (relative beyond 1), labels and words that differ"""
    values, gaps = answer
    if got.size != values.size: raise AssertionError(f"shape {got.shape}; the library's is {values.shape}")
    got = got.reshape(values.shape)
    if values.dtype.kind in "OUb":
        values = np.where(gaps, "nan", values.astype(str)) if gaps is not None else values.astype(str)
        return 0, int((values != (got.astype(bool) if values.dtype.kind == "b" else got).astype(str)).sum())
    values, got = values.astype(float), got.astype(float)
    if (np.isnan(values) != np.isnan(got)).any(): return np.inf, 0
    values, got = np.nan_to_num(values), np.nan_to_num(got)
    return (np.abs(values - got) / np.maximum(1, np.abs(values))).max(initial=0), 0


def compared(z, outputs, names):
    """What differs, as text. `names`: of a matrix's columns, by the schema."""
    wrong, seen = [], 0
    for name, got in outputs.items():
        answers = recorded(z, METHODS.get(name, "transform"))
        if not answers: continue
        if None in answers: pairs = [(name, answers[None], got)]
        elif name == "transformed":
            if names[name] and names[name] != list(answers): wrong.append(f"columns {names[name]}; the library's are {list(answers)}")
            if got.shape[1] != len(answers): raise AssertionError(f"{got.shape[1]} columns; the library's are {list(answers)}")
            pairs = [(column, answers[column], got[:, i]) for i, column in enumerate(answers)]
        else: pairs = [(name, answers[name if name in answers else name.removesuffix("_")], got)]
        for shown, answer, mine in pairs:
            seen += 1
            worst, labels = difference(answer, np.asarray(mine))
            if labels or worst > (0 if name == "label" else TOLERANCE): wrong.append(f"{shown} {worst:.3g} labels {labels}")
    if not seen: wrong.append("nothing to compare")
    return "; ".join(wrong)


def judge(engine, onward, stem, path, refused, gap):
    done = subprocess.run([onward, "convert", stem + ".pkl", "-o", path], capture_output=True, text=True)
    if refused: return "passed" if done.returncode == 4 and refused in done.stderr else f"FAILED exit {done.returncode}, expected '{refused}': {done.stderr.strip()[:300]}"
    if done.returncode: return f"FAILED exit {done.returncode}: {done.stderr.strip()[:300]}"
    with np.load(stem + ".npz", allow_pickle=False) as z: z = dict(z)
    rows = asked(z)
    if isinstance(rows, pd.DataFrame): rows = rows.astype({c: object for c in rows if rows[c].dtype.kind not in "ifb"})
    if isinstance(rows, pd.DataFrame) and gap is None:
        for column in rows.columns[rows.dtypes == object]: rows[column] = rows[column].where(rows[column].notna(), None)
    schema = json.loads({p.key: p.value for p in onnx.load(path).metadata_props}["onward.schema"])
    wrong = compared(z, engine.run(path, rows), {o["name"]: o.get("names", []) for o in schema["outputs"]})
    return f"FAILED {wrong}" if wrong else "passed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"])
    parser.add_argument("--filter", default=""), parser.add_argument("--data", default=DATA, type=Path)
    args = parser.parse_args()
    engine, count = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward), collections.Counter()
    for archive in sorted(args.data.glob("*.tar.xz")):
        with tempfile.TemporaryDirectory(prefix="friends_") as folder:
            with tarfile.open(archive) as packed: packed.extractall(folder)
            with open(f"{folder}/index.json") as f: index = json.load(f)
            for one in index:
                shown = f"{archive.name[:-7]} {one['file']}"
                if args.filter not in shown: continue
                # scikit-learn tells None from NaN, and so does pandas' isin, which RareLabelEncoder asks; the others do not.
                apart = archive.name.startswith("imbalanced") or "RareLabelEncoder" in one["file"]
                for gap in [np.nan] if "refused" in one or apart else [np.nan, None]:
                    try:
                        verdict = judge(engine, args.onward, f"{folder}/{one['file']}", f"{folder}/model.onnx", one.get("refused"), gap)
                    except Exception as e:
                        verdict = f"FAILED {type(e).__name__} {e}"[:300]
                    count[verdict.split()[0]] += 1
                    if verdict != "passed": print(f"{shown} ({gap}) {verdict}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
