// What a service of Type=notify tells its manager (sd_notify(3)), without libsystemd: a datagram to
// the socket that NOTIFY_SOCKET names, a path or "@" and an abstract name. Without that variable
// nobody listens and nothing is done; a manager that does not hear is no reason to fail. Any
// thread; never blocks.
#pragma once

namespace postern {

// Started, or done with a reload.
void NotifyReady();
// A reload begins; NotifyReady must follow, whether it succeeds or not.
void NotifyReloading();
void NotifyStopping();
// Every now and then, more often than WATCHDOG_USEC microseconds. Nothing when the variable is not
// there, or is another process's (WATCHDOG_PID).
void NotifyAlive();

}  // namespace postern
