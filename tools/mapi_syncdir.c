/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/mapi_syncdir.h"

#define STATE_FILE ".gromox-mapi"
#define LOG_FILE STATE_FILE ".log"
#define HEADER "gromox-mapi "

static int failed(const struct syncdir *d, const char *name)
{
	complain("%s/%s: %s", d->path, name, strerror(errno));
	return EXIT_FAILED;
}

static int corrupt(const struct syncdir *d, const char *name, unsigned line)
{
	complain("%s/%s, line %u: this is not what was written; take the file away to begin anew", d->path, name, line);
	return EXIT_FAILED;
}

/* ---- Bytes as text; "-": none ---- */

static bool unhex(struct gx_arena *a, const char *s, struct gx_bin *ret_b)
{
	size_t n = strlen(s) / 2;
	uint8_t *out = gx_arena_alloc(a, n + 1);
	for (size_t i = 0; out != NULL && i < n; ++i) {
		char pair[3] = {s[2 * i], s[2 * i + 1], 0}, *end;
		out[i] = (uint8_t)strtoul(pair, &end, 16);
		if (*end != '\0')
			return false;
	}
	if (out != NULL)
		out[n] = '\0';
	*ret_b = (struct gx_bin){out, n};
	return out != NULL && (strlen(s) % 2 == 0 || strcmp(s, "-") == 0);
}

static void put_hex(FILE *f, struct gx_bin b)
{
	for (size_t i = 0; i < b.len; ++i)
		fprintf(f, "%02x", b.data[i]);
	if (b.len == 0)
		fputc('-', f);
}

/* ---- One message ---- */

static struct entry *add(struct syncdir *d, uint64_t mid)
{
	struct entry *e = syncdir_find(d, mid);
	if (e == NULL) {
		d->v = gx_arena_grow(d->a, d->v, &d->cap, d->n + 1, sizeof(*d->v));
		if (d->v == NULL)
			return NULL;
		e = &d->v[d->n++];
	}
	*e = (struct entry){.mid = mid};
	return e;
}

static char *word(char **io_s)
{
	char *w = *io_s, *end = w + strcspn(w, " ");
	*io_s = *end == '\0' ? end : end + 1;
	*end = '\0';
	return w;
}

static bool take_hash(struct gx_arena *a, const char *s, uint8_t to[HASH], bool *ret_any)
{
	struct gx_bin b;
	if (!unhex(a, s, &b) || (b.len != 0 && b.len != HASH))
		return false;
	if (b.len == HASH)
		memcpy(to, b.data, HASH);
	*ret_any = b.len == HASH;
	return true;
}

static bool parse_message(struct syncdir *d, char *s, bool old)
{
	struct gx_bin name;
	bool any;
	const char *id = word(&s), *key = word(&s), *read = word(&s);
	struct entry e = {.mid = strncmp(id, "0x", 2) == 0 ? strtoull(id, NULL, 16) : 0, .is_read = *read == '1'};
	if (e.mid == 0 || strlen(key) != 44 || strspn(key, "0123456789abcdef") != 44 || *read == '\0')
		return false;
	memcpy(e.key, key, sizeof(e.key));
	if (!old) {
		if (!take_hash(d->a, word(&s), e.hash, &e.known))
			return false;
		e.size = strtoull(word(&s), NULL, 10);
		e.mtime = strtoll(word(&s), NULL, 10);
		e.ctime = strtoll(word(&s), NULL, 10);
		if (!unhex(d->a, word(&s), &e.pcl))
			return false;
		e.change = strtoull(word(&s), NULL, 10);
		if (!take_hash(d->a, word(&s), e.sent, &any) || !unhex(d->a, s, &name))
			return false;
		e.name = name.len == 0 ? NULL : (const char *)name.data;
	}
	struct entry *to = add(d, e.mid);
	if (to != NULL)
		*to = e;
	return to != NULL;
}

static void print_message(FILE *f, const struct entry *e)
{
	fprintf(f, "message 0x%" PRIx64 " %s %d ", e->mid, e->key, e->is_read);
	put_hex(f, (struct gx_bin){e->hash, e->known ? HASH : 0});
	fprintf(f, " %" PRIu64 " %" PRId64 " %" PRId64 " ", e->size, e->mtime, e->ctime);
	put_hex(f, e->pcl);
	fprintf(f, " %" PRIu64 " ", e->change);
	put_hex(f, (struct gx_bin){e->sent, e->change != 0 ? HASH : 0});
	fputc(' ', f);
	put_hex(f, (struct gx_bin){(const uint8_t *)e->name, e->name != NULL ? strlen(e->name) : 0});
	fputc('\n', f);
}

