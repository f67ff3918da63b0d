// The `rosey` executable: reads the command line and hands over to a subcommand.
#include "host_stub/cli/cli.hpp"

int main(int argc, char** argv) {
  return rosey::host::run_command_line(argc, argv);
}
