/* SPDX-License-Identifier: Apache-2.0 */
/* What operations share: transactions, results, reasons. */
#include <config.h>
#include "libgxproto/emsmdb/emsmdb-int.h"

enum { EXT_RULE_MOST = 510 * 1024 };

bool gx_rop__folders_go(const struct gx_rop_call *c, struct gx_txn *t)
{
	return c->s->e->o.folders_go && !gx_store_is_public(gx_txn_store(t));
}

gx_ec gx_rop__fail(struct gx_rop_call *c, uint32_t code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	c->why = gx_arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	return GX_EC(code);
}

uint64_t gx_rop__object_max(const struct gx_rop_call *c)
{
	uint64_t n = c->s->e->o.max_object;
	return n != 0 && n < EMS_OBJECT_MOST ? n : EMS_OBJECT_MOST;
}

uint32_t gx_rop__ext_rule_max(const struct gx_rop_call *c)
{
	uint32_t n = c->s->e->o.max_ext_rule;
	return n != 0 ? n : EXT_RULE_MOST;
}

gx_ec gx_rop__give(struct gx_rop_call *c, struct gx_ems_obj *o, struct gx_ems_logon *l)
{
	o->logon = l;
	int err = gx_ems__add(c->s, o);
	if (err == 0) {
		c->made = o;
		return EMS_OK;
	}
	o->kind->free(o);
	return err == GX_E_LIMIT ? gx_rop__fail(c, ecTooManyOpenObjects, "too many objects are open") : gx_ec_from_err(err);
}

gx_ec gx_rop__begin_at(struct gx_rop_call *c, struct gx_ems_logon *l, int mode, struct gx_txn **ret_t)
{
	int err = gx_txn_begin(l->store, &l->actor, mode, EMS_TXN_MS, ret_t);
	l->dirty = l->dirty || (err == 0 && mode == GX_TXN_WRITE);
	return err == 0 ? EMS_OK : gx_rop__fail(c, gx_ec_from_err(err).v, "%s: %s", l->maildir, gx_strerror(err));
}

gx_ec gx_rop__read(struct gx_rop_call *c, struct gx_txn **ret_t)
{
	return gx_rop__begin_at(c, c->logon, GX_TXN_READ, ret_t);
}

gx_ec gx_rop__write(struct gx_rop_call *c, struct gx_txn **ret_t)
{
	return gx_rop__begin_at(c, c->logon, GX_TXN_WRITE, ret_t);
}

gx_ec gx_rop__end(struct gx_rop_call *c, struct gx_txn *t, gx_ec ec)
{
	if (gx_ec_failed(ec)) {
		const char *why = gx_txn_why(t);
		if (*why != '\0')
			c->why = gx_arena_strdup(c->a, why);
		gx_txn_abort(t);
		return ec;
	}
	/* flushed before the answer goes out, once for all operations of the request */
	int err = gx_txn_commit(t, GX_SYNC_LATER);
	return err == 0 ? ec : gx_ec_from_err(err);
}
