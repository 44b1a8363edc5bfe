#include "onward/data/bind.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "onward/data/csv.h"

namespace onward {
namespace {

Field input(std::string name, ColumnType type, Missing missing = Missing::refuse) {
  return {.name = std::move(name), .type = type, .shape = {std::nullopt, 1}, .nullable = missing != Missing::refuse, .missing = missing};
}
Field matrix(std::optional<int64_t> width, std::vector<std::string> names = {}, ColumnType type = ColumnType::float64) {
  return {.name = "X", .type = type, .shape = {std::nullopt, width}, .nullable = true, .missing = Missing::nan, .names = std::move(names)};
}

Tensors bound(std::vector<Field> inputs, std::string_view csv) {
  const auto reader = open_csv(memory_source(csv, "t.csv"));
  const Binder binder({.inputs = std::move(inputs)}, reader->names());
  reader->plan(binder.plan());
  return binder.bind(read_all(*reader));
}

Error error_of(std::vector<Field> inputs, std::string_view csv) {
  try {
    bound(std::move(inputs), csv);
  } catch (const Error& e) {
    return e;
  }
  return {Code::internal, "bound without an error"};
}

template <class T> std::vector<T> values(const Tensor& t) { return {t.data<T>(), t.data<T>() + t.size()}; }

TEST(Bind, ColumnsComeByNameInAnyOrder) {
  const Tensors t = bound({input("age", ColumnType::float64, Missing::nan), input("home.dest", ColumnType::string), input("adult", ColumnType::boolean), input("n", ColumnType::int64)},
                          "extra,n,adult,home.dest,age\n?,7,True,\"Oslo, Norway\",1\n?,8,False,Rome,\n");
  EXPECT_EQ(t.at("age").type(), DataType::f64);
  EXPECT_EQ(t.at("age").dims(), (Dims{2, 1}));
  EXPECT_EQ(t.at("age").data<double>()[0], 1);
  EXPECT_TRUE(std::isnan(t.at("age").data<double>()[1]));
  EXPECT_EQ(values<std::string>(t.at("home.dest")), (std::vector<std::string>{"Oslo, Norway", "Rome"}));
  EXPECT_EQ(values<int64_t>(t.at("n")), (std::vector<int64_t>{7, 8}));
  EXPECT_TRUE(t.at("adult").data<bool>()[0]);
}

TEST(Bind, AMissingColumnNamesTheNearest) {
  const Error e = error_of({input("petal_width", ColumnType::float64)}, "petalwidth,b\n1,2\n");
  EXPECT_EQ(e.code, Code::bad_data);
  EXPECT_EQ(e.message, "the table has no column 'petal_width', which the model needs (float64); did you mean 'petalwidth'");
  EXPECT_EQ(e.hint, "its 2 columns: petalwidth, b");
}

TEST(Bind, AColumnThatIsThereTwiceIsRefusedWhereItIsNeeded) {
  const Schema schema{.inputs = {input("a", ColumnType::float64)}};
  EXPECT_NO_THROW(Binder(schema, {"b", "a", "b"}));
  try {
    Binder(schema, {"a", "b", "a"});
    ADD_FAILURE() << "bound";
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::bad_data);
    EXPECT_EQ(e.message, "the table has several columns 'a', and the model needs one");
  }
}

TEST(Bind, NamesThatALibraryChangedAreFound) {
  const Schema spaced{.inputs = {input("home_dest", ColumnType::float64)}}, counted{.inputs = {matrix(2, {"x0", "x1"})}};
  EXPECT_EQ(Binder(spaced, {"a", "home dest"}).used(), std::vector<std::string>{"home dest"});
  EXPECT_EQ(Binder(spaced, {"home dest", "home_dest"}).used(), std::vector<std::string>{"home_dest"});
  EXPECT_EQ(Binder(counted, {"1", "0"}).used(), (std::vector<std::string>{"0", "1"}));
  EXPECT_THROW(Binder(counted, {"1", "00"}), Error);
  EXPECT_THROW(Binder({.inputs = {input("a_b_c", ColumnType::float64)}}, {"a b_c", "a_b c"}), Error);
}

TEST(Bind, HintsStayShort) {
  const std::string name(100'000, '[');
  EXPECT_EQ(error_of({input("a", ColumnType::float64)}, name + ",b\n1,2\n").hint, "its 2 columns: " + name.substr(0, 60) + "…, b");
}

TEST(Bind, MatricesTakeNamedNumberedOrAllColumns) {
  EXPECT_EQ(values<double>(bound({matrix(2, {"b", "a"})}, "a,c,b\n1,9,2\n3,9,4\n").at("X")), (std::vector<double>{2, 1, 4, 3}));
  EXPECT_EQ(values<double>(bound({matrix(2)}, "x1,id,x0\n1,9,2\n").at("X")), (std::vector<double>{2, 1}));
  EXPECT_EQ(values<double>(bound({matrix(2)}, "X_1,id,X_0\n1,9,2\n").at("X")), (std::vector<double>{2, 1}));
  EXPECT_EQ(values<double>(bound({matrix(3)}, "p,q,r\n1,9,2.5\n").at("X")), (std::vector<double>{1, 9, 2.5}));
  EXPECT_EQ(values<float>(bound({matrix({}, {}, ColumnType::float32)}, "p,q\n1,9\n").at("X")), (std::vector<float>{1, 9}));
  EXPECT_EQ(values<double>(bound({{.name = "X", .shape = {std::nullopt, 1}}}, "only\n4\n").at("X")), (std::vector<double>{4}));
  const Error e = error_of({matrix(2)}, "p,q,r\n1,9,2\n");
  EXPECT_EQ(e.message, "input 'X' takes 2 columns without names, the table has 3");
  EXPECT_EQ(e.hint, "give the table just these columns in the order of training, or name them x0 to x1");
  EXPECT_EQ(error_of({{.name = "img", .shape = {std::nullopt, 3, 8, 8}}}, "a\n1\n").message, "input 'img' has 4 axes, a table's columns fill at most 2");
}

TEST(Bind, AModelOfOneTextColumnTakesAVector) {
  Field f = input("X", ColumnType::string);
  f.shape = {std::nullopt};
  const Tensors t = bound({f}, "review\ngood\n");
  EXPECT_EQ(t.at("X").dims(), (Dims{1}));
}

TEST(Bind, GapsFollowThePolicy) {
  const Error refused = error_of({input("a", ColumnType::float64)}, "a,b\n1,1\n,1\n");
  EXPECT_EQ(refused.message, "row 2, column 'a': the value is missing, and the schema refuses missing values");
  EXPECT_EQ(refused.code, Code::bad_data);
  EXPECT_EQ(error_of({input("a", ColumnType::int64, Missing::impute)}, "a,b\n1,1\n,1\n").message, "row 2, column 'a': the value is missing, which int64 cannot express");
  Field text = input("a", ColumnType::string, Missing::category);
  EXPECT_EQ(values<std::string>(bound({text}, "a,b\nx,1\n,1\n").at("a")), (std::vector<std::string>{"x", ""}));
  text.missing_text = MissingText{.nan = "<nan>", .none = "<none>"};
  EXPECT_EQ(values<std::string>(bound({text}, "a,b\nx,1\n,1\n").at("a")), (std::vector<std::string>{"x", "<nan>"}));
  EXPECT_EQ(error_of({text}, "a,b\nx,1\n<none>,1\n").message, "row 2, column 'a': the text is one that the model keeps for missing values");
}

TEST(Bind, KindsOfMissingTextStayApart) {
  Field f = input("a", ColumnType::string, Missing::impute);
  f.missing_text = MissingText{.nan = "<nan>", .none = "<none>"};
  Table t{.rows = 4};
  t.columns.emplace_back("a", ColumnType::string);
  for (const char* s : {"x", "", "", ""}) std::get<Strings>(t.columns[0].values).push_back(s);
  t.columns[0].cells = {Cell::value, Cell::nan, Cell::none, Cell::na};
  EXPECT_EQ(values<std::string>(Binder({.inputs = {f}}, {"a"}).bind(t).at("a")), (std::vector<std::string>{"x", "<nan>", "<none>", "<nan>"}));
}

TEST(Bind, TextIsNoneOfTheNumbersThatAModelKnows) {
  Field number = input("a", ColumnType::float64);
  Table t{.rows = 1};
  t.columns.emplace_back("a", ColumnType::string);
  std::get<Strings>(t.columns[0].values).push_back("2");
  EXPECT_EQ(Binder({.inputs = {number}}, {"a"}).bind(t).at("a").data<double>()[0], 2);
  number.categories = std::vector<double>{1, 2};
  try {
    Binder({.inputs = {number}}, {"a"}).bind(t);
    ADD_FAILURE() << "bound without an error";
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "row 1, column 'a': '2' is text, and the model takes float64");
    EXPECT_EQ(e.hint, "to the library it is none of the categories: give the column as it was in training");
  }
  EXPECT_EQ(values<double>(bound({number}, "a\n2\n").at("a")), (std::vector<double>{2}));   // a CSV's cells are all text
  t.rows = 2, std::get<Strings>(t.columns[0].values).push_back("many");
  try {
    Binder({.inputs = {number}}, {"a"}).bind(t);
    ADD_FAILURE() << "bound without an error";
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "row 2, column 'a': 'many' is text, and the model takes float64");
  }
}

TEST(Bind, BoolsAreAlsoWrittenAsNumbers) {
  const Tensor t = bound({input("a", ColumnType::boolean)}, "a\n1.0\n0.0\n1\n0\nTrue\nfalse\n").at("a");
  EXPECT_EQ(std::vector<bool>(t.data<bool>(), t.data<bool>() + t.size()), (std::vector<bool>{true, false, true, false, true, false}));
  EXPECT_EQ(error_of({input("a", ColumnType::boolean)}, "a\n1\n2\n").message, "t.csv: line 3: column 'a' is '2', expected True or False (bool)");
}

TEST(Bind, WholeNumbersAreAlsoWrittenAsFloats) {
  EXPECT_EQ(values<int64_t>(bound({input("a", ColumnType::int64)}, "a\n1.0\n-2e3\n9223372036854775807\n").at("a")), (std::vector<int64_t>{1, -2000, INT64_MAX}));
  for (const char* csv : {"a\n1.5\n", "a\n1e19\n", "a\ninf\n"}) EXPECT_EQ(error_of({input("a", ColumnType::int64)}, csv).code, Code::bad_data) << csv;
}

TEST(Bind, EveryRefusalSaysWhatToDo) {
  Field f = input("a", ColumnType::float64), whole = input("a", ColumnType::int64), truth = input("a", ColumnType::boolean), word = input("a", ColumnType::string), when = input("a", ColumnType::datetime);
  f.range = Range{0, 1}, f.out_of_range = OutOfRange::refuse, f.infinity = Infinity::refuse;
  word.categories = std::vector<std::string>{"x"}, word.unknown = Unknown::refuse;
  struct { Field field; const char *csv, *message, *hint; } cases[] = {
      {f, "a,b\n1,0\n,0\n", "row 2, column 'a': the value is missing, and the schema refuses missing values", "\"missing\""},
      {f, "a\n1\n2\n", "row 2, column 'a': 2.0 is outside the range 0 to 1 that the schema allows", "\"out_of_range\""},
      {word, "a\nx\nunseen\n", "row 2, column 'a': 'unseen' is none of the 1 known values, and the schema refuses unknown ones", "\"unknown\""},
      {word, "a,b\nx,0\n,0\n", "row 2, column 'a': the value is missing, and the schema refuses missing values", "\"missing\""},
      {whole, "a,b\n1,0\n,0\n", "row 2, column 'a': the value is missing, and the schema refuses missing values", "\"missing\""},
      {whole, "a\n1\n1.5\n", "t.csv: line 3: column 'a' is '1.5', expected a whole number (int64)", "missing markers"},
      {truth, "a,b\nTrue,0\n,0\n", "row 2, column 'a': the value is missing, and the schema refuses missing values", "\"missing\""},
      {truth, "a\nTrue\nyes\n", "t.csv: line 3: column 'a' is 'yes', expected True or False (bool)", "missing markers"},
      {when, "a,b\n2024-02-29,0\n,0\n", "row 2, column 'a': the value is missing, and the schema refuses missing values", "\"missing\""},
      {when, "a\n2024-02-29\n2024-02-30\n", "t.csv: line 3: column 'a' is '2024-02-30', expected a date or time such as 2024-02-29 13:30:00 (datetime)", "missing markers"},
  };
  for (const auto& c : cases) {
    const Error e = error_of({c.field}, c.csv);
    EXPECT_EQ(e.message, c.message);
    EXPECT_NE(e.hint.find(c.hint), e.hint.npos) << c.message << ": " << e.hint;
  }
  f.out_of_range = OutOfRange::accept;
  EXPECT_NE(error_of({f}, "a\ninf\n").hint.find("\"infinity\""), std::string::npos);
}

TEST(Bind, UnknownValuesAreRefusedWhereTheSchemaSaysSo) {
  Field text = input("a", ColumnType::string), number = input("a", ColumnType::float64, Missing::nan), whole = input("a", ColumnType::int64);
  text.categories = std::vector<std::string>{"Paris", "Rome"};
  number.categories = std::vector<double>{1, 2.5};
  whole.categories = std::vector<int64_t>{9007199254740993};
  text.unknown = number.unknown = whole.unknown = Unknown::refuse;
  EXPECT_EQ(error_of({text}, "a\nRome\nPariss\n").message, "row 2, column 'a': 'Pariss' is none of the 2 known values, and the schema refuses unknown ones; did you mean 'Paris'");
  EXPECT_EQ(error_of({number}, "a,b\n2.5,0\n,0\n2,0\n").message, "row 3, column 'a': 2.0 is none of the 2 known values, and the schema refuses unknown ones");
  EXPECT_EQ(error_of({whole}, "a\n9007199254740993\n9007199254740992\n").message, "row 2, column 'a': 9007199254740992 is none of the 1 known values, and the schema refuses unknown ones");
  text.unknown = Unknown::ignore;
  EXPECT_EQ(bound({text}, "a\nOslo\n").at("a").data<std::string>()[0], "Oslo");
}

TEST(Bind, ColumnsOfAMatrixHaveTheirOwnPolicies) {
  Field x = matrix(2, {"a", "b"}, ColumnType::string);
  x.missing_text = MissingText{.nan = "<nan>"};
  x.columns = {{.name = "a", .categories = std::vector<std::string>{"u"}, .missing = Missing::category, .unknown = Unknown::refuse},
               {.name = "b", .categories = std::vector<std::string>{"v"}, .missing = Missing::refuse, .unknown = Unknown::refuse}};
  EXPECT_EQ(values<std::string>(bound({x}, "b,a\nv,u\nv,\n").at("X")), (std::vector<std::string>{"u", "v", "<nan>", "v"}));
  EXPECT_EQ(error_of({x}, "a,b\nu,v\nu,\n").message, "row 2, column 'b': the value is missing, and the schema refuses missing values");
  EXPECT_EQ(error_of({x}, "a,b\nu,v\nv,v\n").message, "row 2, column 'a': 'v' is none of the 1 known values, and the schema refuses unknown ones");
  x.names.clear(), x.shape[1] = 3;
  EXPECT_EQ(error_of({x}, "a,b,c\nu,v,w\n").message, "input 'X' has 3 columns and tells of 2");
}

TEST(Bind, DatesAreNoNumbers) {
  Table t{.rows = 1};
  t.columns.emplace_back("a", ColumnType::datetime).values = std::vector<int64_t>{5};
  EXPECT_EQ(Binder({.inputs = {input("a", ColumnType::datetime)}}, {"a"}).bind(t).at("a").data<int64_t>()[0], 5);
  EXPECT_THROW(Binder({.inputs = {input("a", ColumnType::float64, Missing::nan)}}, {"a"}).bind(t), Error);
}

TEST(Bind, ColumnsWithoutNamesAreAllOfTheModels) {
  const auto bind = [](std::vector<Field> inputs, std::vector<std::string> columns) { return Binder({.inputs = std::move(inputs)}, std::move(columns), false).used(); };
  EXPECT_EQ(bind({matrix(2, {"x0", "x1"})}, {"x0", "x1"}), (std::vector<std::string>{"x0", "x1"}));
  for (const Field& f : {matrix(2, {"x0", "x1"}), matrix(2)}) {
    try {
      bind({f}, {"x0", "x1", "x2"});
      ADD_FAILURE() << "taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code, Code::bad_data);
      EXPECT_EQ(e.message, "the table has 3 columns without names, the model takes 2");
    }
  }
}

TEST(Bind, RangesClipOrRefuse) {
  Field f = input("a", ColumnType::float64), i = input("a", ColumnType::int64);
  f.range = i.range = Range{0.5, 10};
  EXPECT_EQ(bound({f}, "a\n11\n").at("a").data<double>()[0], 11);
  f.out_of_range = i.out_of_range = OutOfRange::clip;
  EXPECT_EQ(values<double>(bound({f}, "a\n11\n-inf\n3\n").at("a")), (std::vector<double>{10, 0.5, 3}));
  EXPECT_EQ(values<int64_t>(bound({i}, "a\n11\n0\n3\n").at("a")), (std::vector<int64_t>{10, 1, 3}));
  f.out_of_range = OutOfRange::refuse;
  f.range = Range{-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  EXPECT_EQ(error_of({f}, "a\n11\ninf\n").message, "row 2, column 'a': inf is outside the range -1.7976931348623157e+308 to 1.7976931348623157e+308 that the schema allows");
}

TEST(Bind, InfinityIsRefusedWhereTheSchemaSaysSo) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  Field f = input("a", ColumnType::float64, Missing::nan);
  EXPECT_EQ(values<double>(bound({f}, "a\ninf\n-inf\n1e300\n").at("a")), (std::vector<double>{inf, -inf, 1e300}));
  f.infinity = Infinity::refuse;
  EXPECT_EQ(values<double>(bound({f}, "a\n1e300\n").at("a")), (std::vector<double>{1e300}));
  EXPECT_TRUE(std::isnan(bound({f}, "a,b\n,1\n").at("a").data<double>()[0]));
  EXPECT_EQ(error_of({f}, "a\n1\n-inf\n").message, "row 2, column 'a': -inf is infinite as float64, and the schema refuses infinity");
  EXPECT_EQ(error_of({f}, "a\n1\n-inf\n").code, Code::bad_data);
  f.range = Range{0, 10}, f.out_of_range = OutOfRange::clip;
  EXPECT_EQ(values<double>(bound({f}, "a\ninf\n").at("a")), (std::vector<double>{10}));
}

TEST(Bind, InfinityIsWhatTheTensorWouldHold) {
  Field f = input("a", ColumnType::float32);
  f.infinity = Infinity::refuse;
  EXPECT_EQ(error_of({f}, "a\n1e38\n1e39\n").message, "row 2, column 'a': inf is infinite as float32, and the schema refuses infinity");
  f.element = DataType::f16;
  EXPECT_EQ(error_of({f}, "a\n65504\n65520\n").message, "row 2, column 'a': 65520.0 is infinite as float16, and the schema refuses infinity");
  Field columns = matrix(2, {"p", "q"});
  columns.infinity = Infinity::refuse;
  EXPECT_EQ(error_of({columns}, "p,q\n1,2\n3,inf\n").message, "row 2, column 'q': inf is infinite as float64, and the schema refuses infinity");
  Table t{.rows = 2, .first_row = 100};
  t.columns.emplace_back("a", ColumnType::int64, std::vector<int64_t>{1, 70000});
  try {
    Binder({.inputs = {f}}, {"a"}).bind(t);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "row 102, column 'a': 70000 is infinite as float16, and the schema refuses infinity");
  }
}

