// The end of a process's record: everything is held still, every block is looked at once more, and the ledger is completed with
// the list of live blocks.
#pragma once

#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Completes the record, once, whoever calls first; later callers wait until it is done and return. Afterwards nothing is recorded
// any more. Then, outside `mallocspy run` and unless options say otherwise, a report is printed. Does nothing in a vfork
// child. From any thread, also from the handler of a deadly signal; keeps errno.
//
// `self`: where the program's thread came in, if that is known better than as the place of this call.
void EndRecord(ledger::End how, int value, const ProgramPoint* self = nullptr);

// The program is about to be replaced by another (`path`), or, with a null path, was not after all.
void NoteExec(const char* path);

}  // namespace mallocspy
