#include "tools/export/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace mallocspy {
namespace {

std::string Unpacked(const std::string& packed, size_t most) {
  std::string text(most, '\0');
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(GzipTest, UnpacksToTheSame) {
  std::string large;
  for (uint32_t i = 0; i < 300000; ++i) large += static_cast<char>((i * 7919) >> (i % 11));
  for (const std::string& text : {std::string(), std::string("text"), large}) {
    const absl::StatusOr<std::string> packed = Gzip(text);
    ASSERT_TRUE(packed.ok());
    EXPECT_EQ(Unpacked(*packed, text.size() + 10), text);
  }
}

}  // namespace
}  // namespace mallocspy
