/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "libgxproto/emsmdb/owed.h"

enum { FILE_MOST = 8 << 20, NAME_MOST = 64, FILE_VERSION = 2, NEW_SECONDS = 3600 };

static void entry_free(struct gx_ems_entry *x)
{
	if (x == NULL)
		return;
	free(x->maildir);
	free(x->from);
	free(x->done);
	free(x);
}

static struct gx_ems_entry *copy_of(const struct gx_ems_entry *x)
{
	struct gx_ems_entry *n = malloc(sizeof(*n));
	if (n == NULL)
		return NULL;
	*n = *x;
	n->next = NULL;
	n->maildir = strdup(x->maildir);
	n->from = strdup(x->from);
	n->done = x->done_len == 0 ? NULL : malloc(x->done_len);
	if (n->done != NULL)
		memcpy(n->done, x->done, x->done_len);
	if (n->maildir != NULL && n->from != NULL && (n->done != NULL || x->done_len == 0))
		return n;
	entry_free(n);
	return NULL;
}

/* ---- Files ---- */

static void name_of(const struct gx_ems_entry *x, char ret_name[NAME_MOST])
{
	char guid[37];
	gx_guid_print(&x->mailbox, guid);
	snprintf(ret_name, NAME_MOST, "%s-%012llx", guid, (unsigned long long)x->mid);
}

static int err_of(int e)
{
	return e == ENOSPC || e == EDQUOT ? GX_E_NOSPACE : e == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
}

static void encode(struct gx_push *p, const struct gx_ems_entry *x)
{
	gx_push_u8(p, FILE_VERSION);
	gx_push_guid(p, &x->mailbox);
	gx_push_u64(p, x->mid);
	gx_push_bytes(p, x->id, sizeof(x->id));
	gx_push_u64(p, (uint64_t)x->due);
	gx_push_u64(p, (uint64_t)x->submitted);
	gx_push_strz(p, x->maildir);
	gx_push_strz(p, x->from);
	gx_push_u8(p, x->warned);
	gx_push_bytes(p, x->done, x->done_len);
}

/* Texts stay in @data. */
static int decode(const void *data, size_t len, struct gx_ems_entry *ret_x)
{
	struct gx_pull c;
	struct gx_ems_entry x = {0};
	gx_pull_init(&c, data, len);
	uint8_t version = gx_pull_u8(&c);
	if (version < 1 || version > FILE_VERSION)
		return c.err != 0 ? c.err : GX_E_FORMAT;
	x.mailbox = gx_pull_guid(&c);
	x.mid = gx_pull_u64(&c);
	const uint8_t *id = gx_pull_bytes(&c, sizeof(x.id));
	if (id != NULL)
		memcpy(x.id, id, sizeof(x.id));
	x.due = (int64_t)gx_pull_u64(&c);
	x.submitted = (int64_t)gx_pull_u64(&c);
	x.maildir = (char *)(uintptr_t)gx_pull_strz(&c);
	x.from = (char *)(uintptr_t)gx_pull_strz(&c);
	x.warned = version > 1 && gx_pull_u8(&c) != 0;
	x.done_len = version > 1 && c.err == 0 ? c.left : 0;
	x.done = (char *)(uintptr_t)gx_pull_bytes(&c, x.done_len);
	if (c.err == 0 && x.done_len > 0 && x.done[x.done_len - 1] != '\0')
		return GX_E_FORMAT;
	x.again = x.due;
	if (c.err == 0 && c.left == 0)
		*ret_x = x;
	return c.err != 0 ? c.err : c.left != 0 ? GX_E_FORMAT : 0;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_of(errno);
		p += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0 ? 0 : err_of(errno);
}

/* Whole or not at all, also after a power loss. */
static int write_file(int dir, const char *name, const struct gx_push *p)
{
	char tmp[NAME_MOST + 4];
	snprintf(tmp, sizeof(tmp), "%s.new", name);
	int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_of(errno);
	int err = write_all(fd, p->data, p->len);
	if (close(fd) != 0 && err == 0)
		err = err_of(errno);
	if (err == 0 && (renameat(dir, tmp, dir, name) != 0 || fsync(dir) != 0))
		err = err_of(errno);
	return err;
}

