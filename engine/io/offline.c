/* No network by seccomp: see offline.h. */
#include "engine/io/offline.h"
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

int offline_enter(struct err *e)
{
	static const int denied[] = {SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
		SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter)};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx == NULL ? -ENOMEM : 0;
	for (size_t i = 0; rc == 0 && i < sizeof denied / sizeof denied[0]; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = -errno;
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	return rc == 0 ? 0 : err_set(e, ERR_SYSTEM, "the network cannot be denied (seccomp): %s", strerror(-rc));
}
