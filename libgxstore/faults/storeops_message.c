/* SPDX-License-Identifier: Apache-2.0 */
/* Messages whose bytes follow from four numbers, which stand in their header. */
#include <config.h>
#include <stdio.h>
#include <gx/codec.h>
#include "libgxstore/faults/storeops.h"

struct form {
	int kind;
	unsigned serial, seed;
	unsigned size; /* of the text, or of the attachment before it is encoded */
};

static const char head[] = "From: a@example.org\r\nTo: u@example.org\r\nSubject: message %u\r\nMessage-ID: <%u@example.org>\r\n"
	"X-Form: %d %u %u %u\r\n\r\n";

static void put_text(struct gx_push *out, const struct form *f)
{
	uint8_t *p = gx_push_reserve(out, f->size);
	ck_assert_ptr_nonnull(p);
	for (unsigned i = 0; i < f->size; i++)
		p[i] = i % 72 == 71 ? '\n' : (uint8_t)('a' + (i * 7 + f->seed * 13 + i / 72) % 26);
	gx_push_added(out, f->size);
}

static uint8_t *random_bytes(struct gx_arena *a, const struct form *f)
{
	uint64_t rng = f->seed * 2 + 1;
	uint64_t *p = gx_arena_alloc(a, f->size + 8);
	for (unsigned i = 0; i <= f->size / 8; i++)
		p[i] = fdisk_random(&rng);
	return (uint8_t *)p;
}

/* @return where the text begins */
static size_t put_original(struct gx_push *out, struct gx_arena *a, const struct form *f)
{
	char buf[512];
	int n = snprintf(buf, sizeof(buf), head, f->serial, f->serial, f->kind, f->serial, f->seed, f->size);
	gx_push_bytes(out, buf, (size_t)n);
	switch (f->kind) {
	case SO_PLAIN:
	case SO_LARGE:
		put_text(out, f);
		break;
	case SO_ATTACHED:
	case SO_ATTACHED_FILE:
		gx_base64_enc_lines(out, random_bytes(a, f), f->size);
		break;
	default:
		gx_push_bytes(out, "rendered\r\n", 10);
	}
	ck_assert_int_eq(out->err, 0);
	return (size_t)n;
}

static void set_str(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	ck_assert_int_eq(gx_proplist_set_str(l, a, tag, s), 0);
}

static void add_props(struct gx_msgobj *m, struct gx_arena *a, const struct form *f)
{
	static const struct gx_guid set = {0x00020386, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	struct gx_propname n = {.set = set, .by_name = true, .name = gx_arena_printf(a, "x-so-%u", f->serial % 7)};
	set_str(&m->props, a, PidTagSubject, gx_arena_printf(a, "message %u", f->serial));
	set_str(&m->props, a, PidTagInternetMessageId, gx_arena_printf(a, "<%u@example.org>", f->serial));
	set_str(&m->props, a, PidTagMessageClass, "IPM.Note");
	set_str(gx_msgobj_add_rcpt(m, a), a, PidTagSmtpAddress, "u@example.org");
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &n, PtypString, (union gx_value){.str = "named"}), 0);
}

static void add_attachments(struct gx_msgobj *m, struct gx_arena *a, const struct form *f, size_t off, size_t len)
{
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	at->data = (struct gx_slice_prop){.tag = PidTagAttachDataBinary, .slice = {.off = off, .len = len, .cte = GX_CTE_BASE64}};
	set_str(&at->props, a, PidTagAttachFilename, "a.bin");
	at = gx_msgobj_add_attach(m, a);
	at->embedded = gx_msgobj_new(a);
	set_str(&at->embedded->props, a, PidTagSubject, gx_arena_printf(a, "inside %u", f->serial));
	set_str(gx_msgobj_add_rcpt(at->embedded, a), a, PidTagSmtpAddress, "v@example.org");
}

/* A body that is long enough for a content object of its own, for every second one. */
static void add_body(struct gx_msgobj *m, struct gx_arena *a, const struct form *f)
{
	struct gx_push out = GX_PUSH_INIT;
	put_text(&out, f);
	gx_push_u8(&out, 0);
	set_str(&m->props, a, PidTagBody, gx_arena_strdup(a, (const char *)out.data));
	gx_push_release(&out);
}

