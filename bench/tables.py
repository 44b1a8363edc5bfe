#!/usr/bin/env python3
"""predict() of one row of a table in each of the forms that callers have. Usage: build/venv/bin/python bench/tables.py [--seconds S] [--write]

The model is w2 of tabular_models.py, ten columns of numbers and five of words, converted by onward; scikit-learn answers for the frame. The
forms take turns, each call on the next row, with one thread. Microseconds a call, median ± half the span between quartiles. --write puts
the table into docs/performance.md.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

import measuring
import tabular
import tabular_models

HEADING = "## One row of a table"
ROWS, WARMING_CALLS = 1000, 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(" Usage")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for all forms together")
    parser.add_argument("--folder", type=Path, default=tabular.BUILD / "bench", help="where the environments and, in tabular/, the models are")
    parser.add_argument("--write", metavar="DOCUMENT", type=Path, nargs="?", const=tabular.HERE.parent / "docs/performance.md", help="put the table into docs/performance.md")
    options = parser.parse_args()
    folder, workload = options.folder.resolve() / "tabular", tabular_models.WORKLOADS["w2"]
    tabular.make_models(folder, [workload])
    package = tabular.measured_package()
    if package:
        sys.path.insert(0, str(package))
    forms = calls(folder / "w2", package)
    for call in forms.values():
        for _ in range(WARMING_CALLS):                   # what is imported and found out about columns once is not measured
            call()
    times = measuring.taking_turns(forms, options.seconds)
    lines = [f"| {form} | {np.median(t):,.1f} ±{(np.quantile(t, 0.75) - np.quantile(t, 0.25)) / 2:,.1f} |" for form, t in times.items()]
    print("\n".join(lines))
    if options.write:
        head = [HEADING, "", f"Written by `bench/tables.py --write` on {measuring.processor()}, one thread{measuring.load()}: `predict` of one row of w2, ten columns of numbers and five of",
                "words, in microseconds, median ± half the span between quartiles; every call takes the next row.", "", "| table | µs |", "| --- | ---: |"]
        measuring.put(options.write, HEADING, "\n".join(head + lines) + "\n")


def calls(folder, package):
    """{form: a function that predicts its next row}."""
    import joblib
    import onward
    import pandas
    import polars
    import pyarrow

    options = onward.SessionOptions()
    options.intra_op_num_threads = 1
    session = onward.InferenceSession(str(tabular.exact_file(folder, package)), options)
    frame = pandas.DataFrame(tabular_models.load_rows(folder / "rows.npz")[0])[:ROWS]
    forms = {"pandas.DataFrame": lambda piece: piece, "dict of lists": lambda piece: piece.to_dict("list"), "dict of arrays": lambda piece: {name: column.to_numpy() for name, column in piece.items()},
             "list of dicts": lambda piece: piece.to_dict("records"), "polars.DataFrame": polars.from_pandas, "pyarrow.Table": lambda piece: pyarrow.Table.from_pandas(piece, preserve_index=False)}
    made = {form: measuring.rotating(session.predict, frame, 1, prepared) for form, prepared in forms.items()}
    return {**made, "pandas.DataFrame, scikit-learn": measuring.rotating(joblib.load(tabular_models.source_of(folder)).predict_proba, frame, 1)}


if __name__ == "__main__":
    main()
