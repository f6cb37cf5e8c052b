// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// "4096", "0x1000", "4K", "1.5M", "2GiB": K, M, G and T are powers of 1024. None for anything else.
std::optional<uint64_t> ParseQuantity(absl::string_view text);

// "0x5000" or, without a prefix, hexadecimal digits of which one is a letter; else decimal.
std::optional<uint64_t> ParseAddress(absl::string_view text);

// "1.5M"; empty below 1024.
std::string HumanSize(uint64_t bytes);

}  // namespace mallocspy
