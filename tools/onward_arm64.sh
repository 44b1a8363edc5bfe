#!/usr/bin/env bash
# The program of ./check --arm64, run under qemu. Usage: that of onward.
root=$(dirname "${BASH_SOURCE[0]}")/../build
exec qemu-aarch64 -L "$root/arm64-root" "$root/arm64/onward" "$@"
