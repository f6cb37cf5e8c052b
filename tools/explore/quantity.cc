#include "tools/explore/quantity.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace mallocspy {
namespace {

constexpr absl::string_view kUnits = "KMGTP";

bool AllDigits(absl::string_view text, bool (*is_digit)(unsigned char)) {
  for (const char letter : text) {
    if (!is_digit(static_cast<unsigned char>(letter))) return false;
  }
  return !text.empty();
}

bool IsDecimal(unsigned char letter) { return absl::ascii_isdigit(letter); }
bool IsHex(unsigned char letter) { return absl::ascii_isxdigit(letter); }

std::optional<uint64_t> Hex(absl::string_view digits) {
  uint64_t value = 0;
  if (!AllDigits(digits, IsHex) || !absl::SimpleHexAtoi(digits, &value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<uint64_t> ParseQuantity(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "0x")) return Hex(text);
  if (!absl::ConsumeSuffix(&text, "iB")) absl::ConsumeSuffix(&text, "B");
  double factor = 1;
  if (!text.empty()) {
    const size_t unit = kUnits.find(absl::ascii_toupper(static_cast<unsigned char>(text.back())));
    if (unit != absl::string_view::npos) {
      for (size_t i = 0; i <= unit; ++i) factor *= 1024;
      text.remove_suffix(1);
    }
  }
  uint64_t whole = 0;
  if (factor == 1) {
    if (!AllDigits(text, IsDecimal) || !absl::SimpleAtoi(text, &whole)) return std::nullopt;
    return whole;
  }
  const size_t point = text.find('.');
  if (!AllDigits(text.substr(0, point), IsDecimal)) return std::nullopt;
  if (point != absl::string_view::npos && !AllDigits(text.substr(point + 1), IsDecimal)) return std::nullopt;
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || number * factor >= 0x1p63) return std::nullopt;
  return static_cast<uint64_t>(number * factor);
}

std::optional<uint64_t> ParseAddress(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "0x")) return Hex(text);
  uint64_t value = 0;
  if (AllDigits(text, IsDecimal)) return absl::SimpleAtoi(text, &value) ? std::optional<uint64_t>(value) : std::nullopt;
  return Hex(text);
}

std::string HumanSize(uint64_t bytes) {
  if (bytes < 1024) return "";
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1023.95 && unit + 1 < kUnits.size(); value /= 1024) ++unit;
  return absl::StrFormat("%.1f%c", value, kUnits[unit]);
}

}  // namespace mallocspy
