// onward completion: scripts for the shell, made from the commands' tables.
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"

namespace onward::cli {
namespace {

std::string names_of_commands() {
  std::string out;
  for (const Command& c : commands()) out += text(out.empty() ? "" : " ", c.name);
  return out;
}

std::string words_of(const Command& c) {
  std::string out;
  for (const Option& o : all_options(c)) {
    out += text(out.empty() ? "" : " ", o.name);
    if (o.letter) out += text(" -", o.letter);
  }
  for (const Argument& a : c.arguments)
    if (a.name == "SHELL") out += " bash zsh fish";
  return out;
}

std::string bash() {
  std::string out =
      "# bash completion for onward: source <(onward completion bash)\n"
      "_onward() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
      "  if (( COMP_CWORD == 1 )); then\n"
      "    COMPREPLY=($(compgen -W \"" + names_of_commands() + " --help --version\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]}:$before in\n";
  for (const Command& c : commands())
    for (const Option& o : all_options(c)) {
      if (o.choices.empty()) continue;
      std::string choices;
      for (std::string_view choice : o.choices) choices += text(choices.empty() ? "" : " ", choice);
      out += text("    ", c.name, ":", o.name, ") COMPREPLY=($(compgen -W \"", choices, "\" -- \"$word\")); return ;;\n");
    }
  out += "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const Command& c : commands()) out += text("    ", c.name, ") words=\"", words_of(c), "\" ;;\n");
  return out +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -F _onward onward\n";
}

// Text inside single quotes.
std::string in_quotes(std::string_view s) {
  std::string out = "'";
  for (char c : s) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// In a zsh specification brackets and colons have a meaning.
std::string plain(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh() {
  std::string out = "#compdef onward\n# zsh completion for onward: source <(onward completion zsh)\n_onward() {\n  local -a commands=(\n";
  for (const Command& c : commands()) out += text("    ", in_quotes(text(c.name, ":", plain(c.summary))), "\n");
  out += "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n  case $words[2] in\n";
  for (const Command& c : commands()) {
    out += text("    ", c.name, ") _arguments");
    for (const Option& o : all_options(c)) {
      std::string value;
      for (std::string_view choice : o.choices) value += text(value.empty() ? "" : " ", choice);
      const std::string action = o.value.empty() ? "" : text(":", plain(o.value), ":", value.empty() ? "_files" : text("(", value, ")"));
      out += text(" ", in_quotes(text(o.name, "[", plain(o.help), "]", action)));
    }
    out += text(" '*:file:", words_of(c).ends_with(" fish") ? "(bash zsh fish)" : "_files", "' ;;\n");
  }
  return out + "  esac\n}\nif [[ $funcstack[1] == _onward ]]; then _onward \"$@\"; else compdef _onward onward; fi\n";
}

std::string fish() {
  std::string out = "# fish completion for onward: onward completion fish | source\n";
  for (const Command& c : commands()) {
    out += text("complete -c onward -n __fish_use_subcommand -f -a ", c.name, " -d ", in_quotes(c.summary), "\n");
    for (const Option& o : all_options(c)) {
      out += text("complete -c onward -n '__fish_seen_subcommand_from ", c.name, "' -l ", o.name.substr(2));
      if (o.letter) out += text(" -s ", o.letter);
      if (!o.value.empty()) out += " -r";
      std::string choices;
      for (std::string_view choice : o.choices) choices += text(choices.empty() ? "" : " ", choice);
      if (!choices.empty()) out += text(" -f -a ", in_quotes(choices));
      out += text(" -d ", in_quotes(o.help), "\n");
    }
  }
  return out + "complete -c onward -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
}

int completion(Call& call) {
  const std::string script = completion_for(call.arguments[0]);
  call.out.data(script);
  call.out.answer({{"script", script}});
  return 0;
}

}  // namespace

std::string completion_for(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  throw Error(Code::usage, text("no completion for the shell '", shell, "'; there is one for bash, zsh and fish"));
}

Command completion_command() {
  return {.name = "completion", .summary = "a script that completes onward's words in your shell", .arguments = {{"SHELL", "bash, zsh or fish"}},
          .more = "bash: source <(onward completion bash)   zsh: source <(onward completion zsh)   fish: onward completion fish | source", .run = completion};
}

}  // namespace onward::cli
