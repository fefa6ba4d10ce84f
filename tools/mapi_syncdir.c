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
#define HEADER "gromox-mapi 1"

static int failed(const struct syncdir *d, const char *name)
{
	complain("%s/%s: %s", d->path, name, strerror(errno));
	return EXIT_FAILED;
}

static int corrupt(const struct syncdir *d, unsigned line)
{
	complain("%s/" STATE_FILE ", line %u: this is not what was written; take the file away to begin anew", d->path, line);
	return EXIT_FAILED;
}

/* ---- Bytes as text ---- */

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
	*ret_b = (struct gx_bin){out, n};
	return out != NULL && strlen(s) % 2 == 0;
}

static void put_hex(FILE *f, struct gx_bin b)
{
	for (size_t i = 0; i < b.len; ++i)
		fprintf(f, "%02x", b.data[i]);
}

/* ---- Reading ---- */

static struct entry *add_text(struct syncdir *d, uint64_t mid, const char *key, bool is_read)
{
	struct entry *e = syncdir_find(d, mid);
	if (e == NULL) {
		d->v = gx_arena_grow(d->a, d->v, &d->cap, d->n + 1, sizeof(*d->v));
		if (d->v == NULL)
			return NULL;
		e = &d->v[d->n++];
	}
	*e = (struct entry){.mid = mid, .is_read = is_read};
	snprintf(e->key, sizeof(e->key), "%s", key);
	return e;
}

static bool parse_line(struct syncdir *d, const char *line)
{
	char word[64], key[64];
	uint64_t mid;
	int is_read;
	if (strncmp(line, "state ", 6) == 0)
		return unhex(d->a, line + 6, &d->state);
	if (sscanf(line, "folder 0x%" SCNx64, &d->fid) == 1)
		return true;
	if (sscanf(line, "client %63s %" SCNu64, word, &d->changes) == 2)
		return gx_guid_parse(word, &d->client) == 0;
	return sscanf(line, "message 0x%" SCNx64 " %44[0-9a-f] %d", &mid, key, &is_read) == 3 && strlen(key) == 44 &&
	       add_text(d, mid, key, is_read != 0) != NULL;
}

static int load(struct syncdir *d)
{
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;
	int rc = EXIT_OK, fd = openat(d->dir, STATE_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? EXIT_OK : failed(d, STATE_FILE);
	FILE *f = fdopen(fd, "r");
	if (f == NULL) {
		close(fd);
		return failed(d, STATE_FILE);
	}
	while (rc == EXIT_OK && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (++n == 1 ? strcmp(line, HEADER) != 0 : !parse_line(d, line))
			rc = corrupt(d, n);
	}
	if (rc == EXIT_OK && n > 0 && d->fid == 0)
		rc = corrupt(d, n);
	free(line);
	fclose(f);
	return rc;
}

int syncdir_open(struct syncdir *d, struct gx_arena *a, const char *path)
{
	*d = (struct syncdir){.a = a, .path = path, .dir = -1, .lock = -1};
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
	return load(d);
}

void syncdir_close(struct syncdir *d)
{
	if (d->dir >= 0)
		close(d->dir);
	if (d->lock >= 0)
		close(d->lock);
	d->dir = d->lock = -1;
}

/* ---- Writing ---- */

static void print(FILE *f, const struct syncdir *d)
{
	char guid[37];
	gx_guid_print(&d->client, guid);
	fprintf(f, HEADER "\nfolder 0x%" PRIx64 "\nclient %s %" PRIu64 "\n", d->fid, guid, d->changes);
	for (size_t i = 0; i < d->n; ++i)
		fprintf(f, "message 0x%" PRIx64 " %s %d\n", d->v[i].mid, d->v[i].key, d->v[i].is_read);
	fputs("state ", f);
	put_hex(f, d->state);
	fputc('\n', f);
}

/* A new file, complete, under its name. */
static int replace(struct syncdir *d, const char *name, void (*fill)(FILE *f, const void *ctx), const void *ctx, bool durable)
{
	static const char temporary[] = STATE_FILE ".new";
	int fd = openat(d->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		return failed(d, temporary);
	}
	fill(f, ctx);
	bool ok = fflush(f) == 0 && (!durable || fsync(fd) == 0);
	ok = fclose(f) == 0 && ok;
	return ok && renameat(d->dir, temporary, d->dir, name) == 0 ? EXIT_OK : failed(d, name);
}

static void fill_state(FILE *f, const void *ctx)
{
	print(f, ctx);
}

int syncdir_save(struct syncdir *d)
{
	/* messages first: a state must not say that we have what a power loss has taken */
	if (syncfs(d->dir) != 0)
		return failed(d, "");
	return replace(d, STATE_FILE, fill_state, d, true);
}

static void fill_mail(FILE *f, const void *ctx)
{
	const struct gx_bin *mail = ctx;
	fwrite(mail->data, 1, mail->len, f);
}

int syncdir_write(struct syncdir *d, uint64_t mid, struct gx_bin mail)
{
	char name[32];
	syncdir_name(mid, name);
	return replace(d, name, fill_mail, &mail, false);
}

/* ---- Entries ---- */

void syncdir_name(uint64_t mid, char name[32])
{
	snprintf(name, 32, "0x%" PRIx64 ".eml", mid);
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
	char text[45] = "";
	for (size_t i = 0; i < key.len && i < 22; ++i)
		snprintf(text + 2 * i, 3, "%02x", key.data[i]);
	return add_text(d, mid, text, false);
}

void syncdir_remove(struct syncdir *d, struct entry *e)
{
	*e = d->v[--d->n];
}
