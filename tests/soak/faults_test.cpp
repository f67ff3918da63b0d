// Disks that are full and clocks that jump under a crowd of clients: what they were answered is
// what is stored, once, and everybody is served again soon.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "soak/disk.hpp"
#include "soak/torture.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

// One trial: `begin` breaks something under load and `end` mends it.
template <class Begin, class End>
void trial_of(cluster& all, people& crowd, trials& made, findings& found, Begin begin, End end) {
  crowd.resume();
  all.drain(std::chrono::milliseconds(made.below(100)));
  begin();
  all.drain(std::chrono::milliseconds(made.below(400)));
  end();
  found.heal_seconds.push_back(seconds_to_heal(all, crowd, steady::now()));
  check(all, crowd, found);
}

TEST(FullDisk, LosesNothingAndGoesOnWhenThereIsRoom) {
  const small_disk disk;
  if (!disk.problem().empty()) {
    GTEST_SKIP() << "a small file system cannot be mounted here: " << disk.problem();
  }
  trials made(4);
  cluster all({.playlist = roomy, .database = disk.path() / "cluster.db"});
  people crowd(all.url(), 4, 2, made.seed());
  findings found;
  while (made.another() && !HasFailure()) {
    const bool killed = made.one_in(3);
    SCOPED_TRACE("trial " + std::to_string(made.made()) + (killed ? ", with a kill" : ""));
    trial_of(
        all, crowd, made, found, [&] { disk.fill(); },
        [&] {
          if (killed) all.kill(cluster::storage);
          disk.free();
          if (killed) all.start(cluster::storage);
        });
  }
  EXPECT_GT(crowd.repeated(), 0u) << "nothing was refused: the disk was not full";
  report("full disk", made, found);
}

TEST(FileLimit, LosesNothingAndGoesOnWhenItIsRaised) {
  trials made(4);
  cluster all({.playlist = roomy, .storage_environment = {"--ignore-signal=XFSZ"}});
  people crowd(all.url(), 4, 2, made.seed());
  findings found;
  while (made.another() && !HasFailure()) {
    const pid_t storage = all.at(cluster::storage).id();
    trial_of(
        all, crowd, made, found, [&] { limit_files_of(storage, 4096); },
        [&] { limit_files_no_more(storage); });
  }
  EXPECT_GT(crowd.repeated(), 0u) << "nothing was refused: the limit was none";
  report("file limit", made, found);
}

// The wall clock of the processes that preload it.
class stepped_clock {
 public:
  explicit stepped_clock(const std::filesystem::path& file) : file_(file) {
    std::ofstream(file, std::ios::binary).write("\0\0\0\0\0\0\0\0", 8);
    const int opened = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    offset_ = static_cast<std::int64_t*>(
        ::mmap(nullptr, sizeof *offset_, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0));
    ::close(opened);
  }
  ~stepped_clock() { ::munmap(offset_, sizeof *offset_); }
  stepped_clock(const stepped_clock&) = delete;
  stepped_clock& operator=(const stepped_clock&) = delete;

  std::vector<std::string> environment() const {
    return {"LD_PRELOAD=" STEPPED_CLOCK, "ROSEY_TEST_CLOCK=" + file_.string()};
  }
  void step(std::chrono::nanoseconds by) { *offset_ += by.count(); }
  std::chrono::seconds offset() const {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds(*offset_));
  }

 private:
  const std::filesystem::path file_;
  std::int64_t* offset_ = nullptr;
};

