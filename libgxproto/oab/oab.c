/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offline address books on disk: DIR/GUID/ has the newest version, what makes it of older ones, their manifest, and a file
 * "state" with what is in the manifest, a line a file. Everything but the newest version and the state may be lost.
 */
#include <config.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gnutls/crypto.h>
#include <gx/httpmod.h>
#include "libgxproto/oab/oab-int.h"

enum { CACHE_MS = 300000, KEEP = 20, ITEMS_MOST = 200, FILE_MOST = 1 << 30, HASH = 65, SHA1 = 41, NAME_MOST = 80 };

struct item {
	char name[NAME_MOST], sha[SHA1];
	bool full;
	uint32_t sequence;
	unsigned long long size, plain;
};

/* The book of one organisation. */
struct set {
	struct set *next;
	char guid[37], people[HASH]; /* hash of the records of people: "" when there is no version yet */
	uint32_t sequence;
	uint64_t generation;         /* of the directory when it was looked at */
	bool looked;
	int64_t looked_ms;
	struct item v[ITEMS_MOST];
	unsigned n;
};

struct gx_oab {
	struct gx_oab_opts o;
	char *dir;
	pthread_mutex_t lock;
	struct set *sets;
};

/* ---- Small things ---- */

static void hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; ++i)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static int hash(gnutls_digest_algorithm_t how, const void *p, size_t len, char *out)
{
	uint8_t b[64];
	if (gnutls_hash_fast(how, p, len, b) != 0)
		return GX_E_INTERNAL;
	hex(b, gnutls_hash_get_len(how), out);
	return 0;
}

static const char *path_of(const struct gx_oab *o, const struct set *s, const char *name, struct gx_arena *a)
{
	return gx_arena_printf(a, "%s/%s/%s", o->dir, s->guid, name);
}

static int complain(const struct gx_oab *o, const char *path)
{
	gx_log(o->o.log, GX_LOG_ERROR, "oab: %s: %s; the folder must belong to the user that the server runs as", path, strerror(errno));
	return GX_E_IO;
}

/* All of it or nothing: readers have the older one open, or get the new one. */
static int write_file(const struct gx_oab *o, const struct set *s, const char *name, const void *p, size_t n, struct gx_arena *a)
{
	const char *path = path_of(o, s, name, a), *fresh = path == NULL ? NULL : gx_arena_printf(a, "%s.new", path);
	if (fresh == NULL)
		return GX_E_NOMEM;
	FILE *f = fopen(fresh, "we");
	bool ok = f != NULL && fwrite(p, 1, n, f) == n && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	return ok && rename(fresh, path) == 0 ? 0 : complain(o, path);
}

static int read_file(const char *path, struct gx_push *out)
{
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : 1;
	if (f == NULL)
		return GX_E_NOTFOUND;
	out->limit = FILE_MOST;
	while (n > 0 && out->err == 0) {
		uint8_t *p = gx_push_reserve(out, 65536);
		n = p == NULL ? 0 : fread(p, 1, 65536, f);
		gx_push_added(out, n);
	}
	int err = ferror(f) ? GX_E_IO : out->err;
	fclose(f);
	return err;
}

/* ---- State and manifest ---- */

static bool parse_item(const char *line, struct item *it)
{
	char kind[8];
	return sscanf(line, "%7s %79s %u %llu %llu %40s", kind, it->name, &it->sequence, &it->size, &it->plain, it->sha) == 6 &&
	       (it->full = strcmp(kind, "full") == 0, true);
}

static void load_state(const struct gx_oab *o, struct set *s, struct gx_arena *a)
{
	char line[400];
	const char *path = path_of(o, s, "state", a);
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	if (f == NULL)
		return;
	bool ok = fgets(line, sizeof(line), f) != NULL && sscanf(line, "oab 1 %u %64s", &s->sequence, s->people) == 2;
	while (ok && s->n < ITEMS_MOST && fgets(line, sizeof(line), f) != NULL)
		if (parse_item(line, &s->v[s->n]))
			++s->n;
	fclose(f);
	if (ok && s->n > 0)
		return;
	s->people[0] = '\0';
	s->n = 0;
}

