#include "net/tls_stream.h"

#include <utility>

#include "net/tls_error.h"
#include "net/tls_verify.h"
#include "postern/base/check.h"
#include "postern/base/secret.h"

namespace postern {
namespace {

// What a client may send ahead while its handshake waits for its turn.
constexpr std::size_t kMostQueued = 32 * 1024;

std::string_view CipherName(const SSL_CIPHER* cipher) {
  return cipher == nullptr ? "other" : SSL_CIPHER_standard_name(cipher);
}

std::string_view VersionName(int version) {
  switch (version) {
    case TLS1_VERSION:
      return "1.0";
    case TLS1_1_VERSION:
      return "1.1";
    case TLS1_3_VERSION:
      return "1.3";
    default:
      return "1.2";
  }
}

}  // namespace

TlsStream::TlsStream(Loop::Inner& loop, SSL_CTX* context, std::unique_ptr<Stream> lower,
                     std::unique_ptr<TlsHandshake> handshake)
    : loop_(loop),
      scratch_(TlsScratch::Of(loop)),
      ssl_(SSL_new(context)),
      lower_(std::move(lower)),
      handshake_(std::move(handshake)),
      continue_([](void* self) { static_cast<TlsStream*>(self)->Continue(); }, this) {
  POSTERN_CHECK(ssl_ != nullptr);
  // SSL_set_bio takes one reference for both directions.
  BIO_up_ref(scratch_.bio());
  SSL_set_bio(ssl_.get(), scratch_.bio(), scratch_.bio());
  handshake_->stream = this;
  handshake_->signature_made = [](void* self) { static_cast<TlsStream*>(self)->OnSigned(); };
  if (!handshake_->client) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    const std::string& name = handshake_->name;
    if (!name.empty() && !IsNumericHost(name)) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  }
  SSL_set_shed_handshake_config(ssl_.get(), 1);
}

TlsStream::~TlsStream() {
  if (gone_ != nullptr) *gone_ = true;
}

void TlsStream::Start(Stream::Observer& observer) {
  observer_ = &observer;
  if (state_ == State::kHandshake) return lower_->Start(*this);
  // Goes on with another observer.
  SetReading(true);
  observer.OnOpen();
}

void TlsStream::OnOpen() {
  if (handshake_ != nullptr && handshake_->client) Feed({});
}

void TlsStream::OnBytes(std::string_view ciphertext) {
  if (state_ == State::kHandshake && !handshake_->client) return QueueHandshake(ciphertext);
  if (!wants_input() || !pending_.empty()) {
    if (state_ == State::kOpen) pending_.append(ciphertext);
    return;
  }
  Feed(ciphertext);
}

void TlsStream::QueueHandshake(std::string_view ciphertext) {
  pending_.append(ciphertext);
  if (!signing()) loop_.handshakes.Schedule(continue_);
  if (pending_.size() >= kMostQueued) lower_->SetReading(false);
}

bool TlsStream::Feed(std::string_view ciphertext) {
  bool gone = false;
  gone_ = &gone;
  more_ = true;
  while (more_ && wants_input()) {
    const bool more = state_ == State::kHandshake ? Handshake(ciphertext) : Decrypt(ciphertext);
    if (gone) return false;
    more_ = more;
  }
  gone_ = nullptr;
  if ((state_ == State::kOpen && more_) || signing()) pending_.assign(ciphertext);
  return true;
}

// A handshake begins with a record of that kind; a server may answer with an alert at once.
bool TlsStream::IsPlaintext(std::string_view ciphertext) {
  if (handshake_->begun || ciphertext.empty()) return false;
  handshake_->begun = true;
  const auto first = static_cast<std::uint8_t>(ciphertext.front());
  const bool alert = handshake_->client && first == SSL3_RT_ALERT;
  return first != SSL3_RT_HANDSHAKE && !alert;
}

bool TlsStream::Handshake(std::string_view& ciphertext) {
  if (IsPlaintext(ciphertext)) {
    plaintext_ = true;
    Die(Status::Error("tls: plaintext where a handshake was expected"));
    return false;
  }
  scratch_.input = ciphertext;
  scratch_.handshake = handshake_.get();
  const int result = SSL_do_handshake(ssl_.get());
  scratch_.handshake = nullptr;
  ciphertext = std::exchange(scratch_.input, {});
  const int why = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  std::string error = why == SSL_ERROR_SSL ? TlsErrorText() : std::string();
  if (!handshake_->verified.ok()) error = "tls: " + handshake_->verified.message();
  FlushOutput();
  handshake_->signing = why == SSL_ERROR_WANT_PRIVATE_KEY_OPERATION;
  if (why == SSL_ERROR_WANT_READ || handshake_->signing) return false;
  if (why != SSL_ERROR_NONE) {
    Die(Status::Error(error.empty() ? "tls: handshake failed" : error));
    return false;
  }
  state_ = State::kOpen;
  opened_at_ = loop_.turn_time();
  handshake_.reset();
  if (!reading_) lower_->SetReading(false);
  const bool more = !ciphertext.empty();
  observer_->OnOpen();
  return more;
}

