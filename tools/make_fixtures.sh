#!/usr/bin/env bash
# Makes tests/data/sklearn anew: models fitted, saved and asked in each environment that `tools/setup.sh fixtures` makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh fixtures
for environment in build/fixtures/*/; do
  version=$(basename "$environment")
  PYTHONHASHSEED=0 OMP_NUM_THREADS=1 "$environment/bin/python" tools/make_sklearn_fixtures.py "tests/data/sklearn/$version"
done
