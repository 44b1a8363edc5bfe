#!/usr/bin/env bash
# Configures a preset and builds targets of it. Usage: tools/build.sh PRESET [TARGET...]; ONWARD_JOBS limits parallel compile jobs.
#
# ./quickstart and ./check share build/release. The tests are configured wherever GoogleTest is installed, so that neither of the two
# reconfigures, and with it rebuilds, what the other made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Paths relative to the checkout: what one clone compiled serves the next.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
# The compiler's messages in one language: it is a part of what the cache compares.
unset LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES
export LANG=C
preset=$1
shift
tests=OFF
if [[ $(dpkg-query -W -f='${db:Status-Status}' libgtest-dev 2>/dev/null) == installed ]]; then tests=ON; fi
log=build/$preset-build.log
mkdir -p build
run() { "$@" >"$log" 2>&1 || { tail -n 60 "$log" >&2; echo "build: '$*' failed; the whole output is in $log" >&2; exit 1; }; }
# The compiler cache preprocesses a header that is to be precompiled with its last precompiled form, if that is still there, and then takes
# another checkout's newer form for this one's.
for gch in "build/$preset"/CMakeFiles/*/cmake_pch.hxx.gch; do
  if [[ -e $gch && -n $(find src include -name '*.h' -newer "$gch" -print -quit) ]]; then rm -f "$gch"; fi
done
run cmake --preset "$preset" -DONWARD_TESTS=$tests
run cmake --build "build/$preset" -j "${ONWARD_JOBS:-$(nproc)}" --target "${@:-all}"
