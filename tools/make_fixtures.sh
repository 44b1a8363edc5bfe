#!/usr/bin/env bash
# Makes tests/data/sklearn anew: a throw-away environment for each scikit-learn version, models fitted and answers recorded there.
# Usage: tools/make_fixtures.sh [FOLDER-FOR-ENVIRONMENTS]
# Needs Python 3.11, and Python 3.9 for scikit-learn 1.0 (name them in PYTHON311 and PYTHON39 where they are not on the path).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
environments=${1:-$(mktemp -d)}

make_version() {
  local version=$1 python=$2
  shift 2
  local environment=$environments/$version
  if [ ! -e "$environment/ok" ]; then
    "$python" -m venv "$environment"
    "$environment/bin/pip" install -q --disable-pip-version-check "scikit-learn==$version" lz4 "$@"
    touch "$environment/ok"
  fi
  PYTHONHASHSEED=0 OMP_NUM_THREADS=1 "$environment/bin/python" "$here/tools/make_sklearn_fixtures.py" "$here/tests/data/sklearn/$version"
}

python311=${PYTHON311:-python3.11}
make_version 1.0.2 "${PYTHON39:-python3.9}" "numpy<1.24" "scipy<1.10" "joblib<1.3" "pandas<2"
make_version 1.2.2 "$python311" "numpy<2" "scipy<1.12" "joblib<1.4" "pandas<2.1"
make_version 1.4.2 "$python311" "numpy<2" joblib "pandas<2.3"
make_version 1.6.1 "$python311" joblib "pandas<3"
make_version 1.7.2 "$python311" joblib "pandas<3"
make_version 1.9.1 "$python311" joblib pandas skops==0.16.0
