// Models that CatBoost wrote (tools/make_catboost_fixtures.py): what they answer here is what the library answered, raw scores to the
// last bit; damaged ones are errors.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "onward/formats/source.h"
#include "onward/model/onnx_file.h"
#include "onward/runtime/session.h"
#include "onward/validate/table_session.h"

namespace onward {
namespace {

using nlohmann::json;

std::vector<std::string> files(std::string_view extension) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ONWARD_TEST_DATA "/boosters"))
    if (entry.path().parent_path().filename().string().starts_with("catboost-") && entry.path().string().ends_with(extension))
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

json answers_for(const std::filesystem::path& model) {
  std::filesystem::path path = model;
  const MappedFile file = map_file(path.replace_extension(".answers.json"));
  return json::parse(file.bytes);
}

double number(const json& v) {
  return v.is_null() ? NAN : v.is_string() ? std::strtod(v.get<std::string>().c_str(), nullptr) : v.get<double>();
}

// A matrix is made of all columns; a column is known by its name, or by its number where the file keeps no names. Categories are in
// digits where the input is of words.
Tensor input(const ValueInfo& port, const json& columns) {
  std::vector<const json*> taken;
  for (size_t k = 0; k < columns.size(); ++k)
    if (columns[k]["name"] == port.name || port.name == "x" + std::to_string(k)) taken = {&columns[k]};
  if (taken.empty())
    for (const json& c : columns) taken.push_back(&c);
  const size_t n = taken[0]->at("values").size(), width = taken.size();
  Tensor made(port.type.element, {int64_t(n), int64_t(width)});
  for (size_t k = 0; k < width; ++k)
    for (size_t i = 0; i < n; ++i) {
      const json& v = taken[k]->at("values")[i];
      if (made.type() == DataType::f64) made.data<double>()[i * width + k] = number(v);
      else made.data<std::string>()[i * width + k] = v.is_string() ? v.get<std::string>() : std::to_string(v.get<int>());
    }
  return made;
}

using Outputs = std::map<std::string, Tensor>;
Outputs run(const Model& model, const json& columns) {
  const auto session = Session::load_bytes(write_model(model));
  std::vector<Value> inputs;
  for (const ValueInfo& port : session->inputs()) inputs.emplace_back(input(port, columns));
  const std::vector<Value> values = session->run(inputs);
  Outputs out;
  for (size_t k = 0; k < values.size(); ++k) out.emplace(session->outputs()[k].name, *values[k].tensor());
  return out;
}

std::vector<double> flat(const json& rows) {
  std::vector<double> all;
  for (const json& row : rows)
    if (row.is_array())
      for (const json& v : row) all.push_back(number(v));
    else all.push_back(number(row));
  return all;
}

void expect_numbers(const Tensor& got, const json& rows, double tolerance, const char* what) {
  const std::vector<double> expected = flat(rows);
  ASSERT_EQ(size_t(got.size()), expected.size()) << what;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double x = got.type() == DataType::i64 ? double(got.data<int64_t>()[i]) : got.data<double>()[i];
    EXPECT_LE(std::abs(x - expected[i]), tolerance * std::max(1.0, std::abs(expected[i])))
        << what << " " << i << ": " << x << ", the library " << expected[i];
  }
}

void expect_labels(const Tensor& got, const json& rows) {
  if (contains(i64 | f64, got.type())) return expect_numbers(got, rows, 0, "label");
  ASSERT_EQ(size_t(got.size()), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const json& expected = rows[i].is_array() ? rows[i][0] : rows[i];
    if (got.type() == DataType::str) EXPECT_EQ(got.data<std::string>()[i], expected.get<std::string>());
    else EXPECT_EQ(got.data<bool>()[i], expected.get<bool>());
  }
}

Model converted(const std::string& path, std::vector<std::string> outputs, bool own_ops = true) {
  return formats::convert_file(path, {.outputs = std::move(outputs), .own_ops = own_ops});
}
const std::vector<std::string> of_classifier = {"label", "probabilities", "scores"}, of_regressor = {"variable", "scores"};

class Files : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(CatBoost, Files, testing::Values(".cbm", ".model.json", ".pkl"));

TEST_P(Files, AnswerAsTheLibrary) {
  size_t tried = 0;
  for (const std::string& path : files(GetParam())) {
    if (path.find("refused_") != path.npos) continue;
    SCOPED_TRACE(path);
    std::string stem = path.substr(0, path.size() - std::string_view(GetParam()).size());
    const json answers = answers_for(stem + ".x");
    const bool classifier = answers.contains("predict_proba");
    const Outputs out = run(converted(path, classifier ? of_classifier : of_regressor), answers["columns"]);
    expect_numbers(out.at("scores"), answers["raw"], 0, "score");
    if (classifier) {
      expect_labels(out.at("label"), answers["predict"]);
      expect_numbers(out.at("probabilities"), answers["predict_proba"], 1e-15, "probability");
    } else {
      expect_numbers(out.at("variable"), answers["predict"], 1e-15, "variable");
    }
    if (answers.contains("leaves"))
      expect_numbers(run(converted(path, {"leaf"}), answers["columns"]).at("leaf"), answers["leaves"], 0, "leaf");
    ++tried;
  }
  EXPECT_GT(tried, 12u);
}

