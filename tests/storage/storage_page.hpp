// docs/storage-api.md, sent block by block to a storage service with an empty database.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "doc_blocks.hpp"
#include "storage/test_database.hpp"

namespace rosey::tests {

struct storage_page {
  std::filesystem::path file;
  std::filesystem::path migrations;  // the service's folder of them
  storage::test_database& database;  // the service's; its locks time out soon
  std::function<std::string(const std::string& subject, const std::string& payload)> ask;

  // Fails the test where a reply is not the one that the page shows.
  void run() const {
    std::string reply;
    std::size_t asked = 0;
    for (const doc_block& block : doc_blocks(file)) {
      SCOPED_TRACE(file.filename().string() + ":" + std::to_string(block.line));
      if (block.kind == "file") {
        std::filesystem::create_directories((migrations / block.subject).parent_path());
        std::ofstream(migrations / block.subject) << block.text;
      } else if (block.kind == "request") {
        const std::string payload = block.language == "json" ? expanded(block.text) : block.text;
        const bool locked = !block.words.empty() && block.words.front() == "locked";
        const auto lock = locked ? database.lock_out_writers() : nullptr;
        reply = ask(block.subject, payload);
        ++asked;
      } else if (block.kind == "reply") {
        EXPECT_TRUE(is_example_of(parse_example(block.text), boost::json::parse(reply)))
            << block.text << "is really\n"
            << reply;
      } else {
        EXPECT_TRUE(block.kind == "limits" || block.kind == "settings") << block.kind;
      }
    }
    EXPECT_GT(asked, 40U);
  }

 private:
  // "x × 3" is written for "xxx".
  static boost::json::value expanded(boost::json::value value) {
    constexpr std::string_view times = " × ";
    if (auto* text = value.if_string()) {
      const std::string written(*text);
      if (const auto at = written.find(times); at != std::string::npos) {
        const std::string unit = written.substr(0, at);
        std::string all;
        for (int i = std::stoi(written.substr(at + times.size())); i > 0; --i) all += unit;
        return boost::json::value(all);
      }
    } else if (auto* object = value.if_object()) {
      for (auto& field : *object) field.value() = expanded(field.value());
    } else if (auto* array = value.if_array()) {
      for (auto& each : *array) each = expanded(each);
    }
    return value;
  }
  static std::string expanded(const std::string& text) {
    return boost::json::serialize(expanded(boost::json::parse(text)));
  }
};

}  // namespace rosey::tests
