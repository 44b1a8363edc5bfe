// A C++17 program over onward.hpp: the same as consumer.c, with less to write.
#include <cstdio>
#include <cstring>
#include "onward/onward.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string model = onward::convert(argv[1]);
  const onward::Session session(model.data(), model.size());
  const auto inputs = session.inputs(), outputs = session.outputs();
  if (inputs.size() != 1 || inputs[0].name != "X" || inputs[0].dims != std::vector<int64_t>{-1, 4} || outputs.size() != 2 || outputs[1].type != "tensor(double)") return 3;
  const auto out = session.run({onward::Value::tensor<double>({2, 4}, {5.1, 3.5, 1.4, 0.2, 6.7, 3.0, 5.2, 2.3})});
  if (out.size() != 2 || out[1].dims() != std::vector<int64_t>{2, 3} || !(out[1].data<double>()[0] >= 0)) return 4;
  try {
    session.run({onward::Value::tensor<float>({1, 4}, {1, 2, 3, 4})});
  } catch (const onward::Error& e) {
    return e.code == ONWARD_BAD_INPUT && std::strstr(e.what(), "expected double") ? 0 : 5;
  }
  return 6;
}
