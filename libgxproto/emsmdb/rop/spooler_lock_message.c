/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that send by themselves: RopSetSpooler, RopSpoolerLockMessage, RopGetTransportFolder, RopTransportNewMail, and
 * RopGetAddressTypes. [MS-OXOMSG] 2.2.3.3 to 2.2.3.8 */
#include <config.h>
#include "libgxproto/emsmdb/submit.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { LOCK = 0, UNLOCK = 1, FINISHED = 2 };

static bool is_mailbox(const struct gx_rop_call *c)
{
	return gx_ems__logon(c->in) != NULL && !c->logon->is_public;
}

/* The queue is there for whoever asks. */
gx_ec gx_rop__set_spooler(struct gx_rop_call *c, const void *q, void *r)
{
	(void)q;
	(void)r;
	return is_mailbox(c) ? EMS_OK : GX_EC(ecNotSupported);
}

static gx_ec set_lock(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, bool on)
{
	static const gx_proptag_t tag = PidTagSubmitFlags;
	struct gx_proplist l = {0}, set = {0};
	gx_ec ec = gx_msg_get_props(t, mid, &tag, 1, c->a, &l);
	int32_t was = gx_proplist_i32(&l, tag, 0), now = on ? was | GX_SUBMITFLAG_LOCKED : was & ~GX_SUBMITFLAG_LOCKED;
	if (gx_ec_failed(ec))
		return ec;
	if (on && was == now)
		return gx_rop__fail(c, ecAccessDenied, "another client is sending it");
	int err = gx_proplist_set_i32(&set, c->a, tag, now);
	return err != 0 ? gx_ec_from_err(err) : gx_msg_change_props(t, mid, &set, NULL, 0, 0, c->a, NULL);
}

static gx_ec lock_message(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, uint8_t state)
{
	struct gx_msg_info i;
	gx_ec ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec) && !(i.flags & GX_MSGF_SUBMIT))
		ec = gx_rop__fail(c, MAPI_E_NOT_IN_QUEUE, "it was not submitted");
	if (gx_ec_failed(ec))
		return ec;
	return state == FINISHED ? gx_ems__finish(t, mid, c->a) : set_lock(c, t, mid, state == LOCK);
}

gx_ec gx_rop__spooler_lock_message(struct gx_rop_call *c, const struct gx_rop_spooler_lock_message_req *q, void *r)
{
	struct gx_txn *t;
	uint64_t mid;
	(void)r;
	if (!is_mailbox(c))
		return GX_EC(ecNotSupported);
	if (q->lock_state > FINISHED)
		return gx_rop__fail(c, ecInvalidParam, "LockState %u", q->lock_state);
	gx_ec ec = gx_ems__plain(c, q->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, lock_message(c, t, mid, q->lock_state));
}

gx_ec gx_rop__get_transport_folder(struct gx_rop_call *c, const void *q, struct gx_rop_get_transport_folder_res *r)
{
	(void)q;
	r->folder_id = gx_eid_wire(GX_FID_OUTBOX);
	return is_mailbox(c) ? EMS_OK : GX_EC(ecNotSupported);
}

/* A client has put new mail somewhere: all who listen hear of it. What class it has and which flags stands in the message. */
gx_ec gx_rop__transport_new_mail(struct gx_rop_call *c, const struct gx_rop_transport_new_mail_req *q, void *r)
{
	struct gx_txn *t;
	uint64_t fid, mid;
	struct gx_msg_info i;
	(void)r;
	if (!is_mailbox(c))
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain(c, q->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec) && i.fid != fid)
		ec = GX_EC(ecNotFound);
	return gx_rop__end(c, t, gx_ec_failed(ec) ? ec : gx_msg_announce(t, mid));
}

gx_ec gx_rop__get_address_types(struct gx_rop_call *c, const void *q, struct gx_rop_get_address_types_res *r)
{
	static const char *const types[] = {"EX", "SMTP"};
	(void)q;
	if (gx_ems__logon(c->in) == NULL)
		return GX_EC(ecNotSupported);
	r->address_types = types;
	r->address_types_count = 2;
	return EMS_OK;
}
