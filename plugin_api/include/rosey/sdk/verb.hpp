// A chat verb that a plugin answers, as the plugin's source declares it.
#pragma once

#include "rosey/wire/command.hpp"

namespace rosey::sdk {

struct verb {
  const char* name;       // "add": lower case letters, digits and '-'
  const char* subject;    // "rosey.command.playlist.add"
  const char* arguments;  // "<url>"; "" for none
  const char* help;       // one line
  wire::role least_role;  // who may use it; the plugin itself refuses the others
};

}  // namespace rosey::sdk