bool TlsStream::Decrypt(std::string_view& ciphertext) {
  scratch_.input = ciphertext;
  std::size_t filled = 0;
  int why = SSL_ERROR_NONE;
  while (filled < kPlainSize && why == SSL_ERROR_NONE) {
    const int room = static_cast<int>(kPlainSize - filled);
    const int size = SSL_read(ssl_.get(), scratch_.plain() + filled, room);
    if (size <= 0) {
      why = SSL_get_error(ssl_.get(), size);
      break;
    }
    filled += static_cast<std::size_t>(size);
    // Nothing is left, which asking once more would find out with a buffer made and freed.
    if (scratch_.input.empty() && SSL_pending(ssl_.get()) == 0) why = SSL_ERROR_WANT_READ;
  }
  ciphertext = std::exchange(scratch_.input, {});
  const bool waiting = why == SSL_ERROR_WANT_READ;
  const std::string error = why == SSL_ERROR_SSL && filled == 0 ? TlsErrorText() : std::string();
  FlushOutput();  // an alert
  if (filled > 0) {
    const Instant now = loop_.turn_time();
    if (now - opened_at_ >= kNewcomerTime) loop_.traffic_at = now;
    // An end found behind the bytes is found again by the next step.
    // The stream may be gone when this returns; the loop's buffer is not.
    TlsScratch& scratch = scratch_;
    const bool wipe = wipe_reads_;
    observer_->OnBytes({scratch.plain(), filled});
    if (wipe) Wipe(scratch.plain(), filled);
    return !waiting;
  }
  if (waiting) return false;
  if (why == SSL_ERROR_ZERO_RETURN) {
    state_ = State::kHalf;
    observer_->OnEnd({});
  } else {
    Die(Status::Error(error.empty() ? "tls: reading failed" : error));
  }
  return false;
}

void TlsStream::OnDrained() { observer_->OnDrained(); }

void TlsStream::OnEnd(const Status& why) {
  if (state_ == State::kDead || state_ == State::kClosed) return;
  if (!why.ok()) return Die(why);
  const bool queued = state_ == State::kHandshake && continue_.scheduled();
  if (queued || (state_ == State::kOpen && (!reading_ || more_))) {
    lower_ended_ = true;  // the bytes that wait come first
  } else {
    EndOfInput();
  }
}

void TlsStream::OnSigned() {
  handshake_->signing = false;
  loop_.handshakes.Schedule(continue_);
}

void TlsStream::EndOfInput() {
  if (state_ == State::kHandshake) {
    Die(Status::Error("tls: connection closed during the handshake"));
  } else if (state_ == State::kOpen) {
    Die(Status::Error("connection closed without TLS close_notify"));
  }
}

void TlsStream::SetReading(bool on) {
  if (on == reading_) return;
  reading_ = on;
  if (state_ != State::kOpen) return;
  const bool waiting = gone_ == nullptr && (more_ || lower_ended_);
  if (!on) {
    continue_.Cancel();
    lower_->SetReading(false);
  } else if (waiting) {
    loop_.later.Schedule(continue_);
  } else {
    lower_->SetReading(true);
  }
}

// At the end of a turn: goes on with what a pause left, does a step of a handshake, or tells of a
// write that failed.
void TlsStream::Continue() {
  if (write_failed_) return observer_->OnEnd(Status::Error("tls: writing failed"));
  const std::string kept = std::exchange(pending_, std::string());
  if (!Feed(kept) || !wants_input()) return;
  if (lower_ended_) return EndOfInput();
  lower_->SetReading(true);
}

void TlsStream::Write(std::string_view bytes) {
  if (state_ != State::kOpen && state_ != State::kHalf) return;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPlainSize);
    const int size = static_cast<int>(part.size());
    if (SSL_write(ssl_.get(), part.data(), size) != size) {
      state_ = State::kDead;
      write_failed_ = true;
      lower_->SetReading(false);
      loop_.later.Schedule(continue_);
      return;
    }
    FlushOutput();
    bytes.remove_prefix(part.size());
  }
}

void TlsStream::FlushOutput() {
  if (scratch_.output.empty()) return;
  lower_->Write(scratch_.output);
  scratch_.ClearOutput();
}

// The alert, if there is one, is with the stream below already; the owner's Close(kFlush) lets it
// arrive.
void TlsStream::Die(const Status& why) {
  state_ = State::kDead;
  continue_.Cancel();
  handshake_.reset();
  pending_ = std::string();
  lower_->SetReading(false);
  observer_->OnEnd(why);
}

void TlsStream::Close(How how) {
  if (state_ == State::kClosed) return;
  if (how == How::kFlush && (state_ == State::kOpen || state_ == State::kHalf)) {
    SSL_shutdown(ssl_.get());
    FlushOutput();
  }
  state_ = State::kClosed;
  continue_.Cancel();
  handshake_.reset();
  pending_ = std::string();
  lower_->Close(how);
}

TlsFacts TlsStream::tls() const {
  TlsFacts facts;
  facts.plaintext = plaintext_;
  if (state_ == State::kHandshake || plaintext_) return facts;
  facts.version = VersionName(SSL_version(ssl_.get()));
  facts.cipher = CipherName(SSL_get_current_cipher(ssl_.get()));
  if (const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) {
    facts.sni = name;
  }
  facts.resumed = SSL_session_reused(ssl_.get()) == 1;
  return facts;
}

}  // namespace postern
