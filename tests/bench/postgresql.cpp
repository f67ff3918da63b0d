// The same on PostgreSQL, durable, beside pgbench with the same statements.
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <stdexcept>

#include "bench/bare_sqlite.hpp"
#include "bench/playlist_host.hpp"
#include "bench/scale.hpp"
#include "soak/cluster.hpp"
#include "storage/postgresql_server.hpp"

namespace rosey::bench {
namespace {

constexpr int clients =
    50;  // of pgbench; each has a channel, as each channel of ours is one writer

std::string run(const std::string& name, std::vector<std::string> arguments,
                const std::filesystem::path& folder) {
  arguments.insert(arguments.begin(), tests::postgresql_program(name).string());
  const auto ended = tests::run(arguments, folder);
  if (ended.status != 0) throw std::runtime_error(name + " failed: " + ended.log);
  return ended.output;
}

// A new database there, each time; its URL.
std::string new_database(const std::string& server_url) {
  static int made = 0;
  const std::string name = fmt::format("bench_{}", ++made);
  run("psql", {"--quiet", "--dbname", server_url, "--command", "CREATE DATABASE " + name}, "/");
  constexpr std::string_view first = "/postgres?";
  std::string url = server_url;
  return url.replace(url.find(first), first.size(), "/" + name + "?");
}

// Transactions a second. Ours has been there: the tables are made.
double rate_of_pgbench(const std::string& url, const effort& how) {
  const tests::temporary_directory folder;
  std::string channels;
  for (int client = 1; client <= clients; ++client) channels += channel_of_an_add(client) + ";";
  run("psql", {"--quiet", "--dbname", url, "--command", channels}, folder.path());
  std::ofstream script(folder.path() / "add.sql");
  script << "\\set client :client_id + 1\n\\set number :number + 1\nBEGIN;\n";
  for (const std::string& each : statements_of_an_add()) script << each << ";\n";
  script << "COMMIT;\n";
  script.close();
  const std::string output =
      run("pgbench",
          {"--no-vacuum", "--protocol=prepared", "--file=add.sql", "--define=number=0",
           "--define=now=1795888777578", fmt::format("--client={}", clients), "--jobs=2",
           fmt::format("--time={}", how.of(4, 1)), url},
          folder.path());
  constexpr std::string_view key = "tps = ";
  const auto found = output.find(key);
  if (found == output.npos) throw std::runtime_error("pgbench said: " + output);
  return std::stod(output.substr(found + key.size()));
}

// Beside the one that a cluster has.
std::unique_ptr<tests::process> start_storage(const tests::cluster& all,
                                              const std::string& database) {
  auto storage = std::make_unique<tests::process>(
      std::vector<std::string>{ROSEY_BINARY, "storage", "--nats-url", all.url(), "--database",
                               database, "--migrations",
                               (all.folder().path() / "migrations").string()},
      all.folder().path());
  storage->wait_for_log("rosey ready");
  return storage;
}

}  // namespace

figures measure_postgresql(const effort& how) {
  try {
    tests::postgresql_program("pgbench");
  } catch (const std::runtime_error& missing) {
    fmt::print(stderr, "bench: left out: {}\n", missing.what());
    return {};
  }
  const tests::postgresql_server server({.durable = true});
  scale of_one, of_two;
  std::vector<double> limits;
  for (int round = 0; round < how.of(3, 1); ++round) {
    const std::string of_host = new_database(server.url()), of_hosts = new_database(server.url());
    {
      const tests::cluster one({.playlist = roomy, .database_url = of_host});
      take(of_one, one.url(), how);
    }
    limits.push_back(rate_of_pgbench(of_host, how));
    const tests::cluster two({.hosts = 2, .playlist = roomy, .database_url = of_hosts});
    const auto second_storage = start_storage(two, of_hosts);
    take(of_two, two.url(), how);
  }
  figures rows{{"postgresql_adds", "!add over 50 channels, PostgreSQL", "/s", median(of_one.many),
                fmt::format("pgbench of the same statements, {} clients", clients), median(limits),
                figure::side::at_least, 0.5}};
  for (figure& row : compare("postgresql_two", "2 hosts, 2 storages, PostgreSQL", of_two,
                             "1 host, 1 storage, PostgreSQL", of_one)) {
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace rosey::bench
