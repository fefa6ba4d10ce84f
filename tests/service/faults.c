/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server under test: makes writes or flushes of regular files fail while a
 * control file ($GX_FAULTS) exists. Its first word says what: "nospace" writes fail with ENOSPC,
 * "ioerror" with EIO, "sync" flushes fail with EIO.
 */
#include <config.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOSPACE = 'n', IOERROR = 'i', SYNC = 's' };

static int mode(void)
{
	const char *path = getenv("GX_FAULTS");
	char c = 0;
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, &c, 1);
	close(fd);
	return n == 1 ? c : 0;
}

/* Is it a file of the server's data, and not a socket, a log or the fault's own control file? */
static int is_data(int fd)
{
	struct stat st;
	char link[64], path[4096];
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return strstr(path, ".log") == NULL;
}

static int refuse_write(int fd)
{
	int m = mode();
	if ((m != NOSPACE && m != IOERROR) || !is_data(fd))
		return 0;
	errno = m == NOSPACE ? ENOSPC : EIO;
	return 1;
}

static int refuse_sync(int fd)
{
	if (mode() != SYNC || !is_data(fd))
		return 0;
	errno = EIO;
	return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define EXPORT __attribute__((visibility("default")))
#define WRAP(ret, name, params, args, refuse) \
	EXPORT ret name params; \
	EXPORT ret name params \
	{ \
		static __typeof__(&name) next; \
		if (next == NULL) \
			next = NEXT(name); \
		return refuse(fd) ? -1 : next args; \
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), refuse_write)
WRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), refuse_write)
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t off), (fd, p, n, off), refuse_write)
WRAP(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t off), (fd, v, n, off), refuse_write)
#if !defined(_FILE_OFFSET_BITS) || _FILE_OFFSET_BITS != 64
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t off), (fd, p, n, off), refuse_write)
WRAP(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t off), (fd, v, n, off), refuse_write)
#endif
WRAP(int, fsync, (int fd), (fd), refuse_sync)
WRAP(int, fdatasync, (int fd), (fd), refuse_sync)
