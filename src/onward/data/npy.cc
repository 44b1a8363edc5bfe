// Reading .npy and .npz.
#include "onward/data/npy.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "onward/base/byte_reader.h"
#include "onward/base/unicode.h"
#include "onward/base/zip.h"
#include "onward/data/npy_header.h"

namespace onward {
namespace {

// Where element i of the row-major result lies in the file: in Fortran order the first axis runs fastest.
class Order {
 public:
  Order(const Dims& dims, bool fortran) : dims_(dims), at_(dims.size()), plain_(!fortran || dims.size() < 2) {
    const bool empty = count(dims) == 0;                 // an empty array's other sizes may be anything
    int64_t stride = 1;
    for (const int64_t d : dims) strides_.push_back(stride), stride *= empty ? 1 : d;
  }
  bool plain() const { return plain_; }
  template <class F> void for_each(int64_t n, F f) {
    int64_t place = 0;
    for (int64_t i = 0; i < n; ++i) {
      f(i, plain_ ? i : place);
      for (size_t axis = dims_.size(); !plain_ && axis-- > 0;) {
        place += strides_[axis];
        if (++at_[axis] < dims_[axis]) break;
        place -= strides_[axis] * dims_[axis], at_[axis] = 0;
      }
    }
  }

 private:
  Dims dims_, at_, strides_;
  bool plain_;
};

template <class T> T swapped(T value) {
  auto* bytes = reinterpret_cast<char*>(&value);
  std::reverse(bytes, bytes + sizeof value);
  return value;
}
template <class P> std::complex<P> swapped(std::complex<P> v) { return {swapped(v.real()), swapped(v.imag())}; }

std::string text_from(std::string_view cell, bool wide, bool big_endian) {
  std::string out;
  if (!wide) {
    out = cell.substr(0, cell.find_last_not_of('\0') + 1);
    if (!is_utf8(out)) throw Error(Code::bad_file, "a bytes array (dtype S) holds text that is not UTF-8", "save it as str (dtype U)");
    return out;
  }
  size_t end = 0;
  for (size_t i = 0; i < cell.size(); i += 4) {
    uint32_t c;
    std::memcpy(&c, cell.data() + i, 4);
    append_utf8(out, big_endian ? swapped(c) : c);
    if (c) end = out.size();
  }
  out.resize(end);                                       // NumPy fills up with zeros
  return out;
}

Tensor texts(const NpyHeader& h, std::string_view data) {
  Tensor out(DataType::str, h.dims);
  Order(h.dims, h.fortran).for_each(out.size(), [&](int64_t i, int64_t place) {
    out.data<std::string>()[i] = text_from(data.substr(size_t(place) * h.item_size, h.item_size), h.wide_text, h.big_endian);
  });
  return out;
}

Tensor elements(const NpyHeader& h, std::string_view data, const std::shared_ptr<const void>& owner) {
  Order order(h.dims, h.fortran);
  const bool in_place = owner && order.plain() && !h.big_endian && h.type != DataType::b8 && reinterpret_cast<uintptr_t>(data.data()) % h.item_size == 0;
  if (in_place) return Tensor::view(h.type, h.dims, data.data(), owner);
  Tensor out(h.type, h.dims);
  if (order.plain() && !h.big_endian && h.type != DataType::b8) {
    data.copy(static_cast<char*>(out.raw()), data.size());
    return out;
  }
  for_type<every_type - str>(h.type, [&]<class T>() {
    order.for_each(out.size(), [&](int64_t i, int64_t place) {
      const char* from = data.data() + size_t(place) * sizeof(T);
      if constexpr (std::is_same_v<T, bool>) {
        out.data<T>()[i] = *from != 0;
      } else {
        T value;
        std::memcpy(&value, from, sizeof value);
        out.data<T>()[i] = h.big_endian ? swapped(value) : value;
      }
    });
  });
  return out;
}

// "Not a time" stays; what does not fit into 64 bits of nanoseconds becomes it.
Tensor nanoseconds(const Tensor& tensor, int64_t unit) {
  Tensor out(DataType::i64, tensor.dims());
  for (int64_t i = 0; i < out.size(); ++i) {
    int64_t& ns = out.data<int64_t>()[i];
    const int64_t value = tensor.data<int64_t>()[i];
    if (value == INT64_MIN || __builtin_mul_overflow(value, unit, &ns)) ns = INT64_MIN;
  }
  return out;
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.starts_with(npy_magic); }

NpyArray read_npy(std::string_view bytes, std::shared_ptr<const void> owner, const NpyLimits& limits) {
  ByteReader in(bytes);
  const NpyHeader h = read_npy_header(in);
  size_t size = 0;
  const int64_t n = count(h.dims);
  if (__builtin_mul_overflow(size_t(n), h.item_size, &size) || size > in.left())
    fail(Code::bad_file, "the array of shape ", shown(h.dims), " needs ", h.item_size, " bytes an element, the file holds ", in.left(), " bytes of them");
  const size_t in_memory = h.type == DataType::str ? size_t(n) * sizeof(std::string) + size : size;
  if (in_memory > limits.bytes) fail(Code::limit_memory, "the array of shape ", shown(h.dims), " needs ", in_memory, " bytes, the limit is ", limits.bytes);
  const std::string_view data = in.take(size);
  NpyArray array;
  array.tensor = h.type == DataType::str ? texts(h, data) : elements(h, data, owner);
  array.datetime = h.time_unit != 0;
  if (array.datetime) array.tensor = nanoseconds(array.tensor, h.time_unit);
  return array;
}

std::vector<NpyArray> read_npz(std::string_view bytes, std::shared_ptr<const void> owner, const NpyLimits& limits) {
  std::vector<NpyArray> arrays;
  size_t left = limits.bytes;
  for (const ZipEntry& entry : zip_entries(bytes)) {
    std::string name = entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
    auto scratch = std::make_shared<std::string>();
    try {
      const std::string_view content = unzip(entry, *scratch, left);
      arrays.push_back(read_npy(content, entry.deflated ? std::shared_ptr<const void>(scratch) : owner, {left}));
    } catch (Error& e) {
      throw e.within(text("array '", name, "'"));
    }
    arrays.back().name = std::move(name);
    left -= std::min(left, std::max<size_t>(entry.size, arrays.back().tensor.bytes()));
  }
  return arrays;
}

}  // namespace onward
