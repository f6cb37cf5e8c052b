// The explorer on a sample heap, and its answers as tests look at them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/explore/sample_heap.h"
#include "tools/explore/explorer.h"
#include "tools/reader/reader.h"

namespace mallocspy {

inline std::string Hex(uint32_t block) {
  std::ostringstream text;
  text << "0x" << std::hex << SampleAddress(block);
  return text.str();
}

inline Snapshot ReadHeap(LedgerBuilder ledger) {
  const std::string bytes = ledger.Bytes();
  absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "heap.mspy");
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return *std::move(snapshot);
}

class ExplorerTest : public ::testing::Test {
 protected:
  ExplorerTest() : ExplorerTest(SampleHeap()) {}
  explicit ExplorerTest(LedgerBuilder ledger)
      : heap_(ReadHeap(std::move(ledger)), false), explorer_(&heap_, TableFormat::kTable, 0, [this](absl::string_view text) {
          output_.append(text.data(), text.size());
          return true;
        }) {}

  std::string Text(const std::string& line) {
    output_.clear();
    const absl::Status done = explorer_.ExecuteLine(line);
    EXPECT_TRUE(done.ok()) << line << ": " << done;
    return output_;
  }
  nlohmann::json Json(const std::string& line) {
    const std::string text = Text(line + " as json");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    return nlohmann::json::parse(text);
  }
  // What is wrong with a line.
  std::string Error(const std::string& line) {
    output_.clear();
    const absl::Status done = explorer_.ExecuteLine(line);
    EXPECT_FALSE(done.ok()) << line;
    EXPECT_EQ(output_, "") << line;
    return std::string(done.message());
  }
  // The addresses of the blocks that a line lists, in its order.
  std::vector<std::string> Addresses(const std::string& line) {
    std::vector<std::string> addresses;
    const nlohmann::json answer = Json(line);
    for (const nlohmann::json& row : answer["rows"]) addresses.push_back(row["address"]);
    return addresses;
  }
  // Likewise, ordered.
  std::vector<std::string> Chosen(const std::string& filters) { return Addresses("blocks " + filters + " sort address"); }

  ExploredHeap heap_;
  std::string output_;
  Explorer explorer_;
};

}  // namespace mallocspy
