// Joining and leaving the chain: section 3 of the contract, on chains of the test's own and on the process's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "spy/spy_chain.h"
#include "tests/spy/fake_heap.h"
#include "tests/spy/recording_spy.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Request kTask{.door = Door::kTask};

class SpyRegistrationTest : public testing::Test {
 protected:
  ~SpyRegistrationTest() override { chain.ReleaseMemory(); }

  void* Alloc(size_t bytes) { return chain.Allocate(heap, bytes, kTask); }
  void* Realloc(void* pointer, size_t bytes) { return chain.Reallocate(heap, pointer, bytes, kTask); }
  void Free(void* pointer) { chain.Deallocate(heap, pointer, kTask); }

  FakeHeap heap;
  SpyChain chain;
  RecordingSpy spy, other;
};

TEST_F(SpyRegistrationTest, Contract_3_1_RegisteringNullIsInvalid) {
  EXPECT_EQ(E_INVALIDARG, chain.RegisterComSpy(nullptr));
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_EQ(E_INVALIDARG, chain.RegisterComSpy(nullptr));
}

TEST_F(SpyRegistrationTest, Contract_3_2_OnlyOneAtATime) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_EQ(CO_E_OBJISREG, chain.RegisterComSpy(&other));
  EXPECT_EQ(CO_E_OBJISREG, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  EXPECT_EQ(CO_E_OBJISREG, chain.RegisterComSpy(&other)) << "a revoke is pending";
  EXPECT_EQ(0, other.queries);
  EXPECT_EQ(1, spy.queries);
  Free(block);
  EXPECT_EQ(S_OK, chain.RegisterComSpy(&other));
}

TEST_F(SpyRegistrationTest, Contract_3_3_QueryInterfaceOnceAndOneReference) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_EQ(1, spy.queries);
  EXPECT_EQ(1, spy.references);
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
  EXPECT_EQ(0, spy.references);
}

TEST_F(SpyRegistrationTest, Contract_3_3_FailingQueryInterfaceIsInvalid) {
  spy.query_result = E_NOINTERFACE;
  EXPECT_EQ(E_INVALIDARG, chain.RegisterComSpy(&spy));
  spy.query_result = E_OUTOFMEMORY;
  EXPECT_EQ(E_INVALIDARG, chain.RegisterComSpy(&spy));
  spy.query_result = S_OK;
  spy.query_gives_null = true;
  EXPECT_EQ(E_INVALIDARG, chain.RegisterComSpy(&spy));
  EXPECT_EQ(0, spy.references);
  EXPECT_EQ(0, spy.releases);
  EXPECT_FALSE(chain.Active());
  EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy());
  EXPECT_EQ(S_OK, chain.RegisterComSpy(&other)) << "the place is free again";
}

TEST_F(SpyRegistrationTest, Contract_3_3_TheObjectThatQueryInterfaceGivesIsTheSpy) {
  spy.query_gives = &other;
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  Alloc(8);
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  EXPECT_EQ(2u, other.TakeLog().size());
}

TEST_F(SpyRegistrationTest, Contract_3_4_RevokingWithNoneRegistered) {
  EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy());
  ASSERT_EQ(S_OK, chain.Add(&spy, 0));
  EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy()) << "the chain's spy is not COM's";
}

TEST_F(SpyRegistrationTest, Contract_3_5_RevokeReleasesExactlyOnce) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  Free(Alloc(8));
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
  EXPECT_EQ(1, spy.releases);
  EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy());
  EXPECT_EQ(1, spy.releases);
}

TEST_F(SpyRegistrationTest, Contract_3_6_PendingRevokeEndsWithTheLastBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* freed = Alloc(8);
  void* resized = Alloc(8);
  EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  Free(freed);
  EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  EXPECT_EQ(0, spy.releases);
  EXPECT_TRUE(chain.Active());
  EXPECT_EQ(nullptr, Realloc(resized, 0));
  EXPECT_EQ(1, spy.releases);
  EXPECT_FALSE(chain.Active());
  EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy());
}

TEST_F(SpyRegistrationTest, Contract_3_6_ATakenOverBlockEndsIt) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  spy.on_pre_free = [](void*, BOOL) -> void* { return nullptr; };
  Free(block);
  EXPECT_EQ(1, spy.releases);
}