static void make_source(struct gx_arena *a, const struct form *f, struct gx_msg_source *src)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	*src = (struct gx_msg_source)GX_MSG_SOURCE_INIT;
	src->obj = m;
	add_props(m, a, f);
	if (f->kind == SO_OBJECT) {
		add_body(m, a, f);
		return;
	}
	struct gx_push out = GX_PUSH_INIT;
	size_t off = put_original(&out, a, f), len = out.len - off;
	if (f->kind == SO_PLAIN || f->kind == SO_LARGE)
		m->slices[0] = (struct gx_slice_prop){.tag = PidTagBody, .slice = {.off = off, .len = len, .cp = 65001, .cte = GX_CTE_7BIT}};
	else
		add_attachments(m, a, f, off, len);
	ck_assert_int_eq(gx_push_finish(&out, a, &src->original), 0);
	gx_push_release(&out);
	src->envelope = (struct gx_bin){(const uint8_t *)"(env)", 5};
	src->bodystructure = (struct gx_bin){(const uint8_t *)"(bs)", 4};
}

/* Mostly few seeds, and the size goes with the seed: messages share what they carry. */
const struct gx_msg_prepared *so_message(struct so_world *w, int kind)
{
	static const unsigned least[] = {200, 70000, 5000, 140000, 100}, step[] = {900, 9000, 9000, 20000, 9000};
	struct form f = {.kind = kind, .serial = ++w->serial, .seed = 1 + so_rand(w, 3)};
	struct gx_msg_prepared *p = NULL;
	f.size = least[kind] + step[kind] * f.seed;
	if (so_one_in(w, 3))
		f.seed = 100 + f.serial;
	make_source(w->a, &f, &w->x.src);
	ck_assert_int_eq(gx_msg_prepare(w->a, &w->x.src, &p), 0);
	return p;
}

int so_render(const struct gx_msgobj *m, struct gx_push *msg, struct gx_push *env, struct gx_push *bs, void *ctx)
{
	struct form f = {.kind = SO_OBJECT};
	(void)ctx;
	if (sscanf(gx_proplist_str(&m->props, PidTagInternetMessageId, ""), "<%u@", &f.serial) != 1)
		f.serial = 0; /* one that was made of others */
	char buf[512];
	int n = snprintf(buf, sizeof(buf), head, f.serial, f.serial, f.kind, f.serial, 0U, 0U);
	gx_push_bytes(msg, buf, (size_t)n);
	gx_push_bytes(msg, "rendered\r\n", 10);
	gx_push_bytes(env, "(env)", 5);
	gx_push_bytes(bs, "(bs)", 4);
	return 0;
}

static void check_original(struct gx_txn *t, uint64_t mid, struct gx_push *got, struct gx_push *want)
{
	struct form f = {0};
	struct gx_arena *a = gx_arena_new(0);
	gx_push_clear(got);
	gx_push_clear(want);
	gx_ec ec = gx_msg_original(t, mid, 0, UINT64_MAX, got);
	ck_assert_msg(!gx_ec_failed(ec), "original of %llx: %s, %s", (unsigned long long)mid, gx_ec_name(ec), gx_txn_why(t));
	const char *line = memmem(got->data, got->len, "X-Form: ", 8);
	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(sscanf(line, "X-Form: %d %u %u %u", &f.kind, &f.serial, &f.seed, &f.size), 4);
	put_original(want, a, &f);
	ck_assert_uint_eq(got->len, want->len);
	ck_assert_mem_eq(got->data, want->data, got->len);
	gx_arena_free(a);
}

unsigned so_check_originals(struct gx_store *s)
{
	struct gx_push got = GX_PUSH_INIT, want = GX_PUSH_INIT;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	unsigned n = 0;
	int r;
	{
		GX_STMT(st, t->q, "SELECT mid FROM msg WHERE flags&0x800");
		while ((r = gx_sql__step(st)) > 0) {
			check_original(t, gx_sql__u64(st, 0), &got, &want);
			n++;
		}
		ck_assert_int_eq(r, 0);
	}
	gx_txn_abort(t);
	gx_push_release(&got);
	gx_push_release(&want);
	return n;
}
