#include "tools/export/pprof_export.h"

#include <climits>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/export/gzip.h"
#include "tools/export/profile.pb.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

class ProfileBuilder {
 public:
  explicit ProfileBuilder(const NamedStacks& stacks) : stacks_(stacks) {
    Text("");
    AddTypes();
    AddMappings();
    for (size_t i = 0; i < stacks.sites().size(); ++i) AddLocation(i + 1, stacks.sites()[i]);
    AddSamples();
  }

  const pprof::Profile& profile() const { return profile_; }

 private:
  int64_t Text(absl::string_view text) {
    const auto [place, added] = texts_.try_emplace(std::string(text), profile_.string_table_size());
    // Readers print the texts as they are, on terminals too.
    if (added) profile_.add_string_table(Escaped(text));
    return place->second;
  }

  void SetType(absl::string_view type, absl::string_view unit, pprof::ValueType* out) {
    out->set_type(Text(type));
    out->set_unit(Text(unit));
  }

  void AddTypes() {
    const Snapshot& snapshot = stacks_.snapshot();
    SetType("alloc_objects", "count", profile_.add_sample_type());
    SetType("alloc_space", "bytes", profile_.add_sample_type());
    SetType("inuse_objects", "count", profile_.add_sample_type());
    SetType("inuse_space", "bytes", profile_.add_sample_type());
    SetType("space", "bytes", profile_.mutable_period_type());
    profile_.set_period(1);
    profile_.set_default_sample_type(Text("inuse_space"));
    profile_.add_comment(Text("by mallocspy: every allocation is counted, none is sampled"));
    profile_.add_comment(Text(absl::StrCat("pid ", snapshot.pid, ": ", absl::StrJoin(snapshot.cmdline, " "))));
    profile_.set_time_nanos(static_cast<int64_t>(snapshot.ended_ns));
    if (snapshot.ended_ns > snapshot.started_ns) profile_.set_duration_nanos(static_cast<int64_t>(snapshot.ended_ns - snapshot.started_ns));
  }

  // All modules that have code in a stack; pprof takes the first for the program itself.
  void AddMappings() {
    const std::vector<SnapshotModule>& modules = stacks_.snapshot().modules;
    std::vector<bool> used(modules.size());
    for (const NamedSite& site : stacks_.sites()) used[site.module] = true;
    mappings_.resize(modules.size());
    for (const bool program : {true, false}) {
      for (size_t i = 1; i < modules.size(); ++i) {
        if (!used[i] || modules[i].executable != program) continue;
        pprof::Mapping* mapping = profile_.add_mapping();
        mapping->set_id(static_cast<uint64_t>(profile_.mapping_size()));
        mapping->set_memory_start(modules[i].start);
        mapping->set_memory_limit(modules[i].end);
        mapping->set_filename(Text(modules[i].path));
        mapping->set_build_id(Text(absl::BytesToHexString(modules[i].build_id)));
        mappings_[i] = mapping->id();
      }
    }
  }

  uint64_t FunctionOf(const Frame& frame) {
    const std::string name = FrameName(frame);
    const auto [place, added] = functions_.try_emplace({name, frame.symbol, frame.file}, profile_.function_size() + 1);
    if (!added) return place->second;
    pprof::Function* function = profile_.add_function();
    function->set_id(place->second);
    function->set_name(Text(name));
    function->set_system_name(Text(frame.symbol.empty() ? name : frame.symbol));
    function->set_filename(Text(frame.file));
    return place->second;
  }

  void AddLocation(uint64_t id, const NamedSite& site) {
    pprof::Location* location = profile_.add_location();
    location->set_id(id);
    location->set_mapping_id(mappings_[site.module]);
    // The call is before the address to which it returns.
    location->set_address(site.address == 0 ? 0 : site.address - 1);
    for (const Frame& frame : site.frames) {
      pprof::Line* line = location->add_line();
      line->set_function_id(FunctionOf(frame));
      line->set_line(frame.line);
      line->set_column(frame.column);
      if (mappings_[site.module] == 0 || frame.function.empty()) continue;
      pprof::Mapping* mapping = profile_.mutable_mapping(static_cast<int>(mappings_[site.module] - 1));
      mapping->set_has_functions(true);
      if (!frame.file.empty()) mapping->set_has_filenames(true);
      if (frame.line != 0) mapping->set_has_line_numbers(true);
      if (frame.inlined) mapping->set_has_inline_frames(true);
    }
  }

  // A place without address for the stack that is not known: pprof wants at least one.
  uint64_t UnknownLocation() {
    if (unknown_ != 0) return unknown_;
    Frame frame;
    frame.function = kUnknownStack;
    pprof::Location* location = profile_.add_location();
    location->set_id(unknown_ = stacks_.sites().size() + 1);
    location->add_line()->set_function_id(FunctionOf(frame));
    return unknown_;
  }

  void AddSamples() {
    for (const NamedStack& stack : stacks_.stacks()) {
      pprof::Sample* sample = profile_.add_sample();
      for (const uint32_t site : stacks_.SitesOf(stack)) sample->add_location_id(site + 1);
      if (sample->location_id_size() == 0) sample->add_location_id(UnknownLocation());
      const StackCounts& counts = stack.counts;
      for (const uint64_t value : {counts.allocations, counts.allocated_bytes, counts.live_blocks, counts.live_bytes}) {
        sample->add_value(static_cast<int64_t>(value));
      }
      if (stack.door != Door::kNone) {
        pprof::Label* label = sample->add_label();
        label->set_key(Text("door"));
        label->set_str(Text(NameOf(stack.door)));
      }
      if (counts.allocations != 0) {
        pprof::Label* label = sample->add_label();
        label->set_key(Text("bytes"));  // of a block, on average
        label->set_num(static_cast<int64_t>(counts.allocated_bytes / counts.allocations));
        label->set_num_unit(Text("bytes"));
      }
    }
  }

  const NamedStacks& stacks_;
  pprof::Profile profile_;
  std::vector<uint64_t> mappings_;  // ids by module; 0 for none
  absl::flat_hash_map<std::string, int64_t> texts_;
  absl::flat_hash_map<std::tuple<std::string, std::string, std::string>, uint64_t> functions_;
  uint64_t unknown_ = 0;
};

}  // namespace

absl::Status WritePprof(const Snapshot& snapshot, FrameNamer* namer, std::string* out) {
  ByteSink sink(out);
  const absl::Status status = WritePprof(NamedStacks(snapshot, namer), &sink);
  return status.ok() ? sink.Finish() : status;
}

absl::Status WritePprof(const NamedStacks& stacks, ByteSink* sink) {
  const ProfileBuilder builder(stacks);
  if (builder.profile().ByteSizeLong() > INT_MAX) return absl::OutOfRangeError("a profile of more than 2 GiB");
  const absl::StatusOr<std::string> packed = Gzip(builder.profile().SerializeAsString());
  if (!packed.ok()) return packed.status();
  sink->Append(*packed);
  return absl::OkStatus();
}

}  // namespace mallocspy
