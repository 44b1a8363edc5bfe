#!/usr/bin/env bash
# Installs what a tier needs: Debian packages and, in build/venv, pinned Python packages. Fast when nothing is missing.
#
#   tools/setup.sh quickstart|check|bench|fixtures|corpus|arm64
#
# A tier includes the ones before it. fixtures also makes build/fixtures/<version>: one environment for each
# scikit-learn version that files in tests/data/sklearn are written with. corpus makes build/corpus/<name> instead: the frameworks and
# exporters of tests/corpus. bench makes build/bench/<name>: the engines that bench/tabular.py measures beside. arm64 is for
# ./check --arm64: a compiler, qemu, and in build/arm64-root the libraries of a Debian for arm64. bench, fixtures, corpus and arm64 are
# for developers; ./quickstart and ./check alone use none of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly tiers=(quickstart check bench fixtures corpus arm64)
readonly venv=build/venv

main() {
  local wanted=${1:-}
  if [[ ! " ${tiers[*]} " == *" $wanted "* ]]; then
    echo "usage: tools/setup.sh ${tiers[*]/%/ |}" | sed 's/ |$//' >&2
    exit 2
  fi
  local up_to=()
  for tier in "${tiers[@]}"; do
    up_to+=("$tier")
    [[ $tier == "$wanted" ]] && break
  done
  install_debian_packages "${up_to[@]}"
  install_python_packages "${up_to[@]}"
  if is_of_environments "$wanted"; then make_environments "$wanted"; fi
  if [[ $wanted == arm64 ]]; then unpack_arm64_libraries; fi
}

# Whether a tier is environments of its own, rather than packages for build/venv.
is_of_environments() { [[ $1 == bench || $1 == fixtures || $1 == corpus ]]; }

# The interpreter of Debian, not the first on the PATH: its headers are the ones that python3-dev brings.
system_python() { if [[ -n ${ONWARD_PYTHON:-} ]]; then echo "$ONWARD_PYTHON"; else echo /usr/bin/python3; fi; }

install_debian_packages() {
  local packages=() missing=()
  for tier in "$@"; do
    mapfile -t -O "${#packages[@]}" packages < <(sed -n "s/^$tier //p" tools/apt-packages.txt)
  done
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if (( ${#missing[@]} == 0 )); then return; fi
  local as_root=()
  if (( EUID != 0 )); then
    if ! command -v sudo >/dev/null; then
      echo "setup: these Debian packages are missing, and installing them needs root or sudo: ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

# A stamp with the hash of a tier's file says that it is installed; the environment is made again if its interpreter is gone.
install_python_packages() {
  "$venv/bin/python" -c '' 2>/dev/null || { rm -rf "$venv" && "$(system_python)" -m venv "$venv"; }
  for tier in "$@"; do
    local file=python/requirements/$tier.txt stamp=$venv/.installed-$tier
    if is_of_environments "$tier" || [[ $tier == arm64 ]]; then continue; fi
    local hash
    hash=$(sha256sum "$file" | cut -d' ' -f1)
    [[ -f $stamp && $(<"$stamp") == "$hash" ]] && continue
    echo "setup: installing python/requirements/$tier.txt into $venv"
    # Packages that come as source are built with the pinned setuptools, not with whichever is newest today.
    mapfile -t builder < <(grep '^setuptools==' "$file" || true)
    if (( ${#builder[@]} )); then quietly "$venv/bin/pip" install --no-deps "${builder[@]}"; fi
    quietly "$venv/bin/pip" install --no-deps --no-build-isolation --use-pep517 -r "$file"
    quietly "$venv/bin/pip" check
    echo "$hash" > "$stamp"
  done
}

# Lines of python/requirements/TIER.txt: the environment's name, an interpreter, what pip installs. One that cannot be made is said at the
# end, and keeps none of the others from being made.
make_environments() {
  local version interpreter packages failed=()
  while read -r version interpreter packages; do
    [[ $version == \#* || -z $version ]] && continue
    local folder=build/$1/$version
    [[ -f $folder/.installed && $(<"$folder/.installed") == "$packages" ]] && continue
    if [[ $interpreter == python3.9 ]]; then interpreter=${PYTHON39:-python3.9}; else interpreter=$(system_python); fi
    echo "setup: making $folder"
    rm -rf "$folder"
    # shellcheck disable=SC2086  # the line is a list
    if quietly "$interpreter" -m venv "$folder" && quietly "$folder/bin/pip" install --no-deps $packages; then
      echo "$packages" > "$folder/.installed"
    else
      rm -rf "$folder"
      failed+=("$folder")
    fi
  done < "python/requirements/$1.txt"
  if (( ${#failed[@]} )); then
    echo "setup: could not be made: ${failed[*]}" >&2
    return 1
  fi
}

# The libraries that the build needs, of arm64, with all that they depend on: unpacked, not installed, by lists of packages that stand
# beside them, so that the machine's own packages and lists stay as they are.
unpack_arm64_libraries() {
  local root=$PWD/build/arm64-root packages
  mapfile -t packages < <(sed -nE '/python/d; s/^(quickstart|check) (.*-dev)$/\2/p' tools/apt-packages.txt)
  if [[ -f $root/.unpacked && $(<"$root/.unpacked") == "${packages[*]}" ]]; then return; fi
  echo "setup: unpacking libraries of arm64 into build/arm64-root"
  rm -rf "$root"
  local apt=$root/apt
  mkdir -p "$apt"/{lists,cache/archives}/partial
  : > "$apt/status"
  local options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$apt" -o Dir::State::status="$apt/status"
                 -o Dir::Cache="$apt/cache" -o APT::Install-Recommends=false -o APT::Sandbox::User= -o Debug::NoLocking=1)
  quietly apt-get "${options[@]}" update
  quietly apt-get "${options[@]}" --yes --download-only install "${packages[@]}"
  for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
  rm -r "$apt"
  echo "${packages[*]}" > "$root/.unpacked"
}

# Runs a command, and shows what it said only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if (( status )); then
    cat "$log" >&2
    echo "setup: '$*' failed with exit code $status" >&2
  fi
  rm -f "$log"
  return "$status"
}

main "$@"
