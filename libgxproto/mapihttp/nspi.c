/* SPDX-License-Identifier: Apache-2.0 */
/* The address book's request types, [MS-OXCMAPIHTTP] 2.2.5. */
#include <config.h>
#include <stdlib.h>
#include <gx/charset.h>
#include "libgxproto/mapihttp/mapihttp-int.h"

/* Flags, HasState, then the seven numbers of a STAT that stand before its code page. */
enum { AT_HAS_STATE = 4, AT_CODE_PAGE = 5 + 6 * 4 };
enum { SESSIONS_MOST = 20000, SESSIONS_OF_USER = 100 };

/* 8-bit texts are of the code page that the request names; where it names none, or UTF-16, there are none to speak of. */
static uint32_t code_page(const struct gx_mh_call *c)
{
	struct gx_pull p;
	uint32_t type = c->type == NULL ? GX_MH_BIND : gx_mapihttp_number(c->type), cp;
	bool has_state = c->r->body.len > AT_HAS_STATE && c->r->body.data[AT_HAS_STATE] != 0;
	if (type == GX_MH_UNBIND || type == GX_MH_DN_TO_M_ID || type == GX_MH_MOD_LINK_ATT || type == GX_MH_GET_TEMPLATE_INFO ||
	    type == GX_MH_GET_MAILBOX_URL || type == GX_MH_GET_ADDRESS_BOOK_URL || type == GX_MH_GET_PROP_LIST || !has_state)
		return GX_CP_8BIT;
	gx_pull_init(&p, c->r->body.data, c->r->body.len);
	gx_pull_skip(&p, AT_CODE_PAGE);
	cp = gx_pull_u32(&p);
	return cp == 0 || cp == GX_CP_UTF16 || gx_cp_to_charset(cp) == NULL ? GX_CP_8BIT : cp;
}

static bool is_served(const struct gx_mh *m)
{
	return m->o.nsp != NULL;
}

static struct gx_px form(const struct gx_mh_call *c)
{
	return GX_PX_AB(c->r->arena, code_page(c));
}

static bool takes_turn(uint32_t type)
{
	return type != GX_MH_PING;
}

static unsigned find(struct gx_mh_call *c, const struct gx_guid *id, const struct gx_guid *turn)
{
	bool others;
	c->context = gx_sessions__get(c->m->sessions, GX_SESS_ADDRESS_BOOK, id, c->r->user, &others);
	if (c->context == NULL)
		return others ? GX_MHC_NO_PRIVILEGE : GX_MHC_CONTEXT_NOT_FOUND;
	return gx_sessions__turn(c->m->sessions, c->context, turn, &c->sequence) == 0 ? GX_MHC_SUCCESS : GX_MHC_INVALID_SEQUENCE;
}

static const struct gx_guid *session(const struct gx_mh_call *c)
{
	return c->context == NULL ? NULL : &c->context->id;
}

static void put(struct gx_mh_call *c)
{
	if (c->context != NULL)
		gx_sessions__put(c->m->sessions, c->context);
	c->context = NULL;
}

static void *response(struct gx_mh_call *c)
{
	return gx_arena_calloc(c->r->arena, 1, c->type->res->size);
}

static void do_request(struct gx_mh_call *c)
{
	void *res = response(c);
	if (res == NULL) {
		gx_mh__refuse(c, GX_MHC_UNKNOWN_FAILURE, NULL);
		return;
	}
	if (!gx_mh__announce(c))
		return;
	(void)!gx_nsp_do(c->m->o.nsp, c->r->user, gx_mapihttp_number(c->type), c->q, c->r->arena, res).v;
	gx_mh__answer(c, res);
}

static int begin(struct gx_mh_call *c)
{
	static const struct gx_sess_limits limits = {.sessions = SESSIONS_MOST, .of_user = SESSIONS_OF_USER};
	struct gx_sess *s = calloc(1, sizeof(*s));
	int err = s == NULL ? GX_E_NOMEM : gx_sessions__add(c->m->sessions, s, GX_SESS_ADDRESS_BOOK, c->r->user, &limits);
	if (err != 0) {
		free(s);
		return err;
	}
	c->context = s;
	return gx_sessions__turn(c->m->sessions, s, NULL, &c->sequence);
}

static void do_bind(struct gx_mh_call *c)
{
	struct gx_mh_bind_res res = {0};
	int err = begin(c);
	if (err == 0)
		c->promised = &c->context->id;
	if (!gx_mh__announce(c))
		return;
	gx_ec ec = gx_nsp_do(c->m->o.nsp, c->r->user, GX_MH_BIND, c->q, c->r->arena, &res);
	if (!gx_ec_failed(ec) && err != 0)
		res = (struct gx_mh_bind_res){.error_code = err == GX_E_LIMIT ? ecOutOfResources : ecMAPIOOM};
	if (gx_ec_failed(ec) && err == 0) {
		gx_sessions__end(c->m->sessions, c->context);
		put(c);
	}
	gx_mh__answer(c, &res);
}

static void do_unbind(struct gx_mh_call *c)
{
	gx_sessions__end(c->m->sessions, c->context);
	do_request(c);
}

static void (*const functions[GX_MH_TYPES])(struct gx_mh_call *) = {
	[GX_MH_BIND] = do_bind, [GX_MH_UNBIND] = do_unbind, [GX_MH_PING] = gx_mh__ping, [GX_MH_COMPARE_M_IDS] = do_request,
	[GX_MH_DN_TO_M_ID] = do_request, [GX_MH_GET_MATCHES] = do_request, [GX_MH_GET_PROP_LIST] = do_request, [GX_MH_GET_PROPS] = do_request,
	[GX_MH_GET_SPECIAL_TABLE] = do_request, [GX_MH_GET_TEMPLATE_INFO] = do_request, [GX_MH_MOD_LINK_ATT] = do_request,
	[GX_MH_MOD_PROPS] = do_request, [GX_MH_QUERY_ROWS] = do_request, [GX_MH_QUERY_COLUMNS] = do_request, [GX_MH_RESOLVE_NAMES] = do_request,
	[GX_MH_RESORT_RESTRICTION] = do_request, [GX_MH_SEEK_ENTRIES] = do_request, [GX_MH_UPDATE_STAT] = do_request,
	[GX_MH_GET_MAILBOX_URL] = do_request, [GX_MH_GET_ADDRESS_BOOK_URL] = do_request,
};

const struct gx_mh_endpoint gx_mh__address_book = {GX_ENDPOINT_NSPI, "/mapi/nspi", GX_MH_BIND, functions, is_served, form, find, takes_turn,
	session, put};
