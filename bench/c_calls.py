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
ELEMENT_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7, np.dtype(object): 8, np.dtype(np.bool_): 9, np.dtype(np.float64): 11}


class CCalls:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onward-bench-"))
        self.program = self.folder / "c_calls"
        subprocess.run(["cc", "-O2", "-std=c11", "-D_GNU_SOURCE", f"-I{HERE.parent / 'include'}", str(HERE / "c_calls.c"), "-o", str(self.program),
                        f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lonward", "-ldl", "-lm"], check=True)

    def times(self, batch, seconds, ours, theirs=None):
        """{engine: microseconds of each call}. ours, theirs: (the ONNX file, {input: all rows})."""
        arguments = [str(seconds), str(batch), *self.files("ours", *ours)]
        if theirs:
            arguments.append(str(onnxruntime_library()))
            arguments += self.files("ours" if theirs[0] == ours[0] else "theirs", *theirs)
        found = json.loads(subprocess.run([str(self.program), *arguments], check=True, stdout=subprocess.PIPE).stdout)
        if found.pop("differences"):
            sys.exit("from C the engines' answers differ")
        return found

    def files(self, name, content, feeds):
        model, rows = self.folder / f"{name}.onnx", self.folder / f"{name}.rows"
        model.write_bytes(content)
        with rows.open("wb") as out:
            out.write(f"{len(feeds)} {len(next(iter(feeds.values())))}\n".encode())
            for key, values in feeds.items():
                out.write(f"{ELEMENT_TYPES[values.dtype]} {values.shape[1]} {key}\n".encode())
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
