"""Writes the .npy and .npz files of this folder with NumPy (2.x). Run it in this folder; the files are kept in the repository."""
import numpy as np

a = np.arange(6, dtype=np.float64).reshape(2, 3) / 4
np.save("f8.npy", a)
np.save("f8_fortran.npy", np.asfortranarray(a))
np.save("f4_big_endian.npy", a.astype(">f4"))
np.save("i2_cube_fortran.npy", np.asfortranarray(np.arange(24, dtype=">i2").reshape(2, 3, 4)))
np.save("bool.npy", np.array([True, False, True]))
np.save("text.npy", np.array(["a", "", "grün 😀"]))
np.save("text_big_endian.npy", np.array(["a", "é"], dtype=">U3"))
np.save("bytes.npy", np.array([b"ab", b"c"]))
np.save("time.npy", np.array(["1970-01-02", "NaT"], dtype="M8[s]"))
np.save("scalar.npy", np.float32(7))
np.save("empty.npy", np.zeros((0, 3)))
np.save("object.npy", np.array([{"a": 1}], dtype=object))
np.save("record.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
np.save("longdouble.npy", np.array([1], dtype=np.longdouble))
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, np.arange(3), version=(2, 0))
with open("version3.npy", "wb") as f:
    np.lib.format.write_array(f, np.arange(3), version=(3, 0))
np.savez("stored.npz", age=np.array([1.5, np.nan]), city=np.array(["Oslo", "Rome"]), m=np.arange(4).reshape(2, 2))
np.savez_compressed("deflated.npz", age=np.arange(1000.0), k=np.arange(1000))
