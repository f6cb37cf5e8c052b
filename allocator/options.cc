#include "allocator/options.h"

#include <cstring>

namespace mallocspy {
namespace {

#define MALLOCSPY_STRING(x) #x
constexpr OptionHelp kTable[] = {
#define MALLOCSPY_FLAG(name, value, help) {#name, MALLOCSPY_STRING(value), "0|1", help},
#define MALLOCSPY_NUMBER(name, value, low, high, help) {#name, MALLOCSPY_STRING(value), #low ".." #high, help},
#define MALLOCSPY_WORD(name, value, words, help) {#name, value, words, help},
#define MALLOCSPY_TEXT(name, value, help) {#name, value, "text", help},
#define MALLOCSPY_MEASURE(name, value, low, high, units, help) {#name, MALLOCSPY_STRING(value), units, help},
    MALLOCSPY_OPTIONS_TABLE(MALLOCSPY_FLAG, MALLOCSPY_NUMBER, MALLOCSPY_WORD, MALLOCSPY_TEXT, MALLOCSPY_MEASURE)
#undef MALLOCSPY_FLAG
#undef MALLOCSPY_NUMBER
#undef MALLOCSPY_WORD
#undef MALLOCSPY_TEXT
#undef MALLOCSPY_MEASURE
};

bool Same(const char* text, size_t size, const char* word) {
  return std::strlen(word) == size && std::memcmp(text, word, size) == 0;
}

const char* ReadFlag(OptionText value, bool* flag) {
  if (value.size != 1 || (value.data[0] != '0' && value.data[0] != '1')) return "needs 0 or 1";
  *flag = value.data[0] == '1';
  return nullptr;
}

const char* ReadNumber(OptionText value, uint64_t low, uint64_t high, uint64_t* number) {
  uint64_t n = 0;
  if (value.size == 0) return "needs a number";
  for (size_t i = 0; i < value.size; ++i) {
    const unsigned digit = static_cast<unsigned char>(value.data[i]) - '0';
    if (digit > 9) return "needs a number";
    if (__builtin_mul_overflow(n, uint64_t{10}, &n) || __builtin_add_overflow(n, digit, &n)) return "is out of range";
  }
  if (n < low || n > high) return "is out of range";
  *number = n;
  return nullptr;
}

// "bytes": K, M, G, T, of 1024; "seconds": s, m, h, d; "percent": %. Without a unit the number itself.
const char* ReadMeasure(OptionText value, const char* units, uint64_t low, uint64_t high, uint64_t* number) {
  struct Unit {
    char kind;  // the first letter of `units`
    char letter;
    uint64_t factor;
  };
  constexpr Unit kUnits[] = {{'b', 'K', uint64_t{1} << 10}, {'b', 'M', uint64_t{1} << 20}, {'b', 'G', uint64_t{1} << 30},
                             {'b', 'T', uint64_t{1} << 40}, {'s', 's', 1},                 {'s', 'm', 60},
                             {'s', 'h', 3600},              {'s', 'd', 86400},             {'p', '%', 1}};
  uint64_t factor = 1;
  for (const Unit& unit : kUnits) {
    if (value.size == 0 || unit.kind != units[0] || unit.letter != value.data[value.size - 1]) continue;
    factor = unit.factor;
    --value.size;
    break;
  }
  uint64_t n = 0;
  if (const char* reason = ReadNumber(value, 0, UINT64_MAX, &n); reason != nullptr) return reason;
  if (__builtin_mul_overflow(n, factor, &n) || n < low || n > high) return "is out of range";
  *number = n;
  return nullptr;
}

const char* ReadWord(OptionText value, const char* words, OptionText* word) {
  for (const char* at = words;;) {
    const char* end = std::strchr(at, '|');
    const size_t size = end != nullptr ? static_cast<size_t>(end - at) : std::strlen(at);
    if (size == value.size && std::memcmp(at, value.data, size) == 0) {
      *word = value;
      return nullptr;
    }
    if (end == nullptr) return "is not one of its words";
    at = end + 1;
  }
}

// Stores one item; the reason why not, or null.
const char* ReadItem(OptionText key, OptionText value, Options* options) {
#define MALLOCSPY_FLAG(name, value_, help) \
  if (Same(key.data, key.size, #name)) return ReadFlag(value, &options->name);
#define MALLOCSPY_NUMBER(name, value_, low, high, help) \
  if (Same(key.data, key.size, #name)) return ReadNumber(value, low, high, &options->name);
#define MALLOCSPY_WORD(name, value_, words, help) \
  if (Same(key.data, key.size, #name)) return ReadWord(value, words, &options->name);
#define MALLOCSPY_TEXT(name, value_, help) \
  if (Same(key.data, key.size, #name)) return options->name = value, nullptr;
#define MALLOCSPY_MEASURE(name, value_, low, high, units, help) \
  if (Same(key.data, key.size, #name)) return ReadMeasure(value, units, low, high, &options->name);
  MALLOCSPY_OPTIONS_TABLE(MALLOCSPY_FLAG, MALLOCSPY_NUMBER, MALLOCSPY_WORD, MALLOCSPY_TEXT, MALLOCSPY_MEASURE)
#undef MALLOCSPY_FLAG
#undef MALLOCSPY_NUMBER
#undef MALLOCSPY_WORD
#undef MALLOCSPY_TEXT
#undef MALLOCSPY_MEASURE
  return "is not an option";
}

}  // namespace

bool OptionText::Is(const char* word) const { return Same(data, size, word); }

void ParseOptions(const char* text, size_t size, Options* options,
                  void (*on_problem)(const OptionProblem& problem, void* context), void* context) {
  const char* const end = text + size;
  for (const char* at = text; at < end;) {
    const char* stop = static_cast<const char*>(std::memchr(at, ':', static_cast<size_t>(end - at)));
    if (stop == nullptr) stop = end;
    const OptionText item{at, static_cast<size_t>(stop - at)};
    at = stop + 1;
    if (item.size == 0) continue;
    const char* equals = static_cast<const char*>(std::memchr(item.data, '=', item.size));
    const char* reason = "has no value";
    if (equals != nullptr) {
      const size_t key_size = static_cast<size_t>(equals - item.data);
      reason = ReadItem({item.data, key_size}, {equals + 1, item.size - key_size - 1}, options);
    }
    if (reason != nullptr && on_problem != nullptr) on_problem({item, reason}, context);
  }
}

const OptionHelp* OptionTable(size_t* count) {
  *count = sizeof(kTable) / sizeof(kTable[0]);
  return kTable;
}

}  // namespace mallocspy
