// The report that a process prints by itself when nobody runs it under `mallocspy run`: by the `mallocspy` command, or, where that
// is missing, as plain unsymbolized lines.
#pragma once

namespace mallocspy {

// Remembers where the command may be (beside this library, or MALLOCSPY_TOOL), since asking the loader at the end could wait for
// its lock. Once, from the library's constructor, after modules are known.
void FindReportTool();

// Runs `mallocspy report` on the snapshot behind `fd` and waits for it. False if it could not be run.
bool SpawnReport(int fd);

// Live blocks by stack, largest first, with module and offset for each frame, on standard error. While events are frozen.
void PrintPlainReport();

}  // namespace mallocspy