TEST(Bind, TypesConvertOnlyWithoutLoss) {
  const auto bind = [](Field f, Column c) {
    Table t{.rows = int64_t(c.size()), .first_row = 100};
    t.columns.push_back(std::move(c));
    return Binder({.inputs = {f}}, {"a"}).bind(t).at("a");
  };
  const auto refused = [&](Field f, Column c) {
    try {
      bind(f, std::move(c));
    } catch (const Error& e) {
      return e.message;
    }
    return std::string("bound without an error");
  };
  const auto strings = [](std::string_view s) {
    Column c("a", ColumnType::string);
    std::get<Strings>(c.values).push_back(s);
    return c;
  };
  const Column half("a", ColumnType::float64, std::vector<double>{2, 2.5}), big("a", ColumnType::float64, std::vector<double>{0x1p63}), truth("a", ColumnType::boolean, std::vector<uint8_t>{1, 0});
  EXPECT_EQ(refused(input("a", ColumnType::int64), half), "row 102, column 'a': expected a whole number (int64), found 2.5");
  EXPECT_EQ(refused(input("a", ColumnType::int64), big), "row 101, column 'a': expected a whole number (int64), found 9223372036854775808.0");
  EXPECT_EQ(refused(input("a", ColumnType::boolean), half), "row 101, column 'a': expected True or False, found 2.0");
  EXPECT_EQ(refused(input("a", ColumnType::float64), strings("abc")), "row 101, column 'a': expected float64, found the text 'abc'");
  EXPECT_EQ(bind(input("a", ColumnType::float64), strings("1e3")).data<double>()[0], 1000);
  EXPECT_EQ(bind(input("a", ColumnType::datetime), strings("1970-01-01 00:00:01")).data<int64_t>()[0], 1'000'000'000);
  EXPECT_EQ(bind(input("a", ColumnType::string), truth).data<std::string>()[0], "True");
  EXPECT_EQ(bind(input("a", ColumnType::float32), truth).data<float>()[0], 1);
  Field narrow = input("a", ColumnType::int64);
  narrow.element = DataType::i8;
  EXPECT_EQ(refused(narrow, Column("a", ColumnType::int64, std::vector<int64_t>{127, 128})), "row 102, column 'a': expected a number that int8 can hold, found 128");
  EXPECT_EQ(bind(narrow, Column("a", ColumnType::int64, std::vector<int64_t>{-128})).type(), DataType::i8);
}

TEST(Bind, WholeNumbersWithGapsBecomeNaN) {
  Table t{.rows = 2};
  t.columns.emplace_back("a", ColumnType::int64, std::vector<int64_t>{7, 0});
  t.columns[0].set_missing(1, Cell::na);
  const Tensor x = Binder({.inputs = {input("a", ColumnType::float64, Missing::impute)}}, {"a"}).bind(t).at("a");
  EXPECT_EQ(x.data<double>()[0], 7);
  EXPECT_TRUE(std::isnan(x.data<double>()[1]));
}

TEST(Bind, KeptColumnsAreReadAsTheyStand) {
  const Binder binder({.inputs = {input("a", ColumnType::float64)}}, {"id", "a", "b"});
  const std::string keep[] = {"id"};
  const auto plan = binder.plan(keep);
  EXPECT_EQ(plan[0].type, ColumnType::string);
  EXPECT_EQ(plan[1].type, ColumnType::float64);
  EXPECT_TRUE(plan[2].skip);
  const std::string wrong[] = {"ids"};
  EXPECT_THROW(binder.plan(wrong), Error);
}

}  // namespace
}  // namespace onward
