// The report that a process prints by itself when nobody runs it under `mallocspy run`: by the `mallocspy` command, or, where that
// is missing, as plain unsymbolized lines.
#pragma once

namespace mallocspy {

// Remembers where the command may be (beside this library, or MALLOCSPY_TOOL), since asking the loader at the end could wait for
// its lock. Once, from the library's constructor, after modules are known.
void FindReportTool();

// Runs `mallocspy report ARGUMENT...` on the snapshot behind `fd` and waits for it. What it prints goes to `output`, or, if that is -1,
// where the process's own output goes. `arguments` up to a null; null for none. 0 and what wait() says of it, or a negated errno: ENOENT if
// the command is missing, ECHILD if it ran and the program takes no interest in its children.
int RunReport(int fd, const char* const* arguments, int output, int* wait_status);

// Whether wait() says of the command that it made a report (design: 0 clean, 23 leaks, 24 errors, 25 incomplete).
bool HasReported(int wait_status);

// The report at the end. False if it could not be made.
bool SpawnReport(int fd);

// Live blocks by stack, largest first, with module and offset for each frame, on standard error. While events are frozen.
void PrintPlainReport();

}  // namespace mallocspy
