// Counting, and the report as JSON.
#include "host_stub/storage/metrics.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <random>

namespace rosey::storage {

namespace {

// Tells services apart also on one machine, and after a restart.
std::string make_node_id() {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  std::random_device random;
  return fmt::format("{}-{:08x}", host[0] ? host : "storage", random());
}

// Of this process: whatever else runs in it counts too.
std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

json::object to_json(const distribution& told) {
  return {{"count", told.count},
          {"p50", told.p50},
          {"p90", told.p90},
          {"p99", told.p99},
          {"max", told.max}};
}

metrics::metrics() : node_(make_node_id()) {}

void metrics::decoded(const request& asked) noexcept {
  const auto* data = std::get_if<data_request>(&asked.what);
  if (!data) {
    ++migrations_;
    return;
  }
  if (data->batch) ++batches_;
  for (const db::batch_operation& op : data->work.ops) ++operations_[op.what.index()];
}

void metrics::answered(std::string_view answer) noexcept {
  const std::string_view code = db::refusal_code(answer);
  if (code.empty()) return;
  for (std::size_t i = 0; i < errors_.size(); ++i) {
    if (code == db::codes::all[i]) ++errors_[i];
  }
}

void metrics::took(access mode, std::chrono::steady_clock::duration time) noexcept {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const auto number = static_cast<std::uint64_t>(microseconds < 0 ? 0 : microseconds);
  (mode == access::write ? write_latency_ : read_latency_).add(number);
}

json::object metrics::report() const {
  json::object operations;
  for (std::size_t i = 0; i < kinds; ++i)
    operations[db::operation_names[i]] = operations_[i].load();
  operations["batch"] = batches_.load();
  operations["migrate"] = migrations_.load();
  json::object errors;
  for (std::size_t i = 0; i < errors_.size(); ++i) errors[db::codes::all[i]] = errors_[i].load();
  const auto uptime = std::chrono::steady_clock::now() - started_;
  return {
      {"node", node_},
      {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
      {"resident_bytes", resident_bytes()},
      {"requests", requests_.load()},
      {"operations", std::move(operations)},
      {"errors", std::move(errors)},
      {"latency_us",
       {{"read", to_json(read_latency_.summary())}, {"write", to_json(write_latency_.summary())}}}};
}

}  // namespace rosey::storage