TEST_F(SpyRegistrationTest, Contract_3_7_WhilePendingOnlyItsOwnBlocks) {
  void* older = Alloc(1);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* own = Alloc(8);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  spy.TakeLog();
  void* younger = Alloc(9);
  younger = Realloc(younger, 90);
  older = Realloc(older, 10);
  void* fresh = Realloc(nullptr, 11);
  chain.SizeOf(heap, younger, Door::kTask);
  chain.DidAlloc(heap, older, Door::kTask);
  chain.Minimize(heap, Door::kTask);
  Free(younger);
  Free(older);
  Free(fresh);
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  chain.SizeOf(heap, own, Door::kTask);
  chain.DidAlloc(heap, own, Door::kTask);
  own = Realloc(own, 80);
  EXPECT_EQ(0, spy.releases) << "a resized block is still its own";
  Free(own);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreGetSize 1", "PostGetSize 8 1", "PreDidAlloc 1", "PostDidAlloc 1 1",
                                         "PreRealloc 80 1", "PostRealloc 1", "PreFree 1", "PostFree 1"));
  EXPECT_EQ(1, spy.releases);
}

TEST_F(SpyRegistrationTest, Contract_3_8_ReleaseComesWithoutTheLockOnTheThreadThatFreedTheLastBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  std::thread::id released_on;
  spy.on_release = [&] {
    released_on = std::this_thread::get_id();
    // Another thread would wait for ever if the lock were held.
    std::thread([&] {
      EXPECT_EQ(S_OK, chain.RegisterComSpy(&other));
      Free(Alloc(3));
      EXPECT_EQ(S_OK, chain.RevokeComSpy());
    }).join();
    Free(Alloc(5));  // a call of a spy: it bypasses
  };
  std::thread::id freed_on;
  std::thread([&] {
    freed_on = std::this_thread::get_id();
    Free(block);
  }).join();
  EXPECT_EQ(freed_on, released_on);
  EXPECT_EQ(4u, other.TakeLog().size());
}

// ---- In a spy's method ----

TEST_F(SpyRegistrationTest, RevokeInAMethodWaitsForTheCallsEnd) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.on_post_free = [&] {
    EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
    EXPECT_EQ(CO_E_OBJISREG, chain.RegisterComSpy(&other));
    EXPECT_EQ(S_OK, chain.Add(&other, 0));
    EXPECT_EQ(E_ACCESSDENIED, chain.Remove(&other));
    EXPECT_EQ(0, spy.releases);
  };
  Free(block);
  EXPECT_EQ(1, spy.releases);
  EXPECT_EQ(1, other.releases);
  EXPECT_FALSE(chain.Active());
}

TEST_F(SpyRegistrationTest, RevokeInPreAllocStillSpiesTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
    return bytes;
  };
  void* block = Alloc(8);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 8", "PostAlloc"));
  EXPECT_EQ(0, spy.releases);
  Free(block);
  EXPECT_EQ(1, spy.releases);
}

TEST_F(SpyRegistrationTest, RegisterInAMethodCountsFromTheNextCall) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    chain.Add(&other, 0);
    return bytes;
  };
  void* block = Alloc(8);
  EXPECT_EQ(1, other.queries);
  EXPECT_THAT(other.TakeLog(), IsEmpty());
  Free(block);
  EXPECT_THAT(other.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
}

TEST_F(SpyRegistrationTest, CallsInQueryInterfaceBypassAndOthersGoOn) {
  ASSERT_EQ(S_OK, chain.Add(&other, 0));
  spy.on_query = [&] {
    Free(Alloc(5));
    EXPECT_EQ(CO_E_OBJISREG, chain.RegisterComSpy(&other)) << "the place is taken while it joins";
    EXPECT_EQ(CO_E_OBJNOTREG, chain.RevokeComSpy());
    std::thread([&] { Free(Alloc(6)); }).join();
  };
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_THAT(other.TakeLog(), ElementsAre("PreAlloc 6", "PostAlloc", "PreFree 1", "PostFree 1"));
}

TEST_F(SpyRegistrationTest, ABlockFreedInReleaseCompletesAnotherRevoke) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  ASSERT_EQ(S_OK, chain.Add(&other, 0));
  other.on_release = [&] { Free(block); };
  EXPECT_EQ(S_OK, chain.Remove(&other));
  EXPECT_EQ(1, spy.releases);
  EXPECT_FALSE(chain.Active());
}

