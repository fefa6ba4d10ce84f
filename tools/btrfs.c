/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include "tools/btrfs.h"
#include "tools/site.h"

extern char **environ;

/* The root directory of every subvolume has this inode number. */
#define SUBVOLUME_INODE 256

static bool is_subvolume(const char *path)
{
	struct statfs fs;
	struct stat st;
	return statfs(path, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC && stat(path, &st) == 0 &&
	       st.st_ino == SUBVOLUME_INODE;
}

/* Each subvolume is a device of its own to stat() and statfs(). */
static bool file_system_of(const char *path, struct btrfs_ioctl_fs_info_args *ret_info)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && ioctl(fd, BTRFS_IOC_FS_INFO, ret_info) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool btrfs_fits(const char *root, const char *archive)
{
	struct btrfs_ioctl_fs_info_args a = {0}, b = {0};
	char dir[4096];
	snprintf(dir, sizeof(dir), "%s", archive);
	if (access(dir, F_OK) != 0) {
		char *slash = strrchr(dir, '/');
		if (slash == NULL || slash == dir)
			return false;
		*slash = '\0';
	}
	return is_subvolume(root) && file_system_of(root, &a) && file_system_of(dir, &b) &&
	       memcmp(a.fsid, b.fsid, sizeof(a.fsid)) == 0;
}

/* What it says to people goes nowhere, what it complains of to where we complain. */
static int run(const char *const *args)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status, e = posix_spawn_file_actions_init(&fa);
	if (e != 0)
		return GX_E_NOMEM;
	e = posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (e == 0)
		e = posix_spawnp(&pid, args[0], &fa, NULL, (char *const *)args, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (e != 0) {
		complain("%s: %s; install btrfs-progs, or set snapshot_method to copy", args[0], strerror(e));
		return GX_E_IO;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return GX_E_IO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	complain("%s %s %s failed", args[0], args[1], args[2]);
	return GX_E_IO;
}

static int make(const char *from, const char *to, void *ctx)
{
	return run((const char *const[]){"btrfs", "subvolume", "snapshot", from, to, NULL});
}

static int seal(const char *path, void *ctx)
{
	return run((const char *const[]){"btrfs", "property", "set", "-ts", path, "ro", "true", NULL});
}

static int take_away(const char *path, void *ctx)
{
	if (!is_subvolume(path))
		return GX_E_UNSUP;
	return run((const char *const[]){"btrfs", "subvolume", "delete", path, NULL});
}

const struct gx_snapshot_fs btrfs_calls = {.make = make, .seal = seal, .remove = take_away};
