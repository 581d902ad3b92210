/* Words to the service manager (sd_notify's datagram, without its library). */
#ifndef ENGINE_IO_SERVICE_H
#define ENGINE_IO_SERVICE_H
/* "READY=1", "STOPPING=1", "WATCHDOG=1" to $NOTIFY_SOCKET; nothing where there is none. */
void service_tell(const char *words);
#endif
