#!/usr/bin/env bash
# Packs the Python package as a wheel in dist/ and installs it into build/venv. Compiles no more than the extension and links the
# library: the rooms come from build/release as they are. Fast when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=build/venv/bin/python
tools/build.sh release onward onward_library onward_python
wheel=$("$python" tools/pack_wheel.py build/release dist)
hash=$(sha256sum "$wheel" | cut -d' ' -f1)
stamp=build/venv/.installed-wheel
if [[ -f $stamp && $(<"$stamp") == "$hash" ]] && "$python" -c 'import onward' 2>/dev/null; then exit 0; fi
"$python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$wheel"
echo "$hash" > "$stamp"
