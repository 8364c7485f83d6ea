#include "sqlite/filesystem.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/error.h"

/* statfs(2) and linux/magic.h; by number, since the kernel's header has not all of them. */
static const struct {
	uint32_t type;
	const char *name;
} remote[] = {
	{ 0x00006969, "NFS" },  { 0xff534d42, "CIFS" },    { 0xfe534d42, "SMB2" },
	{ 0x0000517b, "SMB" },  { 0x65735546, "FUSE" },    { 0x01021997, "9P" },
	{ 0x00c36400, "Ceph" }, { 0x5346414f, "OpenAFS" }, { 0x6b414653, "AFS" },
	{ 0x73757245, "Coda" }, { 0x0000564c, "NCP" },     { 0x0bd00bd0, "Lustre" },
	{ 0x01161970, "GFS2" }, { 0x7461636f, "OCFS2" },   { 0x19830326, "BeeGFS" },
};

const char *filesystem_remote_name(unsigned long type)
{
	/* f_type is a signed word on some machines: 0xff534d42 arrives with its sign extended. */
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (remote[i].type == (uint32_t)type)
			return remote[i].name;
	return NULL;
}

bool filesystem_check_local(const char *folder, struct error *err)
{
	struct statfs about;
	const char *name;

	if (statfs(folder, &about) != 0)
		return error_set(err, ERROR_HUMAN, "no-directory", "%s: %s", folder,
				 strerror(errno));
	name = filesystem_remote_name((unsigned long)about.f_type);
	if (name)
		return error_set(err, ERROR_HUMAN, "remote-filesystem",
				 "%s: lies on %s, where SQLite's locks cannot be trusted: move the "
				 "database to a local filesystem",
				 folder, name);
	return true;
}
