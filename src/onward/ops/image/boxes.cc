// NonMaxSuppression: boxes by falling score, without those that overlap a better one of their class.
#include "onward/ops/control.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct Box { double y1, x1, y2, x2; double area() const { return (y2 - y1) * (x2 - x1); } };

double overlap(const Box& a, const Box& b) {              // their intersection over their union
  const double height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1), width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0) return 0;
  const double both = height * width, all = a.area() + b.area() - both;
  return all > 0 ? both / all : 0;
}

struct NonMaxSuppression : standard::NonMaxSuppression {
  void infer(Inference& io) const { if (io.symbols) io.output(0, DataType::i64, {io.unknown(), 3}); }

  void run(Call& call) const {
    const Tensor &boxes = call.tensor(0), &scores = call.tensor(1);
    if (boxes.type() != DataType::f32 || scores.type() != DataType::f32 || boxes.rank() != 3 || scores.rank() != 3 || boxes.dims()[2] != 4 || boxes.dims()[0] != scores.dims()[0] || boxes.dims()[1] != scores.dims()[2])
      invalid("boxes ", shown(boxes), " and scores ", shown(scores), " do not go together");
    const int64_t most = call.has(2) ? one<int64_t>(call.tensor(2), "number of boxes") : 0;
    const double limit = call.has(3) ? one<float>(call.tensor(3), "IoU threshold") : 0;
    const float least = call.has(4) ? one<float>(call.tensor(4), "score threshold") : -std::numeric_limits<float>::infinity();
    const int64_t batch = scores.dims()[0], classes = scores.dims()[1], n = scores.dims()[2];
    std::vector<int64_t> out, heap, kept;
    std::vector<Box> kept_boxes;
    for (int64_t row = 0; row < batch * classes && most > 0; ++row) {
      const float *score = scores.data<float>() + row * n, *corners = boxes.data<float>() + row / classes * n * 4;
      // A heap with the best on top, of equal ones the first: only as many are put in order as are looked at.
      const auto worse = [&](int64_t a, int64_t b) { return score[a] < score[b] || (score[a] == score[b] && a > b); };
      heap.clear(), kept.clear(), kept_boxes.clear();
      for (int64_t i = 0; i < n; ++i) if (score[i] > least || (!call.has(4) && score[i] == score[i])) heap.push_back(i);
      std::make_heap(heap.begin(), heap.end(), worse);
      for (; !heap.empty() && int64_t(kept.size()) < most; heap.pop_back()) {
        call.context.check();
        std::pop_heap(heap.begin(), heap.end(), worse);
        const Box box = box_at(corners + heap.back() * 4);
        if (std::any_of(kept_boxes.begin(), kept_boxes.end(), [&](const Box& other) { return overlap(box, other) > limit; })) continue;
        kept.push_back(heap.back()), kept_boxes.push_back(box);
      }
      for (int64_t i : kept) out.insert(out.end(), {row / classes, row % classes, i});
    }
    call.outputs[0] = Tensor::of({int64_t(out.size()) / 3, 3}, out);
  }

 private:
  Box box_at(const float* v) const {
    if (center_point_box) return {v[1] - v[3] / 2.0, v[0] - v[2] / 2.0, v[1] + v[3] / 2.0, v[0] + v[2] / 2.0};
    return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
  }
};

}  // namespace

Operators image_boxes() {
  return {define<NonMaxSuppression>({.examples = {"float [[[0, 0, 2, 2], [0, 0, 2, 1.9], [5, 5, 6, 6]]], float [[[0.5, 0.9, 0.1]]], int64 5, float 0.5, float 0.2 -> int64 [[0, 0, 1]]"}})};
}

}  // namespace onward::ops
