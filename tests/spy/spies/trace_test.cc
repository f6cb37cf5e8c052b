// The trace spy as a library: loaded, in a chain of the process over a heap of the test's.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "spy/malloc_spy.h"
#include "spy/spy_chain.h"
#include "tests/spy/fake_heap.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;
using Create = HRESULT (*)(const char*, IMallocSpy**);

const Request kTask{.door = Door::kTask};

class TraceSpyTest : public testing::Test {
 protected:
  TraceSpyTest() {
    const std::string pattern = (std::filesystem::temp_directory_path() / "trace_spy.XXXXXX").string();
    std::vector<char> name(pattern.c_str(), pattern.c_str() + pattern.size() + 1);
    directory_ = mkdtemp(name.data());
    void* library = dlopen(MALLOCSPY_TRACE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) ADD_FAILURE() << dlerror();
    create = reinterpret_cast<Create>(dlsym(library, "MallocSpyCreate"));
  }
  ~TraceSpyTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }

  // Creates the spy and adds it to the chain, which has the only reference then.
  IMallocSpy* Start(const std::string& args) {
    IMallocSpy* spy = nullptr;
    EXPECT_EQ(S_OK, create(args.c_str(), &spy));
    EXPECT_EQ(S_OK, mallocspy_add_spy(spy, MALLOCSPY_SEE_MALLOC));
    EXPECT_EQ(1u, spy->Release());
    return spy;
  }

  static std::vector<std::string> Lines(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  std::filesystem::path directory_;
  Create create = nullptr;
  FakeHeap heap;
};

TEST_F(TraceSpyTest, TextHasALineForEachCall) {
  void* older = heap.Allocate(5, kTask);
  IMallocSpy* spy = Start("file=" + Path("log"));
  const DoorFrame call = {0, reinterpret_cast<const void*>(&dlsym)};
  SpyChain::SetCall(&call);
  void* block = spy_chain.Allocate(heap, 27, kTask);
  spy_chain.SizeOf(heap, block, Door::kTask);
  spy_chain.DidAlloc(heap, block, Door::kTask);
  const DoorFrame later_call = {0, reinterpret_cast<const void*>(uintptr_t{0x1234})};
  SpyChain::SetCall(&later_call);
  block = spy_chain.Reallocate(heap, block, 270, kTask);
  spy_chain.Minimize(heap, Door::kTask);
  spy_chain.Deallocate(heap, block, kTask);
  spy_chain.Deallocate(heap, older, kTask);
  int local = 0;
  spy_chain.SizeOf(heap, &local, Door::kTask);
  heap.exhausted = true;
  spy_chain.Allocate(heap, 0, kTask);
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));

  const std::string tid = "\\[" + std::to_string(gettid()) + "\\] ";
  EXPECT_THAT(Lines(Path("log")),
              ElementsAre(MatchesRegex("# mallocspy trace of process " + std::to_string(getpid()) + ", .*spy_test"),
                          MatchesRegex("1 " + tid + "alloc 27 bytes = 0x[0-9a-f]+ from /.*\\+0x[0-9a-f]+"),
                          MatchesRegex("2 " + tid + "get_size 0x[0-9a-f]+ = 27"),
                          MatchesRegex("3 " + tid + "did_alloc 0x[0-9a-f]+ = 1"),
                          MatchesRegex("4 " + tid + "realloc 0x[0-9a-f]+ to 270 bytes = 0x[0-9a-f]+ from 0x1234"),
                          MatchesRegex("5 " + tid + "minimize"), MatchesRegex("6 " + tid + "free 0x[0-9a-f]+"),
                          MatchesRegex("7 " + tid + "free 0x[0-9a-f]+ unspied"),
                          MatchesRegex("8 " + tid + "get_size 0x[0-9a-f]+ = -1 unspied"),
                          MatchesRegex("9 " + tid + "alloc 0 bytes = 0x0"), "# 9 calls, 9 of them in lines above"));
}

TEST_F(TraceSpyTest, JsonLinesParse) {
  IMallocSpy* spy = Start("format=json,file=" + Path("log"));
  const DoorFrame call = {0, reinterpret_cast<const void*>(&dlsym)};
  SpyChain::SetCall(&call);
  void* block = spy_chain.Allocate(heap, 27, kTask);
  spy_chain.SizeOf(heap, block, Door::kTask);
  spy_chain.DidAlloc(heap, block, Door::kTask);
  void* moved = spy_chain.Reallocate(heap, block, 270, kTask);
  spy_chain.Minimize(heap, Door::kTask);
  spy_chain.Deallocate(heap, moved, kTask);
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));

  std::vector<nlohmann::json> lines;
  for (const std::string& line : Lines(Path("log"))) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(8u, lines.size());
  auto hex = [](const void* pointer) {
    char text[32];
    snprintf(text, sizeof(text), "%p", pointer);
    return std::string(text);
  };
  EXPECT_EQ("mallocspy-trace/1", lines[0]["trace"]);
  EXPECT_EQ(getpid(), lines[0]["pid"]);
  EXPECT_EQ("alloc", lines[1]["op"]);
  EXPECT_EQ(27, lines[1]["bytes"]);
  EXPECT_EQ(hex(block), lines[1]["result"]);
  EXPECT_EQ(gettid(), lines[1]["tid"]);
  EXPECT_THAT(lines[1]["module"].get<std::string>(), StartsWith("/"));
  EXPECT_THAT(lines[1]["offset"].get<std::string>(), StartsWith("0x"));
  EXPECT_EQ(27, lines[2]["result"]);
  EXPECT_EQ(1, lines[3]["result"]);
  EXPECT_EQ(hex(block), lines[4]["pointer"]);
  EXPECT_EQ(hex(moved), lines[4]["result"]);
  EXPECT_EQ("minimize", lines[5]["op"]);
  EXPECT_EQ(true, lines[6]["spied"]);
  EXPECT_FALSE(lines[6].contains("module"));
  EXPECT_EQ(6, lines[7]["calls"]);
  EXPECT_EQ(6, lines[7]["lines"]);
}

