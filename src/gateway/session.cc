#include "gateway/session.h"

#include <algorithm>
#include <utility>

#include "postern/base/check.h"
#include "postern/base/secret.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/pop3_engine.h"

namespace postern {
namespace {

// How long a client that must send a PROXY header may take (the protocol asks for 3 s at least).
constexpr Duration kProxyHeaderTime = std::chrono::seconds(5);

std::unique_ptr<Engine> NewEngine(Protocol protocol, const EngineContext& context) {
  if (protocol == Protocol::kImap) return std::make_unique<ImapEngine>(context);
  return std::make_unique<Pop3Engine>(context);
}

}  // namespace

Session::Session(Keeper& keeper, std::string id, ListenerId listener, const Address& client,
                 const Address& local)
    : keeper_(keeper),
      id_(std::move(id)),
      listener_(listener),
      protocol_(keeper.setup().doors[listener].protocol),
      opened_(keeper.world().now()),
      now_(opened_),
      client_bytes_at_(opened_),
      client_observer_(*this, Side::kClient),
      backend_observer_(*this, Side::kBackend),
      engine_(NewEngine(protocol_, EngineContext{*this, keeper.shard(), keeper.records()})),
      arrival_(std::make_unique<Arrival>()),
      deadline_(keeper.world().deadlines(), &Session::OnDeadline, this) {
  arrival_->local = local;
  arrival_->local_text = local.HostText();
  arrival_->tls_began = opened_;
  TakeClientAddress(client);
  shard().SessionOpened(protocol_, listener_);
}

Session::~Session() = default;

void Session::Start(std::unique_ptr<Stream> client) {
  awaits_header_ = ContainedInAny(door().proxy, arrival_->client);
  if (!awaits_header_ && !JudgeArrival(Stage::kConnection)) {
    client_.stream = std::move(client);
    return Cut();
  }
  const Duration handshake = plan().timeouts.handshake;
  deadline_.Arm(opened_ + (awaits_header_ ? std::min(kProxyHeaderTime, handshake) : handshake));
  if (awaits_header_) {
    client = ExpectProxyHeader(std::move(client),
                               [this](const ProxyHeader& header) { OnProxyHeader(header); });
  } else {
    trusted_ = ContainedInAny(door().trusted, arrival_->client);
  }
  if (plan().listener(listener_).tls == ListenerTls::kImplicit) {
    client = keeper_.world().SecureClient(listener_, std::move(client));
    client_.securing = true;
  }
  client_.stream = std::move(client);
  client_.stream->WipeReads(true);
  client_.stream->Start(client_observer_);
}

void Session::TakeClientAddress(const Address& address) {
  arrival_->client = address;
  address_ = address.HostText();
  port_ = address.port();
}

void Session::OnProxyHeader(const ProxyHeader& header) {
  awaits_header_ = false;
  if (!header.local) {
    TakeClientAddress(header.source);
    arrival_->local = header.destination;
    arrival_->local_text = header.destination.HostText();
  }
  trusted_ = ContainedInAny(door().trusted, arrival_->client);
  arrival_->cut = !JudgeArrival(Stage::kConnection);
  deadline_.Arm(arrival_->cut ? keeper_.world().now() : opened_ + plan().timeouts.handshake);
}

// ---- stream events

void Session::OnOpen(Side side) {
  if (finished_) return;
  const auto open = [this, side] { return side == Side::kClient ? ClientOpen() : BackendOpen(); };
  if (inside_) return open();
  Enter(open);
}

void Session::ClientOpen() {
  if (client_.securing) {
    const TlsFacts tls = client_.stream->tls();
    shard().Handshake(listener_, tls.version, tls.cipher, tls.resumed, true,
                      now_ - arrival_->tls_began);
    client_.securing = false;
    secure_ = true;
    if (judged_) judged_->generation = 0;
    arrival_->tls_judged = true;
    if (!JudgeArrival(Stage::kTls)) return Cut();
  }
  deadline_.Arm(opened_ + plan().timeouts.login);
  if (client_.open) {
    engine_->OnSecured(Side::kClient);
    if (arrival_->denied && !finished_) Greet();
    return;
  }
  client_.open = true;
  shard().SessionMoved(protocol_, state_, SessionState::kLogin);
  state_ = SessionState::kLogin;
  Greet();
}

void Session::OnBytes(Side side, std::string_view bytes) {
  Half& from = half(side);
  from.in += bytes.size();
  shard().Bytes(protocol_, side, Direction::kIn, bytes.size());
  if (finished_) {
    if (side == Side::kClient) shard().Elided(protocol_, bytes.size());
    return;
  }
  Enter([&] {
    if (side == Side::kClient) client_bytes_at_ = now_;
    if (!from.pending.empty()) {
      AppendSecret(from.pending, bytes);
      return OfferPending(side);
    }
    const std::size_t consumed = Offer(side, bytes);
    if (consumed < bytes.size()) from.pending.assign(bytes.substr(consumed));
  });
}

void Session::OnDrained() {
  Enter([] {});
}

void Session::OnEnd(Side side, const Status& why) {
  if (finished_) return;
  if (side == Side::kBackend && (!backend_.open || backend_.securing)) {
    return Enter([&] { BackendTlsFailed(why); });
  }
  if (side == Side::kClient && (state_ == SessionState::kHandshake || client_.securing)) {
    if (awaits_header_) return EndHandshake(CloseReason::kProxyHeader, Stream::How::kFlush);
    if (client_.open && client_.stream->tls().plaintext) {
      shard().StarttlsInjection(listener_);
      return EndHandshake(CloseReason::kStarttlsInjection, Stream::How::kFlush);
    }
    // An alert of ours still reaches the client.
    return EndHandshake(CloseReason::kHandshakeFailed, Stream::How::kFlush);
  }
  if (side == Side::kClient && !why.ok()) {
    // What was forwarded already still reaches the backend.
    engine_->OnAbandoned();
    return End(CloseReason::kClientReset, Stream::How::kAbort);
  }
  half(side).ended = true;
  Enter([] {});
}

// ---- TLS that begins in the middle

void Session::StartTls(Side side) { half(side).tls_due = true; }

void Session::BeginDueTls() {
  World& world = keeper_.world();
  for (const Side side : {Side::kClient, Side::kBackend}) {
    Half& half = this->half(side);
    if (!half.tls_due) continue;
    half.tls_due = false;
    half.securing = true;
    // What came behind the command or its answer was no part of it: the engine has refused it.
    POSTERN_CHECK(half.pending.empty());
    if (side == Side::kClient) {
      arrival_->tls_began = now_;
      deadline_.Arm(std::min(deadline_.at(), now_ + plan().timeouts.handshake));
      half.stream = world.SecureClient(listener_, std::move(half.stream));
      half.stream->WipeReads(true);
      half.stream->Start(client_observer_);
    } else {
      dialing_->began = now_;
      const Backend& backend = routes().backend(backend_id_);
      half.stream = world.SecureBackend(pool_, std::move(half.stream),
                                        backend.tls_name[static_cast<std::size_t>(protocol_)]);
      half.stream->Start(backend_observer_);
    }
    if (finished_) return;
  }
}

// ---- EngineHost: who the client is, and the login's fate

bool Session::ClientSpeaksFor(std::string_view address, std::uint16_t port) {
  const Result<Address> parsed = Address::FromParts(address, port);
  if (!parsed.ok()) return false;
  if (!arrival_->spoken_for) TakeClientAddress(parsed.value());
  arrival_->spoken_for = true;
  return true;
}

ClientFacts Session::client_facts() const {
  ClientFacts facts;
  facts.listener = listener_;
  facts.trusted = trusted_;
  facts.secure = secure_;
  facts.address = address_;
  facts.port = port_;
  if (arrival_) {
    facts.local_address = arrival_->local_text;
    facts.local_port = arrival_->local.port();
  }
  facts.session = id_;
  return facts;
}

void Session::LoggedIn() {
  dialing_.reset();
  arrival_.reset();
  if (judged_ && !judged_->of_user) judged_->generation = 0;
  if (judged_by_rules()) {
    // Read-only and hide may ask for the pool.
    const SessionFacts facts = Facts();
    NoteHits(keeper_.rules().Decide(Stage::kCommand, facts), facts, nullptr);
  }
  keeper_.shared().health.Succeeded(backend_id_);
  shard().SessionMoved(protocol_, state_, SessionState::kRelay);
  state_ = SessionState::kRelay;
  if (judged_ && !judged_->places.empty()) NoteIdle();
  client_.stream->WipeReads(false);
  ArmIdle();
}

}  // namespace postern
