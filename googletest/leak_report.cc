#include "googletest/leak_report.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "allocator/leak_check.h"

namespace mallocspy {
namespace {

using Json = nlohmann::json;

// A file in memory, for the command to read or to write.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("mallocspy", 0)) {}
  ~MemoryFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  bool Write(const std::string& text) const { return write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()); }
  std::string Read() const {
    std::string text;
    char buffer[1 << 16];
    lseek(descriptor_, 0, SEEK_SET);
    for (ssize_t got; (got = read(descriptor_, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<size_t>(got));
    return text;
  }

 private:
  const int descriptor_;
};

std::string Counted(size_t count, const char* noun) { return std::to_string(count) + " " + noun + (count == 1 ? "" : "s"); }

std::string NotChecked(int error) {
  std::string why = std::strerror(error);
  if (error == ENODATA) why = "the process has no record of mallocspy";
  if (error == ENOSYS) why = "the program has a malloc of its own, whose blocks mallocspy does not see";
  if (error == EAGAIN) why = "threads could not be signalled, or the process not copied: a limit or a seccomp filter";
  if (error == ENOENT) why = "the mallocspy command was not found beside the library; MALLOCSPY_TOOL can name it";
  return "the leak check did not run: " + why;
}

size_t BlocksOf(const mallocspy_leaks& found, bool held_too) {
  const size_t lost = found.definite.blocks + found.indirect.blocks;
  return held_too ? lost + found.possible.blocks + found.reachable.blocks : lost;
}
size_t BytesOf(const mallocspy_leaks& found, bool held_too) {
  const size_t lost = found.definite.bytes + found.indirect.bytes;
  return held_too ? lost + found.possible.bytes + found.reachable.bytes : lost;
}

bool Within(const LeakLimits& limits, size_t blocks, size_t bytes) {
  if (blocks == 0) return true;
  if (limits.blocks == 0 && limits.bytes == 0) return false;
  return (limits.blocks == 0 || blocks <= limits.blocks) && (limits.bytes == 0 || bytes <= limits.bytes);
}

std::string Text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

bool StartsWith(const std::string& text, const char* prefix) { return text.compare(0, std::strlen(prefix), prefix) == 0; }

// Whether the code that wanted the memory is GoogleTest's: the first frame that is not of the library which made it.
bool IsOfGoogleTest(const Json& frames) {
  for (const Json& frame : frames) {
    const std::string function = Text(frame.at("function"));
    if (function.empty() || StartsWith(function, "operator new") || StartsWith(function, "std::") || StartsWith(function, "__gnu_cxx::") ||
        function.find(" std::") != std::string::npos) {
      continue;
    }
    return StartsWith(function, "testing::") || function.find(" testing::") != std::string::npos;
  }
  return false;
}

std::string StackText(const Json& frames) {
  std::string text;
  int number = 0;
  for (const Json& frame : frames) {
    const std::string function = Text(frame.at("function"));
    if (StartsWith(function, "testing::") || StartsWith(function, "void testing::") || StartsWith(function, "mallocspy::")) break;  // who ran the test is known
    text += "    #" + std::to_string(number++) + " " + (function.empty() ? "(unknown function)" : function);
    if (!Text(frame.at("file")).empty()) {
      text += " " + Text(frame.at("file"));
      if (frame.at("line").is_number()) text += ":" + frame.at("line").dump();
    } else {
      text += " (" + Text(frame.at("module")) + ")";
    }
    text += "\n";
  }
  return text;
}

// The report's leaks that count.
std::vector<Json> Counting(const Json& report, bool held_too) {
  std::vector<Json> leaks;
  for (const Json& leak : report.at("leaks")) {
    const std::string kind = Text(leak.at("class"));
    if (!held_too && kind != "definite" && kind != "indirect") continue;
    if (!leak.at("suppressed_by").is_null()) continue;
    if (held_too && IsOfGoogleTest(leak.at("frames"))) continue;
    leaks.push_back(leak);
  }
  return leaks;
}

// The failure's message, or nothing. Throws what nlohmann does where the report is not as it should be.
std::string Judge(const LeakLimits& limits, const Json& report, uint32_t unanswered) {
  if (report.at("verdict").at("reachability") == "unknown") return NotChecked(EAGAIN);
  size_t blocks = 0;
  size_t bytes = 0;
  const std::vector<Json> leaks = Counting(report, limits.held_too);
  std::string message;
  for (const Json& leak : leaks) {
    blocks += leak.at("blocks").get<size_t>();
    bytes += leak.at("bytes").get<size_t>();
    message += Counted(leak.at("blocks").get<size_t>(), "block") + ", " + Counted(leak.at("bytes").get<size_t>(), "byte") + ", " +
               Text(leak.at("class")) + ", made by " + Text(leak.at("door")) + ":\n" + StackText(leak.at("frames"));
  }
  if (Within(limits, blocks, bytes)) return "";
  std::string headline = "leaked " + Counted(blocks, "block") + " (" + Counted(bytes, "byte") + ") in " + Counted(leaks.size(), "place");
  if (limits.blocks != 0) headline += "; allowed are " + Counted(limits.blocks, "block");
  if (limits.bytes != 0) headline += "; allowed are " + Counted(limits.bytes, "byte");
  if (unanswered != 0) headline += "; " + Counted(unanswered, "thread") + " did not stop, so not all that holds blocks was seen";
  return headline + "\n" + message;
}

}  // namespace

namespace {

// What the command says of this process as it is. Null, with the reason in `problem`, if it says nothing.
Json ReportOf(uint64_t since, const void* stack, const std::vector<const char*>& options, std::string* problem) {
  MemoryFile output;
  if (output.descriptor() < 0) {
    *problem = NotChecked(errno);
    return nullptr;
  }
  std::vector<const char*> arguments = {"--format=json", "--judge=all", "--fail-on=none"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(nullptr);
  const int status = mallocspy_report_leaks_above(stack, since, arguments.data(), output.descriptor());
  if (status < 0 && status != -ECHILD) {
    *problem = NotChecked(-status);
    return nullptr;
  }
  const std::string text = output.Read();
  Json report = Json::parse(text, nullptr, false);
  if (report.is_object()) return report;
  *problem = "the leak check did not run: " + text;
  return nullptr;
}

}  // namespace

std::string LeaksBeyond(const LeakLimits& limits, uint64_t since, const void* stack) {
  mallocspy_leaks found;
  if (mallocspy_check_leaks_above(stack, since, &found) != 0) return NotChecked(found.error);
  if (Within(limits, BlocksOf(found, limits.held_too), BytesOf(found, limits.held_too))) return "";
  MemoryFile suppressions;
  std::string patterns;
  for (const std::string& pattern : limits.allowed) patterns += "leak:" + pattern + "\n";
  if (suppressions.descriptor() < 0 || !suppressions.Write(patterns)) return NotChecked(errno);
  const std::string with = "--suppressions=" + suppressions.path();  // the command inherits the descriptor
  std::string problem;
  const Json report = ReportOf(since, stack, {with.c_str()}, &problem);
  if (report.is_null()) return problem;
  try {
    return Judge(limits, report, found.unanswered);
  } catch (const Json::exception& error) {
    return std::string("the leak check did not run: the command's report is of another version: ") + error.what();
  }
}

std::string InjectedFailureStack(const std::vector<uint64_t>& offsets) {
  std::string problem;
  const Json report = ReportOf(mallocspy_mark(), __builtin_frame_address(0), {}, &problem);
  try {
    for (const Json& failure : report.is_null() ? Json::array() : report.at("injected")) {
      std::vector<uint64_t> there;
      for (const Json& frame : failure.at("where")) {
        if (!frame.at("inlined").get<bool>()) there.push_back(frame.at("offset").get<uint64_t>());
      }
      if (there.size() >= offsets.size() && std::equal(offsets.begin(), offsets.end(), there.begin())) return StackText(failure.at("where"));
    }
  } catch (const Json::exception&) {
  }
  return "    (its stack is not known)\n";
}

}  // namespace mallocspy
