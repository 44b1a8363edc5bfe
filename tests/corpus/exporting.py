"""What the scripts share: arguments, and a line for each model that an exporter refuses."""
import argparse
from pathlib import Path


def arguments(doc):
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where a folder for each model is written; those that are there already stay")
    parser.add_argument("--only", metavar="TEXT", default="", help="models with this text in their name")
    return parser.parse_args()


def refused(name, error):
    print(f"refused: {name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}", flush=True)
