#include "tools/explore/table_writing.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/explore/quantity.h"
#include "tools/explore/text_width.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 16;
constexpr size_t kGap = 2;         // between columns
constexpr size_t kHumanWidth = 7;  // "1023.9M"
constexpr size_t kLeastWidth = 8;  // to which texts are cut at most

std::string NumberText(const Cell& cell, Column::Kind kind) {
  return std::visit(
      [kind](const auto& value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          return "";
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return Escaped(value);
        } else if (kind == Column::Kind::kAddress) {
          return absl::StrCat("0x", absl::Hex(value));
        } else {
          return absl::StrCat(value);
        }
      },
      cell);
}

std::string TextOf(const Cell& cell, Column::Kind kind, bool pad) {
  std::string text = NumberText(cell, kind);
  if (kind == Column::Kind::kBytes) {
    uint64_t bytes = 0;
    if (const auto* number = std::get_if<uint64_t>(&cell)) bytes = *number;
    if (const auto* number = std::get_if<int64_t>(&cell))
      bytes = *number < 0 ? 0 - static_cast<uint64_t>(*number) : static_cast<uint64_t>(*number);
    const std::string human = HumanSize(bytes);
    if (pad) {
      absl::StrAppend(&text, std::string(1 + kHumanWidth - std::min(kHumanWidth, human.size()), ' '), human);
    } else if (!human.empty()) {
      absl::StrAppend(&text, " (", human, ")");
    }
  }
  return text;
}

// Collects small pieces for the sink.
class Buffer {
 public:
  explicit Buffer(const TextSink& sink) : sink_(sink) {}
  void Add(absl::string_view text) {
    pending_.append(text.data(), text.size());
    if (pending_.size() >= kPieceBytes) Flush();
  }
  bool Flush() {
    open_ = open_ && (pending_.empty() || sink_(pending_));
    pending_.clear();
    return open_;
  }
  bool open() const { return open_; }

 private:
  const TextSink& sink_;
  std::string pending_;
  bool open_ = true;
};

void WriteUpright(const Table& table, size_t width, Buffer* out) {
  const std::vector<Cell> row = table.row(0);
  size_t names = 0;
  for (const Column& column : table.columns) names = std::max(names, column.name.size());
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::holds_alternative<std::monostate>(row[i])) continue;
    std::string text = TextOf(row[i], table.columns[i].kind, false);
    if (width != 0) text = CutToWidth(text, width > names + kGap + kLeastWidth ? width - names - kGap : kLeastWidth);
    out->Add(absl::StrCat(table.columns[i].name, std::string(names + kGap - table.columns[i].name.size(), ' '), text, "\n"));
  }
}

// Takes from the widest text again and again, until the line fits.
void Fit(const std::vector<Column>& columns, size_t width, std::vector<size_t>* widths) {
  size_t total = kGap * (widths->size() - 1);
  for (const size_t column : *widths) total += column;
  while (width != 0 && total > width) {
    size_t widest = columns.size();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].kind == Column::Kind::kText && (widest == columns.size() || (*widths)[i] > (*widths)[widest])) widest = i;
    }
    if (widest == columns.size() || (*widths)[widest] <= kLeastWidth) return;
    --(*widths)[widest];
    --total;
  }
}

void WriteLine(const std::vector<Column>& columns, const std::vector<size_t>& widths, const std::vector<std::string>& texts, Buffer* out) {
  std::string line;
  for (size_t i = 0; i < texts.size(); ++i) {
    const bool is_text = columns[i].kind == Column::Kind::kText;
    const std::string text = is_text ? CutToWidth(texts[i], widths[i]) : texts[i];
    const std::string padding(widths[i] - std::min(widths[i], TextWidth(text)), ' ');
    absl::StrAppend(&line, i == 0 ? "" : std::string(kGap, ' '), is_text ? text : padding, is_text ? padding : text);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out->Add(absl::StrCat(line, "\n"));
}

void WriteTable(const Table& table, size_t width, Buffer* out) {
  if (table.upright) return WriteUpright(table, width, out);
  const auto texts_of = [&table](uint64_t row) {
    const std::vector<Cell> cells = table.row(row);
    std::vector<std::string> texts;
    for (size_t i = 0; i < cells.size(); ++i) texts.push_back(TextOf(cells[i], table.columns[i].kind, true));
    return texts;
  };
  std::vector<std::string> headings;
  std::vector<size_t> widths;
  std::vector<size_t> blanks;  // at the end of each text of a column: no size in it is long enough to be said in two ways
  for (const Column& column : table.columns) {
    headings.push_back(column.name);
    widths.push_back(0);
    blanks.push_back(column.kind == Column::Kind::kBytes ? 1 + kHumanWidth : 0);
  }
  for (uint64_t row = 0; row < table.rows; ++row) {
    const std::vector<std::string> texts = texts_of(row);
    for (size_t i = 0; i < texts.size(); ++i) {
      widths[i] = std::max(widths[i], TextWidth(texts[i]));
      if (blanks[i] != 0 && !texts[i].empty() && texts[i].back() != ' ') blanks[i] = 0;
    }
  }
  for (size_t i = 0; i < widths.size(); ++i) {
    widths[i] -= std::min(widths[i], blanks[i]);
    if (table.columns[i].kind == Column::Kind::kBytes && blanks[i] == 0) headings[i].append(1 + kHumanWidth, ' ');
    widths[i] = std::max(widths[i], headings[i].size());
  }
  Fit(table.columns, width, &widths);
  WriteLine(table.columns, widths, headings, out);
  for (uint64_t row = 0; row < table.rows && out->open(); ++row) {
    std::vector<std::string> texts = texts_of(row);
    for (size_t i = 0; i < texts.size(); ++i) texts[i].resize(texts[i].size() - std::min(texts[i].size(), blanks[i]));
    WriteLine(table.columns, widths, texts, out);
  }
}

nlohmann::ordered_json JsonOf(const Cell& cell, Column::Kind kind) {
  return std::visit(
      [kind](const auto& value) -> nlohmann::ordered_json {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return ValidUtf8(value);
        } else {
          if (kind == Column::Kind::kAddress) return absl::StrCat("0x", absl::Hex(value));
          return value;
        }
      },
      cell);
}

