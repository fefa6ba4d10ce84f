/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FastTransfer streams: the first byte says what kind of stream, the second whether events stop it and the code page,
 * the third the size of buffers. What is taken apart is put together again; doing it once more gives the same bytes.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/ftx.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTIONS = GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE | GX_FTX_SEND_PARTIAL_ITEM };

struct copy {
	struct gx_ftx_out *out;
	struct gx_push part;
	gx_proptag_t tag;
	struct gx_propname name;
	char *text;             /* of the name */
	bool named, stop;
};

static int marker(gx_proptag_t tag, void *ctx)
{
	struct copy *c = ctx;
	int err = gx_ftx_out_marker(c->out, tag);
	assert(err == 0);
	return c->stop;
}

static int prop(const struct gx_ftx_prop *p, void *ctx)
{
	struct copy *c = ctx;
	int err = gx_ftx_out_prop(c->out, p->tag, p->name, &p->v);
	assert(err == 0 || (err == GX_E_INVAL && p->tag == MetaTagFXDelProp));
	return err != 0 ? err : c->stop;
}

static int begin(const struct gx_ftx_prop *p, uint32_t n, void *ctx)
{
	struct copy *c = ctx;
	(void)n;
	gx_push_clear(&c->part);
	c->tag = p->tag;
	c->named = p->name != NULL;
	free(c->text);
	c->text = NULL;
	if (c->named) {
		c->name = *p->name;
		c->text = c->name.by_name ? strdup(c->name.name) : NULL;
		c->name.name = c->text;
	}
	return c->stop;
}

static int part(const void *data, size_t n, void *ctx)
{
	struct copy *c = ctx;
	gx_push_bytes(&c->part, data, n);
	return c->stop;
}

static int end(void *ctx)
{
	struct copy *c = ctx;
	union gx_value v = {0};
	uint16_t type = GX_PROP_TYPE(c->tag);
	if (type == PtypString || type == PtypString8) {
		gx_push_u8(&c->part, 0);
		v.str = (const char *)c->part.data;
	} else {
		v.bin = (struct gx_bin){c->part.data, c->part.len};
	}
	int err = gx_ftx_out_prop(c->out, c->tag, c->named ? &c->name : NULL, &v);
	assert(err == 0);
	return c->stop;
}

/* In pieces of that size; those that an event stops go on. */
static int feed(struct gx_ftx_in *in, const uint8_t *p, size_t n, size_t piece)
{
	int err = 0;
	while (n != 0 && err >= 0) {
		size_t k = piece != 0 && piece < n ? piece : n, used;
		err = gx_ftx_in_write(in, p, k, &used);
		assert(used <= k && (err != 0 || used == k));
		p += used;
		n -= used;
	}
	return err < 0 ? err : gx_ftx_in_end(in);
}

/* The stream once more, as we write it; its own error when it has one. */
static int recode(const uint8_t *p, size_t n, int root, uint32_t cp, size_t piece, bool stop, struct gx_push *ret)
{
	static const struct gx_ftx_in_ops ops = {.marker = marker, .prop = prop, .begin = begin, .part = part, .end = end};
	struct copy c = {.stop = stop};
	struct gx_ftx_in_opts o = {.send_options = OPTIONS, .cp = cp, .root = root, .max_whole = 40};
	c.out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.send_options = OPTIONS, .cp = GX_CP_UTF8, .root = root});
	struct gx_ftx_in *in = gx_ftx_in_new(&o, &ops, &c);
	int err = c.out == NULL || in == NULL ? GX_E_NOMEM : feed(in, p, n, piece);
	if (err == 0) {
		err = gx_ftx_out_end(c.out);
		assert(err == 0);
	}
	size_t got = 1;
	while (err == 0 && got != 0) {
		uint8_t *buf = gx_push_reserve(ret, 3000);
		err = buf == NULL ? GX_E_NOMEM : gx_ftx_out_read(c.out, buf, 3000, &got);
		gx_push_added(ret, err == 0 ? got : 0);
	}
	gx_ftx_in_free(in);
	gx_ftx_out_free(c.out);
	gx_push_release(&c.part);
	free(c.text);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t pages[] = {1252, GX_CP_UTF8, 932, GX_CP_UTF7};
	struct gx_push first = GX_PUSH_INIT, second = GX_PUSH_INIT;
	if (size < 3)
		return 0;
	int root = data[0] % GX_FTX_ROOTS;
	bool stop = data[1] & 4;
	if (recode(data + 3, size - 3, root, pages[data[1] & 3], data[2], stop, &first) == 0) {
		int err = recode(first.data, first.len, root, GX_CP_UTF8, data[2] / 2, !stop, &second);
		assert(err == 0);
		assert(first.len == second.len && (first.len == 0 || memcmp(first.data, second.data, first.len) == 0));
	}
	gx_push_release(&first);
	gx_push_release(&second);
	return 0;
}
