"""The same comparison from C: writes models and rows to files, and lets c_calls.c take turns between the engines."""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LIBRARY = HERE.parent / "build/release"
ELEMENT_TYPES = {np.dtype(t): code for t, code in (
    (np.float32, 1), (np.uint8, 2), (np.int8, 3), (np.uint16, 4), (np.int16, 5), (np.int32, 6), (np.int64, 7), (object, 8), (np.bool_, 9),
    (np.float16, 10), (np.float64, 11), (np.uint32, 12), (np.uint64, 13))}


class CCalls:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onward-bench-"))
        self.program = self.folder / "c_calls"
        subprocess.run(["cc", "-O2", "-std=c11", "-D_GNU_SOURCE", f"-I{HERE.parent / 'include'}", str(HERE / "c_calls.c"), "-o", str(self.program),
                        f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lonward", "-ldl", "-lm"], check=True)

    def times(self, batch, seconds, ours, theirs=None):
        """{engine: microseconds of each call} of engines whose answers agree. ours, theirs: (the ONNX file, {input: all rows})."""
        found, differences = self.times_and_differences(batch, seconds, ours, theirs)
        if differences:
            sys.exit("from C the engines' answers differ")
        return found

    def times_and_differences(self, batch, seconds, ours, theirs=None, limit=None):
        """As `times`, and how many numbers of the first answers differ. A batch of 0 takes the inputs whole; limit: seconds before it is stopped."""
        arguments = [str(seconds), str(batch), *self.files("ours", *ours)]
        if theirs:
            arguments.append(str(onnxruntime_library()))
            arguments += self.files("ours" if theirs[0] == ours[0] else "theirs", *theirs)
        ran = subprocess.run([str(self.program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
        if ran.returncode:
            raise RuntimeError(ran.stderr.decode(errors="replace").strip() or f"ended with {ran.returncode}")
        found = json.loads(ran.stdout)
        return found, found.pop("differences")

    def files(self, name, content, feeds):
        model, rows = self.folder / f"{name}.onnx", self.folder / f"{name}.rows"
        model.write_bytes(content)
        with rows.open("wb") as out:
            lengths = [len(values) for values in feeds.values() if values.ndim]
            out.write(f"{len(feeds)} {lengths[0] if lengths else 1}\n".encode())
            for key, values in feeds.items():
                out.write(f"{ELEMENT_TYPES[values.dtype]} {' '.join(map(str, (values.ndim, *values.shape)))} {key}\n".encode())
                out.write(texts(values) if values.dtype == object else np.ascontiguousarray(values).tobytes())
        return [str(model), str(rows)]

    def close(self):
        shutil.rmtree(self.folder)


def texts(values):
    encoded = [str(v).encode() for v in values.ravel()]
    return b"".join(len(e).to_bytes(4, "little") + e for e in encoded)


def onnxruntime_library():
    import onnxruntime

    return next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
