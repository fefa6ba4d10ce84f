/* SPDX-License-Identifier: Apache-2.0 */
/* The processes behind a director of stores: one for each store that is in use. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <gx/engine.h>
#include <gx/exmdb-workers.h>
#include <gx/strbuf.h>

extern char **environ;

enum { ADDED_ARGS = 8, READY_FD = 3, OWNER_FD = 4, PAUSE_MS = 20 };

struct worker {
	struct worker *next;
	pid_t pid;           /* 0: does not run */
	bool starting;       /* a thread waits for it, without the lock */
	int owner_fd;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char dir[];
};

struct gx_workers {
	struct gx_workers_opts o;
	char **argv, *run_dir;
	size_t argc;
	pthread_mutex_t lock;
	pthread_cond_t started;
	struct worker *all;
	unsigned running, last;
};

static int64_t now_ms(void)
{
	return gx_clock_mono_ms(gx_clock_system());
}

/* ---- One process ---- */

/* What a child must not inherit is opened with O_CLOEXEC; its two descriptors are put where it expects them. */
static int spawn(struct gx_workers *w, struct worker *k, int ready, int owner)
{
	const char *const args[] = {"--store", k->dir, "--socket", k->socket, "--ready-fd", "3", "--owner-fd", "4"};
	char **v = calloc(w->argc + ADDED_ARGS + 1, sizeof(*v));
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	if (v == NULL)
		return GX_E_NOMEM;
	memcpy(v, w->argv, w->argc * sizeof(*v));
	memcpy(v + w->argc, args, sizeof(args));
	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	/* both are above 4 (see start()): dup2 onto itself would keep the close-on-exec mark */
	posix_spawn_file_actions_adddup2(&fa, ready, READY_FD);
	posix_spawn_file_actions_adddup2(&fa, owner, OWNER_FD);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	int err = posix_spawnp(&k->pid, v[0], &fa, &at, v, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	free(v);
	if (err == 0)
		return 0;
	gx_log(w->o.log, GX_LOG_ERROR, "%s: the program for %s cannot be started: %s", w->argv[0], k->dir, strerror(err));
	k->pid = 0;
	return GX_E_STATE;
}

/* A pipe whose ends lie above the numbers that children get. */
static int high_pipe(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) != 0)
		return GX_E_IO;
	for (int i = 0; i < 2; ++i) {
		int high = fcntl(fd[i], F_DUPFD_CLOEXEC, OWNER_FD + 1);
		close(fd[i]);
		fd[i] = high;
	}
	if (fd[0] >= 0 && fd[1] >= 0)
		return 0;
	for (int i = 0; i < 2; ++i)
		if (fd[i] >= 0)
			close(fd[i]);
	return GX_E_IO;
}

/* The last line is "ready"; an end without it is a failure. */
static int wait_ready(int fd, int64_t until)
{
	char buf[512];
	size_t n = 0;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		int r = left <= 0 ? 0 : poll(&p, 1, (int)left);
		if (r == 0)
			return GX_E_TIMEOUT;
		if (r < 0 && errno == EINTR)
			continue;
		ssize_t got = r < 0 ? -1 : read(fd, buf + n, sizeof(buf) - 1 - n);
		if (got <= 0)
			return GX_E_STATE;
		n += (size_t)got;
		buf[n] = '\0';
		if (strstr(buf, "ready\n") != NULL)
			return 0;
		if (n > sizeof(buf) / 2) { /* the addresses before it do not matter */
			memmove(buf, buf + n - 16, 17);
			n = 16;
		}
	}
}

