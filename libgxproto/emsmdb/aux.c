/* SPDX-License-Identifier: Apache-2.0 */
/* Auxiliary buffers, [MS-OXCRPC] 3.1.4.1.2: who the client is, what it has met with, and what it may expect of this server. */
#include <config.h>
#include <string.h>
#include <gx/auxbuf.h>
#include "libgxproto/emsmdb/emsmdb-int.h"

enum { BLOCKS_MOST = 1000, ENABLE_COMPRESSION = 0x4, EXPIRY_MS = 7 * 24 * 3600 * 1000, PUBLIC_FOLDERS = 0x1, SINGLE_ENDPOINT = 0x1 };

/* Cut where it must be, at a character; what is no text changes nothing. */
static void keep(char *to, size_t size, const char *text)
{
	if (text == NULL)
		return;
	size_t n = strlen(text);
	if (n >= size)
		n = size - 1;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		--n;
	for (size_t i = 0; i < n; ++i)
		to[i] = (unsigned char)text[i] < ' ' ? '?' : text[i];
	to[n] = '\0';
}

static void client_info(struct gx_ems_session *s, const struct gx_aux_block *b, struct gx_arena *a)
{
	const struct gx_aux_perf_clientinfo *i = b->body;
	s->client.mode = i->client_mode;
	keep(s->client.machine, sizeof(s->client.machine), gx_aux_text(b, i->machine_name_offset, a));
}

static void process_info(struct gx_ems_session *s, const struct gx_aux_block *b, struct gx_arena *a)
{
	const struct gx_aux_perf_processinfo *i = b->body;
	keep(s->client.process, sizeof(s->client.process), gx_aux_text(b, i->process_name_offset, a));
}

static void failure(struct gx_ems_session *s, const struct gx_aux_block *b)
{
	const struct gx_aux_perf_failure *v1 = b->body;
	const struct gx_aux_perf_failure_v2 *v2 = b->body;
	++s->client.failures;
	gx_log(s->e->o.log, GX_LOG_DEBUG, "emsmdb: user=%s machine=%s tells of a failed request: 0x%08x after %u ms", s->user, s->client.machine,
		(unsigned)(b->version == 1 ? v1->result_code : v2->result_code),
		(unsigned)(b->version == 1 ? v1->time_to_fail_request : v2->time_to_fail_request));
}

static void hear(struct gx_ems_session *s, const struct gx_aux_block *b, struct gx_arena *a)
{
	switch (b->type) {
	case GX_AUX_CLIENTINFO: client_info(s, b, a); break;
	case GX_AUX_PROCESSINFO: process_info(s, b, a); break;
	case GX_AUX_FAILURE:
	case GX_AUX_BG_FAILURE:
	case GX_AUX_FG_FAILURE: failure(s, b); break;
	default: break;
	}
}

int gx_ems_session_hear(struct gx_ems_session *s, struct gx_bin aux, struct gx_arena *a)
{
	struct gx_pull c;
	struct gx_bin payload;
	bool last;
	if (aux.len == 0)
		return 0;
	gx_pull_init(&c, aux.data, aux.len);
	gx_ext_pull(&c, a, &payload, &last);
	if (c.err != 0)
		return c.err;
	gx_pull_init(&c, payload.data, payload.len);
	pthread_mutex_lock(&s->e->lock); /* the dump reads it */
	for (unsigned i = 0; c.left > 0 && c.err == 0; ++i) {
		struct gx_aux_block b;
		gx_aux_pull(&c, a, &b);
		if (c.err == 0 && b.body != NULL)
			hear(s, &b, a);
		if (i == BLOCKS_MOST)
			gx_pull_fail(&c, GX_E_LIMIT);
	}
	pthread_mutex_unlock(&s->e->lock);
	return c.err;
}

int gx_ems_introduce(struct gx_ems *e, struct gx_arena *a, struct gx_bin *ret_aux)
{
	struct gx_push blocks = GX_PUSH_INIT, out = GX_PUSH_INIT;
	const struct gx_aux_exorginfo org = {PUBLIC_FOLDERS};
	const struct gx_aux_client_control control = {e->o.compress_threshold >= 0 ? ENABLE_COMPRESSION : 0U, EXPIRY_MS};
	const struct gx_aux_endpoint_capabilities endpoint = {SINGLE_ENDPOINT};
	gx_aux_push(&blocks, 1, GX_AUX_EXORGINFO, &org);
	gx_aux_push(&blocks, 1, GX_AUX_CLIENT_CONTROL, &control);
	gx_aux_push(&blocks, 1, GX_AUX_ENDPOINT_CAPABILITIES, &endpoint);
	if (blocks.err == 0)
		gx_ext_push(&out, (struct gx_bin){blocks.data, blocks.len}, GX_EXT_LAST, NULL);
	int err = blocks.err != 0 ? blocks.err : gx_push_finish(&out, a, ret_aux);
	gx_push_release(&blocks);
	gx_push_release(&out);
	return err;
}
