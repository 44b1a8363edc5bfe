#!/usr/bin/env bash
# Makes tests/data/sklearn, tests/data/families, tests/data/friends, and XGBoost's and LightGBM's part of tests/data/boosters, anew: models
# fitted, saved and asked in each environment that `tools/setup.sh fixtures` makes. What families there are is asked of build/release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh fixtures
tools/build.sh release onward_estimator_rows
build/release/onward_estimator_rows > build/fixtures/rows.json
mkdir -p tests/data/families tests/data/friends
for environment in build/fixtures/*/; do
  version=$(basename "$environment")
  if [[ $version == boosters-* ]]; then
    for library in xgboost lightgbm; do
      number=$("$environment/bin/python" -c "import $library; print($library.__version__)")
      OMP_NUM_THREADS=1 "$environment/bin/python" tools/make_booster_fixtures.py "tests/data/boosters/$library-$number" "$library"
    done
    continue
  fi
  export PYTHONHASHSEED=0 OMP_NUM_THREADS=1
  if [[ $version == friends-* ]]; then
    for models in tools/friend_models/[!_t]*.py; do
      library=$(basename "$models" .py)
      number=$("$environment/bin/python" -c "from importlib.metadata import version; print(version('${library//_/-}'))")
      "$environment/bin/python" tools/make_friend_fixtures.py "$library" "tests/data/friends/${library//_/-}-$number.tar.xz"
    done
    continue
  fi
  "$environment/bin/python" tools/make_sklearn_fixtures.py "tests/data/sklearn/$version"
  "$environment/bin/python" tools/make_family_fixtures.py build/fixtures/rows.json "tests/data/families/scikit-learn-$version.tar.xz"
done
