// What the file of a shared library says of itself, read without loading it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rosey::host {

struct elf_file {
  bool known = false;              // false: it has no tables of this kind, and nothing below counts
  bool is_plugin = false;          // it exports an entry of some version of the contract
  bool has_entry = false;          // the one of this host
  bool never_unloaded = false;     // linked with -z nodelete
  std::string unique_symbol;       // the first one that it defines; "" for none
  std::vector<std::string> needs;  // names of libraries, as it was linked
  std::vector<std::string> run_paths;
  std::vector<std::string> exports;  // functions and objects, without the entry
};

elf_file read_elf(const std::filesystem::path& file);

}  // namespace rosey::host
