"""The part of the corpus that is kept in the repository: a zip for each exporter, with the answers that were agreed on recorded.

A model is kept when it brings an operator that no model of its exporter before it has, and is small; of its opsets one that its name picks,
so that all of them occur. Zips are the same for the same models.
"""
import zipfile
from pathlib import Path

import onnx

from case import seed_of

STORED = Path(__file__).resolve().parent / "stored"
LARGEST = 9000  # bytes of a case, its values included


def unpack(into):
    for archive in sorted(STORED.glob("*.zip")):
        with zipfile.ZipFile(archive) as files:
            files.extractall(into / archive.stem)
    return into


def pack(folder, results):
    kept = {}
    for name, files in chosen(folder, results):
        kept.setdefault(name.partition("/")[0], {}).update({f"{name.partition('/')[2]}/{file}": content for file, content in files.items()})
    STORED.mkdir(exist_ok=True)
    for exporter, files in kept.items():
        with zipfile.ZipFile(STORED / f"{exporter}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def chosen(folder, results):
    seen, by_model = set(), {}
    for name, result in results.items():
        if not result.problem:
            by_model.setdefault(name.rpartition("-")[0] if name.rpartition("-")[2].isdigit() else name, []).append(name)
    for model, names in sorted(by_model.items()):
        name = sorted(names)[seed_of(model) % len(names)]
        files = {p.name: p.read_bytes() for p in sorted((folder / name).iterdir()) if not p.name.startswith("source_")} | results[name].record
        operators = {(name.partition("/")[0], *operator) for operator in operators_of(onnx.load_from_string(files["model.onnx"]).graph)}
        if sum(map(len, files.values())) <= LARGEST and operators - seen:
            seen |= operators
            yield name, files


def operators_of(graph):
    for node in graph.node:
        yield node.domain, node.op_type
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from operators_of(attribute.g)
