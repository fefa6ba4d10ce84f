/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote operations from a client that may send anything, on stores that are the same for every input. An input is a
 * sequence of requests: a byte of HOW, two with the size, and as many of operations; the table of handles is the one of
 * the answer before. What comes back must have the form of an answer, and in the end the mailbox must be as it should be.
 *
 * Seeds are what the tests send: GX_TEST_RECORD=DIR makes emstest.h write one for each test.
 */
#include <config.h>
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/emsmdb.h>
#include <gx/folder.h>
#include <gx/rop.h>
#include <gx/rpcext.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
	size_t max_out_size, unsigned seed);
/* Of libFuzzer; without it nobody calls the two above. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum {
	EXECUTE_FLAGS = 0x07, NARROW = 0x08, OTHER_USER = 0x10, ARRIVES = 0x20, NEW_HANDLES = 0x40, RAW = 0x80, /* of a request */
	HANDLES = 16, REQUESTS_MOST = 256, USERS = 2,
};

static char dir[256];
static struct gx_dir *people;
static const char *const users[USERS] = {"ann@example.org", "bob@example.org"};
static const char *dn[USERS];
static struct gx_arena *keep;

struct state {
	struct gx_store_pool *pool;
	struct gx_ems *ems;
	struct gx_ems_session *s[USERS];
	uint32_t handles[USERS][HANDLES];
};

/* ---- The stores, and how they were ---- */

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static void end(void)
{
	gx_dir_close(people);
	gx_arena_free(keep);
	(void)!nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *what, const char *store)
{
	return gx_arena_printf(keep, "%s/%s%s%s", dir, what, store == NULL ? "" : "/", store == NULL ? "" : store);
}

static void make_store(const char *name, bool is_public, uint32_t id)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	o.owner_id = id;
	o.owner = name;
	o.public_store = is_public;
	if (gx_store_create(path_of("fresh", name), &o, NULL, NULL) != 0)
		abort();
}

static void make_user(const char *address, const char *name, const char **ret_dn)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	struct gx_user u;
	uint32_t id;
	make_store(name, false, (uint32_t)*name);
	n.username = address;
	n.password = "x";
	n.maildir = path_of("now", name);
	if (gx_dir_add_user(people, &n, &id) != 0 || gx_dir_user(people, address, keep, &u) != 0)
		abort();
	*ret_dn = gx_dn_of_user(keep, "o", &u);
}

static void put_message(struct gx_txn *t, uint64_t fid, unsigned i)
{
	static const char text[] = "From: a@example.org\r\nTo: ann@example.org\r\nSubject: message\r\n\r\nText\r\n";
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p = NULL;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	int err = gx_proplist_set_str(&m->props, a, PidTagSubject, gx_arena_printf(a, "message %u", i));
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note");
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	err = err != 0 ? err : gx_proplist_set_str(r, a, PidTagSmtpAddress, "ann@example.org");
	src.obj = m;
	src.original = (struct gx_bin){(const uint8_t *)text, sizeof(text) - 1};
	src.envelope = (struct gx_bin){(const uint8_t *)"(env)", 5};
	src.bodystructure = (struct gx_bin){(const uint8_t *)"(bs)", 4};
	err = err != 0 ? err : gx_msg_prepare(a, &src, &p);
	if (err == 0 && gx_ec_failed(gx_msg_insert(t, fid, p, &o, &ids)))
		err = GX_E_IO;
	gx_msg_prepared_release(p);
	gx_arena_free(a);
	if (err != 0)
		abort();
}

/* Ann has mail, bob may look into her inbox, and she may write into a public folder. */
static void fill(const char *name)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_store *s;
	struct gx_txn *t;
	uint64_t fid;
	gx_ec ec = GX_EC(ecSuccess);
	if (gx_store_open(path_of("fresh", name), NULL, &s, NULL, NULL) != 0 || gx_txn_begin(s, &system, GX_TXN_WRITE, 10000, &t) != 0)
		abort();
	if (gx_store_is_public(s)) {
		ec = gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "shared", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid);
		if (!gx_ec_failed(ec))
			ec = gx_folder_set_permission(t, fid, users[0], GX_RIGHTS_ALL, false);
	} else {
		for (unsigned i = 0; i < 3; ++i)
			put_message(t, GX_FID_INBOX, i);
		ec = gx_folder_set_permission(t, GX_FID_INBOX, users[1], GX_RIGHT_READ | GX_RIGHT_VISIBLE, false);
	}
	if (gx_ec_failed(ec) || gx_txn_commit(t, GX_SYNC_LATER) != 0)
		abort();
	gx_store_close(s);
}

