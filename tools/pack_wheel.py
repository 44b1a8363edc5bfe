#!/usr/bin/env python3
"""Packs what a build made into a wheel and prints its path. Usage: pack_wheel.py BUILD_FOLDER TARGET_FOLDER

The same build gives the same bytes. The program comes along as the script `onward`.
"""
import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROUGHT_ALONG = ("libre2", "libutf8proc", "liblz4", "libbz2", "liblzma", "libjpeg", "libpng16", "libwebp", "libopenjp2")
# What is inside the wheel, as archives or beside it; Debian keeps each one's licence with its package.
PACKAGES = ("libre2-dev", "libutf8proc-dev", "liblz4-dev", "libbz2-dev", "liblzma-dev", "zlib1g-dev", "nlohmann-json3-dev")
OPTIONAL_PACKAGES = ("libjpeg62-turbo-dev", "libpng-dev", "libwebp-dev", "libopenjp2-7-dev")


def main():
    build, target = Path(sys.argv[1]), Path(sys.argv[2])
    version = (ROOT / "VERSION").read_text().strip()
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{tag}-{tag}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    info = f"onward-{version}.dist-info"
    members = {f"onward/{p.relative_to(ROOT / 'python/onward')}": p.read_bytes() for p in sorted((ROOT / "python/onward").rglob("*"))
               if p.suffix in (".py", ".pyi", ".typed")}
    members["onward/_source.py"] = (ROOT / "src/onward/validate/source.py").read_bytes()
    for extension in sorted((build / "extension").glob("_core*.so")):
        members[f"onward/{extension.name}"] = stripped(extension)
    library = build / f"libonward.so.{version.split('.')[0]}"
    members[f"onward/{library.name}"] = stripped(library)
    for name, path in brought_along(library):
        members[f"onward/{name}"] = path.read_bytes()
    members[f"onward-{version}.data/scripts/onward"] = stripped(build / "onward")
    for name in ("LICENSE", "NOTICE"):
        members[f"{info}/licenses/{name}"] = (ROOT / name).read_bytes()
    for package in (*PACKAGES, *OPTIONAL_PACKAGES):
        licence = Path("/usr/share/doc", package, "copyright")
        if package in PACKAGES or licence.exists():
            members[f"{info}/licenses/{package}/copyright"] = licence.read_bytes()
    members[f"{info}/METADATA"] = metadata(version).encode()
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: pack_wheel\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    members[f"{info}/RECORD"] = record(members, f"{info}/RECORD")
    target.mkdir(parents=True, exist_ok=True)
    wheel = target / f"onward-{version}-{tag}.whl"
    unfinished = wheel.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if "/scripts/" in name or ".so" in name else 0o100644) << 16
            archive.writestr(entry, content)
    os.replace(unfinished, wheel)
    print(wheel)


def stripped(binary):
    """Its bytes without symbols."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["strip", "-o", f"{folder}/stripped", str(binary)], check=True)
        return Path(folder, "stripped").read_bytes()


def brought_along(library):
    """(name, path) of the libraries beside the C and C++ runtime and the ubiquitous compressors, which other machines may lack."""
    for line in subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=True).stdout.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow and name.startswith(BROUGHT_ALONG):
            yield name, Path(path.split(" (")[0])


def metadata(version):
    return f"""Metadata-Version: 2.1
Name: onward
Version: {version}
Summary: Converts fitted scikit-learn models to ONNX, and runs ONNX models
License: Apache-2.0
Requires-Python: >=3.9
Provides-Extra: arrays
Requires-Dist: numpy>=1.23; extra == "arrays"
Description-Content-Type: text/markdown

{(ROOT / "README.md").read_text()}"""


def record(members, own_name):
    lines = []
    for name, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return ("".join(lines) + f"{own_name},,\n").encode()


if __name__ == "__main__":
    main()
