"""Turns the fixtures into seeds for the fuzz targets of the formats room.

Usage: make_fuzz_seeds.py FOLDER    writes FOLDER/read_pickle, FOLDER/read_skops, FOLDER/read_booster and FOLDER/read_catboost
"""
import json
import shutil
import sys
import zipfile
from pathlib import Path

DATA = Path(__file__).parent.parent / "tests/data"
FIXTURES = DATA / "sklearn"
LARGEST = 20_000  # larger seeds only slow the fuzzer


def main():
    pickles, skops = (Path(sys.argv[1]) / name for name in ["read_pickle", "read_skops"])
    pickles.mkdir(parents=True, exist_ok=True)
    skops.mkdir(parents=True, exist_ok=True)
    for path in sorted(FIXTURES.glob("*/*")):
        seed = f"{path.parent.name}-{path.name}"
        if path.suffix in {".pkl", ".joblib"} and path.stat().st_size < LARGEST:
            shutil.copy(path, pickles / seed)
        if path.suffix == ".skops" and path.stat().st_size < LARGEST:
            shutil.copy(path, skops / seed)
            (skops / f"{seed}.txt").write_bytes(as_text(path))
    boosters, catboost = (Path(sys.argv[1]) / name for name in ["read_booster", "read_catboost"])
    boosters.mkdir(parents=True, exist_ok=True)
    catboost.mkdir(parents=True, exist_ok=True)
    for path in sorted((DATA / "boosters").glob("*/*")):
        if path.suffix != ".npz" and not path.name.endswith(".answers.json") and path.stat().st_size < LARGEST:
            shutil.copy(path, (catboost if path.suffix == ".cbm" else boosters) / f"{path.parent.name}-{path.name}")


def as_text(path):
    """The form that fuzz/read_skops.cc packs itself, with short names."""
    with zipfile.ZipFile(path) as archive:
        schema = archive.read("schema.json").decode()
        names = [name for name in archive.namelist() if name != "schema.json"]
        text = json.dumps(json.loads(schema), separators=(",", ":"))
        files = b""
        for number, name in enumerate(names):
            short = f"{number}.npy"
            text = text.replace(name, short)
            files += b"\n--file " + short.encode() + b"\n" + archive.read(name)
    return text.encode() + files


main()
