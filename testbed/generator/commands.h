// The subcommands. Each takes the words after its name and returns the exit status.
#pragma once

namespace sitegen {

int CommandFill(int argc, char** argv);
int CommandChange(int argc, char** argv);
int CommandDestroy(int argc, char** argv);
int CommandFingerprint(int argc, char** argv);

}  // namespace sitegen
