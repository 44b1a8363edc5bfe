"""Every example of README.md and docs/ runs as it stands there."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ONWARD_BUILD", ROOT / "build/release"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(language):
    for page in PAGES:
        for k, code in enumerate(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)):
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{k}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the examples speak of: model.joblib, model.onnx, heldout.csv, booster.ubj, text.joblib and scaled_forest.pkl."""
    folder = tmp_path_factory.mktemp("examples")
    make = """
import joblib, numpy as np, pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
random = np.random.default_rng(0)
table = pd.DataFrame({"age": random.normal(40, 10, 300), "city": random.choice(["Paris", "Lima"], 300), "member": random.random(300) < 0.5})
model = make_pipeline(make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["city"]), ("passthrough", ["member"])), LogisticRegression())
model.fit(table, np.where(table["age"] > 40, "old", "young"))
joblib.dump(model, "model.joblib")
table.to_csv("heldout.csv", index=False)
joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["good wine", "bad wine", "a good day", "a bad day"], [1, 0, 1, 0]), "text.joblib")
"""
    shutil.copy(ROOT / "tests/data/custom/scaled_forest.pkl", folder)
    shutil.copy(ROOT / "tests/data/boosters/xgboost-3.2.0/binary.ubj", folder / "booster.ubj")
    subprocess.run([sys.executable, "-c", make], cwd=folder, check=True)
    subprocess.run([BUILD / "onward", "convert", "model.joblib", "-o", "model.onnx"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("code", list(examples("sh")))
def test_shell(code, folder):
    path = f"{BUILD}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    result = subprocess.run(["bash", "-euc", code], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("code", list(examples("python")))
def test_python(code, folder):
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("code", list(examples("cpp")))
def test_cpp(code, folder):
    """As a project of its own would: find_package(onward) on an installed copy."""
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "main.cc").write_text(code)
    (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.20)\nproject(example CXX)\nset(CMAKE_CXX_STANDARD 20)\nfind_package(onward REQUIRED)\n"
                                            "add_executable(example main.cc)\ntarget_link_libraries(example onward::onward)\n")
    steps = [["cmake", "--install", BUILD, "--prefix", folder / "prefix"],
             ["cmake", "-G", "Ninja", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}"],
             ["cmake", "--build", project / "build"], [project / "build/example"]]
    for step in steps:
        result = subprocess.run(step, cwd=folder, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