class ClockSteps : public testing::Test {
 protected:
  // The playlist's wall clock, to the second: when an item was added.
  static std::string moment_of_an_add(soak_client& client) {
    const auto answer = json::parse(client.ask(
        "service.playlist.add_item", R"({"channel":"#time","user":"ann","url":"yt:dQw4w9WgXcQ"})"));
    return std::string(answer.at("item").at("added_at").as_string().subview(0, 19));
  }
  static std::string in(std::chrono::seconds more) {
    const std::time_t then = std::time(nullptr) + more.count();
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", std::gmtime(&then));
    return text;
  }

  void SetUp() override {
    if (SANITIZED) GTEST_SKIP() << "a sanitizer has to be the first library of a process";
  }

  temporary_directory folder_;
  stepped_clock clock_{folder_.path() / "clock"};
};

TEST_F(ClockSteps, ReachTheProcesses) {
  cluster all({.playlist = roomy,
               .storage_environment = clock_.environment(),
               .host_environment = clock_.environment()});
  soak_client client(all.url());
  for (const std::chrono::seconds step : {0s, 3600s, -7200s}) {
    clock_.step(step);
    const std::string from = in(clock_.offset());
    EXPECT_THAT(moment_of_an_add(client),
                testing::AllOf(testing::Ge(from), testing::Le(in(clock_.offset()))));
  }
}

TEST_F(ClockSteps, LoseNothing) {
  constexpr std::chrono::seconds steps[] = {-1h, 1h, -10s, 25h, -24h, 90s};
  trials made(static_cast<int>(std::size(steps)));
  cluster all({.playlist = roomy,
               .storage_environment = clock_.environment(),
               .host_environment = clock_.environment()});
  people crowd(all.url(), 4, 2, made.seed());
  findings found;
  while (made.another() && !HasFailure()) {
    const auto step = steps[static_cast<std::size_t>(made.made() - 1) % std::size(steps)];
    const bool killed = made.one_in(3);
    SCOPED_TRACE("a step of " + std::to_string(step.count()) + " s" +
                 (killed ? " and a kill" : ""));
    trial_of(
        all, crowd, made, found, [&] { clock_.step(step); },
        [&] {
          if (!killed) return;
          all.kill(cluster::first_host);
          all.start(cluster::first_host);
        });
  }
  report("clock", made, found);
}

// Imports items of a second each. How many seconds it takes until all of them have played.
double seconds_to_play(cluster& all, const std::string& channel, int items,
                       const std::function<void()>& meanwhile) {
  std::ofstream list(all.folder().path() / "list");
  for (int item = 0; item < items; ++item) {
    list << (item ? ", " : "[")
         << R"({"media": {"type": "yt", "id": "dQw4w9WgXcQ", "seconds": 1}})";
  }
  list << "]" << std::flush;
  const finished imported =
      run(all.folder().command({"import", "list", "--channel", channel, "--nats-url", all.url()}),
          all.folder().path());
  EXPECT_EQ(imported.status, 0) << imported.log;
  const auto began = steady::now();
  meanwhile();
  const std::string query =
      "SELECT count(*) FROM playlist_history WHERE channel = '" + channel + "'";
  while (query_rows(all.database(), query.c_str()).front() != std::to_string(items)) {
    if (steady::now() - began > most_heal) {
      ADD_FAILURE() << "after " << most_heal.count() << " s, not all of " << channel
                    << " has played";
      break;
    }
    all.drain(20ms);
  }
  return std::chrono::duration<double>(steady::now() - began).count();
}

TEST_F(ClockSteps, DoNotFreezeWhatPlays) {
  cluster all({.playlist = roomy,
               .storage_environment = clock_.environment(),
               .host_environment = clock_.environment()});
  constexpr int items = 3;
  constexpr double little = SANITIZED ? 20 : 10;  // more than they last
  const auto step_back = [&] {
    all.drain(300ms);  // the first of them has begun, and not ended
    clock_.step(-1h);
  };
  EXPECT_LT(seconds_to_play(all, "#back", items, step_back), items + little);
  EXPECT_LT(seconds_to_play(all, "#restart", items,
                            [&] {
                              clock_.step(-1h);
                              all.kill(cluster::first_host);
                              all.start(cluster::first_host);
                            }),
            items + little);
}

}  // namespace
}  // namespace rosey::tests
