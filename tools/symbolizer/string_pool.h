// Strings kept once and named by number, so that a hundred thousand frames cost little more than their numbers.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mallocspy {

class StringPool {
 public:
  // The number of `text`; 0 is the empty string.
  uint32_t Add(std::string_view text) {
    if (text.empty()) return 0;
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    texts_.emplace_back(text);
    const auto number = static_cast<uint32_t>(texts_.size() - 1);
    numbers_.emplace(texts_.back(), number);
    return number;
  }

  const std::string& operator[](uint32_t number) const { return texts_[number]; }

 private:
  std::deque<std::string> texts_ = {std::string()};  // a deque: the keys below are views into it
  std::unordered_map<std::string_view, uint32_t> numbers_;
};

}  // namespace mallocspy
