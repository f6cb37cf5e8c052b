// Faults on the pages beside blocks (option page_guard): each is told, as an error of the instruction, and then the page is opened so that
// the program goes on.
#pragma once

namespace mallocspy {

// From here on blocks are put beside such pages, if page_guard says so. Once, after WatchFatalSignals().
void WatchPageFaults();

}  // namespace mallocspy