static int open_dir(const struct gx_ems *e)
{
	int fd = open(e->outbox.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_of(errno);
}

static int save(struct gx_ems *e, const struct gx_ems_entry *x)
{
	char name[NAME_MOST];
	struct gx_push p = GX_PUSH_INIT;
	if (e->outbox.dir == NULL)
		return 0;
	int dir = open_dir(e);
	if (dir < 0)
		return dir;
	name_of(x, name);
	encode(&p, x);
	int err = p.err != 0 ? p.err : write_file(dir, name, &p);
	gx_push_release(&p);
	close(dir);
	return err;
}

/* What stays because it cannot be removed is looked at again by the next process, which finds nothing to send. */
static void forget(struct gx_ems *e, const struct gx_ems_entry *x)
{
	char name[NAME_MOST];
	int dir = e->outbox.dir == NULL ? -1 : open_dir(e);
	if (dir < 0)
		return;
	name_of(x, name);
	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		gx_log(e->o.log, GX_LOG_ERROR, "emsmdb: %s/%s cannot be removed: %s", e->outbox.dir, name, strerror(errno));
	close(dir);
}

/* @ret_data has the texts, and is to be freed. */
static int read_file(int dir, const char *name, uint8_t **ret_data, struct gx_ems_entry *ret_x)
{
	struct stat st;
	uint8_t *data = NULL;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_of(errno);
	int err = fstat(fd, &st) != 0 ? GX_E_IO : st.st_size > FILE_MOST ? GX_E_FORMAT : 0;
	size_t n = err != 0 ? 0 : (size_t)st.st_size;
	if (err == 0 && (data = malloc(n + 1)) == NULL)
		err = GX_E_NOMEM;
	if (err == 0 && read(fd, data, n) != (ssize_t)n)
		err = GX_E_IO;
	close(fd);
	err = err != 0 ? err : decode(data, n, ret_x);
	if (err != 0)
		free(data);
	else
		*ret_data = data;
	return err;
}

static int load_file(struct gx_ems *e, int dir, const char *name)
{
	uint8_t *data = NULL;
	struct gx_ems_entry x = {0};
	int err = read_file(dir, name, &data, &x);
	if (e->o.only != NULL && (err == GX_E_NOTFOUND || (err == 0 && strcmp(x.maildir, e->o.only) != 0))) {
		free(data);
		return 0; /* another process's */
	}
	if (err != 0) {
		gx_log(e->o.log, GX_LOG_ERROR, "emsmdb: %s/%s: %s; a message in an outbox is not sent, submit it again and remove the file",
			e->outbox.dir, name, gx_strerror(err));
		return 0;
	}
	struct gx_ems_entry *own = copy_of(&x);
	free(data);
	if (own == NULL)
		return GX_E_NOMEM;
	own->next = e->outbox.head;
	e->outbox.head = own;
	return 0;
}

static int load(struct gx_ems *e)
{
	struct dirent *d;
	int err = 0;
	DIR *v = opendir(e->outbox.dir);
	if (v == NULL)
		return err_of(errno);
	while (err == 0 && (d = readdir(v)) != NULL) {
		size_t n = strlen(d->d_name);
		if (*d->d_name == '.')
			continue;
		if (n <= 4 || strcmp(d->d_name + n - 4, ".new") != 0)
			err = load_file(e, dirfd(v), d->d_name);
		else if (e->o.only == NULL) /* was never answered */
			(void)unlinkat(dirfd(v), d->d_name, 0);
	}
	closedir(v);
	return err;
}

/* What another process was writing when it died stays until then. */
static void remove_old(int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < time(NULL) - NEW_SECONDS)
		(void)unlinkat(dir, name, 0);
}

void gx_ems_list_waiting(const char *dir, void (*fn)(const char *store, void *ctx), void *ctx)
{
	struct gx_ems_entry x;
	struct dirent *d;
	DIR *v = opendir(dir);
	while (v != NULL && (d = readdir(v)) != NULL) {
		uint8_t *data = NULL;
		size_t n = strlen(d->d_name);
		if (*d->d_name == '.')
			continue;
		if (n > 4 && strcmp(d->d_name + n - 4, ".new") == 0)
			remove_old(dirfd(v), d->d_name);
		else if (read_file(dirfd(v), d->d_name, &data, &x) == 0)
			fn(x.maildir, ctx);
		free(data);
	}
	if (v != NULL)
		closedir(v);
}