static int save_state(const struct gx_oab *o, const struct set *s, struct gx_arena *a)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "oab 1 %u %s\n", (unsigned)s->sequence, s->people);
	for (unsigned i = 0; i < s->n; ++i)
		gx_strbuf_printf(&b, "%s %s %u %llu %llu %s\n", s->v[i].full ? "full" : "diff", s->v[i].name, (unsigned)s->v[i].sequence, s->v[i].size,
			s->v[i].plain, s->v[i].sha);
	int err = b.err != 0 ? b.err : write_file(o, s, "state", b.s, b.len, a);
	gx_strbuf_release(&b);
	return err;
}

/* [MS-OXWOAB] 2.2: names need no escapes, all of them are ours. */
static int save_manifest(const struct gx_oab *o, const struct set *s, struct gx_arena *a)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<OAB>\n  <OAL id=\"%s\" dn=\"/\" name=\"\\Global Address List\">\n", s->guid);
	for (unsigned i = 0; i < s->n; ++i)
		gx_strbuf_printf(&b, "    <%s seq=\"%u\" ver=\"32\" size=\"%llu\" uncompressedsize=\"%llu\" SHA=\"%s\">%s</%s>\n", s->v[i].full ? "Full" : "Diff",
			(unsigned)s->v[i].sequence, s->v[i].size, s->v[i].plain, s->v[i].sha, s->v[i].name, s->v[i].full ? "Full" : "Diff");
	gx_strbuf_adds(&b, "  </OAL>\n</OAB>\n");
	int err = b.err != 0 ? b.err : write_file(o, s, "oab.xml", b.s, b.len, a);
	gx_strbuf_release(&b);
	return err;
}

/* ---- A new version ---- */

struct work {
	struct gx_oab *o;
	struct set *s;
	struct gx_arena *a;
	struct gx_push plain, old, packed;
	size_t people;
	uint32_t next;        /* sequence of what is made */
	char hash[HASH];
};

static int add_item(struct work *w, bool full, size_t plain)
{
	struct item it = {.full = full, .sequence = w->s->sequence, .size = w->packed.len, .plain = plain};
	snprintf(it.name, sizeof(it.name), "%s-%s-%u.lzx", w->s->guid, full ? "data" : "binpatch", (unsigned)it.sequence);
	int err = w->packed.err != 0 ? w->packed.err : hash(GNUTLS_DIG_SHA1, w->packed.data, w->packed.len, it.sha);
	if (err == 0)
		err = write_file(w->o, w->s, it.name, w->packed.data, w->packed.len, w->a);
	if (err == 0)
		w->s->v[w->s->n++] = it;
	return err;
}

static void forget(struct work *w, unsigned i)
{
	const char *path = path_of(w->o, w->s, w->s->v[i].name, w->a);
	if (path != NULL)
		(void)unlink(path);
	memmove(&w->s->v[i], &w->s->v[i + 1], (--w->s->n - i) * sizeof(w->s->v[0]));
}

/* The last version, if it is there and whole. */
static bool load_old(struct work *w)
{
	struct gx_push file = GX_PUSH_INIT;
	bool ok = false;
	for (unsigned i = 0; i < w->s->n; ++i)
		if (w->s->v[i].full && w->s->v[i].sequence == w->s->sequence)
			ok = read_file(path_of(w->o, w->s, w->s->v[i].name, w->a), &file) == 0 &&
			     gx_oab_decompress(&w->old, file.data, file.len, FILE_MOST) == 0;
	gx_push_release(&file);
	return ok;
}

