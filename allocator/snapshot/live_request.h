// What another process asks of this one, by the slot in the ledger and a signal (ledger::RequestSlot): a mark, or a picture of it.
//
// The signal is the highest real-time one that the program does not use. The program does not see that it is taken: the signal doors show
// the default action, which is also what happens if anybody else sends it. If the program takes it for itself, ours moves to another.
#pragma once

namespace mallocspy {

// Once, from the library's constructor, after BindSigaction(). Nothing where the ledger is private.
void WatchRequests();

// For the signal doors: the signal, 0 for none. Moves to another one, so that this one is the program's.
int RequestSignal();
void LeaveRequestSignal();

}  // namespace mallocspy
