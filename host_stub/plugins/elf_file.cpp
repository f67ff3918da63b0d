#include "host_stub/plugins/elf_file.hpp"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "rosey/abi/plugin.h"

namespace rosey::host {
namespace {

constexpr std::string_view any_entry = "rosey_plugin_query_v";

template <class T>
std::optional<T> at(const std::string& bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// A terminated text; "" if it is none.
std::string text_at(const std::string& bytes, std::uint64_t offset) {
  if (offset >= bytes.size()) return {};
  const auto end = bytes.find('\0', offset);
  return end == std::string::npos ? std::string() : bytes.substr(offset, end - offset);
}

// The file, of which only the tables are read. It may be damaged: nothing outside of it is read.
class elf_image {
 public:
  explicit elf_image(const std::filesystem::path& file) {
    std::error_code failure;
    if (!std::filesystem::is_regular_file(file, failure)) return;
    in_.open(file, std::ios::binary);
    size_ = std::filesystem::file_size(file, failure);
    if (failure) size_ = 0;
    const std::string start = bytes(0, sizeof(ElfW(Ehdr)));
    const auto header = at<ElfW(Ehdr)>(start, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shentsize != sizeof(ElfW(Shdr))) {
      return;
    }
    const std::string table = bytes(header->e_shoff, header->e_shnum * sizeof(ElfW(Shdr)));
    for (std::uint64_t offset = 0; const auto section = at<ElfW(Shdr)>(table, offset);
         offset += sizeof(ElfW(Shdr))) {
      sections_.push_back(*section);
    }
  }

  const std::vector<ElfW(Shdr)>& sections() const { return sections_; }
  // "" if it lies outside of the file.
  std::string content(const ElfW(Shdr) & section) {
    return bytes(section.sh_offset, section.sh_size);
  }
  // Of the texts that a section's entries name.
  std::string texts_of(const ElfW(Shdr) & section) {
    return section.sh_link < sections_.size() ? content(sections_[section.sh_link]) : std::string();
  }

 private:
  std::string bytes(std::uint64_t offset, std::uint64_t size) {
    if (offset > size_ || size > size_ - offset) return {};
    std::string read(size, '\0');
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(offset));
    if (!in_.read(read.data(), static_cast<std::streamsize>(size))) read.clear();
    return read;
  }

  std::ifstream in_;
  std::uint64_t size_ = 0;
  std::vector<ElfW(Shdr)> sections_;
};

bool is_from_the_linker(std::string_view name) {
  return name == "_init" || name == "_fini" || name == "_end" || name == "_edata" ||
         name.starts_with("__");
}

void read_symbol(const ElfW(Sym) & symbol, const std::string& name, elf_file& into) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  const auto type = ELF64_ST_TYPE(symbol.st_info);
  if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL || name.empty()) return;
  if (binding == STB_GNU_UNIQUE && into.unique_symbol.empty()) into.unique_symbol = name;
  if (name.starts_with(any_entry)) {
    into.is_plugin = true;
    into.has_entry |= name == ROSEY_PLUGIN_QUERY_SYMBOL;
  } else if ((type == STT_FUNC || type == STT_OBJECT) && !is_from_the_linker(name)) {
    into.exports.push_back(name);
  }
}

void read_symbols(elf_image& image, const ElfW(Shdr) & table, elf_file& into) {
  const std::string symbols = image.content(table);
  const std::string names = image.texts_of(table);
  into.known = !names.empty();
  for (std::uint64_t offset = 0; const auto symbol = at<ElfW(Sym)>(symbols, offset);
       offset += sizeof(ElfW(Sym))) {
    read_symbol(*symbol, text_at(names, symbol->st_name), into);
  }
}

void add_run_paths(std::string_view list, elf_file& into) {
  while (!list.empty()) {
    const auto colon = list.find(':');
    into.run_paths.emplace_back(list.substr(0, colon));
    list.remove_prefix(colon == list.npos ? list.size() : colon + 1);
  }
}

void read_dynamic(elf_image& image, const ElfW(Shdr) & table, elf_file& into) {
  const std::string entries = image.content(table);
  const std::string names = image.texts_of(table);
  for (std::uint64_t offset = 0; const auto entry = at<ElfW(Dyn)>(entries, offset);
       offset += sizeof(ElfW(Dyn))) {
    const auto text = [&] { return text_at(names, entry->d_un.d_val); };
    if (entry->d_tag == DT_NULL) return;
    if (entry->d_tag == DT_NEEDED) into.needs.push_back(text());
    if (entry->d_tag == DT_RUNPATH || entry->d_tag == DT_RPATH) add_run_paths(text(), into);
    if (entry->d_tag == DT_FLAGS_1) into.never_unloaded = (entry->d_un.d_val & DF_1_NODELETE) != 0;
  }
}

}  // namespace

elf_file read_elf(const std::filesystem::path& file) {
  elf_file read;
  elf_image image(file);
  for (const ElfW(Shdr) & section : image.sections()) {
    if (section.sh_type == SHT_DYNSYM) read_symbols(image, section, read);
    if (section.sh_type == SHT_DYNAMIC) read_dynamic(image, section, read);
  }
  return read;
}

}  // namespace rosey::host
