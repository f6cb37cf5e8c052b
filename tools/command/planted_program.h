// The program that `mallocspy run --self-test` runs: this command itself, with known leaks. What it makes is told apart
// by its sizes.
#pragma once

#include <cstdint>

namespace mallocspy {

inline constexpr char kPlantedCommand[] = "self-test-program";  // the word that starts it
inline constexpr char kPlantedFunction[] = "mallocspy_self_test_leak";

inline constexpr uint64_t kLostBlocks = 3;
inline constexpr uint64_t kLostBytes = 4099;       // of each of them
inline constexpr uint64_t kGlobalBytes = 4111;     // of the block that a global variable holds
inline constexpr uint64_t kThreadBytes = 4127;     // of the one that another thread's stack holds
inline constexpr uint64_t kChildBytes = 4129;      // of the one that a forked child loses
inline constexpr int kNoThread = 3, kNoChild = 4;  // its status if these could not be made

// Returns the program's exit status.
int RunPlantedProgram();

}  // namespace mallocspy
