#!/bin/sh
# Installs the library into a fresh folder and builds the consumers against it: found by CMake, and by pkg-config.
# Usage: package_test.sh BUILD_FOLDER FITTED_MODEL
set -eu
build=$1 fitted=$2 tests=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/installed" --component library >/dev/null

mkdir "$folder/project"
cat > "$folder/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(consumer C CXX)
find_package(onward CONFIG REQUIRED)
add_executable(consumer_c $tests/consumer.c)
add_executable(consumer_cc $tests/consumer.cc)
set_target_properties(consumer_cc PROPERTIES CXX_STANDARD 17)
target_link_libraries(consumer_c PRIVATE onward::onward)
target_link_libraries(consumer_cc PRIVATE onward::onward)
END
cmake -G Ninja -S "$folder/project" -B "$folder/project/build" -DCMAKE_PREFIX_PATH="$folder/installed" >/dev/null
cmake --build "$folder/project/build" >/dev/null
"$folder/project/build/consumer_c" "$fitted"
"$folder/project/build/consumer_cc" "$fitted"

PKG_CONFIG_PATH=$(dirname "$(find "$folder/installed" -name onward.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # the answer is a list of flags
cc -std=c99 -pedantic "$tests/consumer.c" -o "$folder/consumer" $(pkg-config --cflags --libs onward)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir onward) "$folder/consumer" "$fitted"
