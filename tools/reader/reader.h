// From a ledger's bytes to a Snapshot. Trusts nothing: a foreign, cut, damaged or hostile file gives a status that says
// what is wrong with it, or a Snapshot without the damaged records and with their number.
//
//   absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile("prog.mspy");
//
// The file may belong to a process that is still writing it. Codes: kInvalidArgument for what is no ledger,
// kFailedPrecondition for a newer version, kDataLoss for a damaged one, else those of opening the file.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tools/reader/byte_source.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

// `name` stands for the source in messages and in Snapshot::file.
absl::StatusOr<Snapshot> ReadSnapshot(const ByteSource& source, const std::string& name);

absl::StatusOr<Snapshot> ReadSnapshotFile(const std::string& path);

}  // namespace mallocspy