// The offset is what `nm` and `addr2line` know.
TEST_F(TraceSpyTest, TheOffsetIsFromTheModulesBase) {
  IMallocSpy* spy = Start("format=json,file=" + Path("log"));
  const DoorFrame call = {0, reinterpret_cast<const void*>(create)};
  SpyChain::SetCall(&call);
  spy_chain.Deallocate(heap, spy_chain.Allocate(heap, 27, kTask), kTask);
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));
  Dl_info info;
  ASSERT_NE(0, dladdr(reinterpret_cast<const void*>(create), &info));
  const nlohmann::json line = nlohmann::json::parse(Lines(Path("log"))[1]);
  EXPECT_EQ(std::filesystem::canonical(info.dli_fname), std::filesystem::canonical(line["module"].get<std::string>()));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(create) - reinterpret_cast<uintptr_t>(info.dli_fbase),
            std::stoull(line["offset"].get<std::string>(), nullptr, 16));
}

TEST_F(TraceSpyTest, TheFileNeverExceedsItsLimit) {
  for (const std::string format : {"text", "json"}) {
    IMallocSpy* spy = Start("limit_mb=1,file=" + Path(format) + ",format=" + format);
    void* block = heap.Allocate(8, kTask);
    for (int i = 0; i < 30000; ++i) spy_chain.DidAlloc(heap, block, Door::kTask);
    ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));
    EXPECT_LE(std::filesystem::file_size(Path(format)), 1u << 20);
    EXPECT_GE(std::filesystem::file_size(Path(format)), (1u << 20) - 1024);
    const std::vector<std::string> lines = Lines(Path(format));
    const size_t events = lines.size() - 3;
    const std::string reached = lines[lines.size() - 2];
    const std::string total = lines.back();
    if (format == "text") {
      EXPECT_EQ("# the limit of 1 MiB is reached: further calls are counted only", reached);
      EXPECT_EQ("# 30000 calls, " + std::to_string(events) + " of them in lines above", total);
    } else {
      EXPECT_EQ("{\"limit_reached\":true,\"limit_bytes\":1048576}", reached);
      EXPECT_EQ("{\"end\":true,\"calls\":30000,\"lines\":" + std::to_string(events) + "}", total);
    }
  }
}

TEST_F(TraceSpyTest, AnExistingFileIsNeverWrittenTo) {
  std::ofstream(Path("log")) << "precious";
  std::filesystem::create_symlink(Path("elsewhere"), Path("log.1"));
  IMallocSpy* spy = Start("file=" + Path("log"));
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));
  EXPECT_THAT(Lines(Path("log")), ElementsAre("precious"));
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere")));
  EXPECT_EQ("# 0 calls, 0 of them in lines above", Lines(Path("log.2")).back());
  EXPECT_EQ(std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
            std::filesystem::status(Path("log.2")).permissions());
}

TEST_F(TraceSpyTest, AForkedChildHasItsOwnFile) {
  IMallocSpy* spy = Start("file=" + Path("log.%p"));
  void* block = spy_chain.Allocate(heap, 27, kTask);  // in the buffer when the child comes
  const pid_t child = fork();
  if (child == 0) {
    spy_chain.ResetLockAfterFork();
    spy_chain.Deallocate(heap, block, kTask);
    exit(0);  // finishes the child's log, and must not write what the parent has in its buffer
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
  const pid_t silent = fork();
  if (silent == 0) exit(0);
  waitpid(silent, &status, 0);
  spy_chain.Deallocate(heap, block, kTask);
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));
  EXPECT_THAT(Lines(Path("log." + std::to_string(getpid()))),
              ElementsAre(StartsWith("# mallocspy trace of process " + std::to_string(getpid())),
                          HasSubstr("] alloc 27 "), HasSubstr("] free "), StartsWith("# 2 calls")));
  EXPECT_THAT(Lines(Path("log." + std::to_string(child))),
              ElementsAre(StartsWith("# mallocspy trace of process " + std::to_string(child)),
                          MatchesRegex("1 \\[" + std::to_string(child) + "\\] free .*"), StartsWith("# 1 calls")));
  EXPECT_FALSE(std::filesystem::exists(Path("log." + std::to_string(silent)))) << "it recorded nothing";
}