// What the JSON lists of words is enough for standard operators; a .cbm lists none.
TEST(CatBoost, OwnOperatorsOnlyWhereAllowed) {
  const std::string folder = ONWARD_TEST_DATA "/boosters/catboost-1.2.10/";
  for (const char* name : {"one_hot", "ctr", "array"}) {
    const Model standard = converted(folder + name + ".model.json", of_classifier, false);
    for (const Node& node : standard.graph.nodes) EXPECT_NE(node.domain, "com.onward");
    try {
      converted(folder + name + ".cbm", of_classifier, false);
      ADD_FAILURE() << name << " was not refused";
    } catch (const Error& e) {
      EXPECT_EQ(e.code, Code::unsupported_estimator);
      EXPECT_NE(e.message.find("needs the operator com.onward.CatBoostHash"), std::string::npos) << e.message;
      EXPECT_NE(e.hint.find("--own-ops"), std::string::npos) << e.hint;
    }
  }
  EXPECT_EQ(converted(folder + "ctr.cbm", of_classifier).opsets.at("com.onward"), 1);
}

TEST(CatBoost, WhatCannotBeConvertedIsNamed) {
  const std::pair<std::string_view, std::string_view> reasons[] = {
      {"text", "CatBoost's text features"}, {"embedding", "CatBoost's embedding features"}, {"targets", "keeps the table of one alone"}};
  size_t tried = 0;
  for (const char* extension : {".cbm", ".model.json"})
    for (const std::string& path : files(extension)) {
      if (path.find("refused_") == path.npos) continue;
      try {
        formats::convert_file(path, {.own_ops = true});
        ADD_FAILURE() << path << " was not refused";
      } catch (const Error& e) {
        EXPECT_EQ(e.code, Code::unsupported_estimator) << e.message;
        for (const auto& [name, reason] : reasons)
          EXPECT_EQ(path.find(name) != path.npos, e.message.find(reason) != std::string::npos) << e.message;
      }
      ++tried;
    }
  EXPECT_GE(tried, 2u);
}

// Converts, loads and runs, or says what is wrong with the file.
void expect_error_or_answer(const std::string& bytes) {
  try {
    const Model model = formats::convert_source({nullptr, bytes}, {.own_ops = true});
    const auto session = Session::load_bytes(write_model(model), {.threads = 1, .memory_limit = size_t{256} << 20});
    session->run({}, made_up_inputs(*session, 2), {.time_limit_seconds = 5});
  } catch (const Error& e) {
    EXPECT_NE(e.code, Code::internal) << e.message;
  }
}

TEST(CatBoost, EachBeginningIsAnError) {
  for (const char* extension : {".cbm", ".model.json"})
    for (const std::string& path : files(extension)) {
      if (path.find("1.2.10") == path.npos) continue;
      SCOPED_TRACE(path);
      const MappedFile file = map_file(path);
      const size_t step = std::max<size_t>(file.bytes.size() / 60, 1);
      for (size_t n = 0; n + 8 < file.bytes.size(); n += step)
        EXPECT_THROW(formats::convert_source({nullptr, std::string(file.bytes.substr(0, n))}, {.own_ops = true}), Error) << n;
    }
}

TEST(CatBoost, DamagedFilesAreErrorsOrModels) {
  std::mt19937 random(1);
  for (const char* name : {"ctr.cbm", "ctr_types.cbm", "lossguide.cbm", "one_hot_depthwise.cbm", "two_numbers.cbm", "ctr.model.json",
                           "lossguide.model.json"}) {
    SCOPED_TRACE(name);
    const MappedFile file = map_file(std::string(ONWARD_TEST_DATA "/boosters/catboost-1.2.10/") + name);
    for (int round = 0; round < 150; ++round) {
      std::string bytes(file.bytes);
      for (int flips = 1 + round % 4; flips > 0; --flips) {
        const size_t at = random() % bytes.size();
        if (round % 3 == 0) bytes[at] = char(bytes[at] ^ (1 << random() % 8));
        else if (round % 3 == 1) bytes[at] = char(random());
        else
          for (size_t i = at / 4 * 4; i < std::min(at / 4 * 4 + 4, bytes.size()); ++i)
            bytes[i] = round % 2 ? '\xff' : '\0';  // an offset or a size
      }
      expect_error_or_answer(bytes);
    }
  }
}

}  // namespace
}  // namespace onward
