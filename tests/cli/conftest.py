"""The program under test, and small models that are fitted once."""
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("ONWARD_PROGRAM") or str(ROOT / "build/release/onward")


class Result:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def json(self):
        answer = json.loads(self.out)
        assert answer["schema_version"] == 1
        return answer


def run(*words, input=None, cwd=None, text=True, env=None, timeout=120, most_memory=None):
    """`most_memory`: bytes of address space, mapped files included."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))) if most_memory else None
    return Result(subprocess.run([PROGRAM, *map(str, words)], input=input, stdin=None if input is not None else subprocess.DEVNULL, capture_output=True, text=text,
                                 cwd=cwd, timeout=timeout, preexec_fn=limit, env={**os.environ, "ONWARD_PYTHON": sys.executable, **(env or {})}))


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with a model of a matrix and one of a table, their data and what scikit-learn answers."""
    import joblib
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    folder = tmp_path_factory.mktemp("models")
    random = np.random.default_rng(0)
    n = 300
    matrix = random.normal(size=(n, 4))
    labels = (matrix[:, 0] + matrix[:, 1] ** 2 > 0.5).astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(matrix, labels)
    joblib.dump(model, folder / "matrix.joblib")
    pd.DataFrame(matrix, columns=[f"x{i}" for i in range(4)]).to_csv(folder / "matrix.csv", index=False)
    np.savez(folder / "matrix_answers.npz", label=model.predict(matrix), probabilities=model.predict_proba(matrix))

    frame = pd.DataFrame({"age": random.normal(40, 9, n).round(1), "home.dest": random.choice(["Paris", "Lyon", "Brest"], n), "alone": random.random(n) < 0.5})
    frame.loc[::7, "age"] = np.nan
    model = make_pipeline(ColumnTransformer([("numbers", SimpleImputer(), ["age"]), ("text", OneHotEncoder(handle_unknown="error"), ["home.dest"]), ("rest", "passthrough", ["alone"])]),
                          RandomForestClassifier(10, random_state=0))
    model.fit(frame, np.where(frame["home.dest"] == "Paris", "yes", "no"))
    joblib.dump(model, folder / "table.joblib")
    frame.to_csv(folder / "table.csv", index=False)
    for name in "matrix", "table":
        assert run("convert", folder / f"{name}.joblib", "-o", folder / f"{name}.onnx").code == 0
    return folder