static void ended(struct gx_workers *w, struct worker *k, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		gx_log(w->o.log, GX_LOG_INFO, "exmdb: process %ld of %s has ended", (long)k->pid, k->dir);
	else
		gx_log(w->o.log, GX_LOG_WARN, "exmdb: process %ld of %s ended with %s %d; it is started again when it is asked for", (long)k->pid, k->dir,
		       WIFSIGNALED(status) ? "signal" : "exit status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	k->pid = 0;
	close(k->owner_fd);
	k->owner_fd = -1;
	--w->running;
}

/* With the lock held. */
static bool runs(struct gx_workers *w, struct worker *k)
{
	int status = 0;
	if (k->pid != 0 && !k->starting && waitpid(k->pid, &status, WNOHANG) == k->pid)
		ended(w, k, status);
	return k->pid != 0;
}

/* With the lock held, which is let go while the process starts. */
static int start(struct gx_workers *w, struct worker *k)
{
	int ready[2], owner[2], status = 0;
	if (high_pipe(ready) != 0)
		return GX_E_IO;
	if (high_pipe(owner) != 0) {
		close(ready[0]);
		close(ready[1]);
		return GX_E_IO;
	}
	int err = spawn(w, k, ready[1], owner[0]);
	close(ready[1]);
	close(owner[0]);
	if (err == 0) {
		k->owner_fd = owner[1];
		k->starting = true;
		++w->running;
		pthread_mutex_unlock(&w->lock);
		err = wait_ready(ready[0], now_ms() + w->o.start_ms);
		pthread_mutex_lock(&w->lock);
		k->starting = false;
		pthread_cond_broadcast(&w->started);
		if (err != 0) {
			kill(k->pid, SIGKILL);
			if (waitpid(k->pid, &status, 0) == k->pid)
				ended(w, k, status);
		}
	} else {
		close(owner[1]);
	}
	close(ready[0]);
	return err;
}

/* ---- All ---- */

static int find(struct gx_workers *w, const char *dir, struct worker **ret_k)
{
	size_t len = strlen(dir) + 1;
	struct worker *k = w->all;
	while (k != NULL && strcmp(k->dir, dir) != 0)
		k = k->next;
	if (k == NULL) {
		if ((k = calloc(1, sizeof(*k) + len)) == NULL)
			return GX_E_NOMEM;
		memcpy(k->dir, dir, len);
		k->owner_fd = -1;
		snprintf(k->socket, sizeof(k->socket), "%s/%u", w->run_dir, ++w->last);
		k->next = w->all;
		w->all = k;
	}
	*ret_k = k;
	return 0;
}

/* One that is gone makes room for another. */
static bool has_room(struct gx_workers *w)
{
	if (w->running >= w->o.max)
		for (struct worker *k = w->all; k != NULL; k = k->next)
			(void)runs(w, k);
	return w->running < w->o.max;
}

int gx_workers_locate(const char *dir, struct gx_arena *a, const char **ret_socket, void *ctx)
{
	struct gx_workers *w = ctx;
	struct worker *k;
	struct stat st;
	if (stat(dir, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? GX_E_NOTFOUND : GX_E_IO;
	pthread_mutex_lock(&w->lock);
	int err = find(w, dir, &k);
	while (err == 0 && k->starting)
		pthread_cond_wait(&w->started, &w->lock);
	if (err == 0 && !runs(w, k))
		err = has_room(w) ? start(w, k) : GX_E_LIMIT;
	pthread_mutex_unlock(&w->lock);
	*ret_socket = err == 0 ? gx_arena_strdup(a, k->socket) : NULL;
	return err == 0 && *ret_socket == NULL ? GX_E_NOMEM : err;
}

unsigned gx_workers_tick(struct gx_workers *w)
{
	pthread_mutex_lock(&w->lock);
	for (struct worker *k = w->all; k != NULL; k = k->next)
		(void)runs(w, k);
	unsigned n = w->running;
	pthread_mutex_unlock(&w->lock);
	return n;
}

void gx_workers_signal(struct gx_workers *w, int sig)
{
	pthread_mutex_lock(&w->lock);
	for (struct worker *k = w->all; k != NULL; k = k->next)
		if (runs(w, k))
			kill(k->pid, sig);
	pthread_mutex_unlock(&w->lock);
}

static void release(struct gx_workers *w)
{
	gx_strv_free(w->argv);
	free(w->run_dir);
	free(w);
}

static int copy(struct gx_workers *w, const struct gx_workers_opts *o)
{
	int err = gx_strv_copy((const char *const *)o->argv, &w->argv);
	while (err == 0 && w->argv[w->argc] != NULL)
		++w->argc;
	w->run_dir = strdup(o->run_dir);
	return err == 0 && w->run_dir == NULL ? GX_E_NOMEM : err;
}

static int make_dir(const char *dir, struct gx_arena *a, const char **ret_why)
{
	struct stat st;
	const char *why = NULL;
	if (strlen(dir) + 17 > sizeof(((struct sockaddr_un *)0)->sun_path))
		why = "too long for the path of a socket";
	else if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		why = strerror(errno);
	else if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		why = "is no directory of this user alone";
	if (why == NULL)
		return 0;
	if (ret_why != NULL)
		*ret_why = gx_arena_printf(a, "%s: %s", dir, why);
	return GX_E_IO;
}

int gx_workers_new(const struct gx_workers_opts *o, struct gx_workers **ret_w, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || o->size != sizeof(*o) || o->argv == NULL || o->argv[0] == NULL || o->run_dir == NULL || ret_w == NULL)
		return GX_E_INVAL;
	int err = make_dir(o->run_dir, a, ret_why);
	if (err != 0)
		return err;
	struct gx_workers *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return GX_E_NOMEM;
	w->o = *o;
	if (w->o.max == 0)
		w->o.max = 1000;
	if (w->o.start_ms == 0)
		w->o.start_ms = 20000;
	if (copy(w, o) != 0 || pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->started, NULL) != 0) {
		release(w);
		return GX_E_NOMEM;
	}
	*ret_w = w;
	return 0;
}

static void wait_all(struct gx_workers *w, int64_t until)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	while (gx_workers_tick(w) > 0 && now_ms() < until)
		nanosleep(&pause, NULL);
}

/* One that was killed leaves them. */
static void remove_sockets(const struct worker *k)
{
	char other[sizeof(k->socket) + sizeof(GX_WORKERS_HTTP)];
	(void)unlink(k->socket);
	snprintf(other, sizeof(other), "%s" GX_WORKERS_HTTP, k->socket);
	(void)unlink(other);
}

void gx_workers_free(struct gx_workers *w, uint32_t grace_ms)
{
	if (w == NULL)
		return;
	gx_workers_signal(w, SIGTERM);
	wait_all(w, now_ms() + grace_ms);
	gx_workers_signal(w, SIGKILL);
	wait_all(w, INT64_MAX);
	while (w->all != NULL) {
		struct worker *k = w->all;
		w->all = k->next;
		remove_sockets(k);
		free(k);
	}
	(void)rmdir(w->run_dir);
	pthread_cond_destroy(&w->started);
	pthread_mutex_destroy(&w->lock);
	release(w);
}
