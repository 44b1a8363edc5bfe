// A command of the program: its words as data. Help, completion, parsing and "did you mean" are made from this.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onward/base/error.h"

namespace onward::cli {

class Call;

struct Argument {
  std::string_view name;                                 // "MODEL.onnx"
  std::string_view help;
  bool required = true;
};

struct Option {
  std::string_view name;                                 // "--output"
  std::string_view value;                                // what follows it, "FILE"; empty: a switch
  std::string_view help;
  char letter = 0;                                       // 'o' for -o
  bool required = false, repeats = false;
  std::vector<std::string_view> choices = {};            // of the value; empty: anything
};

enum class Needs : uint8_t { nothing, loading, running }; // loading: --memory-limit and --time-limit; running: --threads too

struct Command {
  std::string_view name, summary;
  std::vector<Argument> arguments = {};
  std::vector<Option> options = {};
  Needs needs = Needs::nothing;
  std::string_view more = {};                            // printed below the options
  int (*run)(Call&);                                     // the exit code
};

const std::vector<Command>& commands();                  // sorted by name
const Command* find_command(std::string_view name);
std::vector<Option> all_options(const Command& command); // its own, those of its needs, and the ones every command has

// A command line, understood.
class Arguments {
 public:
  // Throws Error{usage} with the nearest word that would be right.
  Arguments(const Command& command, std::vector<std::string> words);

  const std::string& operator[](size_t argument) const { return places_.at(argument); }   // a required one
  std::optional<std::string> argument(size_t i) const { return i < places_.size() ? std::optional(places_[i]) : std::nullopt; }
  bool declares(std::string_view option) const;
  bool has(std::string_view option) const { return value(option).has_value(); }
  std::optional<std::string> value(std::string_view option) const;                        // the last one given
  std::vector<std::string> list(std::string_view option) const;                           // all of them, each cut at commas
  std::vector<std::string> values(std::string_view option) const;                         // all of them, whole
  double number(std::string_view option, double otherwise, double least = 0) const;
  int64_t integer(std::string_view option, int64_t otherwise, int64_t least = 1) const;
  size_t bytes(std::string_view option) const;           // "2G", "512M"; 0 when not given
  double seconds(std::string_view option) const;         // "30s", "500ms", "2m"; 0 when not given

 private:
  void take_option(const Command& command, const std::vector<std::string>& words, size_t& i);
  const Option& known(std::string_view name) const;

  std::vector<Option> options_;
  std::vector<std::string> places_;
  std::vector<std::pair<std::string_view, std::string>> given_;
};

std::string help_of_program();
std::string help_of(const Command& command);
std::string usage_of(const Command& command);            // "onward convert SOURCE -o FILE [options]"
std::string completion_for(std::string_view shell);      // bash, zsh or fish

}  // namespace onward::cli
