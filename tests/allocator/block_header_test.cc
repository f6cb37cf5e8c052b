#include "allocator/block_header.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

namespace mallocspy {
namespace {

constexpr uint64_t kCookies[] = {0, 1, 0x5be0cd19137e2179, 0xffffffffffffffff, 0x0000000100000000};

TEST(BlockHeader, GuardEndsAtAMultipleOfEight) {
  for (size_t size = 0; size < 4096; ++size) {
    EXPECT_GE(GuardBytes(size), 8u) << size;
    EXPECT_LE(GuardBytes(size), 15u) << size;
    EXPECT_EQ((size + GuardBytes(size)) % 8, 0u) << size;
  }
  EXPECT_EQ(GuardBytes(kMaxBlockBytes), 8u + (8 - kMaxBlockBytes % 8) % 8);
}

TEST(BlockHeader, GuardTouchesNothingElse) {
  for (size_t size = 0; size < 64; ++size) {
    alignas(16) unsigned char memory[128];
    std::memset(memory, 0xee, sizeof(memory));
    WriteGuard(memory + 16, size);
    for (size_t i = 0; i < 16 + size; ++i) ASSERT_EQ(memory[i], 0xee) << size;
    for (size_t i = 16 + size + GuardBytes(size); i < sizeof(memory); ++i) ASSERT_EQ(memory[i], 0xee) << size;
    EXPECT_EQ(CheckGuard(memory + 16, size), 0u);
  }
}

// Any byte of any guard, changed to anything else, is found at its place; the first one, if several are.
TEST(BlockHeader, EveryChangedGuardByteIsFound) {
  for (const uint64_t cookie : kCookies) {
    SetHeaderCookie(cookie);
    for (size_t size = 0; size < 48; ++size) {
      alignas(16) unsigned char memory[80] = {};
      WriteGuard(memory, size);
      for (size_t i = 0; i < GuardBytes(size); ++i) {
        const size_t place = size + i == 0 ? 1 : size + i;
        unsigned char& byte = memory[size + i];
        const unsigned char before = byte;
        for (int change = 1; change < 256; ++change) {
          byte = static_cast<unsigned char>(before ^ change);
          ASSERT_EQ(CheckGuard(memory, size), place) << "size " << size << " guard byte " << i;
        }
        std::memset(&byte, before ^ 1, GuardBytes(size) - i);
        ASSERT_EQ(CheckGuard(memory, size), place);
        WriteGuard(memory, size);
      }
      ASSERT_EQ(CheckGuard(memory, size), 0u);
    }
  }
}

TEST(BlockHeader, WhatProgramsWriteBehindABlockIsFoundWhateverTheCookie) {
  for (uint64_t cookie = 0; cookie < 2000; ++cookie) {
    SetHeaderCookie(cookie * 0x9e3779b97f4a7c15);
    for (size_t size = 0; size < 8; ++size) {
      alignas(16) unsigned char memory[32] = {};
      for (int ascii = 0; ascii < 0x80; ++ascii) {
        WriteGuard(memory, size);
        memory[size] = static_cast<unsigned char>(ascii);
        ASSERT_NE(CheckGuard(memory, size), 0u) << ascii;
      }
      WriteGuard(memory, size);
      memory[size] = 0xff;
      ASSERT_NE(CheckGuard(memory, size), 0u);
    }
  }
}

TEST(BlockHeader, OverflowThatCopiesTheBlockBeforeIsFoundAtEveryShift) {
  SetHeaderCookie(0x5be0cd19137e2179);
  // A guard copied from behind a block of another size modulo 8 does not pass.
  for (size_t size = 0; size < 8; ++size) {
    for (size_t other = 0; other < 8; ++other) {
      if (size == other) continue;
      alignas(16) char memory[64] = {};
      alignas(16) char source[64] = {};
      WriteGuard(memory, size);
      WriteGuard(source, other);
      std::memcpy(memory + size, source + other, 8);
      EXPECT_NE(CheckGuard(memory, size), 0u) << size << " " << other;
    }
  }
}

// At a known address and with a known cookie, so that what 16 bits of check value can miss does not depend on the day.
class Sealed : public testing::Test {
 protected:
  static constexpr uintptr_t kAddress = 0x567000000000;

  void SetUp() override {
    void* page = mmap(reinterpret_cast<void*>(kAddress), 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    ASSERT_EQ(page, reinterpret_cast<void*>(kAddress));
    SetHeaderCookie(0x5be0cd19137e2179);
    header_ = static_cast<BlockHeader*>(page);
    header_->stack = 12345;
    header_->mark = 7;
    header_->size = 27;
    header_->door = static_cast<uint8_t>(Door::kNewArray);
    header_->guarded = 1;
    Seal(header_);
  }
  void TearDown() override { munmap(header_, 4096); }

  BlockHeader* header_;
};

TEST_F(Sealed, Holds) {
  EXPECT_TRUE(IsSealed(header_));
  EXPECT_EQ(header_->stack, 12345u);
  EXPECT_EQ(header_->mark, 7);
  EXPECT_EQ(header_->size, 27u);
  EXPECT_EQ(static_cast<Door>(header_->door), Door::kNewArray);
}

TEST_F(Sealed, EveryFlippedBitBreaksIt) {
  unsigned char* bytes = reinterpret_cast<unsigned char*>(header_);
  for (size_t bit = 0; bit < 8 * sizeof(BlockHeader); ++bit) {
    bytes[bit / 8] ^= 1 << bit % 8;
    EXPECT_FALSE(IsSealed(header_)) << "bit " << bit;
    bytes[bit / 8] ^= 1 << bit % 8;
  }
  EXPECT_TRUE(IsSealed(header_));
}

TEST_F(Sealed, ACopyElsewhereIsNotSealed) {
  BlockHeader* copies = header_ + 1;
  for (int i = 0; i < 100; ++i) {
    copies[i] = *header_;
    EXPECT_FALSE(IsSealed(copies + i)) << i;
  }
}

TEST_F(Sealed, AnotherProcessSecretBreaksIt) {
  SetHeaderCookie(0x0123456789abcdef);
  EXPECT_FALSE(IsSealed(header_));
}

TEST_F(Sealed, OverwrittenWithOneByteValueIsNotSealed) {
  for (int value = 0; value < 256; ++value) {
    std::memset(static_cast<void*>(header_), value, sizeof(*header_));
    EXPECT_FALSE(IsSealed(header_)) << value;
  }
}

TEST_F(Sealed, SizesUpToTheLargestFit) {
  header_->size = kMaxBlockBytes;
  Seal(header_);
  EXPECT_EQ(header_->size, kMaxBlockBytes);
  EXPECT_TRUE(IsSealed(header_));
}

TEST(BlockHeader, AlignedDoorsHaveAnExtension) {
  for (const Door door : {Door::kAlignedMalloc, Door::kAlignedNew, Door::kAlignedNewArray}) EXPECT_TRUE(IsAligned(door));
  for (const Door door : {Door::kNone, Door::kTask, Door::kMalloc, Door::kNew, Door::kNewArray}) {
    EXPECT_FALSE(IsAligned(door));
  }
  alignas(16) char memory[64];
  EXPECT_EQ(reinterpret_cast<char*>(HeaderOf(memory + 32)), memory + 16);
  EXPECT_EQ(reinterpret_cast<char*>(ExtensionOf(memory + 32)), memory);
}

}  // namespace
}  // namespace mallocspy
