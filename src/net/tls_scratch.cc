#include "net/tls_scratch.h"

#include <algorithm>
#include <cstring>

#include "net/loop_inner.h"
#include "postern/base/check.h"

namespace postern {
namespace {

// 64 KiB of plaintext in full records, the records' overhead, and a handshake flight with a long
// chain.
constexpr std::size_t kOutputSize = 80 * 1024;

int ReadInput(BIO* bio, char* into, int room) noexcept {
  auto& scratch = *static_cast<TlsScratch*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t size = std::min(scratch.input.size(), static_cast<std::size_t>(room));
  if (size == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(into, scratch.input.data(), size);
  scratch.input.remove_prefix(size);
  return static_cast<int>(size);
}

int WriteOutput(BIO* bio, const char* bytes, int size) noexcept {
  auto& scratch = *static_cast<TlsScratch*>(BIO_get_data(bio));
  scratch.output.append(bytes, static_cast<std::size_t>(size));
  return size;
}

long Control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// Made once for the process and never changed.
const BIO_METHOD* ScratchMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "loop scratch");
    POSTERN_CHECK(made != nullptr);
    BIO_meth_set_read(made, ReadInput);
    BIO_meth_set_write(made, WriteOutput);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  return method;
}

}  // namespace

TlsScratch& TlsScratch::Of(Loop::Inner& loop) {
  if (loop.tls == nullptr) loop.tls = std::make_unique<TlsScratch>();
  return *loop.tls;
}

TlsScratch::TlsScratch() : bio_(BIO_new(ScratchMethod())), plain_(new char[kPlainSize]) {
  POSTERN_CHECK(bio_ != nullptr);
  BIO_set_data(bio_.get(), this);
  BIO_set_init(bio_.get(), 1);
  output.reserve(kOutputSize);
}

TlsScratch::~TlsScratch() {
  if (way_back_ != nullptr) way_back_->Close();
}

const std::shared_ptr<LoopReturn>& TlsScratch::WayBack(Loop& loop) {
  if (way_back_ == nullptr) way_back_ = std::make_shared<LoopReturn>(loop);
  return way_back_;
}

void TlsScratch::ClearOutput() {
  output.clear();
  if (output.capacity() <= 2 * kOutputSize) return;
  output.shrink_to_fit();
  output.reserve(kOutputSize);
}

}  // namespace postern
