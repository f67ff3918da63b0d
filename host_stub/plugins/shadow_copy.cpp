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

// What keeps the path from being a library's file at all; "" if nothing does.
std::string problem_with_kind(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::file_type own = fs::symlink_status(file, failure).type();
  if (own == fs::file_type::not_found) return "there is no such file";
  const fs::file_type type = fs::status(file, failure).type();
  if (own == fs::file_type::symlink && type == fs::file_type::not_found) {
    return fmt::format("is a link to '{}', which is not there",
                       fs::read_symlink(file, failure).string());
  }
  switch (type) {
    case fs::file_type::regular:
      return {};
    case fs::file_type::directory:
      return "is a folder, not the file of a library";
    case fs::file_type::fifo:
      return "is a FIFO, not the file of a library";
    case fs::file_type::socket:
      return "is a socket, not the file of a library";
    case fs::file_type::block:
    case fs::file_type::character:
      return "is a device, not the file of a library";
    default:
      return "cannot be read: " + failure.message();
  }
}

struct descriptor {
  int number;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

// Says of the source and of the target which one failed.
std::string copy_bytes(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto unreadable = [] { return std::string("cannot be read: ") + std::strerror(errno); };
  const auto unwritable = [&to] {
    return fmt::format("the private copy '{}' cannot be written: {}", to.string(),
                       std::strerror(errno));
  };
  const descriptor source{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
  if (source.number < 0) return unreadable();
  const descriptor target{::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700)};
  if (target.number < 0) return unwritable();
  std::array<char, 65536> part;
  for (;;) {
    const ssize_t size = ::read(source.number, part.data(), part.size());
    if (size == 0) return {};
    if (size < 0) return unreadable();
    for (ssize_t written = 0; written < size;) {
      const ssize_t more =
          ::write(target.number, part.data() + written, static_cast<std::size_t>(size - written));
      if (more < 0) return unwritable();
      written += more;
    }
  }
}

}  // namespace

error refused(const std::filesystem::path& file, std::string_view why) {
  return {"refused", fmt::format("{}: {}", file.string(), why)};
}

result<void> copy_library(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (const std::string problem = problem_with_kind(from); !problem.empty()) {
    return refused(from, problem);
  }
  const error being_written{"being_written",
                            fmt::format("{}: is still being written", from.string())};
  if (is_being_written(from)) return being_written;
  std::string problem = copy_bytes(from, to);
  if (problem.empty()) problem = problem_with_file(to);
  // Somebody may have begun to write while we copied.
  const bool written_meanwhile = is_being_written(from);
  if (!written_meanwhile && problem.empty()) return {};
  std::error_code ignored;
  std::filesystem::remove(to, ignored);
  if (written_meanwhile) return being_written;
  return refused(from, problem);
}

result<std::filesystem::path> shadow_copy(const std::filesystem::path& file,
                                          const std::filesystem::path& folder) {
  static std::atomic<unsigned> copies = 0;
  const std::filesystem::path copy =
      folder / fmt::format("{}.{}.so", file.stem().string(), ++copies);
  if (const auto copied = copy_library(file, copy); !copied) return copied.error();
  return copy;
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