static void begin(void)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	const char *tmp = getenv("TMPDIR");
	uint32_t id;
	if (keep != NULL)
		return;
	keep = gx_arena_new(0);
	snprintf(dir, sizeof(dir), "%s/gx-fuzz-emsmdb-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL || mkdir(path_of("fresh", NULL), 0700) != 0)
		abort();
	atexit(end);
	d.path = path_of("people", NULL);
	if (gx_dir_create(d.path, keep, NULL) != 0 || gx_dir_open(&d, &people, keep, NULL) != 0)
		abort();
	make_store("public", true, 1);
	if (gx_dir_add_domain(people, "example.org", path_of("now", "public"), 9, &id) != 0)
		abort();
	make_user(users[0], "ann", &dn[0]);
	make_user(users[1], "bob", &dn[1]);
	fill("ann");
	fill("public");
}

static void copy_file(const char *from, const char *to)
{
	char buf[65536];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			abort();
	close(in);
	close(out);
}

static void copy_tree(const char *from, const char *to)
{
	char a[512], b[512];
	struct stat st;
	DIR *d = opendir(from);
	if (d == NULL || mkdir(to, 0700) != 0)
		abort();
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		if (stat(a, &st) == 0 && S_ISDIR(st.st_mode))
			copy_tree(a, b);
		else
			copy_file(a, b);
	}
	closedir(d);
}

/* ---- Other inputs: requests moved, repeated, for other objects ---- */

struct part {
	const uint8_t *p; /* HOW and size stand in front */
	size_t n;
};

static unsigned split(const uint8_t *data, size_t size, struct part *v)
{
	unsigned k = 0;
	for (size_t i = 0; k < REQUESTS_MOST && size - i >= 3;) {
		size_t n = (size_t)data[i + 1] | (size_t)data[i + 2] << 8;
		n = n < size - i - 3 ? n : size - i - 3;
		v[k++] = (struct part){data + i + 3, n};
		i += 3 + n;
	}
	return k;
}

/* @return how long it is then; what does not fit is left out. */
static size_t put_part(uint8_t *out, size_t len, size_t max, uint8_t how, const uint8_t *p, size_t n)
{
	if (len > max || max - len < 3 + n)
		return len;
	out[len] = how;
	out[len + 1] = (uint8_t)n;
	out[len + 2] = (uint8_t)(n >> 8);
	memmove(out + len + 3, p, n);
	return len + 3 + n;
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 8;
}