// Other characters than ASCII are written by their codes, so that no terminal obeys them.
std::string Dump(const nlohmann::ordered_json& value) { return value.dump(-1, ' ', /*ensure_ascii=*/true); }

nlohmann::ordered_json JsonOf(const Table& table, uint64_t row) {
  const std::vector<Cell> cells = table.row(row);
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (size_t i = 0; i < cells.size(); ++i) object[table.columns[i].name] = JsonOf(cells[i], table.columns[i].kind);
  return object;
}

void WriteJson(const Answer& answer, absl::string_view command, Buffer* out) {
  out->Add(absl::StrCat("{\"command\":", Dump(std::string(command))));
  for (const Table& table : answer.tables) {
    out->Add(absl::StrCat(",", Dump(table.name), ":"));
    if (table.upright) {
      out->Add(Dump(JsonOf(table, 0)));
      continue;
    }
    for (uint64_t row = 0; row < table.rows && out->open(); ++row) {
      out->Add(absl::StrCat(row == 0 ? "[" : ",", Dump(JsonOf(table, row))));
    }
    out->Add(table.rows == 0 ? "[]" : "]");
  }
  if (!answer.totals.empty()) {
    nlohmann::ordered_json totals;
    for (const auto& [name, value] : answer.totals) totals[name] = value;
    out->Add(absl::StrCat(",\"total\":", Dump(totals)));
  }
  std::vector<std::string> notes;
  for (const std::string& note : answer.notes) notes.push_back(ValidUtf8(note));
  out->Add(absl::StrCat(",\"notes\":", Dump(notes), "}\n"));
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && (text.empty() || (text.front() != ' ' && text.back() != ' '))) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted.append(letter == '"' ? 2 : 1, letter);
  return quoted + '"';
}

void WriteCsv(const Table& table, Buffer* out) {
  std::vector<std::string> fields;
  for (const Column& column : table.columns) fields.push_back(CsvField(column.name));
  out->Add(absl::StrCat(absl::StrJoin(fields, ","), "\r\n"));
  for (uint64_t row = 0; row < table.rows && out->open(); ++row) {
    const std::vector<Cell> cells = table.row(row);
    fields.clear();
    for (size_t i = 0; i < cells.size(); ++i) fields.push_back(CsvField(NumberText(cells[i], table.columns[i].kind)));
    out->Add(absl::StrCat(absl::StrJoin(fields, ","), "\r\n"));
  }
}

}  // namespace

std::vector<std::string> TableFormats() { return {"table", "json", "csv"}; }

std::optional<TableFormat> ParseTableFormat(absl::string_view word) {
  if (word == "table") return TableFormat::kTable;
  if (word == "json") return TableFormat::kJson;
  if (word == "csv") return TableFormat::kCsv;
  return std::nullopt;
}

bool WriteAnswer(const Answer& answer, absl::string_view command, TableFormat format, size_t width, const TextSink& sink) {
  Buffer out(sink);
  if (format == TableFormat::kJson) {
    WriteJson(answer, command, &out);
    return out.Flush();
  }
  bool first = true;
  for (const Table& table : answer.tables) {
    if (table.rows == 0 && format == TableFormat::kTable) continue;
    if (!first) out.Add(format == TableFormat::kCsv ? "\r\n" : "\n");
    first = false;
    if (format == TableFormat::kCsv) {
      WriteCsv(table, &out);
    } else {
      WriteTable(table, width, &out);
    }
  }
  if (format == TableFormat::kTable) {
    if (first && answer.notes.empty()) out.Add("Nothing.\n");
    for (const std::string& note : answer.notes) out.Add(absl::StrCat(Escaped(note), "\n"));
  }
  return out.Flush();
}

}  // namespace mallocspy