// ---- fork ----

TEST_F(SpyRegistrationTest, TheChildOfAForkGoesOnWhileTheParentsThreadHeldTheLock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  int status = -1;
  bool in_child = false;
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    if (in_child) return bytes;
    std::thread([&] {
      const pid_t child = fork();
      if (child == 0) {
        chain.ResetLockAfterFork();
        in_child = true;
        void* block = Alloc(9);
        Free(block);
        _exit(block != nullptr && heap.freed.size() == 1 ? 0 : 1);
      }
      waitpid(child, &status, 0);
    }).join();
    return bytes;
  };
  Free(Alloc(8));
  EXPECT_EQ(0, status);
}

TEST_F(SpyRegistrationTest, AForkInASpysMethodStaysInIt) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  int status = -1;
  pid_t child = -1;
  std::atomic<bool> called{false};
  bool overtaken = false;
  std::thread thread;
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    if (child != -1) return bytes;
    child = fork();
    if (child != 0) return bytes;
    chain.ResetLockAfterFork();
    thread = std::thread([&] {
      Free(Alloc(7));
      called = true;
    });
    for (int i = 0; i < 10000; ++i) std::this_thread::yield();
    overtaken = called;
    return bytes;
  };
  Free(Alloc(8));
  if (child == 0) {
    thread.join();
    _exit(!overtaken && called && heap.freed.size() == 2 ? 0 : 1);
  }
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status) << "in the child too no other thread is in the spy between Pre and Post";
}

// ---- The exported functions, on the process's chain ----

TEST(ExportedRegistration, ComsFunctions) {
  RecordingSpy spy;
  EXPECT_EQ(CO_E_OBJNOTREG, CoRevokeMallocSpy());
  EXPECT_EQ(E_INVALIDARG, CoRegisterMallocSpy(nullptr));
  EXPECT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  EXPECT_TRUE(spy_chain.Active());
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_spy(&spy, 0)) << "the same object twice";
  EXPECT_EQ(CO_E_OBJNOTREG, mallocspy_remove_spy(&spy)) << "it is COM's";
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_FALSE(spy_chain.Active());
}

TEST(ExportedRegistration, TheChainsFunctions) {
  RecordingSpy spies[kMaxSpies + 1];
  EXPECT_EQ(E_INVALIDARG, mallocspy_add_spy(nullptr, 0));
  EXPECT_EQ(E_INVALIDARG, mallocspy_add_spy(&spies[0], 2u));
  EXPECT_EQ(0, spies[0].queries);
  EXPECT_EQ(CO_E_OBJNOTREG, mallocspy_remove_spy(&spies[0]));
  for (int i = 0; i < kMaxSpies; ++i) ASSERT_EQ(S_OK, mallocspy_add_spy(&spies[i], MALLOCSPY_SEE_MALLOC));
  EXPECT_EQ(E_OUTOFMEMORY, mallocspy_add_spy(&spies[kMaxSpies], 0));
  EXPECT_EQ(E_OUTOFMEMORY, CoRegisterMallocSpy(&spies[kMaxSpies]));
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_spy(&spies[3], 0));
  for (int i = 0; i < kMaxSpies; ++i) EXPECT_EQ(S_OK, mallocspy_remove_spy(&spies[i]));
  EXPECT_EQ(CO_E_OBJNOTREG, CoRevokeMallocSpy());
  for (int i = 0; i < kMaxSpies; ++i) EXPECT_EQ(0, spies[i].references);
}

TEST(ExportedRegistration, AnObjectWithTwoFacesJoinsOnce) {
  RecordingSpy face, core;
  face.query_gives = &core;
  EXPECT_EQ(S_OK, mallocspy_add_spy(&core, 0));
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_spy(&face, 0));
  EXPECT_EQ(1, core.releases) << "the reference of the second query";
  EXPECT_EQ(S_OK, mallocspy_remove_spy(&core));
  const int queries = core.queries;
  EXPECT_EQ(S_OK, mallocspy_add_spy(&face, 0));
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_spy(&core, 0));
  EXPECT_EQ(queries, core.queries);
  EXPECT_EQ(S_OK, mallocspy_remove_spy(&face)) << "by the object that was given";
  EXPECT_EQ(0, core.references);
}

}  // namespace
}  // namespace mallocspy
