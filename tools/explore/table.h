// What a command of the explorer answers, before it is text, JSON or CSV.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mallocspy {

// Nothing, a number or a text, which may be the target's: it is escaped when it is written.
using Cell = std::variant<std::monostate, uint64_t, int64_t, std::string>;

struct Column {
  enum class Kind { kText, kNumber, kBytes, kAddress };
  std::string name;
  Kind kind = Kind::kText;

  // Those of text can be written as their name alone.
  Column(const char* column_name, Kind column_kind = Kind::kText) : name(column_name), kind(column_kind) {}
};

struct Table {
  std::string name;  // its key in JSON
  std::vector<Column> columns;
  uint64_t rows = 0;
  std::function<std::vector<Cell>(uint64_t)> row;  // may be called more than once for each
  bool upright = false;                            // one row, shown as a line for each column

  static Table Of(std::string name, std::vector<Column> columns, std::vector<std::vector<Cell>> rows) {
    Table table;
    table.name = std::move(name);
    table.columns = std::move(columns);
    table.rows = rows.size();
    table.row = [rows = std::move(rows)](uint64_t i) { return rows[i]; };
    return table;
  }
  // From pairs of a column and its only cell.
  static Table Record(std::string name, std::vector<std::pair<Column, Cell>> cells) {
    std::vector<Column> columns;
    std::vector<Cell> row;
    for (auto& [column, cell] : cells) {
      columns.push_back(std::move(column));
      row.push_back(std::move(cell));
    }
    Table table = Of(std::move(name), std::move(columns), {std::move(row)});
    table.upright = true;
    return table;
  }
};

struct Answer {
  std::vector<Table> tables;
  std::vector<std::pair<std::string, uint64_t>> totals;  // of all rows, shown or not; JSON only: a note says it to people
  std::vector<std::string> notes;                        // sentences that go with them; not in CSV
};

}  // namespace mallocspy
