#include "host_stub/plugins/shadow_copy.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace rosey::host {
namespace {

// The kernel grants a read lease only on a file that nobody has open for writing. Where the file
// system knows no leases, nobody is the answer: the ELF check below still stands.
bool is_being_written(const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return false;
  // Should a writer come while we hold the lease, we are told by a signal: one that is ignored.
  ::fcntl(opened, F_SETSIG, SIGURG);
  const bool busy = ::fcntl(opened, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  ::fcntl(opened, F_SETLEASE, F_UNLCK);
  ::close(opened);
  return busy;
}

template <class T>
bool read_at(std::istream& in, std::uint64_t offset, T& into) {
  in.seekg(static_cast<std::streamoff>(offset));
  return static_cast<bool>(in.read(reinterpret_cast<char*>(&into), sizeof into));
}

// One sentence about why the loader must not see this file; "" if it may.
std::string problem_with_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code failure;
  const std::uint64_t size = std::filesystem::file_size(file, failure);
  ElfW(Ehdr) header;
  if (!read_at(in, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_type != ET_DYN || header.e_phentsize != sizeof(ElfW(Phdr))) {
    return "is not a loadable library: it has no ELF header of one";
  }
  // Linkers write the section headers last.
  std::uint64_t needs =
      header.e_shoff + static_cast<std::uint64_t>(header.e_shnum) * header.e_shentsize;
  for (std::uint64_t index = 0; index < header.e_phnum && needs <= size; ++index) {
    ElfW(Phdr) segment;
    if (!read_at(in, header.e_phoff + index * sizeof segment, segment)) {
      return "is not a loadable library: it ends inside its headers";
    }
    needs = std::max(needs, segment.p_offset + segment.p_filesz);
  }
  if (needs <= size) return {};
  return fmt::format("is cut short: it has {} bytes of {}", size, needs);
}

}  // namespace

error refused(const std::filesystem::path& file, std::string_view why) {
  return {"refused", fmt::format("{}: {}", file.string(), why)};
}

result<std::filesystem::path> shadow_copy(const std::filesystem::path& file,
                                          const std::filesystem::path& folder) {
  static std::atomic<unsigned> copies = 0;
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) {
    return refused(file, failure && failure != std::errc::no_such_file_or_directory
                             ? failure.message()
                             : "there is no such file");
  }
  const error being_written{"being_written",
                            fmt::format("{}: is still being written", file.string())};
  if (is_being_written(file)) return being_written;
  const std::filesystem::path copy =
      folder / fmt::format("{}.{}.so", file.stem().string(), ++copies);
  if (!std::filesystem::copy_file(file, copy, failure)) {
    return refused(file, "cannot be copied to " + folder.string() + ": " + failure.message());
  }
  std::string problem = problem_with_file(copy);
  // Somebody may have begun to write while we copied.
  const bool written_meanwhile = is_being_written(file);
  if (!written_meanwhile && problem.empty()) return copy;
  std::filesystem::remove(copy, failure);
  if (written_meanwhile) return being_written;
  return refused(file, problem);
}

bool same_content(const std::filesystem::path& one, const std::filesystem::path& other) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(one, failure);
  if (failure || size != std::filesystem::file_size(other, failure) || failure) return false;
  std::ifstream first(one, std::ios::binary);
  std::ifstream second(other, std::ios::binary);
  std::array<char, 65536> left;
  std::array<char, 65536> right;
  for (auto rest = size; rest > 0;) {
    const auto part = std::min<std::uintmax_t>(rest, left.size());
    if (!first.read(left.data(), static_cast<std::streamsize>(part)) ||
        !second.read(right.data(), static_cast<std::streamsize>(part)) ||
        !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(part),
                    right.begin())) {
      return false;
    }
    rest -= part;
  }
  return true;
}

}  // namespace rosey::host
