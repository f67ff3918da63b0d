#include "fuzz/wire_seeds.hpp"

#include <stdexcept>

#include "doc_blocks.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::tests {
namespace {

namespace subjects = wire::subjects;

// The page's examples of requests.
void add_examples(const std::string& page, std::vector<wire_seed>& seeds) {
  for (const doc_block& block : doc_blocks(SOURCE_DIR "/docs/" + page)) {
    if (block.kind == "request" || block.kind == "publish") {
      seeds.push_back({block.subject, block.text});
    }
  }
}

}  // namespace

std::vector<wire_seed> wire_seeds() {
  std::vector<wire_seed> seeds;
  add_examples("storage-api.md", seeds);
  add_examples("playlist-api.md", seeds);
  // Never about the playlist, without which nothing would be left to fuzz.
  seeds.push_back({subjects::admin_plugin_list, "{}"});
  for (const char* subject : {subjects::admin_plugin_load, subjects::admin_plugin_reload,
                              subjects::admin_plugin_unload}) {
    seeds.push_back({subject, R"({"name": "hello"})"});
  }
  seeds.push_back(
      {"rosey.command.hello.hello", R"({"channel": "#lobby", "user": "ann", "args": ""})"});
  seeds.push_back({subjects::chat_send, R"({"channel": "#lobby", "message": "hello"})"});
  return seeds;
}

std::string demo_migration() {
  for (const doc_block& block : doc_blocks(SOURCE_DIR "/docs/storage-api.md")) {
    if (block.subject == "demo/001_songs.sql") return block.text;
  }
  throw std::runtime_error("the page shows no demo/001_songs.sql");
}

}  // namespace rosey::tests
