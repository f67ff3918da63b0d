// Opening of the file: its folder, its mode, the service's own tables.
#include "host_stub/storage/sqlite/sqlite_database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "host_stub/storage/sqlite/sqlite_session.hpp"

namespace rosey::storage {

namespace {

// Nobody else may read what people have said. SQLite gives -wal and -shm the mode of the database.
// A file that is there is not touched: closing it would drop the locks that SQLite has on it.
void create_private(const std::string& path) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
}

class sqlite_database final : public database {
 public:
  sqlite_database(const std::string& path, const database_options& options)
      : keeper_(std::make_shared<sqlite_keeper>(path, options.busy_timeout)), options_(options) {}

  std::unique_ptr<session> connect(access mode) override {
    return connect_sqlite(keeper_, mode, options_);
  }

  // The file that is there from now on must stay the one.
  void trust(std::string identity) { keeper_->trust(std::move(identity)); }

  std::string_view dialect_name() const override { return "sqlite"; }

  const std::string& identity() const override { return keeper_->identity(); }

  std::string shown() const override {
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(keeper_->path(), ignored);
    return "sqlite:" + absolute.lexically_normal().string();
  }

  // The same in all containers of a machine, which may share a file.
  std::string copy() const override {
    const auto file = look_at(keeper_->path());
    if (!file) return "gone";
    std::string machine;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), machine);
    return fmt::format("{}:{}:{}", machine, file->id.device, file->id.number);
  }

  bool writes_in_parallel() const override { return false; }

 private:
  const std::shared_ptr<sqlite_keeper> keeper_;
  database_options options_;
};

constexpr char counter[] = R"(
CREATE TABLE IF NOT EXISTS rosey_revision (
    only_row BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO rosey_revision (only_row, value) VALUES (1, 0) ON CONFLICT DO NOTHING;
)";

// Each statement ends with a line.
void execute_all(session& in, std::string_view statements) {
  for (std::size_t end; (end = statements.find(";\n")) != statements.npos;) {
    in.execute({std::string(statements.substr(0, end)), {}});
    statements.remove_prefix(end + 2);
  }
}

// To files of before it was there.
void add_column(session& in, const char* table, const char* column, const char* type) {
  bool there = false;
  in.query({fmt::format("SELECT 1 FROM pragma_table_info('{}') WHERE name = '{}'", table, column)},
           [&there](const auto&) { return !(there = true); });
  if (!there) in.execute({fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table, column, type), {}});
}

void create_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty()) return;
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw std::runtime_error(fmt::format("Cannot create the folder '{}' of the database: {}",
                                         folder.string(), failure.message()));
  }
}

}  // namespace

std::unique_ptr<database> open_sqlite(const std::string& path, const database_options& options) {
  // SQLite's other names for databases mean private ones, which writer and readers cannot share.
  if (path.empty() || path.starts_with(":") || path.starts_with("file:")) {
    throw std::runtime_error(fmt::format("The database needs a file, but is 'sqlite:{}'", path));
  }
  create_folder_of(path);
  create_private(path);
  auto opened = std::make_unique<sqlite_database>(path, options);
  try {
    const auto session = opened->connect(access::write);
    transaction creating(*session, access::write);
    execute_all(*session, own_tables("TEXT"));
    execute_all(*session, counter);
    add_column(*session, "rosey_request", "results", "TEXT");
    add_column(*session, "rosey_kv", "set_at", "BIGINT");
    std::string identity;
    session->query({"SELECT identity FROM rosey_identity"}, [&identity](const auto& row) {
      identity = std::get<std::string>(row.at(0));
      return false;
    });
    creating.commit();
    opened->trust(std::move(identity));
  } catch (const sql_failure& failure) {
    const std::string why = fmt::format("Cannot use the database '{}': {}", path, failure.what());
    if (failure.kind == sql_failure_kind::busy) throw database_unavailable(why);
    throw std::runtime_error(why);
  }
  return opened;
}

}  // namespace rosey::storage
