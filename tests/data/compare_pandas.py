"""Compares what onward reads from CSV with what pandas reads: types, gaps and values of random and of awkward tables.

    python tests/data/compare_pandas.py build/release/onward_read_csv_dump [--rounds N]

`onward_read_csv_dump FILE` prints one JSON line: {"columns": [{"name", "type", "cells"}]}, gaps as null, numbers as hexadecimal floats.
Numbers are compared bit for bit with pandas' float_precision="round_trip", which rounds correctly.
"""
import argparse, json, random, subprocess, sys, tempfile

import pandas

AWKWARD = [
    "a,b\n1,x\n2,\n", "a\n1\n\n2\n", "a,b\n\n1,2\n   \n3,4\n", "f\n1e400\n-1e400\n1e-400\n", "i\n9223372036854775807\n-9223372036854775808\n",
    "b\nTrue\nFALSE\ntrue\n", "b\nTrue\n\nFalse\n", "b,c\nTrue,1\n,2\n", "n\nNA\nnull\nN/A\n", "s\n nan\nx\n", "f\n 1.5\n2.5 \n", "q\n\"a\"\"b\"\n\"c\nd\"\n", "a,a,a.1,\n1,2,3,4\n",
    "a;b\n1;2\n", "a\tb\n1\t2\n", "a|b\n1|2\n", "\ufeffa,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "f\n+1.5\n-.5\n5.\n", "f\n1_000\n2\n", "f\n0x10\n", "f\ninf\n-Infinity\n", "s\n1\nx\n",
    "s\nNone\nx\n", "e\n1e5\n1E-3\n", "i\n007\n", "i,j\n1,\n2,\n", "s\n\"NA\"\n\"\"\nx\n", "f\n.\n", "f\n-\n1\n", "f\n1.5\n",
]


def random_table(rng):
    cells = ["1", "-7", "2.5", "0.1", "1e-5", "True", "false", "", "NA", "x", "grün", "\"a,b\"", "\"\"\"q\"\"\"", "123456789012345678", "3.141592653589793", "nan", "9.99"]
    width, rows = rng.randint(1, 6), rng.randint(1, 30)
    pools = [rng.sample(cells, rng.randint(1, 4)) for _ in range(width)]
    lines = [",".join(f"c{i}" for i in range(width))] + [",".join(rng.choice(pool) for pool in pools) for _ in range(rows)]
    return "\n".join(lines) + "\n"


def by_pandas(path):
    frame = pandas.read_csv(path, float_precision="round_trip", sep=separator(path))
    out = []
    for name in frame.columns:
        column = frame[name]
        gap = column.isna()
        kind = {"i": "int64", "f": "float64", "b": "bool"}.get(column.dtype.kind, "string")
        if kind == "string" and len(column) and all(isinstance(v, bool) for v in column[~gap]):
            kind = "bool"  # pandas has objects where booleans have gaps
        if kind == "float64":
            cells = [None if g else float(v).hex() for v, g in zip(column, gap)]
        elif kind == "int64":
            cells = [int(v) for v in column]
        else:
            cells = [None if g else (bool(v) if kind == "bool" else str(v)) for v, g in zip(column, gap)]
        out.append({"name": name, "type": kind, "cells": cells})
    return out


def separator(path):
    with open(path, encoding="utf-8-sig") as f:
        first = f.readline()
    return max(",;\t|", key=first.count)


def by_onward(program, path):
    run = subprocess.run([program, path], capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip()
    columns = json.loads(run.stdout)["columns"]
    for c in columns:
        if c["type"] == "float64":
            c["cells"] = [None if v is None else float.fromhex(v).hex() for v in c["cells"]]
    return columns


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=300)
    args = parser.parse_args()
    rng = random.Random(5)
    texts = AWKWARD + [random_table(rng) for _ in range(args.rounds)]
    different = 0
    for text in texts:
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as f:
            f.write(text)
            f.flush()
            try:
                expected = by_pandas(f.name)
            except Exception as e:  # what pandas refuses, we may refuse
                expected = f"pandas: {e}"
            found = by_onward(args.program, f.name)
        if expected != found:
            different += 1
            print(f"{text!r}\n  pandas {expected}\n  onward {found}")
    print(f"{len(texts)} tables, {different} read differently")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