// In processes of their own: what is left behind by each way to end.
TEST_F(TraceSpyTest, WhatIsWrittenAtTheEndOfAProcess) {
  struct Way {
    const char* name;
    const char* args;
    void (*end)();
    size_t lines;
  };
  const Way ways[] = {
      {"exit", "", [] { exit(0); }, 3},
      {"quick_exit", "", [] { quick_exit(0); }, 3},
      {"_exit", "", [] { _exit(0); }, 0},
      {"_exit_unbuffered", "buffer_kb=0,", [] { _exit(0); }, 2},
  };
  for (const Way& way : ways) {
    const pid_t child = fork();
    if (child == 0) {
      Start(std::string(way.args) + "file=" + Path(way.name));
      spy_chain.Allocate(heap, 1, kTask);
      way.end();
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(0, status) << way.name;
    EXPECT_EQ(way.lines, Lines(Path(way.name)).size()) << way.name;
  }
}

// In a new process, where the library has not registered itself for quick_exit yet: handlers run last in, first out.
TEST_F(TraceSpyTest, CallsAfterTheEndAreStillWritten) {
  constexpr char kLog[] = "TRACE_SPY_TEST_LOG";
  if (const char* log = getenv(kLog)) {
    static FakeHeap* last_heap = &heap;
    at_quick_exit([] { spy_chain.Allocate(*last_heap, 1, kTask); });
    Start(std::string("file=") + log);
    spy_chain.Allocate(heap, 2, kTask);
    std::filesystem::remove_all(directory_);
    quick_exit(0);
  }
  const pid_t child = fork();
  if (child == 0) {
    setenv(kLog, Path("log").c_str(), 1);
    const char* name = "--gtest_filter=TraceSpyTest.CallsAfterTheEndAreStillWritten";
    execl("/proc/self/exe", "spy_test", name, nullptr);
    _exit(1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
  EXPECT_THAT(Lines(Path("log")), ElementsAre(StartsWith("# mallocspy"), HasSubstr("alloc 2 bytes"),
                                              StartsWith("# 1 calls"), HasSubstr("alloc 1 bytes")));
}

TEST_F(TraceSpyTest, ManyThreads) {
  IMallocSpy* spy = Start("file=" + Path("log"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) spy_chain.Deallocate(heap, spy_chain.Allocate(heap, 8, kTask), kTask);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(S_OK, mallocspy_remove_spy(spy));
  const std::vector<std::string> lines = Lines(Path("log"));
  ASSERT_EQ(4002u, lines.size());
  std::set<std::string> tids;
  for (size_t i = 1; i <= 4000; ++i) {
    EXPECT_THAT(lines[i], StartsWith(std::to_string(i) + " ["));
    tids.insert(lines[i].substr(lines[i].find('['), lines[i].find(']') - lines[i].find('[')));
  }
  EXPECT_EQ(4u, tids.size());
}

TEST_F(TraceSpyTest, WrongArgumentsAndPlaces) {
  IMallocSpy* spy = reinterpret_cast<IMallocSpy*>(this);
  testing::internal::CaptureStderr();
  EXPECT_EQ(E_INVALIDARG, create("colour=red", &spy));
  EXPECT_EQ(nullptr, spy);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("'colour=red'"));
  EXPECT_EQ(E_POINTER, create("", nullptr));
  spy = reinterpret_cast<IMallocSpy*>(this);
  testing::internal::CaptureStderr();
  EXPECT_EQ(E_ACCESSDENIED, create(("file=" + Path("no/such/log")).c_str(), &spy));
  EXPECT_EQ(nullptr, spy);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("cannot create " + Path("no/such/log") + " (No such file or directory)"));
  EXPECT_EQ(said.size() - 1, said.find('\n'));
}

TEST_F(TraceSpyTest, AFullDiskEndsTheTraceAndNotTheProgram) {
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit small = {4096, 4096};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    Start("buffer_kb=0,file=" + Path("log"));
    for (int i = 0; i < 1000; ++i) spy_chain.Deallocate(heap, spy_chain.Allocate(heap, 8, kTask), kTask);
    _exit(heap.blocks.empty() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
  EXPECT_LE(std::filesystem::file_size(Path("log")), 4096u);
}

TEST_F(TraceSpyTest, QueryInterface) {
  IMallocSpy* spy = nullptr;
  ASSERT_EQ(S_OK, create(("file=" + Path("log")).c_str(), &spy));
  void* out = nullptr;
  EXPECT_EQ(S_OK, spy->QueryInterface(IID_IUnknown, &out));
  EXPECT_EQ(static_cast<void*>(spy), out);
  EXPECT_EQ(E_NOINTERFACE, spy->QueryInterface(IID_IMalloc, &out));
  EXPECT_EQ(nullptr, out);
  EXPECT_EQ(E_POINTER, spy->QueryInterface(IID_IMalloc, nullptr));
  EXPECT_EQ(1u, spy->Release());
  EXPECT_EQ(0u, spy->Release());
}

}  // namespace
}  // namespace mallocspy