/* Without the older one, or when they differ too much, clients take all of it, and older differences lead nowhere. */
static int make_diff(struct work *w, bool had)
{
	if (had)
		gx_oab_diff(&w->packed, (struct gx_bin){w->old.data, w->old.len}, (struct gx_bin){w->plain.data, w->plain.len});
	if (had && w->packed.err == 0)
		return add_item(w, false, w->plain.len);
	if (had && w->packed.err == GX_E_NOMEM)
		return GX_E_NOMEM;
	for (unsigned i = w->s->n; i > 0; --i)
		if (!w->s->v[i - 1].full)
			forget(w, i - 1);
	return 0;
}

static int publish(struct work *w)
{
	bool had = w->s->n > 0 && load_old(w);
	w->s->sequence = w->next;
	int err = make_diff(w, had);
	gx_push_release(&w->packed);
	gx_push_init(&w->packed, 0);
	for (unsigned i = w->s->n; i > 0 && err == 0; --i)
		if (w->s->v[i - 1].full)
			forget(w, i - 1);
	if (err == 0) {
		gx_oab_compress(&w->packed, w->plain.data, w->plain.len);
		err = add_item(w, true, w->plain.len);
	}
	while (err == 0 && w->s->n > w->o->o.keep + 1)
		forget(w, 0);
	if (err == 0) {
		memcpy(w->s->people, w->hash, HASH);
		err = save_state(w->o, w->s, w->a);
	}
	return err == 0 ? save_manifest(w->o, w->s, w->a) : err;
}

static int make_plain(struct work *w, struct nsp_call *c)
{
	/* a lost folder must not begin again with numbers that clients have */
	w->next = w->s->n > 0 ? w->s->sequence + 1 : (uint32_t)(gx_clock_unix(w->o->o.clock) / 60);
	int err = gx_oab__details(c, w->next, w->s->guid, &w->plain, &w->people);
	return err == 0 ? hash(GNUTLS_DIG_SHA256, w->plain.data + w->people, w->plain.len - w->people, w->hash) : err;
}

static int update(struct gx_oab *o, struct set *s, struct nsp_call *c)
{
	struct work w = {.o = o, .s = s, .a = c->a, .plain = GX_PUSH_INIT, .old = GX_PUSH_INIT, .packed = GX_PUSH_INIT};
	int err = make_plain(&w, c);
	if (err == 0 && strcmp(w.hash, s->people) != 0)
		err = publish(&w);
	gx_push_release(&w.plain);
	gx_push_release(&w.old);
	gx_push_release(&w.packed);
	return err;
}

/* ---- Which, and whether it is new ---- */

static void guid_of(const struct nsp_call *c, char out[37])
{
	struct gx_guid g = c->n->guid;
	g.d1 ^= c->base->org != 0 ? UINT32_C(0x80000000) | c->base->org : c->b->dir.domains[c->base->domain].id;
	gx_guid_print(&g, out);
}

static int find_set(struct gx_oab *o, struct nsp_call *c, struct set **ret_s)
{
	char guid[37];
	guid_of(c, guid);
	for (struct set *s = o->sets; s != NULL; s = s->next)
		if (strcmp(s->guid, guid) == 0) {
			*ret_s = s;
			return 0;
		}
	const char *dir = gx_arena_printf(c->a, "%s/%s", o->dir, guid);
	struct set *s = dir == NULL ? NULL : calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	memcpy(s->guid, guid, sizeof(guid));
	if ((mkdir(o->dir, 0750) != 0 && errno != EEXIST) || (mkdir(dir, 0750) != 0 && errno != EEXIST)) {
		free(s);
		return complain(o, dir);
	}
	load_state(o, s, c->a);
	s->next = o->sets;
	o->sets = s;
	*ret_s = s;
	return 0;
}

struct wish {
	struct gx_oab *o;
	const char *name, *path;
	int err;
};

static bool is_due(const struct gx_oab *o, const struct set *s, uint64_t generation)
{
	if (!s->looked || s->n == 0)
		return true;
	return s->generation != generation && gx_clock_mono_ms(o->o.clock) - s->looked_ms >= o->o.cache_ms;
}

