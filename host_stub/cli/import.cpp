// rosey import: the queue of the bot before this one, brought into a channel.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "host_stub/bot.hpp"
#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/import/import_file.hpp"
#include "host_stub/import/importer.hpp"
#include "host_stub/output.hpp"

namespace rosey::host {
namespace {

struct import_options {
  config_options shared;
  std::string plugins;
  std::string file;
  std::string channel;
  std::string user = "import";
  bool again = false;

  result<config> load() const {
    auto loaded = shared.load();
    if (!loaded) return loaded;
    const bool names_nats = !shared.nats_url.empty() || !shared.nats_url_file.empty();
    if (shared.names_database() && names_nats) {
      return error{"config",
                   "a bot that runs on --nats-url imports into its own database: leave out "
                   "--database, or the URL to import without a bot"};
    }
    if (!plugins.empty()) loaded->plugin_directory = plugins;
    if (shared.names_database()) loaded->nats_url.clear();
    loaded->consoles.clear();
    loaded->watch_plugins = false;
    loaded->required_plugins.clear();
    // Nobody listens yet: it begins to play when the bot is run.
    boost::json::value& playlist = loaded->plugin_config["playlist"];
    if (!playlist.is_object()) playlist = boost::json::object();
    playlist.get_object()["paused"] = true;
    return loaded;
  }
};

// A line that is written over itself, on a terminal and when there is something to wait for.
class progress_bar {
 public:
  explicit progress_bar(std::size_t total)
      : total_(total), shown_(total >= worth_showing && ::isatty(STDERR_FILENO) == 1) {}
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void advance(std::size_t by) {
    done_ = std::min(done_ + by, total_);
    if (!shown_) return;
    constexpr std::size_t width = 40;
    const std::size_t filled = width * done_ / total_;
    const std::string line = fmt::format("\r[{:#<{}}{:.<{}}] {:3}%", "", filled, "", width - filled,
                                         100 * done_ / total_);
    std::fputs(line.c_str(), stderr);
  }

  void clear() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  static constexpr std::size_t worth_showing = 3000;

  std::size_t total_;
  bool shown_;
  std::size_t done_ = 0;
};

void print_outcome(const import_list& list, const import_outcome& outcome) {
  if (outcome.earlier_at.empty()) {
    print("{}: {} items imported\n", list.channel, outcome.imported);
  } else {
    print("{}: nothing to do, this was imported at {}; --again imports it once more\n",
          list.channel, outcome.earlier_at);
  }
}

void import_over(const std::string& nats_url, const import_options& options,
                 const std::vector<import_list>& lists) {
  std::size_t entries = 0;
  for (const import_list& list : lists) entries += list.entries.size();
  progress_bar bar(entries * 3);
  const auto on_progress = [&bar](std::size_t done) {
    if (termination_requested()) throw std::runtime_error("interrupted");
    bar.advance(done);
  };
  connection bus({.url = nats_url, .name = "rosey import"});
  importer work(bus, {options.user, options.again, on_progress});
  try {
    for (const import_list& list : lists) work.check(list);
  } catch (const std::exception& failure) {
    throw std::runtime_error(
        fmt::format("{}: nothing was imported\n{}", options.file, failure.what()));
  }
  for (const import_list& list : lists) {
    const import_outcome outcome = work.import(list);
    bar.clear();
    print_outcome(list, outcome);
  }
}

// Without a bot that runs: one without a chat, for as long as it takes.
void import_alone(const config& settings, const import_options& options,
                  const std::vector<import_list>& lists, termination& end) {
  std::optional<bot> alone;
  alone.emplace(settings, bot::surroundings{.reread = [options] { return options.load(); },
                                            .should_end = [&end] { return end.requested(); }});
  std::optional<std::string> failed;
  try {
    import_over(alone->nats_url(), options, lists);
  } catch (const std::exception& failure) {
    failed = failure.what();
  }
  end.request();
  const stop_outcome outcome = alone->stop(end.wait());
  if (outcome != stop_outcome::all_gone) {
    if (failed) print_error("rosey: {}\n", *failed);
    end_without_destroying(failed || outcome == stop_outcome::stuck ? 1 : 0);
  }
  if (failed) throw std::runtime_error(*failed);
}

int run_import(const import_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  const auto lists = read_import_file(options.file, options.channel);
  if (!lists) throw std::runtime_error(lists.error().message);
  termination end;
  end.waits_for("the import");
  if (lists->empty()) {
    print("{}: it holds no list, nothing was imported\n", options.file);
  } else if (settings->nats_url.empty()) {
    import_alone(*settings, options, *lists, end);
  } else {
    import_over(settings->nats_url, options, *lists);
  }
  return 0;
}

}  // namespace

void add_import_command(CLI::App& app, subcommand& run) {
  CLI::App* command = app.add_subcommand("import", "Bring an old playlist into a channel's queue");
  auto options = std::make_shared<import_options>();
  options->shared.add_file_option(*command);
  options->shared.add_nats_option(*command);
  options->shared.add_storage_options(*command);
  command->add_option("--plugins", options->plugins, "Folder of the plugins (lib<name>.so)");
  command
      ->add_option("FILE", options->file,
                   "CyTube's list in JSON, an object of such lists by channel, or text with a URL "
                   "a line and # comments")
      ->required();
  command->add_option("--channel", options->channel,
                      "Channel that it is for; of lists by channel, the one to import");
  command->add_option("--user", options->user, "Who has added what names nobody")
      ->capture_default_str();
  command->add_flag("--again", options->again, "Import what was imported before once more");
  command->footer(
      "Of each channel, all is imported or nothing. With a NATS URL a bot that runs there does it; "
      "otherwise no bot may run on the database.");
  command->callback([&run, options] { run = [options] { return run_import(*options); }; });
}

}  // namespace rosey::host
