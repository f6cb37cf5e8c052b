// What the library does when it is constructed: first of all objects, after the dynamic loader has bound them.
#pragma once

namespace mallocspy {

// Loads the spies that `mallocspy run --spy` named and adds them to the chain. On failure says why and ends the process with
// status 25.
void LoadSpies();

}  // namespace mallocspy