/* One at a time: others wait until the book is made, and then find it there. */
static gx_ec serve(struct nsp_call *c, void *ctx)
{
	struct wish *w = ctx;
	struct set *s = NULL;
	pthread_mutex_lock(&w->o->lock);
	w->err = find_set(w->o, c, &s);
	if (w->err == 0 && is_due(w->o, s, c->b->generation)) {
		w->err = update(w->o, s, c);
		s->looked = w->err == 0;
		s->looked_ms = gx_clock_mono_ms(w->o->o.clock);
		s->generation = c->b->generation;
	}
	bool known = w->err == 0 && strcmp(w->name, "oab.xml") == 0;
	for (unsigned i = 0; w->err == 0 && i < s->n; ++i)
		known = known || strcmp(w->name, s->v[i].name) == 0;
	if (w->err == 0)
		w->path = known ? path_of(w->o, s, w->name, c->a) : NULL;
	pthread_mutex_unlock(&w->o->lock);
	return NSP_OK;
}

int gx_oab_file(struct gx_oab *o, const char *user, const char *name, struct gx_arena *a, const char **ret_path)
{
	struct wish w = {.o = o, .name = name};
	if (o == NULL || user == NULL || name == NULL || a == NULL || ret_path == NULL)
		return GX_E_INVAL;
	gx_ec ec = gx_nsp__with(o->o.nsp, user, serve, a, &w);
	if (gx_ec_failed(ec))
		return gx_ec_is(ec, ecLoginFailure) ? GX_E_NOTFOUND : gx_ec_to_err(ec);
	if (w.err != 0)
		return w.err;
	*ret_path = w.path;
	return w.path == NULL ? GX_E_NOTFOUND : 0;
}

/* ---- Over HTTP ---- */

static void handle(struct gx_http_req *r, void *ctx)
{
	const char *name = strrchr(r->path, '/'), *path; /* the folder, with or without a GUID, is the user's own */
	int err = gx_oab_file(ctx, r->user, name == NULL ? "" : name + 1, r->arena, &path);
	if (err == 0)
		gx_http_files_send(r, path);
	else
		gx_http_reply_status(r, err == GX_E_NOTFOUND ? 404 : 503, NULL);
}

int gx_oab_new(const struct gx_oab_opts *o, struct gx_http *h, struct gx_oab **ret_o)
{
	struct gx_http_route route = GX_HTTP_ROUTE_INIT;
	if (o == NULL || o->size != sizeof(*o) || o->nsp == NULL || o->dir == NULL || o->keep >= ITEMS_MOST - 2 || ret_o == NULL)
		return GX_E_INVAL;
	struct gx_oab *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return GX_E_NOMEM;
	n->o = *o;
	n->o.clock = o->clock != NULL ? o->clock : gx_clock_system();
	n->o.cache_ms = o->cache_ms != 0 ? o->cache_ms : CACHE_MS;
	n->o.keep = o->keep != 0 ? o->keep : KEEP;
	n->dir = strdup(o->dir);
	int err = n->dir == NULL || pthread_mutex_init(&n->lock, NULL) != 0 ? GX_E_NOMEM : 0;
	if (err != 0) {
		free(n->dir);
		free(n);
		return err;
	}
	route.methods = GX_HTTP_GET;
	route.path = "/OAB";
	route.flags = GX_HTTP_PREFIX | GX_HTTP_NOCASE | GX_HTTP_AUTH;
	route.handle = handle;
	route.ctx = n;
	err = h == NULL ? 0 : gx_http_route(h, &route);
	if (err != 0)
		gx_oab_free(n);
	else
		*ret_o = n;
	return err;
}

void gx_oab_free(struct gx_oab *o)
{
	if (o == NULL)
		return;
	while (o->sets != NULL) {
		struct set *s = o->sets;
		o->sets = s->next;
		free(s);
	}
	pthread_mutex_destroy(&o->lock);
	free(o->dir);
	free(o);
}
