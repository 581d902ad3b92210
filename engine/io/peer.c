/* SO_PEERCRED and SO_PEERGROUPS: see peer.h. */
#define _GNU_SOURCE
#include "engine/io/peer.h"
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MOST 256

int peer_group(const char *name, gid_t *gid, struct err *e)
{
	if (name[0] == '\0') {
		*gid = getegid();
		return 0;
	}
	struct group *g = getgrnam(name);
	if (g == NULL)
		return err_set(e, ERR_INPUT, "operator group \"%s\": the system does not know it; make it (groupadd) or name another", name);
	*gid = g->gr_gid;
	return 0;
}

bool peer_read(int fd, gid_t view, gid_t act, struct peer *out)
{
	struct ucred cred;
	gid_t groups[GROUPS_MOST];
	socklen_t len = sizeof cred, size = sizeof groups;
	*out = (struct peer){.uid = -1, .pid = -1};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	out->uid = cred.uid;
	out->pid = cred.pid;
	bool looks = cred.gid == view, acts = cred.gid == act;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof groups[0]; i++) {
			looks = looks || groups[i] == view;
			acts = acts || groups[i] == act;
		}
	}
	out->may_act = acts || cred.uid == 0 || cred.uid == geteuid();
	return looks || out->may_act;
}