/* ---- Reading ---- */

static bool parse_line(struct syncdir *d, char *line, unsigned version)
{
	char guid[64];
	if (strncmp(line, "message ", 8) == 0)
		return parse_message(d, line + 8, version == 1);
	if (strncmp(line, "state ", 6) == 0)
		return unhex(d->a, line + 6, &d->state);
	if (sscanf(line, "log %" SCNu64, &d->generation) == 1 || sscanf(line, "folder 0x%" SCNx64, &d->fid) == 1)
		return true;
	return sscanf(line, "client %63s %" SCNu64, guid, &d->changes) == 2 && gx_guid_parse(guid, &d->client) == 0;
}

static int open_file(struct syncdir *d, const char *name, FILE **ret_f)
{
	int fd = openat(d->dir, name, O_RDONLY | O_CLOEXEC);
	*ret_f = fd < 0 ? NULL : fdopen(fd, "r");
	if (*ret_f != NULL || (fd < 0 && errno == ENOENT))
		return EXIT_OK;
	if (fd >= 0)
		close(fd);
	return failed(d, name);
}

static int load(struct syncdir *d)
{
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0, version = 0;
	FILE *f;
	int rc = open_file(d, STATE_FILE, &f);
	if (f == NULL)
		return rc;
	while (rc == EXIT_OK && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		bool ok = ++n > 1 ? parse_line(d, line, version) : sscanf(line, HEADER "%u", &version) == 1 && version >= 1 && version <= 2;
		if (!ok)
			rc = corrupt(d, STATE_FILE, n);
	}
	if (rc == EXIT_OK && n > 0 && d->fid == 0)
		rc = corrupt(d, STATE_FILE, n);
	free(line);
	fclose(f);
	return rc;
}

/* Who wrote the last line may have ended before the file came into its place: it counts when the file is what it says. */
static int settle(struct syncdir *d, uint64_t mid, const struct entry *before)
{
	struct entry *e = syncdir_find(d, mid);
	if (e == NULL)
		return EXIT_OK;
	int look = syncdir_look(d, e);
	if (look < 0)
		return EXIT_FAILED;
	if (look == FILE_SAME)
		return EXIT_OK;
	if (before->mid != 0)
		*e = *before;
	else
		syncdir_remove(d, e);
	return EXIT_OK;
}

/* A line that was not finished is the last one, and its file is not there yet. */
static int replay(struct syncdir *d)
{
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;
	uint64_t generation = 0, mid = 0;
	struct entry before = {0};
	FILE *f;
	int rc = open_file(d, LOG_FILE, &f);
	if (f == NULL)
		return rc;
	for (ssize_t len; rc == EXIT_OK && (len = getline(&line, &size, f)) > 0 && line[len - 1] == '\n';) {
		line[len - 1] = '\0';
		if (++n == 1) {
			if (sscanf(line, "log %" SCNu64, &generation) != 1 || generation != d->generation)
				break;
			continue;
		}
		uint64_t gone = 0, id = 0;
		(void)sscanf(line, "message 0x%" SCNx64, &id);
		struct entry *e = syncdir_find(d, id);
		before = e != NULL ? *e : (struct entry){0};
		mid = id;
		if (sscanf(line, "gone 0x%" SCNx64, &gone) == 1)
			syncdir_remove(d, syncdir_find(d, gone));
		else if (id == 0 || !parse_line(d, line, 2))
			rc = corrupt(d, LOG_FILE, n);
	}
	free(line);
	fclose(f);
	return rc == EXIT_OK && mid != 0 ? settle(d, mid, &before) : rc;
}

int syncdir_open(struct syncdir *d, struct gx_arena *a, const char *path)
{
	*d = (struct syncdir){.a = a, .path = path, .dir = -1, .lock = -1, .log = -1};
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return failed(d, "");
	d->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir < 0)
		return failed(d, "");
	d->lock = openat(d->dir, STATE_FILE ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return failed(d, STATE_FILE ".lock");
	if (flock(d->lock, LOCK_EX | LOCK_NB) != 0) {
		complain("%s: somebody else is at it", path);
		return EXIT_FAILED;
	}
	if (gx_guid_random(&d->client) != 0)
		return failed(d, "");
	int rc = load(d);
	return rc == EXIT_OK ? replay(d) : rc;
}

void syncdir_close(struct syncdir *d)
{
	const int fds[] = {d->dir, d->lock, d->log};
	for (size_t i = 0; i < 3; ++i)
		if (fds[i] >= 0)
			close(fds[i]);
	d->dir = d->lock = d->log = -1;
}

