/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MARIADBTEST_H
#define GX_MARIADBTEST_H
/* A real server in a directory of its own, on a Unix socket; it ends with the process that started it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct mdbserver {
	char dir[64], socket[96], data[96];
	pid_t pid;
};

/* Where programs of the system are; PATH of an ordinary user lacks the last two. */
static inline const char *mdb_program(const char *name, char out[256])
{
	const char *path = getenv("PATH");
	char all[4096];
	snprintf(all, sizeof(all), "%s:/usr/sbin:/usr/libexec", path == NULL ? "/usr/bin" : path);
	for (char *save, *d = strtok_r(all, ":", &save); d != NULL; d = strtok_r(NULL, ":", &save)) {
		snprintf(out, 256, "%s/%s", d, name);
		if (access(out, X_OK) == 0)
			return out;
	}
	return NULL;
}

static inline pid_t mdb_spawn(const struct mdbserver *s, const char *const *argv)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	char log[128];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(log, sizeof(log), "%s/log", s->dir);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static inline bool mdb_answers(const struct mdbserver *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(a.sun_path, s->socket, strlen(s->socket) + 1);
	bool ok = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return ok;
}

static inline void mdb_print_log(const struct mdbserver *s)
{
	char line[1024];
	snprintf(line, sizeof(line), "%s/log", s->dir);
	FILE *f = fopen(line, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		fprintf(stderr, "# %s", line);
	if (f != NULL)
		fclose(f);
}

/* Starts the server on what is there and waits until it takes connections. */
static inline bool mdb_start(struct mdbserver *s)
{
	char program[256], data[128], sock[128], pid[128], user[32];
	if (mdb_program("mariadbd", program) == NULL)
		return false;
	snprintf(data, sizeof(data), "--datadir=%s", s->data);
	snprintf(sock, sizeof(sock), "--socket=%s", s->socket);
	snprintf(pid, sizeof(pid), "--pid-file=%s/pid", s->dir);
	snprintf(user, sizeof(user), "--user=%s", geteuid() == 0 ? "root" : "");
	const char *argv[] = {program, "--no-defaults", data, sock, pid, "--skip-networking", "--skip-log-bin", "--performance-schema=OFF",
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=2",
		"--loose-innodb-flush-method=nosync", "--loose-sync-frm=OFF", "--loose-innodb-file-per-table=OFF",
		"--max-connections=100", geteuid() == 0 ? user : NULL, NULL};
	s->pid = mdb_spawn(s, argv);
	for (int i = 0; i < 6000; ++i) {
		if (mdb_answers(s))
			return true;
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
			break;
		usleep(20000);
	}
	mdb_print_log(s);
	return false;
}

/* Makes the directory, the system's tables in it, and starts. */
static inline bool mdb_new(struct mdbserver *s)
{
	char program[256], data[128], user[32];
	int status = -1;
	struct statvfs room;
	/* Changing tables waits for the disk many times over; nothing of it is to last. */
	bool shm = statvfs("/dev/shm", &room) == 0 && room.f_bavail * (uint64_t)room.f_frsize >= 256U << 20;
	snprintf(s->dir, sizeof(s->dir), "%s/gxmdbXXXXXX", shm ? "/dev/shm" : "/tmp");
	if (mkdtemp(s->dir) == NULL || mdb_program("mariadb-install-db", program) == NULL)
		return false;
	snprintf(s->socket, sizeof(s->socket), "%s/s", s->dir);
	snprintf(s->data, sizeof(s->data), "%s/data", s->dir);
	snprintf(data, sizeof(data), "--datadir=%s", s->data);
	snprintf(user, sizeof(user), "--user=%s", geteuid() == 0 ? "root" : "");
	const char *argv[] = {program, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db",
		"--skip-name-resolve", geteuid() == 0 ? user : NULL, NULL};
	pid_t pid = mdb_spawn(s, argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		mdb_print_log(s);
		return false;
	}
	return mdb_start(s);
}

static inline void mdb_kill(struct mdbserver *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

static inline int mdb_unlink(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static inline void mdb_free(struct mdbserver *s)
{
	mdb_kill(s);
	nftw(s->dir, mdb_unlink, 16, FTW_DEPTH | FTW_PHYS);
}
#endif
