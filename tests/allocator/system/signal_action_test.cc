#include "allocator/system/signal_action.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

volatile int seen_signal = 0;

void See(int signal, siginfo_t* info, void* context) {
  if (info != nullptr && context != nullptr) seen_signal = signal;
}

TEST(SignalAction, AHandlerRunsAndReturns) {
  KernelAction before = {};
  ASSERT_TRUE(SetKernelAction(SIGUSR2, HandledBy(See, 0, 0), &before));
  raise(SIGUSR2);
  EXPECT_EQ(seen_signal, SIGUSR2);
  KernelAction now = {};
  ASSERT_TRUE(GetKernelAction(SIGUSR2, &now));
  EXPECT_NE(now.handler, before.handler);
  ASSERT_TRUE(SetKernelAction(SIGUSR2, before, nullptr));
  ASSERT_TRUE(GetKernelAction(SIGUSR2, &now));
  EXPECT_EQ(now.handler, before.handler);
}

TEST(SignalAction, WhatTheKernelRefuses) {
  EXPECT_FALSE(SetKernelAction(SIGKILL, HandledBy(See, 0, 0), nullptr));
  KernelAction now = {};
  EXPECT_FALSE(GetKernelAction(1000, &now));
}

}  // namespace
}  // namespace mallocspy
