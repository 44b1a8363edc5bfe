#!/usr/bin/env bash
# Makes the corpus: every exporter's models below FOLDER, the same on every machine. Usage: tests/corpus/make.sh FOLDER
#
# `tools/setup.sh corpus` comes first. Models that are there already stay; what an exporter refuses is listed in FOLDER/<exporter>.log.
set -euo pipefail
folder=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "$folder"
export OMP_NUM_THREADS=1
make() { echo "make: $2"; "build/corpus/$1/bin/python" "tests/corpus/$3.py" "$folder/$2" "${@:4}" >"$folder/$2.log" 2>&1; }
make torch torch_legacy torch_legacy
make torch torch_dynamo torch_dynamo
make torch onnxscript onnxscript_models
make torch converters converters
make torch quantised quantised "$folder/torch_legacy"
make tensorflow tf2onnx tensorflow_models
