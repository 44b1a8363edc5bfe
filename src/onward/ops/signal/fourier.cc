// DFT, STFT: spectra of signals and of their windowed frames; real signals have a last axis of size 1, complex ones of size 2.
#include "onward/ops/control.h"
#include "onward/ops/fourier.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

using Complex = std::complex<double>;

int64_t single(const Dims& values, std::string_view name) {
  if (values.size() != 1) invalid(name, " has ", values.size(), " elements, expected 1");
  return values[0];
}

void check_parts(const Dims& x) {
  if (x.size() < 2 || (!is_symbol(x.back()) && x.back() != 1 && x.back() != 2)) invalid("expected a last axis of size 1 or 2, found shape ", shown(x));
}

// The sequence of stride `inner` from `first`, real or complex, cut or filled up with zeros to the size of `to`.
void load(const double* x, int64_t first, int64_t n, int64_t inner, int64_t parts, std::span<Complex> to) {
  for (int64_t i = 0; i < int64_t(to.size()); ++i) {
    const double* at = x + (first + i * inner) * parts;
    to[size_t(i)] = i < n ? Complex(at[0], parts == 2 ? at[1] : 0) : Complex(0);
  }
}

struct DFT : standard::DFT {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    check_parts(out);
    const auto axis = io.has(2) ? io.values(2) : std::optional<Dims>(Dims{-2});
    if (!axis) {
      if (io.has(1) || onesided) out = io.unknown_dims(out.size());
      out.back() = onesided && inverse ? 1 : 2;
      return io.output(0, out);
    }
    const int64_t at = place(single(*axis, "axis"), int64_t(out.size()));
    const auto length = io.has(1) ? io.sizes(1) : std::nullopt;
    int64_t n = out[size_t(at)];
    if (length) n = single(*length, "dft_length");
    else if (io.has(1)) n = io.unknown();
    else if (onesided && inverse) n = io.multiply(2, io.subtract(n, 1));
    if (!is_symbol(n) && n < 1) invalid("a transform of ", n, " elements");
    if (onesided && !io.symbols && out.back() != (inverse ? 2 : 1)) invalid("a one-sided transform of an input of shape ", shown(out));
    out[size_t(at)] = onesided && !inverse ? io.add(io.divide(n, 2), 1) : n;
    out.back() = onesided && inverse ? 1 : 2;
    io.output(0, out);
  }

  void run(Call& call) const {
    const Tensor &y = call.output(0), x = as_type(call, call.tensor(0), DataType::f64), to = as_output(call, y, DataType::f64);
    const int64_t at = place(call.has(2) ? integers(call.tensor(2))[0] : -2, x.rank()), rank = x.rank() - 1;
    const int64_t given = x.dims()[size_t(at)], kept = y.dims()[size_t(at)], parts = x.dims().back(), out_parts = y.dims().back();
    const int64_t n = onesided && !inverse ? call.has(1) ? integers(call.tensor(1))[0] : given : kept;
    const int64_t outer = product(x.dims(), 0, at), inner = product(x.dims(), at + 1, rank);
    const Fourier transform(n, inverse != 0);
    call.context.parallel(outer * inner, 20.0 * double(n), [&](int64_t begin, int64_t end) {
      std::vector<Complex> line(static_cast<size_t>(n));
      for (int64_t i = begin; i < end; ++i) {
        call.context.check();
        load(x.data<double>(), i / inner * given * inner + i % inner, given, inner, parts, line);
        if (onesided && inverse) for (int64_t k = n / 2 + 1; k < n; ++k) line[size_t(k)] = std::conj(line[size_t(n - k)]);
        transform.run(line.data());
        for (int64_t k = 0; k < kept; ++k) {
          double* value = to.data<double>() + (i / inner * kept * inner + k * inner + i % inner) * out_parts;
          value[0] = line[size_t(k)].real();
          if (out_parts == 2) value[1] = line[size_t(k)].imag();
        }
      }
    });
    store(to, y);
  }

 private:
  static int64_t place(int64_t axis, int64_t rank) {
    const int64_t at = axis_of(axis, rank);
    if (at == rank - 1) invalid("axis ", axis, " is that of real and imaginary parts");
    return at;
  }
};

struct STFT : standard::STFT {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    check_parts(x);
    if (x.size() != 3) invalid("expected a batch of signals, found shape ", shown(x));
    const auto step = io.sizes(1), length = io.has(3) ? io.sizes(3) : std::nullopt;
    int64_t frame = io.has(2) ? io.dims(2).size() == 1 ? io.dims(2)[0] : 0 : x[1];
    if (length) frame = single(*length, "frame_length");
    else if (io.has(3)) frame = io.unknown();
    if (io.has(2) && !io.symbols && io.dims(2) != Dims{frame}) invalid("a window of shape ", shown(io.dims(2)), " for frames of ", frame);
    const int64_t by = step ? single(*step, "frame_step") : io.unknown();
    if ((!is_symbol(by) && by < 1) || (!is_symbol(frame) && frame < 1)) invalid("frames of ", frame, " every ", by);
    if (onesided && !is_symbol(x[2]) && x[2] != 1) invalid("a one-sided transform of complex signals");
    if (!is_symbol(frame) && !is_symbol(x[1]) && frame > x[1]) invalid("frames of ", frame, " in signals of ", x[1]);
    const int64_t bins = onesided ? io.add(io.divide(frame, 2), 1) : frame;
    io.output(0, {x[0], io.add(io.divide(io.subtract(x[1], frame), by), 1), bins, 2});
  }

  void run(Call& call) const {
    const Tensor &y = call.output(0), x = as_type(call, call.tensor(0), DataType::f64), to = as_output(call, y, DataType::f64);
    const int64_t step = integers(call.tensor(1))[0], signal = x.dims()[1], parts = x.dims()[2], frames = y.dims()[1], bins = y.dims()[2];
    const int64_t n = call.has(3) ? integers(call.tensor(3))[0] : call.has(2) ? call.tensor(2).size() : signal;
    const auto window = call.has(2) ? as_doubles(call.tensor(2)) : std::vector<double>(size_t(n), 1.0);
    const Fourier transform(n, false);
    call.context.parallel(x.dims()[0] * frames, 20.0 * double(n), [&](int64_t begin, int64_t end) {
      std::vector<Complex> line(static_cast<size_t>(n));
      for (int64_t i = begin; i < end; ++i) {
        call.context.check();
        load(x.data<double>(), i / frames * signal + i % frames * step, n, 1, parts, line);
        for (int64_t k = 0; k < n; ++k) line[size_t(k)] *= window[size_t(k)];
        transform.run(line.data());
        for (int64_t k = 0; k < bins; ++k) to.data<double>()[(i * bins + k) * 2] = line[size_t(k)].real(), to.data<double>()[(i * bins + k) * 2 + 1] = line[size_t(k)].imag();
      }
    });
    store(to, y);
  }
};

}  // namespace

Operators signal_fourier() {
  return {define<DFT>({.tolerance = 1e-6, .examples = {"float [[[1], [2], [3]]] -> float [[[6, 0], [-1.5, 0.8660254], [-1.5, -0.8660254]]]", "double [[1], [0]], , int64 0; onesided=1 -> double [[1, 0], [1, 0]]"}}),
          define<STFT>({.tolerance = 1e-6, .examples = {"float [[[1], [2], [3], [4]]], int64 2, float [1, 1]; onesided=1 -> float [[[[3, 0], [-1, 0]], [[7, 0], [-1, 0]]]]"}})};
}

}  // namespace onward::ops