int gx_outbox__open(struct gx_ems *e)
{
	struct gx_ems_outbox *b = &e->outbox;
	if (pthread_mutex_init(&b->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (e->o.submit_dir == NULL || *e->o.submit_dir == '\0')
		return 0;
	b->dir = strdup(e->o.submit_dir);
	int err = b->dir == NULL ? GX_E_NOMEM : mkdir(b->dir, 0700) != 0 && errno != EEXIST ? err_of(errno) : load(e);
	if (err != 0) {
		gx_log(e->o.log, GX_LOG_CRIT, "emsmdb: %s, where mail is noted that is on its way out, cannot be made or read: %s; see emsmdb_outbox_path",
			b->dir == NULL ? e->o.submit_dir : b->dir, gx_strerror(err));
		gx_outbox__close(e);
	}
	return err;
}

void gx_outbox__close(struct gx_ems *e)
{
	while (e->outbox.head != NULL) {
		struct gx_ems_entry *x = e->outbox.head;
		e->outbox.head = x->next;
		entry_free(x);
	}
	free(e->outbox.dir);
	pthread_mutex_destroy(&e->outbox.lock);
}

/* ---- The list ---- */

/* With the lock. */
static struct gx_ems_entry *find(struct gx_ems *e, const struct gx_guid *mailbox, uint64_t mid)
{
	struct gx_ems_entry *x = e->outbox.head;
	while (x != NULL && (x->mid != mid || gx_guid_cmp(&x->mailbox, mailbox) != 0))
		x = x->next;
	return x;
}

static void unlist(struct gx_ems *e, struct gx_ems_entry *x)
{
	pthread_mutex_lock(&e->outbox.lock);
	struct gx_ems_entry **at = &e->outbox.head;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	pthread_mutex_unlock(&e->outbox.lock);
	entry_free(x);
}

int gx_outbox__put(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_ems_entry **ret_x)
{
	struct gx_ems_entry *own = copy_of(x);
	if (own == NULL)
		return GX_E_NOMEM;
	own->busy = true;
	pthread_mutex_lock(&e->outbox.lock);
	bool there = find(e, &x->mailbox, x->mid) != NULL;
	if (!there) {
		own->next = e->outbox.head;
		e->outbox.head = own;
	}
	pthread_mutex_unlock(&e->outbox.lock);
	if (there) {
		entry_free(own);
		return GX_E_EXISTS;
	}
	int err = save(e, own);
	if (err != 0)
		unlist(e, own);
	else
		*ret_x = own;
	return err;
}

struct gx_ems_entry *gx_outbox__take(struct gx_ems *e, const struct gx_guid *mailbox, uint64_t mid, bool *ret_busy)
{
	pthread_mutex_lock(&e->outbox.lock);
	struct gx_ems_entry *x = find(e, mailbox, mid);
	*ret_busy = x != NULL && x->busy;
	if (*ret_busy)
		x = NULL;
	if (x != NULL)
		x->busy = true;
	pthread_mutex_unlock(&e->outbox.lock);
	return x;
}

int gx_outbox__note(struct gx_ems *e, struct gx_ems_entry *x, const char *const *rcpts, size_t n, bool warned)
{
	size_t more = 0;
	for (size_t i = 0; i < n; ++i)
		more += strlen(rcpts[i]) + 1;
	char *v = more == 0 ? x->done : realloc(x->done, x->done_len + more);
	if (v == NULL && more > 0)
		return GX_E_NOMEM;
	x->done = v;
	for (size_t i = 0; i < n; ++i) {
		size_t len = strlen(rcpts[i]) + 1;
		memcpy(x->done + x->done_len, rcpts[i], len);
		x->done_len += len;
	}
	x->warned = x->warned || warned;
	return save(e, x);
}

bool gx_outbox__is_done(const struct gx_ems_entry *x, const char *rcpt)
{
	for (size_t at = 0; at < x->done_len; at += strlen(x->done + at) + 1)
		if (strcmp(x->done + at, rcpt) == 0)
			return true;
	return false;
}

void gx_outbox__keep(struct gx_ems *e, struct gx_ems_entry *x, int64_t again)
{
	pthread_mutex_lock(&e->outbox.lock);
	x->again = again;
	x->busy = false;
	pthread_mutex_unlock(&e->outbox.lock);
}

void gx_outbox__drop(struct gx_ems *e, struct gx_ems_entry *x)
{
	forget(e, x);
	unlist(e, x);
}

bool gx_ems_has_mail(struct gx_ems *e)
{
	pthread_mutex_lock(&e->outbox.lock);
	bool any = e->outbox.head != NULL;
	pthread_mutex_unlock(&e->outbox.lock);
	return any;
}

/* ---- What is due ---- */

enum { FIRST_WAIT = 15, MOST_WAIT = 900, GIVE_UP = GX_OUTBOX_DAYS * 86400, AT_ONCE = 64 };

static struct gx_ems_entry *take_due(struct gx_ems *e, int64_t now)
{
	pthread_mutex_lock(&e->outbox.lock);
	struct gx_ems_entry *x = e->outbox.head;
	while (x != NULL && (x->busy || x->again > now))
		x = x->next;
	if (x != NULL)
		x->busy = true;
	pthread_mutex_unlock(&e->outbox.lock);
	return x;
}

static int64_t next_wait(struct gx_ems_entry *x)
{
	int64_t wait = x->tries < 6 ? FIRST_WAIT << x->tries : MOST_WAIT;
	++x->tries;
	return wait;
}

/* It stays in the outbox, as a draft, for its owner to see. */
static gx_ec give_back(struct gx_ems *e, const struct gx_ems_entry *x, struct gx_arena *a)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_store *s;
	struct gx_txn *t;
	int err = gx_store_pool_get(e->o.pool, x->maildir, &s, a, NULL);
	if (err != 0)
		return gx_ec_from_err(err);
	err = gx_txn_begin(s, &sys, GX_TXN_WRITE, EMS_TXN_MS, &t);
	gx_ec ec = gx_ec_from_err(err);
	if (err == 0) {
		ec = gx_msg_clear_submit(t, x->mid, true);
		if (gx_ec_failed(ec))
			gx_txn_abort(t);
		else
			ec = gx_ec_from_err(gx_txn_commit(t, GX_SYNC_NOW));
	}
	gx_store_pool_put(e->o.pool, s);
	return ec;
}

/* Notes of what is owed; each is for itself, and what was handed over is not there any more. */
static gx_ec attempt_owed(struct gx_ems *e, struct gx_ems_entry *x)
{
	int64_t now = gx_clock_unix(e->o.clock);
	bool more = false;
	struct gx_arena *a = gx_arena_new(0);
	gx_ec ec = a == NULL ? GX_EC(ecMAPIOOM) : gx_ems__pay(e, x, a, now - x->due > GIVE_UP, &more);
	gx_arena_free(a);
	if (gx_ec_failed(ec) || more)
		gx_outbox__keep(e, x, more ? now : now + next_wait(x));
	else
		gx_outbox__drop(e, x);
	return EMS_OK;
}

gx_ec gx_outbox__attempt(struct gx_ems *e, struct gx_ems_entry *x)
{
	if (gx_ems__is_owed(x))
		return attempt_owed(e, x);
	int64_t now = gx_clock_unix(e->o.clock);
	struct gx_arena *a = gx_arena_new(0);
	gx_ec ec = a == NULL ? GX_EC(ecMAPIOOM) : gx_ems__send(e, x, a);
	bool gone = gx_ec_is(ec, ecNotFound), over = !gx_ec_failed(ec) || gone;
	bool in_vain = !over && (gx_ems__is_final(ec) || now - x->due > GIVE_UP + 86400);
	if (in_vain) {
		gx_log(e->o.log, GX_LOG_ERROR, "emsmdb: %s: message %llx of <%s> is not sent and a draft again: %s", x->maildir,
			(unsigned long long)x->mid, x->from, gx_ec_name(ec));
		over = !gx_ec_failed(give_back(e, x, a));
	}
	gx_arena_free(a);
	if (over) {
		gx_outbox__drop(e, x);
		return in_vain ? ec : EMS_OK;
	}
	int64_t wait = next_wait(x);
	gx_log(e->o.log, GX_LOG_WARN, "emsmdb: %s: message %llx of <%s> waits: %s", x->maildir, (unsigned long long)x->mid, x->from, gx_ec_name(ec));
	gx_outbox__keep(e, x, now + wait);
	return EMS_OK;
}

void gx_ems_send_due(struct gx_ems *e)
{
	int64_t now = gx_clock_unix(e->o.clock);
	struct gx_ems_entry *x;
	for (unsigned i = 0; i < AT_ONCE && (x = take_due(e, now)) != NULL; ++i)
		(void)gx_outbox__attempt(e, x).v;
}