/* ---- Writing ---- */

static void print(FILE *f, const struct syncdir *d)
{
	char guid[37];
	gx_guid_print(&d->client, guid);
	fprintf(f, HEADER "2\nlog %" PRIu64 "\nfolder 0x%" PRIx64 "\nclient %s %" PRIu64 "\n", d->generation, d->fid, guid, d->changes);
	for (size_t i = 0; i < d->n; ++i)
		print_message(f, &d->v[i]);
	fputs("state ", f);
	put_hex(f, d->state);
	fputc('\n', f);
}

/* @p what into a file of its own that takes the place of @p name. */
static FILE *begin(struct syncdir *d, const char *temporary)
{
	int fd = openat(d->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL && fd >= 0)
		close(fd);
	return f;
}

int syncdir_save(struct syncdir *d)
{
	static const char temporary[] = STATE_FILE ".new";
	/* messages first: a state must not say that we have what a power loss has taken */
	if (syncfs(d->dir) != 0)
		return failed(d, "");
	FILE *f = begin(d, temporary);
	if (f == NULL)
		return failed(d, temporary);
	++d->generation;
	print(f, d);
	bool ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || renameat(d->dir, temporary, d->dir, STATE_FILE) != 0)
		return failed(d, STATE_FILE);
	if (d->log >= 0)
		close(d->log);
	d->log = -1;
	return unlinkat(d->dir, LOG_FILE, 0) == 0 || errno == ENOENT ? EXIT_OK : failed(d, LOG_FILE);
}

/* One line, all of it or nothing that counts. */
static int log_line(struct syncdir *d, const char *line, size_t n)
{
	char head[32];
	if (d->log < 0) {
		d->log = openat(d->dir, LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
		int len = snprintf(head, sizeof(head), "log %" PRIu64 "\n", d->generation);
		if (d->log < 0 || write(d->log, head, (size_t)len) != len)
			return failed(d, LOG_FILE);
	}
	return write(d->log, line, n) == (ssize_t)n ? EXIT_OK : failed(d, LOG_FILE);
}

static int log_entry(struct syncdir *d, const struct entry *e)
{
	char *line = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&line, &n);
	if (f == NULL)
		return failed(d, LOG_FILE);
	print_message(f, e);
	int rc = fclose(f) == 0 ? log_line(d, line, n) : failed(d, LOG_FILE);
	free(line);
	return rc;
}

int syncdir_write(struct syncdir *d, const struct entry *e, struct gx_bin mail)
{
	static const char temporary[] = STATE_FILE ".mail";
	char name[32];
	FILE *f = begin(d, temporary);
	if (f == NULL)
		return failed(d, temporary);
	fwrite(mail.data, 1, mail.len, f);
	if (fclose(f) != 0)
		return failed(d, temporary);
	int rc = log_entry(d, e);
	if (rc != EXIT_OK)
		return rc;
	syncdir_name(e->mid, name);
	return renameat(d->dir, temporary, d->dir, name) == 0 ? EXIT_OK : failed(d, name);
}

int syncdir_forget(struct syncdir *d, uint64_t mid)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "gone 0x%" PRIx64 "\n", mid);
	int rc = log_line(d, line, (size_t)n);
	if (rc == EXIT_OK)
		syncdir_remove(d, syncdir_find(d, mid));
	return rc;
}

/* ---- Entries ---- */

void syncdir_name(uint64_t mid, char name[32])
{
	snprintf(name, 32, "0x%" PRIx64 ".eml", mid);
}

const char *syncdir_file(const struct entry *e, char buf[32])
{
	if (e->name != NULL)
		return e->name;
	syncdir_name(e->mid, buf);
	return buf;
}

bool syncdir_is_name(const char *name)
{
	size_t n = strncmp(name, "0x", 2) == 0 ? strspn(name + 2, "0123456789abcdef") : 0;
	return n > 0 && strcmp(name + 2 + n, ".eml") == 0;
}

struct entry *syncdir_find(struct syncdir *d, uint64_t mid)
{
	for (size_t i = 0; i < d->n; ++i)
		if (d->v[i].mid == mid)
			return &d->v[i];
	return NULL;
}

struct entry *syncdir_add(struct syncdir *d, uint64_t mid, struct gx_bin key)
{
	struct entry *e = add(d, mid);
	for (size_t i = 0; e != NULL && i < key.len && i < 22; ++i)
		snprintf(e->key + 2 * i, 3, "%02x", key.data[i]);
	return e;
}

void syncdir_remove(struct syncdir *d, struct entry *e)
{
	if (e != NULL)
		*e = d->v[--d->n];
}
