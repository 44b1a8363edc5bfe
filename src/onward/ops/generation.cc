#include "onward/ops/generation.h"

#include <cmath>

#include "onward/ops/control.h"
#include "onward/ops/typed.h"

namespace onward {
namespace {

constexpr float forbidden = -3.4028234663852886e38f;      // the lowest float: below any score, and still a number

void check_form(const Graph& g, std::string_view name) {
  if (g.inputs.size() < 4 || g.outputs.size() + 2 != g.inputs.size())
    invalid(name, " has ", g.inputs.size(), " inputs and ", g.outputs.size(), " outputs, expected tokens, positions, a mask and caches, and scores and as many caches");
}

int64_t known(const TypeInfo& cache, size_t axis, std::string_view what) {
  if (!cache.shape || cache.shape->size() != 5 || !(*cache.shape)[axis].size || *(*cache.shape)[axis].size < 1) invalid("the decoder's cache does not say its ", what);
  return *(*cache.shape)[axis].size;
}

Tensor matrix(const Call& call, int64_t rows, const std::vector<int32_t>& values) {
  const Tensor t = call.scratch(DataType::i32, {rows, rows ? int64_t(values.size()) / rows : 0});
  std::copy(values.begin(), values.end(), t.data<int32_t>());
  return t;
}

}  // namespace

Decoder::Decoder(const Preparation& at, const GraphRef& next, const GraphRef& first) {
  if (!next) fail(Code::bad_model, "attribute 'decoder' is missing");
  for (const GraphRef& g : {next, first}) if (g) check_form(*g, g == next ? "decoder" : "init_decoder");
  layers_ = next->inputs.size() - 3;
  if (first && first->inputs.size() != next->inputs.size()) invalid("decoder and init_decoder have different numbers of caches");
  const TypeInfo& cache = next->inputs[3].type;
  heads_ = known(cache, 2, "number of heads"), width_ = known(cache, 4, "width"), type_ = cache.element;
  if (!contains(f32 | f16 | bf16 | f64, type_)) invalid("the decoder's cache has element type ", name_of(type_));
  next_ = at.compile(next);
  if (first) first_ = at.compile(first);
}

Decoder::State Decoder::start(const Call& call, std::vector<int32_t> mask, int64_t rows) const {
  State s{.rows = rows, .mask = std::move(mask)};
  s.caches.assign(layers_, Value(call.scratch(type_, {2, rows, heads_, 0, width_})));
  return s;
}

Tensor Decoder::step(const Call& call, State& s, const std::vector<int32_t>& tokens) const {
  const int64_t rows = s.rows, now = rows ? int64_t(tokens.size()) / rows : 0, before = rows ? int64_t(s.mask.size()) / rows : 0;
  std::vector<int32_t> at;
  const bool first = s.positions.empty();
  if (first) {
    for (int64_t r = 0; r < rows; ++r) for (int32_t i = 0, p = -1; i < before; ++i) p += s.mask[size_t(r * before + i)], at.push_back(std::max(p, 0));
    for (int64_t r = 0; r < rows; ++r) s.positions.push_back(at[size_t((r + 1) * before - 1)]);
  } else {
    std::vector<int32_t> longer;
    for (int64_t r = 0; r < rows; ++r) longer.insert(longer.end(), s.mask.begin() + r * before, s.mask.begin() + (r + 1) * before), longer.push_back(1), at.push_back(++s.positions[size_t(r)]);
    s.mask = std::move(longer);
  }
  std::vector<Value> arguments{matrix(call, rows, tokens), matrix(call, rows, at), matrix(call, rows, s.mask)};
  arguments.insert(arguments.end(), s.caches.begin(), s.caches.end());
  auto answers = (first && first_ ? *first_ : *next_).run(arguments, call);
  const Tensor scores = as_type(call, tensor_of(answers[0], "decoder's scores"), DataType::f32);
  if (scores.rank() != 3 || scores.dims()[0] != rows || scores.dims()[1] != now || scores.dims()[2] < 1) invalid("the decoder's scores are ", shown(scores), ", expected [", rows, ", ", now, ", words]");
  for (size_t l = 0; l < layers_; ++l) {
    const Tensor& cache = tensor_of(answers[l + 1], "decoder's cache");
    if (cache.type() != type_ || cache.rank() != 5 || cache.dims()[1] != rows) invalid("the decoder's cache is ", shown(cache), " for ", rows, " rows");
    s.caches[l] = cache;
  }
  const int64_t words = scores.dims()[2];
  const Tensor last = call.scratch(DataType::f32, {rows, words});
  for (int64_t r = 0; r < rows; ++r) std::copy_n(scores.data<float>() + ((r + 1) * now - 1) * words, words, last.data<float>() + r * words);
  return last;
}

void Decoder::reorder(const Call& call, State& s, const std::vector<int64_t>& from) const {
  const int64_t before = s.rows ? int64_t(s.mask.size()) / s.rows : 0;
  const auto old_positions = s.positions, old_mask = s.mask;
  for (int64_t r = 0; r < s.rows; ++r) {
    s.positions[size_t(r)] = old_positions[size_t(from[size_t(r)])];
    std::copy_n(old_mask.begin() + from[size_t(r)] * before, before, s.mask.begin() + r * before);
  }
  for (Value& v : s.caches) {
    const Tensor& cache = *v.tensor();
    const size_t bytes = s.rows ? cache.bytes() / size_t(2 * s.rows) : 0;
    const Tensor out = call.scratch(cache.type(), cache.dims());
    for (int64_t half = 0; half < 2; ++half) for (int64_t r = 0; r < s.rows; ++r)
      std::memcpy(out.data<char>() + size_t(half * s.rows + r) * bytes, cache.data<char>() + size_t(half * s.rows + from[size_t(r)]) * bytes, bytes);
    v = out;
  }
}

void WordRules::apply(std::span<float> scores, std::span<const int32_t> so_far, bool first, int64_t batch) const {
  const auto known_word = [&](int32_t w) { return w >= 0 && size_t(w) < scores.size(); };
  if (penalty != 1) {
    std::vector<bool> seen(scores.size());
    for (int32_t w : so_far) if (known_word(w) && !seen[size_t(w)]) seen[size_t(w)] = true, scores[size_t(w)] *= scores[size_t(w)] < 0 ? penalty : 1 / penalty;
  }
  const auto n = size_t(ngram);
  for (size_t i = 0; n > 0 && i + n <= so_far.size(); ++i)
    if (const int32_t next = so_far[i + n - 1]; known_word(next) && std::equal(so_far.begin() + std::ptrdiff_t(i), so_far.begin() + std::ptrdiff_t(i + n - 1), so_far.end() - std::ptrdiff_t(n - 1))) scores[size_t(next)] = forbidden;
  for (size_t w = 0; words && w < scores.size(); ++w) if (words[w] == 0) scores[w] = forbidden;
  for (size_t w = 0; first && first_words && w < scores.size(); ++w) if (first_words[size_t(batch) * scores.size() + w] == 0) scores[w] = forbidden;
  if (int64_t(so_far.size()) < shortest && end_token >= 0 && size_t(end_token) < scores.size()) scores[size_t(end_token)] = forbidden;
}

int64_t only_number(const Call& call, size_t place, std::string_view name) {
  const auto values = integers(call.tensor(place));
  if (values.size() != 1) invalid(name, " has ", values.size(), " elements, expected 1");
  return values[0];
}

WordRules word_rules(const Call& call, const WordRulePlaces& p, int64_t batch, int64_t words) {
  WordRules out;
  const auto mask = [&](size_t place, int64_t size) -> const int32_t* {
    if (!call.has(place)) return nullptr;
    if (call.tensor(place).size() != size) invalid("input ", place, " is ", shown(call.tensor(place)), ", expected ", size, " elements");
    return call.tensor(place).data<int32_t>();
  };
  if (call.has(p.shortest)) out.shortest = only_number(call, p.shortest, "min_length");
  if (call.has(p.penalty)) {
    const auto values = as_doubles(call.tensor(p.penalty));
    if (values.size() != 1 || !(values[0] > 0)) invalid("repetition_penalty is ", shown(call.tensor(p.penalty)), ", expected one number above 0");
    out.penalty = float(values[0]);
  }
  out.words = mask(p.words, words), out.first_words = mask(p.first_words, batch * words);
  return out;
}

std::vector<int32_t> prompt_mask(const Call& call, size_t place, const Tensor& ids, int64_t pad) {
  std::vector<int32_t> out;
  if (call.has(place)) {
    if (call.tensor(place).dims() != ids.dims()) invalid("attention_mask is ", shown(call.tensor(place)), ", expected shape ", shown(ids.dims()));
    for (int32_t v : call.tensor(place).values<int32_t>()) out.push_back(v != 0);
  } else {
    for (int32_t id : ids.values<int32_t>()) out.push_back(id != pad);
  }
  return out;
}

}  // namespace onward
