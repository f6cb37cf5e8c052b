#include "tools/export/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <climits>

#include "absl/status/status.h"

namespace mallocspy {
namespace {

constexpr int kWindowBitsOfGzip = 15 + 16;
constexpr int kDefaultMemory = 8;

}  // namespace

absl::StatusOr<std::string> Gzip(absl::string_view text) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBitsOfGzip, kDefaultMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::ResourceExhaustedError("memory ran out");
  }
  std::string result;
  char buffer[1 << 16];
  int state = Z_OK;
  while (state == Z_OK) {
    const size_t piece = std::min<size_t>(text.size(), UINT_MAX / 2);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(piece);
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    state = deflate(&stream, piece == text.size() ? Z_FINISH : Z_NO_FLUSH);
    text.remove_prefix(piece - stream.avail_in);
    result.append(buffer, sizeof(buffer) - stream.avail_out);
  }
  deflateEnd(&stream);
  if (state != Z_STREAM_END) return absl::InternalError("zlib refused the text");
  return result;
}

}  // namespace mallocspy