/* One request: its operations for other objects, or other bytes. */
static size_t change_part(const struct part *v, uint8_t *how, uint8_t *buf, unsigned *seed)
{
	size_t n = v->n < 0x6000 ? v->n : 0x6000;
	memcpy(buf, v->p, n);
	switch (next_random(seed) % 4) {
	case 0: /* the index of the object, or of the second */
		if (n >= 4)
			buf[2 + next_random(seed) % 2] = (uint8_t)(next_random(seed) % HANDLES);
		return n;
	case 1:
		*how ^= (uint8_t)(1U << next_random(seed) % 7);
		return n;
	default:
		return n == 0 ? 0 : LLVMFuzzerMutate(buf, n, 0x6000);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static struct part v[REQUESTS_MOST];
	static uint8_t in[1 << 20], buf[0x6000];
	size_t len = 0, n;
	if (size > sizeof(in))
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(in, data, size);
	unsigned k = split(in, size, v), at = k == 0 ? 0 : next_random(&seed) % k, from = k == 0 ? 0 : next_random(&seed) % k;
	unsigned what = next_random(&seed) % 8;
	if (k == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (unsigned i = 0; i < k; ++i) {
		uint8_t how = v[i].p[-3];
		if (i == at && what == 0) /* left out */
			continue;
		if (i == at && what > 2) {
			n = change_part(&v[i], &how, buf, &seed);
			len = put_part(data, len, max_size, how, buf, n);
			continue;
		}
		len = put_part(data, len, max_size, how, v[i].p, v[i].n);
		if (i == at) /* another one behind it */
			len = put_part(data, len, max_size, v[from].p[-3], v[from].p, v[from].n);
	}
	return len;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
	size_t max_out_size, unsigned seed)
{
	static struct part v[2][REQUESTS_MOST];
	size_t len = 0;
	unsigned k = split(data1, size1, v[0]), m = split(data2, size2, v[1]);
	unsigned cut = next_random(&seed) % (k + 1), rest = next_random(&seed) % (m + 1);
	for (unsigned i = 0; i < cut; ++i)
		len = put_part(out, len, max_out_size, v[0][i].p[-3], v[0][i].p, v[0][i].n);
	for (unsigned i = rest; i < m; ++i)
		len = put_part(out, len, max_out_size, v[1][i].p[-3], v[1][i].p, v[1][i].n);
	return len;
}

/* ---- Sessions ---- */

static void open_all(struct state *st, struct gx_arena *a)
{
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	struct gx_ems_opts e = GX_EMS_OPTS_INIT;
	char from[300], now[300];
	snprintf(from, sizeof(from), "%s/fresh", dir);
	snprintf(now, sizeof(now), "%s/now", dir);
	copy_tree(from, now);
	p.max_open = 10;
	e.pool = st->pool = gx_store_pool_new(&p);
	e.dir = people;
	e.max_handles = 200;
	e.max_subscriptions = 20;
	e.max_notes = 100;
	e.rop_chaining = 2;
	e.compress_threshold = 600;
	if (st->pool == NULL || gx_ems_new(&e, &st->ems) != 0)
		abort();
	for (unsigned i = 0; i < USERS; ++i) {
		struct gx_ems_connect c = GX_EMS_CONNECT_INIT;
		struct gx_ems_connected r;
		c.user = users[i];
		c.user_dn = dn[i];
		c.code_page = 1252;
		if (gx_ec_failed(gx_ems_session_new(st->ems, &c, a, &st->s[i], &r)))
			abort();
		memset(st->handles[i], 0xff, sizeof(st->handles[i]));
	}
}

static void complain(const char *line, void *ctx)
{
	(void)ctx;
	fprintf(stderr, "ann's mailbox: %s\n", line);
}

static void close_all(struct state *st)
{
	struct gx_store *s;
	char now[300];
	snprintf(now, sizeof(now), "%s/now/ann", dir);
	for (unsigned i = 0; i < USERS; ++i)
		gx_ems_session_put(st->s[i]);
	gx_ems_free(st->ems);
	if (gx_store_pool_get(st->pool, now, &s, NULL, NULL) != 0 || gx_store_verify(s, complain, NULL) != 0)
		abort();
	gx_store_pool_put(st->pool, s);
	gx_store_pool_free(st->pool);
	*strrchr(now, '/') = '\0';
	(void)!nftw(now, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- Requests ---- */

static void arrive(struct state *st)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_store *s;
	struct gx_txn *t;
	char now[300];
	snprintf(now, sizeof(now), "%s/now/ann", dir);
	if (gx_store_pool_get(st->pool, now, &s, NULL, NULL) != 0 || gx_txn_begin(s, &system, GX_TXN_WRITE, 10000, &t) != 0)
		abort();
	put_message(t, GX_FID_INBOX, 99);
	if (gx_txn_commit(t, GX_SYNC_LATER) != 0)
		abort();
	gx_store_pool_put(st->pool, s);
}

/* All buffers of an answer; the handles of the last are those of the next request. */
static void look_at(struct gx_bin out, struct gx_arena *a, uint32_t *handles)
{
	struct gx_rop_buffer b;
	struct gx_bin payload;
	struct gx_pull c;
	bool last = false;
	gx_pull_init(&c, out.data, out.len);
	while (!last) {
		gx_ext_pull(&c, a, &payload, &last);
		if (c.err == GX_E_NOMEM)
			return;
		assert(c.err == 0);
		int err = gx_rop_buffer_pull(payload.data, payload.len, a, &b);
		assert(err == 0 || err == GX_E_NOMEM);
		if (err != 0)
			return;
	}
	assert(c.left == 0);
	memcpy(handles, b.handles, sizeof(uint32_t) * (b.handle_count < HANDLES ? b.handle_count : HANDLES));
}

static void request(struct state *st, uint8_t how, struct gx_bin rops, struct gx_arena *a)
{
	struct gx_push buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	struct gx_bin in = rops, out;
	unsigned who = how & OTHER_USER ? 1 : 0;
	size_t max_out = how & NARROW ? 700 : how & GX_EXECUTE_CHAIN ? 0x40000 : 32768;
	if (how & NEW_HANDLES)
		memset(st->handles[who], 0xff, sizeof(st->handles[who]));
	const struct gx_rop_buffer b = {rops, st->handles[who], HANDLES};
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	if (!(how & RAW))
		in = (struct gx_bin){ext.data, ext.len};
	if (!(how & RAW) && ext.err != 0)
		abort();
	gx_ec ec = gx_ems_execute(st->s[who], how & EXECUTE_FLAGS, in, max_out, a, &out);
	if (!gx_ec_failed(ec)) {
		assert(out.len <= max_out);
		look_at(out, a, st->handles[who]);
	}
	gx_push_release(&buffer);
	gx_push_release(&ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state st;
	struct gx_pull c;
	if (size < 3)
		return 0;
	begin();
	struct gx_arena *a = gx_arena_new(64 << 20);
	open_all(&st, a);
	gx_pull_init(&c, data, size);
	for (unsigned i = 0; i < REQUESTS_MOST && c.left >= 3; ++i) {
		uint8_t how = gx_pull_u8(&c);
		size_t n = gx_pull_u16(&c);
		struct gx_bin rops = {c.p, n < c.left ? n : c.left};
		gx_pull_skip(&c, rops.len);
		if (how & ARRIVES)
			arrive(&st);
		if (rops.len > 0 && rops.len < 0x7000)
			request(&st, how, rops, a);
		gx_arena_reset(a);
	}
	close_all(&st);
	gx_arena_free(a);
	return 0;
}
