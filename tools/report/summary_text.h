// Several processes in words: the answer about all, where a merged leak was found, and what became of the others.
#pragma once

#include <string>
#include <vector>

#include "tools/report/palette.h"
#include "tools/verdict/process_summary.h"

namespace mallocspy {

// "prog (pid 42)", escaped.
std::string ProcessName(const Process& process);

// "5 blocks (89 bytes)"
std::string BlocksText(const BlockTotal& total);

// "5 blocks (89 bytes) lost, 1 block (5 bytes) possibly lost": those that are not known to be reachable.
std::string LostText(const BlockTotal by_class[5]);

// The verdict on all in a sentence: "leaks: 100 of 101 processes had 100 blocks (2700 bytes) lost at the end". Of one
// subject, or where there is none and the first process is clean, it is Answer() of that process.
std::string Answer(const ProcessSummary& summary);

// Where it was found: "in 101 processes of leaky, parser"; "in leaky (pid 42)" if it is one. Escaped.
std::string InProcesses(const std::vector<const Findings*>& in);

// The same for the name of a result: ", in 100 processes", or nothing if it is one.
std::string InHowMany(const std::vector<const Findings*>& in);

// "3 processes": images of one process are one.
std::string ProcessesText(const std::vector<const Findings*>& images);

// What the list of leaks leaves out; empty if nothing.
std::string UnlistedLeaks(const ProcessSummary& summary);

// Counters and shortcomings of all subjects together.
void AppendReceipt(const ProcessSummary& summary, const Palette& palette, std::string* text);

// A line each on the processes that are not told of by themselves: replaced by exec, clean, not judged. Empty if there
// are none. `shown` are the clean ones that were.
std::vector<std::string> OtherProcesses(const ProcessSummary& summary, const std::vector<const Findings*>& shown);

}  // namespace mallocspy
