/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the journal: header, envelope, message bytes. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "crc32c.h"
#include "journal-int.h"

#define REC_MAGIC 0x524a5847u /* "GXJR" */
#define ENV_VERSION 1
#define ENV_SMTPUTF8 1

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; ++i)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; ++i)
		p[i] = (uint8_t)(v >> 8 * i);
}

void gx_jrec__put_head(const struct gx_jhead *h, uint8_t out[GX_JREC_HEADER])
{
	memset(out, 0, GX_JREC_HEADER);
	put32(out, REC_MAGIC);
	put64(out + 8, h->stamp);
	put64(out + 16, h->seq);
	memcpy(out + 24, h->id, sizeof(h->id));
	put64(out + 40, h->data_len);
	put32(out + 48, h->env_len);
	put32(out + 52, h->index);
	put32(out + 56, h->body_crc);
	put32(out + 4, gx_crc32c__update(0, out + 8, GX_JREC_HEADER - 8));
}

bool gx_jrec__get_head(const uint8_t in[GX_JREC_HEADER], struct gx_jhead *ret_h)
{
	struct gx_pull c;
	gx_pull_init(&c, in, GX_JREC_HEADER);
	uint32_t magic = gx_pull_u32(&c);
	if (magic != REC_MAGIC || gx_pull_u32(&c) != gx_crc32c__update(0, in + 8, GX_JREC_HEADER - 8))
		return false;
	ret_h->stamp = gx_pull_u64(&c);
	ret_h->seq = gx_pull_u64(&c);
	memcpy(ret_h->id, gx_pull_bytes(&c, sizeof(ret_h->id)), sizeof(ret_h->id));
	ret_h->data_len = gx_pull_u64(&c);
	ret_h->env_len = gx_pull_u32(&c);
	ret_h->index = gx_pull_u32(&c);
	ret_h->body_crc = gx_pull_u32(&c);
	return true;
}

void gx_jrec__make_id(uint64_t uuid, uint64_t seq, uint8_t out[16])
{
	put64(out, uuid);
	put64(out + 8, seq);
}

void gx_jrec__put_env(struct gx_push *p, const struct gx_envelope *env)
{
	gx_push_u8(p, ENV_VERSION);
	gx_push_u8(p, env->smtputf8 ? ENV_SMTPUTF8 : 0);
	gx_push_u64(p, (uint64_t)env->received_unix);
	gx_push_strz(p, env->from != NULL ? env->from : "");
	gx_push_strz(p, env->client != NULL ? env->client : "");
	gx_push_u32(p, (uint32_t)env->rcpt_count);
	for (size_t i = 0; i < env->rcpt_count; ++i)
		gx_push_strz(p, env->rcpts[i]);
}

int gx_jrec__get_env(struct gx_arena *a, struct gx_bin bytes, struct gx_envelope *ret_env)
{
	struct gx_pull c;
	struct gx_envelope e = {0};
	gx_pull_init(&c, bytes.data, bytes.len);
	if (gx_pull_u8(&c) != ENV_VERSION)
		return c.err != 0 ? c.err : GX_E_FORMAT;
	e.smtputf8 = gx_pull_u8(&c) & ENV_SMTPUTF8;
	e.received_unix = (int64_t)gx_pull_u64(&c);
	e.from = gx_arena_strdup(a, gx_pull_strz(&c));
	e.client = gx_arena_strdup(a, gx_pull_strz(&c));
	e.rcpt_count = gx_pull_count(&c, gx_pull_u32(&c), 1);
	const char **v = gx_arena_calloc(a, e.rcpt_count, sizeof(*v));
	if (e.from == NULL || e.client == NULL || v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < e.rcpt_count; ++i) {
		v[i] = gx_arena_strdup(a, gx_pull_strz(&c));
		if (v[i] == NULL)
			return GX_E_NOMEM;
	}
	e.rcpts = v;
	if (c.err != 0)
		return c.err;
	*ret_env = e;
	return 0;
}

struct gx_jrec *gx_jrec__new(struct gx_jseg *s, const struct gx_jhead *h, uint64_t off)
{
	struct gx_jrec *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->seg = s;
	r->seq = h->seq;
	r->off = off;
	r->data_len = h->data_len;
	r->env_len = h->env_len;
	r->index = h->index;
	r->body_crc = h->body_crc;
	memcpy(r->id, h->id, sizeof(r->id));
	return r;
}
