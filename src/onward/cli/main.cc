// The program.
#include "onward/cli/call.h"

int main(int count, char** words) { return onward::cli::run_program({words + 1, words + count}); }
